//! The languages of a message: `Accept-Language` in, `Content-Language` out.

use std::fmt;
use std::str::FromStr;

use crate::wire::{AnomalyKind, Side, SideValue, string_form};

/// A language tag such as `sv-SE`: letters, digits and `-`, at most 35 characters.
///
/// ```
/// use sinch_verify_protocol::LanguageTag;
///
/// assert_eq!("es-ES".parse::<LanguageTag>()?.as_str(), "es-ES");
/// assert!("es_ES".parse::<LanguageTag>().is_err());
/// # Ok::<(), sinch_verify_protocol::language::InvalidLanguage>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LanguageTag(Box<str>);

impl LanguageTag {
    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LanguageTag {
    type Err = InvalidLanguage;

    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        let subtags = text
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        let starts_with_letter = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if subtags && starts_with_letter && text.len() <= 35 {
            Ok(Self(text.into()))
        } else {
            Err(InvalidLanguage::Tag)
        }
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

string_form!(LanguageTag: as_str);

/// `sv_SE`, as operating systems write it, is read as `sv-SE`.
impl SideValue for LanguageTag {
    fn from_text(text: &str) -> Side<Self> {
        if let Ok(tag) = text.parse() {
            return Side::Documented(tag);
        }
        match text.replace('_', "-").parse() {
            Ok(tag) => Side::Tolerated(tag, AnomalyKind::ValueSpelling),
            Err(_) => Side::Unreadable,
        }
    }
}

/// An ordered list of languages with weights: the value of `Accept-Language`.
///
/// Written as the Android SDK does: comma-joined without spaces, a weight of 1
/// left out unless given, at most three decimals, no trailing zeros.
///
/// ```
/// use sinch_verify_protocol::AcceptLanguage;
///
/// let languages = AcceptLanguage::new()
///     .then("pl-PL".parse()?)
///     .then_weighted("fr-CA".parse()?, 0.5)?;
/// assert_eq!(languages.to_string(), "pl-PL,fr-CA;q=0.5");
/// # Ok::<(), sinch_verify_protocol::language::InvalidLanguage>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptLanguage(Vec<(LanguageTag, Option<u16>)>);

impl AcceptLanguage {
    /// An empty list: no header is sent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a language of full weight.
    #[must_use]
    pub fn then(mut self, tag: LanguageTag) -> Self {
        self.0.push((tag, None));
        self
    }

    /// Adds a language of a weight from 0 to 1, rounded to three decimals.
    ///
    /// # Errors
    ///
    /// When the weight is not a number from 0 to 1.
    pub fn then_weighted(mut self, tag: LanguageTag, weight: f64) -> Result<Self, InvalidLanguage> {
        if !(0.0..=1.0).contains(&weight) {
            return Err(InvalidLanguage::Weight);
        }
        // In range, so the product is a whole number from 0 to 1000.
        let thousandths = (weight * 1000.0).round() as u16;
        self.0.push((tag, Some(thousandths)));
        Ok(self)
    }

    /// Whether no language is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What can be read of some header lines, and what is odd about the rest. `*`, which stands for any
    /// language, is passed over.
    #[cfg(feature = "server")]
    pub(crate) fn readable<'a>(lines: impl Iterator<Item = &'a str>) -> (Self, Vec<AnomalyKind>) {
        let (mut list, mut anomalies) = (Self::new(), Vec::new());
        for part in lines.flat_map(|line| line.split(',')).map(str::trim) {
            let tag = part.split(';').next().unwrap_or_default().trim();
            if matches!(tag, "" | "*") {
                continue;
            }
            let with_hyphens = part.replace('_', "-");
            match Self::new().then_part(&with_hyphens) {
                Ok(one) => {
                    if part != with_hyphens {
                        anomalies.push(AnomalyKind::ValueSpelling);
                    }
                    list.0.extend(one.0);
                }
                Err(_) => anomalies.push(AnomalyKind::Unreadable),
            }
        }
        (list, anomalies)
    }

    /// Adds one part of a header value: `sv-SE` or `sv-SE;q=0.5`.
    fn then_part(self, part: &str) -> Result<Self, InvalidLanguage> {
        let Some((tag, parameter)) = part.split_once(';') else {
            return Ok(self.then(part.parse()?));
        };
        let (name, weight) = parameter.split_once('=').ok_or(InvalidLanguage::Weight)?;
        if !name.trim().eq_ignore_ascii_case("q") {
            return Err(InvalidLanguage::Weight);
        }
        let weight = weight.trim().parse().map_err(|_| InvalidLanguage::Weight)?;
        self.then_weighted(tag.trim().parse()?, weight)
    }

    /// The tags by falling weight; equal weights in the order given; weight 0
    /// ("not acceptable") left out.
    pub fn preferred(&self) -> impl Iterator<Item = &LanguageTag> {
        let mut order: Vec<_> = self.0.iter().map(|(tag, q)| (q.unwrap_or(1000), tag)).collect();
        order.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
        order.into_iter().filter(|(q, _)| *q > 0).map(|(_, tag)| tag)
    }
}

impl FromStr for AcceptLanguage {
    type Err = InvalidLanguage;

    /// Reads a header value. Spaces around parts are allowed.
    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .try_fold(Self::new(), Self::then_part)
    }
}

impl fmt::Display for AcceptLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (tag, weight)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(tag.as_str())?;
            match weight {
                None => {}
                Some(1000..) => f.write_str(";q=1")?,
                Some(0) => f.write_str(";q=0")?,
                Some(q) => {
                    let digits = format!("{q:03}");
                    write!(f, ";q=0.{}", digits.trim_end_matches('0'))?;
                }
            }
        }
        Ok(())
    }
}

/// Why a text is not a language tag or a list of languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidLanguage {
    /// Not a tag such as `sv` or `sv-SE`.
    Tag,
    /// Not a weight from 0 to 1.
    Weight,
}

impl fmt::Display for InvalidLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag => "language is not a tag such as `sv` or `sv-SE`",
            Self::Weight => "weight of a language is not a number from 0 to 1",
        })
    }
}

impl std::error::Error for InvalidLanguage {}
