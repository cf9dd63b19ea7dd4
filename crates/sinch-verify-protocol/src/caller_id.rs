//! The caller id of an incoming call, in every form that is worth trying.
//!
//! A phone gives the caller's number as its network delivered it: with or without `+`, with `00`,
//! in national form, or formatted with spaces. The Android SDK tries only the text as it came,
//! and reports it unchanged, although the service wants the full international number. So
//! [`Candidates`] lists the text as it came first and the plausible international readings after
//! it, and [`Candidates::e164`] names the one to report.

use std::fmt;

use crate::country::Country;
use crate::phone_number::{MAX_DIGITS, Masked, PhoneNumber};

/// How many characters of a cleaned number are kept: `+`, `00` or a trunk prefix, and the digits.
const CAPACITY: usize = MAX_DIGITS + 5;

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
/// let forms: Vec<&str> = caller.iter().map(|c| c.text()).collect();
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
            plain: if hidden { None } else { strip(raw) },
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
    #[must_use]
    pub fn iter(&self) -> CandidateIter<'a> {
        CandidateIter {
            forms: self.forms(),
            next: 0,
        }
    }

    /// The number to report to the service, if one can be told.
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
        let digits = self.plain.as_ref()?.as_str();
        let bare = !digits.starts_with('+') && !digits.starts_with("00");
        if bare { Text::of(&["+", digits]) } else { None }
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

impl<'a> IntoIterator for &Candidates<'a> {
    type Item = Candidate<'a>;
    type IntoIter = CandidateIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One form of a caller id, as [`Candidates`] lists it.
///
/// ```
/// use sinch_verify_protocol::caller_id::{CandidateForm, Candidates};
///
/// let second = Candidates::new("0046700000000").iter().nth(1).unwrap();
/// assert_eq!(second.form(), CandidateForm::DoubleZero);
/// assert_eq!(second.text(), "+46700000000");
/// ```
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    form: CandidateForm,
    text: Source<'a>,
}

impl Candidate<'_> {
    /// How this text was made from the one the system gave.
    #[must_use]
    pub const fn form(&self) -> CandidateForm {
        self.form
    }

    /// The text to match a filter against.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.text {
            Source::Raw(text) => text,
            Source::Held(text) => text.as_str(),
        }
    }
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Candidate({:?}, {})", self.form, Masked::new(self.text()))
    }
}

/// How a [`Candidate`] was made from the text that the system gave.
///
/// ```
/// use sinch_verify_protocol::caller_id::{CandidateForm, Candidates};
///
/// let forms: Vec<_> = Candidates::new("46700000000").iter().map(|c| c.form()).collect();
/// assert_eq!(forms, [CandidateForm::Raw, CandidateForm::PlusAdded]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CandidateForm {
    /// The text itself. The only form the Android SDK tries.
    Raw,
    /// Without spaces and punctuation.
    Stripped,
    /// `+` in place of a leading `00`.
    DoubleZero,
    /// `+` put in front of bare digits.
    PlusAdded,
    /// A national number with its country's calling code.
    National,
}

/// The iterator that [`Candidates::iter`] returns.
///
/// ```
/// use sinch_verify_protocol::caller_id::{CandidateIter, Candidates};
///
/// let mut forms: CandidateIter<'_> = Candidates::new("+46700000000").iter();
/// assert_eq!(forms.next().unwrap().text(), "+46700000000");
/// assert!(forms.next().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct CandidateIter<'a> {
    forms: [Option<Candidate<'a>>; 5],
    next: usize,
}

impl<'a> Iterator for CandidateIter<'a> {
    type Item = Candidate<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.forms.get(self.next..)?;
        let at = rest.iter().position(Option::is_some)?;
        self.next += at + 1;
        rest.get(at).copied().flatten()
    }
}

impl std::iter::FusedIterator for CandidateIter<'_> {}

#[derive(Clone, Copy)]
enum Source<'a> {
    Raw(&'a str),
    Held(Text),
}

/// A short ASCII text stored in place.
#[derive(Clone, Copy)]
struct Text {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Text {
    const EMPTY: Self = Self {
        bytes: [0; CAPACITY],
        len: 0,
    };

    /// Joins the parts, or gives `None` if they do not fit: then it is no phone number either.
    fn of(parts: &[&str]) -> Option<Self> {
        let mut text = Self::EMPTY;
        for byte in parts.iter().flat_map(|part| part.bytes()) {
            text.push(byte)?;
        }
        Some(text)
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.len)? = byte;
        self.len += 1;
        Some(())
    }

    fn as_str(&self) -> &str {
        // Only ASCII is ever pushed, so the fallback is never taken.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

/// Leaves the digits and one leading `+`, or gives `None` if anything else is in the text.
fn strip(raw: &str) -> Option<Text> {
    let mut text = Text::EMPTY;
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        match c {
            '0'..='9' => text.push(c as u8)?,
            '+' if text.len == 0 => text.push(b'+')?,
            // `+44 (0)20 ...` shows the trunk prefix that is left out when dialled from abroad.
            '(' if text.is_international() && rest.as_str().starts_with("0)") => {
                rest.nth(1);
            }
            _ if is_punctuation(c) => {}
            _ => return None,
        }
    }
    text.as_str()
        .bytes()
        .any(|byte| byte.is_ascii_digit())
        .then_some(text)
}

impl Text {
    fn is_international(&self) -> bool {
        let text = self.as_str();
        text.starts_with('+') || text.starts_with("00")
    }
}

fn is_punctuation(c: char) -> bool {
    let direction_mark =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    c.is_whitespace() || dash || direction_mark || matches!(c, '.' | '/' | '(' | ')' | '[' | ']')
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
