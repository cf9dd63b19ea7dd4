//! The caller id of an incoming call, in every form that is worth trying.
//!
//! A phone gives the caller's number as its network delivered it: with or without `+`, with `00`,
//! in national form, or formatted with spaces. The Android SDK tries only the text as it came,
//! and reports it unchanged, although the service wants the full international number. So
//! [`Candidates`] lists the text as it came first and the plausible international readings after
//! it, and [`Candidates::e164`] names the one to report.

mod candidate;
mod text;

use std::fmt;

use crate::country::Country;
use crate::phone_number::{Masked, PhoneNumber};

pub use self::candidate::{Candidate, CandidateForm};

use self::candidate::Source;
use self::text::Text;

/// The forms of one caller id, most literal first.
///
/// In this order, each text only once, each only where it applies:
///
/// 1. the text as the system gave it;
/// 2. the same without spaces, dashes, dots, slashes and brackets;
/// 3. `+` in place of a leading `00`;
/// 4. `+` in front of bare digits;
/// 5. the number read as a national one of the [known country](Self::with_country).
///
/// A hidden caller (empty text, `anonymous`, `-2` and the like) has no forms at all, so no filter
/// matches it, not even one that matches everything.
///
/// ```
/// use sinch_verify_protocol::caller_id::Candidates;
///
/// let caller = Candidates::new("070-000 00 00").with_country("SE".parse()?);
/// let forms: Vec<String> = caller.iter().map(|c| c.text().to_owned()).collect();
/// assert_eq!(
///     forms,
///     ["070-000 00 00", "0700000000", "+0700000000", "+46700000000"]
/// );
/// assert_eq!(caller.e164().unwrap().as_str(), "+46700000000");
/// assert_eq!(Candidates::new("anonymous").iter().count(), 0);
/// # Ok::<(), sinch_verify_protocol::country::CountryError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Candidates<'a> {
    raw: &'a str,
    hidden: bool,
    /// Without punctuation; `None` if anything but digits and one leading `+` remains.
    plain: Option<Text>,
    country: Option<Country>,
    national: Option<Text>,
}

impl<'a> Candidates<'a> {
    /// Takes the caller id as the system gave it.
    #[must_use]
    pub fn new(raw: &'a str) -> Self {
        let hidden = is_placeholder(raw);
        Self {
            raw,
            hidden,
            plain: if hidden { None } else { Text::strip(raw) },
            country: None,
            national: None,
        }
    }

    /// Says in which country the phone is, so that national numbers can be read.
    ///
    /// The country's trunk prefix (mostly one leading 0) is dropped. This is a reading, not a
    /// check: the length of the result is not compared with the country's numbering plan.
    #[must_use]
    pub fn with_country(mut self, country: Country) -> Self {
        self.country = Some(country);
        self.national = self.plain.as_ref().and_then(|plain| {
            let code = country.calling_code()?;
            let subscriber = without_trunk(code, plain.as_str())?;
            Text::of(&["+", code, subscriber])
        });
        self
    }

    /// The text as the system gave it.
    #[must_use]
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether the text is a placeholder for a caller who withheld the number.
    #[must_use]
    pub const fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// The forms in their order, without duplicates.
    pub fn iter(&self) -> impl Iterator<Item = Candidate<'a>> + use<'a> {
        self.forms().into_iter().flatten()
    }

    /// The number to report to the service, if the text gives one.
    ///
    /// That is the international form where the text has one (`+` or `00`). Of the readings of
    /// other texts the national one is taken if a country is known and the text begins with its
    /// trunk prefix, or is ten digits long in a country of the calling code 1, or is too short to
    /// hold a calling code (nine digits or fewer, and not beginning with the country's own).
    /// Otherwise the digits are taken as an international number without its `+`.
    #[must_use]
    pub fn e164(&self) -> Option<PhoneNumber> {
        let plain = self.plain?;
        let international = |text: Option<Text>| PhoneNumber::parse(text?.as_str()).ok();
        if plain.as_str().starts_with('+') {
            return international(Some(plain));
        }
        if plain.as_str().starts_with("00") {
            return international(self.double_zero());
        }
        let national = international(self.national);
        let bare = international(self.plus_added());
        if self.reads_as_national() {
            national.or(bare)
        } else {
            bare.or(national)
        }
    }

    fn forms(&self) -> [Option<Candidate<'a>>; 5] {
        if self.hidden {
            return [None; 5];
        }
        let held = |form, text: Option<Text>| {
            text.map(|text| Candidate {
                form,
                text: Source::Held(text),
            })
        };
        let mut forms = [
            Some(Candidate {
                form: CandidateForm::Raw,
                text: Source::Raw(self.raw),
            }),
            held(CandidateForm::Stripped, self.plain),
            held(CandidateForm::DoubleZero, self.double_zero()),
            held(CandidateForm::PlusAdded, self.plus_added()),
            held(CandidateForm::National, self.national),
        ];
        for at in 1..forms.len() {
            let (earlier, rest) = forms.split_at_mut(at);
            if let Some(here) = rest.first_mut() {
                let repeated = |one: &Candidate<'_>| earlier.iter().flatten().any(|e| e.text() == one.text());
                if here.as_ref().is_some_and(repeated) {
                    *here = None;
                }
            }
        }
        forms
    }

    fn double_zero(&self) -> Option<Text> {
        let digits = self.plain.as_ref()?.as_str().strip_prefix("00")?;
        Text::of(&["+", digits])
    }

    fn plus_added(&self) -> Option<Text> {
        let plain = self.plain.as_ref().filter(|text| !text.is_international())?;
        Text::of(&["+", plain.as_str()])
    }

    fn reads_as_national(&self) -> bool {
        let (Some(plain), Some(code)) = (
            self.plain.as_ref(),
            self.country.and_then(|country| country.calling_code()),
        ) else {
            return false;
        };
        let digits = plain.as_str();
        let has_trunk = without_trunk(code, digits).is_some_and(|rest| rest.len() < digits.len());
        has_trunk
            || digits.starts_with('0')
            || (code == "1" && digits.len() == 10)
            || (digits.len() <= 9 && !digits.starts_with(code))
    }
}

impl fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidates")
            .field("raw", &Masked::new(self.raw))
            .field("country", &self.country)
            .finish_non_exhaustive()
    }
}

/// The national number without its trunk prefix, or `None` for a text with `+` or `00`.
fn without_trunk<'t>(code: &str, digits: &'t str) -> Option<&'t str> {
    if digits.starts_with('+') || digits.starts_with("00") {
        return None;
    }
    let trunk = match code {
        // In these plans a leading 0 is part of the number: Italy, San Marino, Ivory Coast,
        // Benin, Republic of the Congo.
        "39" | "378" | "225" | "229" | "242" => "",
        "7" | "375" | "993" => "8",
        "36" => "06",
        // North America writes the trunk prefix only in front of all ten digits.
        "1" if digits.len() == 11 => "1",
        "1" => "",
        _ => "0",
    };
    // `8` and `1` also begin ordinary numbers; they are a prefix only where the length says so.
    let short = code == "7" && digits.len() != 11;
    if short {
        return Some(digits);
    }
    Some(digits.strip_prefix(trunk).unwrap_or(digits))
}

/// Whether the text stands for "number withheld". Android used the negative numbers; the words
/// come from phones and SIP gateways.
fn is_placeholder(raw: &str) -> bool {
    const WORDS: &[&str] = &[
        "anonymous",
        "blocked",
        "hidden",
        "no caller id",
        "payphone",
        "private",
        "private number",
        "restricted",
        "unavailable",
        "unknown",
        "withheld",
        "-1",
        "-2",
        "-3",
    ];
    let text = raw.trim();
    text.is_empty() || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}
