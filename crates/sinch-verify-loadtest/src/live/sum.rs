//! Money that is added up, without a binary float.

use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::Amount;
use sinch_verify_protocol::price::Money;

/// How many decimals are kept.
const DECIMALS: u32 = 6;

/// A sum of money, to a millionth of its currency's unit.
///
/// ```
/// use sinch_verify_loadtest::live::Sum;
///
/// let sum: Sum = "0.0453".parse()?;
/// assert_eq!((sum.times(3)).to_string(), "0.1359");
/// # Ok::<(), sinch_verify_loadtest::live::SumError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sum {
    millionths: u64,
}

impl Sum {
    /// Nothing.
    pub const ZERO: Self = Self { millionths: 0 };

    /// A price as the service tells it, rounded up. `None` when it is negative, or too large to be
    /// one.
    #[must_use]
    pub fn at_least(amount: &Amount) -> Option<Self> {
        let (units, scale) = amount.scaled()?;
        let units = u128::try_from(units).ok()?;
        let millionths = match DECIMALS.checked_sub(scale) {
            Some(missing) => units.checked_mul(10_u128.checked_pow(missing)?)?,
            None => units.div_ceil(10_u128.checked_pow(scale - DECIMALS)?),
        };
        let millionths = u64::try_from(millionths).ok()?;
        Some(Self { millionths })
    }

    /// What `money` is in `currency`. `None` when that is not known.
    #[must_use]
    pub fn of(money: &Money, currency: Currency) -> Option<Self> {
        money
            .currency
            .as_deref()
            .is_some_and(|code| code.eq_ignore_ascii_case(currency.as_str()))
            .then_some(money.amount.as_ref())
            .flatten()
            .and_then(Self::at_least)
    }

    /// This many times; the largest sum there is, where that is too much.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        let millionths = self.millionths.saturating_mul(count);
        Self { millionths }
    }

    /// One of `parts` equal parts, rounded down.
    #[must_use]
    pub fn part(self, parts: std::num::NonZeroU32) -> Self {
        let millionths = self.millionths / u64::from(parts.get());
        Self { millionths }
    }

    /// Both together; the largest sum there is, where that is too much.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let millionths = self.millionths.saturating_add(other.millionths);
        Self { millionths }
    }

    /// What is left when `other` is taken away; nothing, where that is more.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let millionths = self.millionths.saturating_sub(other.millionths);
        Self { millionths }
    }
}

impl FromStr for Sum {
    type Err = SumError;

    /// Reads a plain decimal such as `1.50`, exactly.
    fn from_str(text: &str) -> Result<Self, SumError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let (_, decimals) = text.split_once('.').unwrap_or((text, ""));
        if !plain || decimals.len() > DECIMALS as usize {
            return Err(SumError(()));
        }
        let amount: Amount = text.parse().map_err(|_| SumError(()))?;
        Self::at_least(&amount).ok_or(SumError(()))
    }
}

impl fmt::Display for Sum {
    /// With at least two decimals, and as many more as there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.millionths / 1_000_000;
        let decimals = format!("{:06}", self.millionths % 1_000_000);
        let kept = decimals.trim_end_matches('0').len().max(2);
        f.pad(&format!("{whole}.{}", &decimals[..kept]))
    }
}

/// A text is no sum of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumError(());

impl fmt::Display for SumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an amount such as 1.50, with at most six decimals and no sign")
    }
}

impl std::error::Error for SumError {}

/// A currency, by its ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters get in, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl FromStr for Currency {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let code: [u8; 3] = text
            .to_ascii_uppercase()
            .into_bytes()
            .try_into()
            .ok()
            .filter(|code: &[u8; 3]| code.iter().all(u8::is_ascii_uppercase))
            .ok_or("must be three letters, such as EUR")?;
        Ok(Self(code))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(text: &str) -> Sum {
        text.parse().unwrap()
    }

    #[test]
    fn sums_are_read_and_written() {
        for (text, written) in [
            ("0", "0.00"),
            ("1", "1.00"),
            ("1.5", "1.50"),
            ("0.0453", "0.0453"),
            ("0.000001", "0.000001"),
            ("18446744073709.551615", "18446744073709.551615"),
        ] {
            assert_eq!(sum(text).to_string(), written);
        }
        for wrong in [
            "",
            "-1",
            "+1",
            "1e3",
            "0.0000001",
            "1,5",
            "EUR",
            "18446744073710",
            ".",
            "NaN",
        ] {
            assert!(wrong.parse::<Sum>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn prices_round_up() {
        let price = |text: &str| Sum::at_least(&text.parse().unwrap()).map(|sum| sum.to_string());
        assert_eq!(price("0.0453").as_deref(), Some("0.0453"));
        assert_eq!(price("0.04530000001").as_deref(), Some("0.045301"));
        assert_eq!(price("4.53e-2").as_deref(), Some("0.0453"));
        assert_eq!(price("1e-30").as_deref(), Some("0.000001"));
        assert_eq!(price("3").as_deref(), Some("3.00"));
        assert_eq!(price("-0.01"), None);
        assert_eq!(price("1e30"), None);
    }

    #[test]
    fn another_currency_tells_nothing() {
        let euro: Currency = "eur".parse().unwrap();
        let money = |currency: &str| Money::new(currency, "0.05".parse().unwrap());
        assert_eq!(Sum::of(&money("EUR"), euro), Some(sum("0.05")));
        assert_eq!(Sum::of(&money("USD"), euro), None);
        let mut unnamed = money("EUR");
        unnamed.currency = None;
        assert_eq!(Sum::of(&unnamed, euro), None);
        for wrong in ["", "EU", "EURO", "E1R", "€€€"] {
            assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn arithmetic_has_ends() {
        let most = sum("18446744073709.551615");
        assert_eq!(most.plus(most), most);
        assert_eq!(most.times(2), most);
        assert_eq!(Sum::ZERO.minus(most), Sum::ZERO);
        let three = std::num::NonZeroU32::new(3).unwrap();
        assert_eq!(sum("1").part(three).to_string(), "0.333333");
    }
}
