//! Tolerant readings of single fields.

use std::convert::Infallible;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::anomaly::AnomalyKind;
use super::extra::Extra;
use super::private_text::PrivateText;
use super::read_text::read_text;

/// A tolerant way to read a `T`, which may find that it is not there at all.
pub(crate) trait Via<T> {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T>;
}

/// A number in which zero means "not set".
pub(crate) struct ZeroIsAbsent<T>(Option<T>);

impl<'de, T> Deserialize<'de> for ZeroIsAbsent<T>
where
    T: TryFrom<i64>,
    T::Error: std::fmt::Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            0 => Ok(Self(None)),
            n => T::try_from(n)
                .map(|value| Self(Some(value)))
                .map_err(D::Error::custom),
        }
    }
}

impl<T> Via<T> for ZeroIsAbsent<T> {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T> {
        if self.0.is_none() {
            extra.remark(field, AnomalyKind::ZeroForUnset);
        }
        self.0
    }
}

/// A wire enum with one canonical spelling and others that read alike.
pub(crate) trait Spelt: Sized {
    fn read(text: &str) -> Self;
    fn canonical(&self) -> &str;
    fn is_known(&self) -> bool;
}

/// Reads an open enum and remarks on a spelling that is not the canonical one.
pub(crate) struct Spelled<T> {
    value: T,
    is_canonical: bool,
}

impl<'de, T: Spelt> Deserialize<'de> for Spelled<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, |text| {
            let value = T::read(text);
            let is_canonical = value.canonical() == text;
            Ok::<_, Infallible>(Self { value, is_canonical })
        })
    }
}

impl<T: Spelt> Via<T> for Spelled<T> {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T> {
        if !self.is_canonical {
            extra.remark(field, AnomalyKind::ValueSpelling);
        } else if !self.value.is_known() {
            extra.remark(field, AnomalyKind::UnknownValue);
        }
        Some(self.value)
    }
}

/// Text that some senders write as a JSON number (`"pin": 1`).
pub(crate) struct LooseText {
    text: String,
    was_number: bool,
}

impl<'de> Deserialize<'de> for LooseText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Loose;
        impl Visitor<'_> for Loose {
            type Value = LooseText;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a whole number")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<LooseText, E> {
                Ok(LooseText {
                    text: text.to_owned(),
                    was_number: false,
                })
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<LooseText, E> {
                Ok(LooseText {
                    text: n.to_string(),
                    was_number: true,
                })
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<LooseText, E> {
                Err(E::invalid_value(Unexpected::Signed(n), &self))
            }
        }
        deserializer.deserialize_any(Loose)
    }
}

impl Via<PrivateText> for LooseText {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<PrivateText> {
        if self.was_number {
            extra.remark(field, AnomalyKind::WrongType);
        }
        Some(self.text.into())
    }
}
