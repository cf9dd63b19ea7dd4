//! Money, without a binary float.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::wire::{AnomalyKind, Extra, Part, Side, SideValue, Via, object};

object! {
    /// An amount in a currency. Both fields may be missing.
    pub struct Money {
        /// ISO 4217 code.
        side "currencyId" => currency: String;
        /// The amount.
        side "amount" => amount: Amount;
    }
}

impl Money {
    /// `amount` in `currency`.
    #[must_use]
    pub fn new(currency: &str, amount: Amount) -> Self {
        Self {
            currency: Some(currency.to_owned()),
            amount: Some(amount),
            extra: Extra::default(),
        }
    }
}

object! {
    /// What a verification cost, as its status tells it.
    #[derive(Default)]
    pub struct VerificationPrice {
        /// The verification itself. Appears once the status is no longer `PENDING`.
        side "verificationPrice" => verification: Money;
        /// The call, for flash call and callout, with termination debiting only.
        side "terminationPrice" => termination: Money;
        /// The billed time: seconds or minutes, as the rounding rule has it.
        side "billableDuration" => billable_duration: u32;
    }
}

/// Reads a price that is nested, as documented, or flat, as in events.
pub(crate) struct FlatOrNested {
    price: VerificationPrice,
    flat: bool,
}

impl SideValue for FlatOrNested {
    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Side<Self>, A::Error> {
        let price = VerificationPrice::from_map(map)?;
        Ok(price.map(|mut price| {
            let is_flat = ["currencyId", "amount"]
                .iter()
                .any(|key| price.extra.get(key).is_some());
            // Beside a nested price, flat fields are unknown ones like any other.
            let flat = is_flat && price.verification.is_none();
            if flat {
                let mut money = Extra::default();
                let currency = field(&mut price.extra, "currencyId", &mut money);
                let amount = field(&mut price.extra, "amount", &mut money);
                price.verification = Some(Money {
                    currency,
                    amount,
                    extra: money,
                });
            }
            Self { price, flat }
        }))
    }
}

/// Takes an optional field out of the unknown ones.
fn field<T: SideValue>(unknown: &mut Extra, key: &'static str, remarks: &mut Extra) -> Option<T> {
    let raw = unknown.remove(key)?;
    let read = serde_json::from_str::<Side<T>>(raw.get());
    read.unwrap_or(Side::Unreadable).settle(key, remarks)
}

impl Via<VerificationPrice> for FlatOrNested {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<VerificationPrice> {
        if self.flat {
            extra.remark(field, AnomalyKind::FlatPrice);
        }
        Some(self.price)
    }
}

/// A decimal amount: the text of a JSON number, exactly as it came.
///
/// ```
/// use sinch_verify_protocol::Amount;
///
/// let amount: Amount = "0.0453".parse()?;
/// assert_eq!(amount.to_string(), "0.0453");
/// assert_eq!(amount.scaled(), Some((453, 4)));
/// # Ok::<(), sinch_verify_protocol::price::InvalidAmount>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Amount(Box<str>);

impl Amount {
    /// The text of the number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The amount as `units / 10^scale`; `None` past 38 digits.
    #[must_use]
    pub fn scaled(&self) -> Option<(i128, u32)> {
        let (number, exponent) = match self.0.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (&*self.0, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let units: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if (0..=38).contains(&scale) {
            Some((units, scale.unsigned_abs()))
        } else if scale > 0 {
            None
        } else {
            let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
            Some((units.checked_mul(factor)?, 0))
        }
    }
}

impl FromStr for Amount {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) if is_number(raw) && raw.get().len() == text.len() => Ok(Self(text.into())),
            _ => Err(InvalidAmount(())),
        }
    }
}

/// Nothing else that JSON allows begins like a number.
fn is_number(raw: &RawValue) -> bool {
    raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({})", self.0)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(D::Error::custom)
    }
}

/// An amount in a string is one too. Its text never passes through a binary float.
impl SideValue for Amount {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Side<Self>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if is_number(&raw) {
            return Ok(Side::Documented(Self(raw.into())));
        }
        let text = raw.get();
        if text == "null" {
            return Ok(Side::Null);
        }
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Ok(match quoted.map(str::parse) {
            Some(Ok(amount)) => Side::Tolerated(amount, AnomalyKind::WrongType),
            _ => Side::Unreadable,
        })
    }
}

impl Part for Amount {
    #[cfg(feature = "server")]
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "number"})
    }
}

/// A text that is not a JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAmount(());

impl fmt::Display for InvalidAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("amount is not a decimal number such as 0.0453")
    }
}

impl std::error::Error for InvalidAmount {}
