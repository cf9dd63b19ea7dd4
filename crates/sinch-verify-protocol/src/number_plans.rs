//! Numbers as they are dialled and written inside a country.
//!
//! What a country's callers write in front of a number, which digits a mobile number gains or loses when it
//! is dialled from abroad, how long numbers are: all that is data, and changes every month. [`NumberPlans`]
//! is that data for every country, from Google's libphonenumber.

mod typed;

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::country::Country;
use crate::identity::Identity;
use crate::phone_number::{Digits, PhoneNumber};
use crate::wire::{Anomaly, AnomalyKind};

pub use self::typed::TypedNumberError;

/// The numbering plans of all countries.
///
/// Made with feature `national-numbers`, by `NumberPlans::new`. Without the feature there is no value of this
/// type, and nothing else changes: whatever reads national numbers is given one
/// ([`Candidates::with_country`](crate::caller_id::Candidates::with_country),
/// [`PhoneNumber::from_typed`], [`Plan::number_plans`](crate::session::Plan::number_plans)).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberPlans(Library);

impl NumberPlans {
    /// The plans of the library's release that is built in.
    ///
    /// They are unpacked at the first reading in a process, which takes some milliseconds.
    ///
    /// The library logs the numbers that it reads, at level `trace` of the `log` crate with target
    /// `rlibphonenumber`. Turn that target off where a program keeps such lines.
    #[cfg(feature = "national-numbers")]
    #[must_use]
    pub const fn new() -> Self {
        Self(Library)
    }

    /// What is odd about the number of a request: [`AnomalyKind::TrunkPrefix`].
    #[must_use]
    pub fn anomaly(&self, identity: &Identity) -> Option<Anomaly> {
        let number = identity.phone_number().ok()?;
        self.without_trunk_prefix(number).map(|_| Anomaly {
            path: "identity.endpoint".to_owned(),
            what: AnomalyKind::TrunkPrefix,
        })
    }

    /// What the plan of a number's country says about it.
    #[must_use]
    pub fn kind(&self, number: &PhoneNumber) -> NumberKind {
        self.0.kind(number)
    }

    /// The number that a phone in this country reaches by dialling these digits, with or without a leading `+`.
    ///
    /// A trunk prefix, a carrier's code and the country's prefix for calls to abroad are resolved, a trunk
    /// prefix that was kept after the calling code is dropped, and the country's own calling code is
    /// recognised without its `+`. `None` if there is no such number, by the plan of the country that it
    /// would be in.
    pub(crate) fn read(&self, digits: Digits, country: Country) -> Option<PhoneNumber> {
        self.0.read(digits.as_str(), Some(country))
    }

    /// The number that is meant, if this one keeps the trunk prefix after its calling code, as
    /// `+460700000001` does.
    fn without_trunk_prefix(&self, number: PhoneNumber) -> Option<PhoneNumber> {
        if self.0.has(&number) {
            return None;
        }
        let meant = self.0.read(number.as_str(), None)?;
        Some(meant).filter(|meant| *meant != number)
    }

    /// The number if the plan of its country has it.
    fn valid(&self, number: &str) -> Option<PhoneNumber> {
        self.0.read(number, None).filter(|read| read.as_str() == number)
    }
}

/// What a numbering plan says about a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberKind {
    /// In no range that the plan gives out.
    Unallocated,
    /// In a range whose calls and messages cost the caller more than others, and pay its holder.
    PremiumRate,
    /// In any other range.
    Ordinary,
}

#[cfg(feature = "national-numbers")]
impl Default for NumberPlans {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for NumberPlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberPlans")
    }
}

/// The name under which a saved session says that it reads national numbers.
const NAME: &str = "libphonenumber";

impl Serialize for NumberPlans {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(NAME)
    }
}

impl<'de> Deserialize<'de> for NumberPlans {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        if name != NAME {
            return Err(de::Error::custom(format_args!("number plans are not {NAME:?}")));
        }
        Library::built_in().map(Self).ok_or_else(|| {
            de::Error::custom("number plans are not built in; turn on feature national-numbers")
        })
    }
}

#[cfg(feature = "national-numbers")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Library;

#[cfg(feature = "national-numbers")]
impl Library {
    const fn built_in() -> Option<Self> {
        Some(Self)
    }

    fn read(self, digits: &str, country: Option<Country>) -> Option<PhoneNumber> {
        use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

        let region = country.and_then(|country| Region::from_code(country.as_str()).ok());
        let number = PHONE_NUMBER_UTIL.parse(digits, region).ok()?;
        if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
            return None;
        }
        PhoneNumber::parse(&PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164)).ok()
    }

    /// Whether [`as_written`](Self::as_written) gives the number.
    fn has(self, number: &PhoneNumber) -> bool {
        self.as_written(number).is_some()
    }

    fn kind(self, number: &PhoneNumber) -> NumberKind {
        use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

        let number = match self.as_written(number) {
            Some(number) => Ok(number),
            None => PHONE_NUMBER_UTIL.parse(number.as_str(), None),
        };
        match number.map(|number| PHONE_NUMBER_UTIL.get_number_type(&number)) {
            Ok(PhoneNumberType::PremiumRate) => NumberKind::PremiumRate,
            Ok(PhoneNumberType::Unknown) | Err(_) => NumberKind::Unallocated,
            Ok(_) => NumberKind::Ordinary,
        }
    }

    /// The number for the library, if the plan of its country has it as it is written. Without the library's
    /// parser, which looks for all that people type and takes six times as long.
    ///
    /// `None` also where a 0 follows the calling code: only the parser tells one that belongs to the number from
    /// a trunk prefix.
    fn as_written(self, number: &PhoneNumber) -> Option<rlibphonenumber::PhoneNumber> {
        // No calling code is the beginning of another.
        (1..=3).find_map(|calling_code| {
            let (country_code, national) = number.digits().split_at_checked(calling_code)?;
            let number = rlibphonenumber::PhoneNumber {
                country_code: country_code.parse().ok()?,
                national_number: national.parse().ok()?,
                ..Default::default()
            };
            let is_number =
                !national.starts_with('0') && rlibphonenumber::PHONE_NUMBER_UTIL.is_valid_number(&number);
            is_number.then_some(number)
        })
    }
}

#[cfg(not(feature = "national-numbers"))]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Library {}

#[cfg(not(feature = "national-numbers"))]
impl Library {
    const fn built_in() -> Option<Self> {
        None
    }

    fn read(self, _: &str, _: Option<Country>) -> Option<PhoneNumber> {
        match self {}
    }

    fn has(self, _: &PhoneNumber) -> bool {
        match self {}
    }

    fn kind(self, _: &PhoneNumber) -> NumberKind {
        match self {}
    }
}
