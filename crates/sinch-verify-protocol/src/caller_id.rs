//! The caller id of an incoming call, in every form that is worth trying.
//!
//! A phone gives the caller's number as its network delivered it: with or without `+`, with a prefix for
//! calls from abroad, in national form, or formatted with spaces. The Android SDK tries only the text as
//! it came, and reports it unchanged, although the service wants the full international number. So
//! [`Candidates`] lists the text as it came first and its other forms after it, and
//! [`Candidates::e164`] gives the number to report.

mod candidate;

use std::fmt;

use crate::country::Country;
use crate::number_plans::NumberPlans;
use crate::phone_number::{Digits, Masked, PhoneNumber};
use crate::unicode::is_invisible;

pub use self::candidate::{Candidate, CandidateForm};

use self::candidate::Source;

/// The forms of one caller id, most literal first.
///
/// In this order, each text only once, each only where it applies:
///
/// 1. the text as the system gave it;
/// 2. its digits in ASCII, without spaces, dashes, dots, slashes, brackets and characters that cannot be seen;
/// 3. `+` in place of a leading `00`;
/// 4. `+` in front of bare digits;
/// 5. the number as it is read [in the known country](Self::with_country).
///
/// All of them are for matching a filter; what to report is [`e164`](Self::e164).
///
/// A hidden caller (empty text, `anonymous`, `-2` and the like) has no forms at all, so no filter
/// matches it, not even one that matches everything.
///
/// ```
/// use sinch_verify_protocol::caller_id::Candidates;
///
/// let caller = Candidates::new("+46 (0)70-000 00 00");
/// let forms: Vec<String> = caller.iter().map(|c| c.text().to_owned()).collect();
/// assert_eq!(forms, ["+46 (0)70-000 00 00", "+46700000000"]);
/// assert_eq!(caller.e164().unwrap().as_str(), "+46700000000");
///
/// assert_eq!(Candidates::new("070-000 00 00").e164(), None);
/// assert_eq!(Candidates::new("anonymous").iter().count(), 0);
/// ```
#[derive(Clone, Copy)]
pub struct Candidates<'a> {
    raw: &'a str,
    hidden: bool,
    /// `None` if anything but digits, one leading `+` and punctuation is in the text.
    digits: Option<Digits>,
    country: Option<Country>,
    /// The number by the plan of the country.
    by_plan: Option<PhoneNumber>,
}

impl<'a> Candidates<'a> {
    /// Takes the caller id as the system gave it.
    #[must_use]
    pub fn new(raw: &'a str) -> Self {
        let hidden = is_placeholder(raw);
        Self {
            raw,
            hidden,
            digits: if hidden { None } else { Digits::strip(raw) },
            country: None,
            by_plan: None,
        }
    }

    /// Reads the caller id as a phone in this country shows it.
    #[cfg_attr(
        feature = "national-numbers",
        doc = r#"
```
use sinch_verify_protocol::NumberPlans;
use sinch_verify_protocol::caller_id::Candidates;

let plans = NumberPlans::new();
let caller = Candidates::new("8 029 123 45 67").with_country("BY".parse()?, &plans);
assert_eq!(caller.e164().unwrap().as_str(), "+375291234567");
# Ok::<(), sinch_verify_protocol::country::CountryError>(())
```"#
    )]
    #[must_use]
    pub fn with_country(mut self, country: Country, plans: &NumberPlans) -> Self {
        self.country = Some(country);
        self.by_plan = self.digits.and_then(|digits| plans.read(digits, country));
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

    /// The number to report to the service, if it is certain: the one that the plan of the
    /// [country](Self::with_country) reads, or else one that is written with `+`.
    ///
    /// Otherwise report the text as it is ([`Cli::as_seen`](crate::Cli::as_seen)). The same digits can be a
    /// number here and another one abroad, so nothing is guessed.
    #[must_use]
    pub fn e164(&self) -> Option<PhoneNumber> {
        let written = || PhoneNumber::parse(self.digits?.as_str()).ok();
        self.by_plan.or_else(written)
    }

    fn forms(&self) -> [Option<Candidate<'a>>; 5] {
        if self.hidden {
            return [None; 5];
        }
        let held = |form, text: Option<Digits>| {
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
            held(CandidateForm::Stripped, self.digits),
            held(CandidateForm::DoubleZero, self.double_zero()),
            held(CandidateForm::PlusAdded, self.plus_added()),
            held(
                CandidateForm::National,
                self.by_plan.and_then(|number| Digits::of(&[number.as_str()])),
            ),
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

    fn double_zero(&self) -> Option<Digits> {
        let digits = self.digits.as_ref()?.as_str().strip_prefix("00")?;
        Digits::of(&["+", digits])
    }

    fn plus_added(&self) -> Option<Digits> {
        let digits = self.digits.as_ref().filter(|digits| !digits.is_international())?;
        Digits::of(&["+", digits.as_str()])
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
    let text = raw.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    text.is_empty() || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}
