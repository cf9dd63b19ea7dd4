//! Side fields: read where they can be, left out where they cannot.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::anomaly::AnomalyKind;
use super::extra::Extra;
use super::private_text::PrivateText;
use super::via::Via;

/// A value as it was found in a side field.
pub(crate) enum Side<T> {
    /// As documented.
    Documented(T),
    /// In a tolerated form.
    Tolerated(T, AnomalyKind),
    /// `null`.
    Null,
    /// Of no readable form.
    Unreadable,
}

impl<T> Side<T> {
    fn tolerated(value: Option<T>, anomaly: AnomalyKind) -> Self {
        value.map_or(Self::Unreadable, |value| Self::Tolerated(value, anomaly))
    }

    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Side<U> {
        match self {
            Self::Documented(value) => Side::Documented(map(value)),
            Self::Tolerated(value, anomaly) => Side::Tolerated(map(value), anomaly),
            Self::Null => Side::Null,
            Self::Unreadable => Side::Unreadable,
        }
    }

    /// The value, with a remark on `field` where it is not as documented.
    pub(crate) fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T> {
        let (value, anomaly) = match self {
            Self::Documented(value) => return Some(value),
            Self::Tolerated(value, anomaly) => (Some(value), anomaly),
            Self::Null => (None, AnomalyKind::ExplicitNull),
            Self::Unreadable => (None, AnomalyKind::Unreadable),
        };
        extra.remark(field, anomaly);
        value
    }

    pub(crate) fn settle_via<U>(self, field: &'static str, extra: &mut Extra) -> Option<U>
    where
        T: Via<U>,
    {
        self.settle(field, extra)?.settle(field, extra)
    }
}

/// What can stand in a side field: says what it makes of each kind of JSON value.
///
/// Nothing here fails but for JSON that is broken, and each reading takes the whole value.
pub(crate) trait SideValue: Sized {
    fn from_text(text: &str) -> Side<Self> {
        let _ = text;
        Side::Unreadable
    }

    fn from_integer(number: i128) -> Side<Self> {
        let _ = number;
        Side::Unreadable
    }

    fn from_bool(value: bool) -> Side<Self> {
        let _ = value;
        Side::Unreadable
    }

    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Side<Self>, A::Error> {
        IgnoredAny::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Side::Unreadable)
    }

    fn from_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Side<Self>, A::Error> {
        IgnoredAny::deserialize(SeqAccessDeserializer::new(seq))?;
        Ok(Side::Unreadable)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Side<Self>, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de, T: SideValue> Deserialize<'de> for Side<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer)
    }
}

struct AnyValue<T>(PhantomData<T>);

impl<'de, T: SideValue> Visitor<'de> for AnyValue<T> {
    type Value = Side<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Side<T>, E> {
        Ok(Side::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Side<T>, E> {
        Ok(T::from_bool(value))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Side<T>, E> {
        Ok(T::from_integer(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Side<T>, E> {
        Ok(T::from_integer(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Side<T>, E> {
        let whole = whole(number).map(T::from_integer);
        Ok(match whole {
            Some(Side::Documented(value) | Side::Tolerated(value, _)) => {
                Side::Tolerated(value, AnomalyKind::WrongType)
            }
            _ => Side::Unreadable,
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Side<T>, E> {
        Ok(T::from_text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Side<T>, A::Error> {
        T::from_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Side<T>, A::Error> {
        T::from_seq(seq)
    }
}

/// `number` when it is whole and small enough to be exact.
fn whole(number: f64) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i128)
}

macro_rules! text {
    ($($name:ty),*) => {
        $(
            impl SideValue for $name {
                fn from_text(text: &str) -> Side<Self> {
                    Side::Documented(text.into())
                }

                fn from_integer(number: i128) -> Side<Self> {
                    Side::Tolerated(number.to_string().into(), AnomalyKind::WrongType)
                }
            }
        )*
    };
}

text!(String, PrivateText);

macro_rules! integer {
    ($($name:ty),*) => {
        $(
            impl SideValue for $name {
                fn from_integer(number: i128) -> Side<Self> {
                    Self::try_from(number).map_or(Side::Unreadable, Side::Documented)
                }

                fn from_text(text: &str) -> Side<Self> {
                    Side::tolerated(text.trim().parse().ok(), AnomalyKind::WrongType)
                }
            }
        )*
    };
}

integer!(i64, u32);

impl SideValue for bool {
    fn from_bool(value: bool) -> Side<Self> {
        Side::Documented(value)
    }

    fn from_text(text: &str) -> Side<Self> {
        Side::tolerated(text.parse().ok(), AnomalyKind::WrongType)
    }
}

/// Entries that cannot be read are left out; a single value is a list of one.
impl<T: SideValue> SideValue for Vec<T> {
    fn from_text(text: &str) -> Side<Self> {
        match T::from_text(text) {
            Side::Documented(value) | Side::Tolerated(value, _) => {
                Side::Tolerated(vec![value], AnomalyKind::WrongType)
            }
            Side::Null | Side::Unreadable => Side::Unreadable,
        }
    }

    fn from_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Side<Self>, A::Error> {
        let (mut values, mut anomaly) = (Self::new(), None);
        while let Some(entry) = seq.next_element::<Side<T>>()? {
            let found = match entry {
                Side::Documented(value) => {
                    values.push(value);
                    continue;
                }
                Side::Tolerated(value, found) => {
                    values.push(value);
                    found
                }
                Side::Null | Side::Unreadable => AnomalyKind::Unreadable,
            };
            anomaly.get_or_insert(found);
        }
        Ok(match anomaly {
            None => Side::Documented(values),
            Some(AnomalyKind::Unreadable) if values.is_empty() => Side::Unreadable,
            Some(anomaly) => Side::Tolerated(values, anomaly),
        })
    }
}
