//! Countries, and which calling-code prefix belongs to which.

mod table;

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A country or territory by its ISO 3166-1 alpha-2 code, always in capitals.
///
/// `XK` stands for Kosovo: it is the code in general use, though ISO has not assigned one.
///
/// ```
/// use sinch_verify_protocol::country::Country;
///
/// let sweden: Country = "se".parse()?;
/// assert_eq!(sweden.as_str(), "SE");
/// assert_eq!(sweden.calling_code(), Some("46"));
/// assert_eq!(Country::of_digits("46700000000"), Some(sweden));
/// # Ok::<(), sinch_verify_protocol::country::CountryError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads a two-letter code in either letter case.
    ///
    /// Only the form is checked, so that a code assigned later still parses.
    ///
    /// # Errors
    ///
    /// [`CountryError`] unless the text is exactly two ASCII letters.
    pub fn parse(text: &str) -> Result<Self, CountryError> {
        match text.as_bytes() {
            [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
                Ok(Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]))
            }
            _ => Err(CountryError),
        }
    }

    /// The two capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Both bytes are ASCII letters by construction, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The country that a number's digits (international form, without `+`) belong to, by the
    /// longest assigned prefix.
    ///
    /// Calling codes shared by several countries are split where a prefix decides it: the
    /// North American plan by area code, +7 between Russia and Kazakhstan, the Crown dependencies
    /// under +44 by their geographic codes and a few mobile ranges of their own, and so on. Where
    /// ranges are interleaved (mobile numbers of the French Antilles, Western Sahara with Morocco,
    /// most +44 mobile ranges) the larger country is given. `None` for satellite and international
    /// service codes, North American freephone and premium numbers, and prefixes that are not assigned.
    ///
    /// ```
    /// use sinch_verify_protocol::country::Country;
    ///
    /// let of = |digits| Country::of_digits(digits).map(|c| c.to_string());
    /// assert_eq!(of("14155550101").as_deref(), Some("US"));
    /// assert_eq!(of("14165550101").as_deref(), Some("CA"));
    /// assert_eq!(of("18005550101"), None);
    /// ```
    #[must_use]
    pub fn of_digits(digits: &str) -> Option<Self> {
        table::find_longest(digits).flatten()
    }

    /// The calling code that numbers of this country begin with, without `+`.
    ///
    /// All of North America gives `1`. `None` for a code that has no entry of its own, such as
    /// Western Sahara (`EH`), whose numbers cannot be told from Morocco's.
    #[must_use]
    pub fn calling_code(&self) -> Option<&'static str> {
        let (prefix, _) = table::ENTRIES
            .iter()
            .find(|(_, country)| *country == Some(*self))?;
        // A longer entry is carved out of a shorter one, and the shortest is the calling code.
        (1..=prefix.len())
            .filter_map(|len| prefix.get(..len))
            .find(|start| table::find(start).is_some())
    }

    /// Every prefix with its country, in ascending order of the prefix.
    ///
    /// A prefix without a country is assigned to a service that belongs to none. An entry that
    /// begins with another one is an exception to it.
    pub fn prefixes() -> impl Iterator<Item = (&'static str, Option<Self>)> {
        table::ENTRIES.iter().copied()
    }
}

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({})", self.as_str())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Alpha2;

        impl Visitor<'_> for Alpha2 {
            type Value = Country;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a two-letter country code")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Country, E> {
                Country::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Alpha2)
    }
}

/// A text that is not a two-letter country code.
///
/// ```
/// use sinch_verify_protocol::country::Country;
///
/// let error = Country::parse("Sweden").unwrap_err();
/// assert_eq!(error.to_string(), "country is not a two-letter ISO 3166-1 code such as SE");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountryError;

impl fmt::Display for CountryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("country is not a two-letter ISO 3166-1 code such as SE")
    }
}

impl std::error::Error for CountryError {}
