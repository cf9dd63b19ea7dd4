//! Cutting the code out of an SMS by the `template` of the start answer.
//!
//! A start by SMS answers with the text that the message will have, with the placeholder
//! `{{CODE}}` where the code goes. [`SmsTemplate`] finds the code as the Android SDK does, the
//! only one that reads messages; [`ExtractOptions`] repairs what that leaves undone.

mod error;
mod fold;
mod one_placeholder;
mod options;
mod several_placeholders;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

pub use self::error::TemplateError;
pub use self::options::{CodeAlphabet, ExtractOptions};

use self::fold::fold;
use crate::code::{Code, CodeType};

/// What stands for the code in a template: exactly this text.
pub const PLACEHOLDER: &str = "{{CODE}}";

/// The longest template that is accepted, in bytes. A message of ten parts has about 1,500.
pub const MAX_TEMPLATE: usize = 4096;

/// The text of a verification SMS with the placeholder `{{CODE}}`.
///
/// Everything but the placeholder is literal. The placeholder stands for one or more characters
/// on one line, as many as possible; text before and after the template's is allowed, which is
/// what lets a message end with the app hash. With several placeholders the first one's text is
/// the code.
///
/// ```
/// use sinch_verify_protocol::sms_template::SmsTemplate;
///
/// let template = SmsTemplate::parse("Your code is {{CODE}}")?;
/// assert_eq!(template.extract("<#> Your code is 1234\nXtNB5qNssI/"), Some("1234"));
/// assert_eq!(template.extract("Your balance is 1234"), None);
/// assert_eq!(template.render("1234"), "Your code is 1234");
/// # Ok::<(), sinch_verify_protocol::sms_template::TemplateError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SmsTemplate {
    text: Box<str>,
    /// The literals around the placeholders, one more than there are placeholders.
    literals: Box<[Box<str>]>,
}

impl SmsTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] if the placeholder is missing (`{{code}}` and `{{ CODE }}` are not it) or
    /// the text is longer than [`MAX_TEMPLATE`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError::TooLong { bytes: text.len() });
        }
        let literals: Box<[Box<str>]> = text.split(PLACEHOLDER).map(Box::from).collect();
        if literals.len() < 2 {
            return Err(TemplateError::MissingPlaceholder);
        }
        Ok(Self {
            text: text.into(),
            literals,
        })
    }

    /// The code in this message, exactly as the Android SDK finds it.
    ///
    /// Nothing is trimmed: whatever stands in the placeholder's place is the code, up to the end
    /// of the line if the template ends with it. Time is linear in the length of the message.
    #[must_use]
    pub fn extract<'m>(&self, message: &'m str) -> Option<&'m str> {
        search(message, &self.literals, &ExtractOptions::new())
    }

    /// The code in this message, with the given repairs. What is folded in the message is folded in the code.
    ///
    /// ```
    /// use sinch_verify_protocol::sms_template::{CodeAlphabet, ExtractOptions, SmsTemplate};
    ///
    /// let template = SmsTemplate::parse("{{CODE}} is your code")?;
    /// let message = "<#> 1234 is your code";
    /// assert_eq!(template.extract(message), Some("<#> 1234"));
    ///
    /// let numeric = ExtractOptions::new().alphabet(CodeAlphabet::Numeric);
    /// assert_eq!(template.extract_with(message, &numeric).as_deref(), Some("1234"));
    /// # Ok::<(), sinch_verify_protocol::sms_template::TemplateError>(())
    /// ```
    #[must_use]
    pub fn extract_with<'m>(&self, message: &'m str, options: &ExtractOptions) -> Option<Cow<'m, str>> {
        let literals: Vec<Cow<'_, str>> = self.literals.iter().map(|text| fold(text, options)).collect();
        match fold(message, options) {
            Cow::Borrowed(message) => search(message, &literals, options).map(Cow::Borrowed),
            Cow::Owned(message) => {
                search(&message, &literals, options).map(|code| Cow::Owned(code.to_owned()))
            }
        }
    }

    /// The code in this message, as a [flow](crate::session) reads it: with the
    /// [recommended](ExtractOptions::recommended) repairs, and of characters of `code_type` only.
    ///
    /// `code_type` is that of the start answer. Without it, or with one that this version does not know,
    /// what stands in the placeholder's place is the code; if that cannot be a code, because a hash follows
    /// on the same line for example, digits are looked for.
    ///
    /// ```
    /// use sinch_verify_protocol::CodeType;
    /// use sinch_verify_protocol::sms_template::SmsTemplate;
    ///
    /// let template = SmsTemplate::parse("{{CODE}} is your code")?;
    /// let code = template.find_code("<#> 1234 is your code", Some(&CodeType::Numeric));
    /// assert_eq!(code.unwrap().expose(), "1234");
    /// # Ok::<(), sinch_verify_protocol::sms_template::TemplateError>(())
    /// ```
    #[must_use]
    pub fn find_code(&self, message: &str, code_type: Option<&CodeType>) -> Option<Code> {
        let alphabet = match code_type {
            Some(CodeType::Numeric) => Some(CodeAlphabet::Numeric),
            Some(CodeType::Alpha) => Some(CodeAlphabet::Alpha),
            Some(CodeType::Alphanumeric) => Some(CodeAlphabet::Alphanumeric),
            _ => None,
        };
        let options = ExtractOptions::recommended();
        let find = |options: &ExtractOptions| Code::new(&self.extract_with(message, options)?).ok();
        match alphabet {
            Some(alphabet) => find(&options.alphabet(alphabet)),
            None => find(&options).or_else(|| find(&options.alphabet(CodeAlphabet::Numeric))),
        }
    }

    /// The message with this code, as it would be sent. Every placeholder is replaced.
    #[must_use]
    pub fn render(&self, code: &str) -> String {
        self.literals.join(code)
    }

    /// The text of the template.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for SmsTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Prints the text of the template.
impl fmt::Display for SmsTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for SmsTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmsTemplate({:?})", self.text)
    }
}

/// The text of the first placeholder in a folded message.
fn search<'m>(message: &'m str, literals: &[impl AsRef<str>], options: &ExtractOptions) -> Option<&'m str> {
    let span = match literals {
        [before, after] => {
            let (before, after) = (before.as_ref(), after.as_ref());
            let span = one_placeholder::find(message, before, after, options)?;
            // A literal bounds the code; where there is none, the code must not be a part of something longer.
            let cut = before.is_empty() && options.is_cut_before(message, span.start)
                || after.is_empty() && options.is_cut_after(message, span.end);
            Some(span).filter(|_| !cut)?
        }
        literals => several_placeholders::find(message, literals, options)?,
    };
    let code = message.get(span)?;
    let code = if options.trims() { code.trim() } else { code };
    Some(code).filter(|code| !code.is_empty())
}
