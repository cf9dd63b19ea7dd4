//! Numbers as people type them.

use std::fmt;

use super::NumberPlans;
use crate::country::Country;
use crate::phone_number::{Digits, PhoneNumber, PhoneNumberError};

impl PhoneNumber {
    /// Reads a number as a person types it in this country: in national or international form, with
    /// punctuation, in the digits of any script.
    ///
    /// A number with `+` is read without a country, and taken if its form is right: the plans may be older than
    /// the number. Any other number is a number of the country's plan, or an error.
    ///
    /// # Errors
    ///
    /// A [`TypedNumberError`]; where one number can be meant, it is its
    /// [`suggestion`](TypedNumberError::suggestion).
    #[cfg_attr(
        feature = "national-numbers",
        doc = r#"
```
use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::number_plans::NumberPlans;

let plans = NumberPlans::new();
let number = PhoneNumber::from_typed("0700-00 00 01", Country::parse("SE")?, &plans)?;
assert_eq!(number.as_str(), "+46700000001");

let error = PhoneNumber::from_typed("46700000001", None, &plans).unwrap_err();
assert_eq!(error.suggestion().unwrap().as_str(), "+46700000001");
# Ok::<(), Box<dyn std::error::Error>>(())
```"#
    )]
    pub fn from_typed(
        text: &str,
        country: impl Into<Option<Country>>,
        plans: &NumberPlans,
    ) -> Result<Self, TypedNumberError> {
        if text.trim().is_empty() {
            return Err(TypedNumberError::Empty);
        }
        let digits = Digits::strip(text).ok_or(TypedNumberError::NotANumber)?;
        if digits.as_str().starts_with('+') {
            let number = Self::parse(digits.as_str()).map_err(TypedNumberError::International)?;
            return match plans.without_trunk_prefix(number) {
                None => Ok(number),
                Some(suggestion) => Err(TypedNumberError::TrunkPrefix { suggestion }),
            };
        }
        let country = country.into();
        if let Some(number) = country.and_then(|country| plans.read(digits, country)) {
            return Ok(number);
        }
        let digits = digits.as_str();
        let suggestion = plans.valid(&format!("+{}", digits.strip_prefix("00").unwrap_or(digits)));
        Err(match country {
            None => TypedNumberError::NoCountry { suggestion },
            Some(country) => TypedNumberError::NotOfCountry { country, suggestion },
        })
    }
}

/// Why a text that a person typed is not read as a [`PhoneNumber`].
///
/// The messages never hold the number, so they may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypedNumberError {
    /// Nothing was typed.
    Empty,
    /// Something other than digits and punctuation, or more digits than a number has.
    NotANumber,
    /// A number with `+` that is none.
    International(PhoneNumberError),
    /// A number with `+` whose trunk prefix was kept after the calling code.
    TrunkPrefix {
        /// The number without the prefix.
        suggestion: PhoneNumber,
    },
    /// A number without `+`, and the country is not known.
    NoCountry {
        /// The number with a `+` in front, if there is such a number.
        suggestion: Option<PhoneNumber>,
    },
    /// A number without `+` that the country does not have.
    NotOfCountry {
        /// The country.
        country: Country,
        /// The number with a `+` in front, if there is such a number.
        suggestion: Option<PhoneNumber>,
    },
}

impl TypedNumberError {
    /// The number that may be meant: for the question "did you mean ...?", not to be used without an answer.
    #[must_use]
    pub const fn suggestion(&self) -> Option<PhoneNumber> {
        match self {
            Self::TrunkPrefix { suggestion } => Some(*suggestion),
            Self::NoCountry { suggestion } | Self::NotOfCountry { suggestion, .. } => *suggestion,
            Self::Empty | Self::NotANumber | Self::International(_) => None,
        }
    }
}

impl fmt::Display for TypedNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("phone number is empty"),
            Self::NotANumber => f.write_str(
                "phone number has something other than digits and punctuation, or too many digits",
            ),
            Self::International(error) => error.fmt(f),
            Self::TrunkPrefix { .. } => f.write_str(
                "phone number keeps the trunk prefix (mostly a 0) after its calling code; leave it out",
            ),
            Self::NoCountry { .. } => f.write_str(
                "phone number lacks the leading +; give it with + and the country calling code, or name the country",
            ),
            Self::NotOfCountry { country, .. } => write!(
                f,
                "phone number is none of {country}; check its digits, or give it with + and the country calling code"
            ),
        }
    }
}

impl std::error::Error for TypedNumberError {}
