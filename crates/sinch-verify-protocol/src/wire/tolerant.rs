//! Tolerant readings of single fields.

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::anomaly::AnomalyKind;
use super::extra::Extra;
use super::read_text::read_text;
use super::side::{Side, SideValue};
use super::via::Via;

/// A whole number that some senders write as a string or with a fraction of zero.
pub(crate) struct LooseNumber<T> {
    value: T,
    is_documented: bool,
}

impl<'de, T: TryFrom<i64, Error: Display>> Deserialize<'de> for LooseNumber<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (number, is_documented) = match Side::<i64>::deserialize(deserializer)? {
            Side::Documented(number) => (number, true),
            Side::Tolerated(number, _) => (number, false),
            Side::Null | Side::Unreadable => return Err(D::Error::custom("expected a whole number")),
        };
        let value = T::try_from(number).map_err(D::Error::custom)?;
        Ok(Self { value, is_documented })
    }
}

impl<T> Via<T> for LooseNumber<T> {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T> {
        if !self.is_documented {
            extra.remark(field, AnomalyKind::WrongType);
        }
        Some(self.value)
    }
}

/// A number in which zero means "not set".
pub(crate) struct ZeroIsAbsent<T>(Option<LooseNumber<T>>);

impl<'de, T: TryFrom<i64, Error: Display>> Deserialize<'de> for ZeroIsAbsent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = LooseNumber::<i64>::deserialize(deserializer)?;
        if number.value == 0 {
            return Ok(Self(None));
        }
        let value = T::try_from(number.value).map_err(D::Error::custom)?;
        Ok(Self(Some(LooseNumber {
            value,
            is_documented: number.is_documented,
        })))
    }
}

impl<T> Via<T> for ZeroIsAbsent<T> {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T> {
        if self.0.is_none() {
            extra.remark(field, AnomalyKind::ZeroForUnset);
        }
        self.0?.settle(field, extra)
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
        read_text(deserializer, |text| Ok::<_, Infallible>(Self::read(text)))
    }
}

impl<T: Spelt> Spelled<T> {
    fn read(text: &str) -> Self {
        let value = T::read(text);
        let is_canonical = value.canonical() == text;
        Self { value, is_canonical }
    }
}

impl<T: Spelt> SideValue for Spelled<T> {
    fn from_text(text: &str) -> Side<Self> {
        Side::Documented(Self::read(text))
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

/// Text that some senders write as a JSON number (`"code": 4821`): its digits.
pub(crate) struct LooseText<T> {
    value: T,
    was_number: bool,
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for LooseText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Loose<T>(PhantomData<T>);

        impl<T: FromStr<Err: Display>> Visitor<'_> for Loose<T> {
            type Value = LooseText<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a whole number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<LooseText<T>, E> {
                let value = text.parse().map_err(E::custom)?;
                let was_number = false;
                Ok(LooseText { value, was_number })
            }

            // A number with a sign, a fraction or more digits than this is refused: its digits are not known.
            fn visit_u64<E: Error>(self, number: u64) -> Result<LooseText<T>, E> {
                let value = number.to_string().parse().map_err(E::custom)?;
                let was_number = true;
                Ok(LooseText { value, was_number })
            }
        }

        deserializer.deserialize_any(Loose(PhantomData))
    }
}

impl<T> Via<T> for LooseText<T> {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T> {
        if self.was_number {
            extra.remark(field, AnomalyKind::WrongType);
        }
        Some(self.value)
    }
}
