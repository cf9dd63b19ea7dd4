//! Repairs that the SDK does not make.

use crate::cli_filter::line_end::{is_line_end, next_line_end};

/// What an [`SmsTemplate`](super::SmsTemplate) does beyond the Android SDK's behaviour.
///
/// Everything is off at first, and each repair works without the others.
///
/// ```
/// use sinch_verify_protocol::sms_template::{ExtractOptions, SmsTemplate};
///
/// let template = SmsTemplate::parse("Your code:\n{{CODE}}")?;
/// let message = "Your code:\r\n1234 ";
/// assert_eq!(template.extract(message), None);
///
/// let options = ExtractOptions::new().fold_crlf(true).trim(true);
/// assert_eq!(template.extract_with(message, &options).as_deref(), Some("1234"));
/// # Ok::<(), sinch_verify_protocol::sms_template::TemplateError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtractOptions {
    trim: bool,
    shortest: bool,
    fold_crlf: bool,
    fold_whitespace: bool,
    fold_digits: bool,
    drop_invisible: bool,
    alphabet: Option<CodeAlphabet>,
}

impl ExtractOptions {
    /// No repairs: the Android SDK's behaviour.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            trim: false,
            shortest: false,
            fold_crlf: false,
            fold_whitespace: false,
            fold_digits: false,
            drop_invisible: false,
            alphabet: None,
        }
    }

    /// All repairs that need no knowledge of the code; recommended for apps.
    #[must_use]
    pub const fn recommended() -> Self {
        Self {
            trim: true,
            shortest: true,
            fold_crlf: true,
            fold_whitespace: true,
            fold_digits: true,
            drop_invisible: true,
            alphabet: None,
        }
    }

    /// Drops white space around the code; a code of white space alone is none.
    #[must_use]
    pub const fn trim(mut self, yes: bool) -> Self {
        self.trim = yes;
        self
    }

    /// Ends the code at the first place where the template's following text fits, not at the last.
    ///
    /// Has no effect where nothing follows the placeholder: the code then runs to the end of the
    /// line, or to the first character outside the [`alphabet`](Self::alphabet).
    #[must_use]
    pub const fn shortest(mut self, yes: bool) -> Self {
        self.shortest = yes;
        self
    }

    /// Takes CR LF for LF, in the template and in the message.
    #[must_use]
    pub const fn fold_crlf(mut self, yes: bool) -> Self {
        self.fold_crlf = yes;
        self
    }

    /// Takes a tab, a no-break space and the other spaces of Unicode for an ordinary space, in the
    /// template and in the message. The number of spaces still counts.
    #[must_use]
    pub const fn fold_whitespace(mut self, yes: bool) -> Self {
        self.fold_whitespace = yes;
        self
    }

    /// Takes the decimal digits of every script for those of ASCII, in the template and in the message.
    #[must_use]
    pub const fn fold_digits(mut self, yes: bool) -> Self {
        self.fold_digits = yes;
        self
    }

    /// Drops characters that render as nothing, such as marks of direction and soft hyphens, from the
    /// template and from the message.
    #[must_use]
    pub const fn drop_invisible(mut self, yes: bool) -> Self {
        self.drop_invisible = yes;
        self
    }

    /// Lets a placeholder stand for characters of this alphabet only.
    ///
    /// A run of them that goes on behind a character of another kind is no code: not `482` in `482-193`, nor
    /// `12` in `12ab`. Needed where nothing in the template bounds the code on one side, and the code's type is
    /// known (`sms.codeType` of the start answer; numeric unless asked otherwise).
    #[must_use]
    pub const fn alphabet(mut self, alphabet: CodeAlphabet) -> Self {
        self.alphabet = Some(alphabet);
        self
    }

    pub(super) const fn folds_crlf(&self) -> bool {
        self.fold_crlf
    }

    pub(super) const fn folds_whitespace(&self) -> bool {
        self.fold_whitespace
    }

    pub(super) const fn folds_digits(&self) -> bool {
        self.fold_digits
    }

    pub(super) const fn drops_invisible(&self) -> bool {
        self.drop_invisible
    }

    pub(super) const fn trims(&self) -> bool {
        self.trim
    }

    pub(super) const fn takes_shortest(&self) -> bool {
        self.shortest
    }

    /// Where the run of characters that a placeholder may stand for, beginning at `from`, ends.
    pub(super) fn run_end(&self, message: &str, from: usize) -> usize {
        let Some(alphabet) = self.alphabet else {
            return next_line_end(message, from);
        };
        let rest = message.as_bytes().get(from..).unwrap_or_default();
        let run = rest.iter().position(|byte| !alphabet.contains(*byte));
        run.map_or(message.len(), |length| from + length)
    }

    /// Whether the run of placeholder characters that ends before this byte goes on behind it.
    pub(super) fn is_cut_after(&self, message: &str, end: usize) -> bool {
        self.alphabet.is_some() && goes_on(message.get(end..).unwrap_or_default().chars())
    }

    /// Whether the run of placeholder characters that begins at this byte goes on before it.
    pub(super) fn is_cut_before(&self, message: &str, begin: usize) -> bool {
        self.alphabet.is_some() && goes_on(message.get(..begin).unwrap_or_default().chars().rev())
    }

    /// Where the white space that may stand between a literal and the code ends.
    ///
    /// Without an alphabet the white space belongs to the placeholder and is trimmed afterwards.
    pub(super) fn gap_end(&self, message: &str, from: usize) -> usize {
        if !self.trim || self.alphabet.is_none() {
            return from;
        }
        let rest = message.get(from..).unwrap_or_default();
        rest.char_indices()
            .find(|(_, c)| !c.is_whitespace() || is_line_end(*c))
            .map_or(message.len(), |(length, _)| from + length)
    }
}

/// Whether these characters continue a word: by a letter or digit, or by a digit behind a mark that joins groups
/// of digits.
fn goes_on(mut chars: impl Iterator<Item = char>) -> bool {
    match chars.next() {
        Some('-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '.' | ',' | '/' | '_') => {
            chars.next().is_some_and(|c| c.is_ascii_digit())
        }
        next => next.is_some_and(|c| c.is_ascii_alphanumeric()),
    }
}

/// The characters a code is made of.
///
/// ```
/// use sinch_verify_protocol::sms_template::{CodeAlphabet, ExtractOptions, SmsTemplate};
///
/// let template = SmsTemplate::parse("Your code is {{CODE}}")?;
/// let options = ExtractOptions::new().alphabet(CodeAlphabet::Alphanumeric);
/// let message = "Your code is 7KQ2 XtNB5qNssI/";
/// assert_eq!(template.extract_with(message, &options).as_deref(), Some("7KQ2"));
/// # Ok::<(), sinch_verify_protocol::sms_template::TemplateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeAlphabet {
    /// `0`-`9`, what the service uses unless asked otherwise.
    Numeric,
    /// ASCII letters.
    Alpha,
    /// ASCII letters and digits.
    Alphanumeric,
}

impl CodeAlphabet {
    const fn contains(self, byte: u8) -> bool {
        match self {
            Self::Numeric => byte.is_ascii_digit(),
            Self::Alpha => byte.is_ascii_alphabetic(),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
        }
    }
}
