//! One form of a caller id, and the iterator over all of them.

use std::fmt;

use crate::phone_number::{Digits, Masked};

/// One form of a caller id, as [`Candidates`](super::Candidates) lists it.
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
    pub(super) form: CandidateForm,
    pub(super) text: Source<'a>,
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
    /// The digits in ASCII, without spaces and punctuation.
    Stripped,
    /// `+` in place of a leading `00`.
    DoubleZero,
    /// `+` put in front of bare digits.
    PlusAdded,
    /// The number as it is read in the known country.
    National,
}

/// The text given, or one made from it.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Raw(&'a str),
    Held(Digits),
}
