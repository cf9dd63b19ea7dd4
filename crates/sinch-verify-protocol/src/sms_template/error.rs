//! Why a template cannot be used.

use std::fmt;

use super::{MAX_TEMPLATE, PLACEHOLDER};

/// Why a text is not an [`SmsTemplate`](super::SmsTemplate).
///
/// The verification itself can go on: the user may still type the code.
///
/// ```
/// use sinch_verify_protocol::sms_template::{SmsTemplate, TemplateError};
///
/// let error = SmsTemplate::parse("Your code is {{code}}").unwrap_err();
/// assert_eq!(error, TemplateError::MissingPlaceholder);
/// assert_eq!(error.to_string(), "invalid template: it lacks the placeholder {{CODE}}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// The text does not contain [`PLACEHOLDER`].
    MissingPlaceholder,
    /// The text is longer than [`MAX_TEMPLATE`].
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid template: ")?;
        match self {
            Self::MissingPlaceholder => write!(f, "it lacks the placeholder {PLACEHOLDER}"),
            Self::TooLong { bytes } => {
                write!(f, "{bytes} bytes long, at most {MAX_TEMPLATE} are allowed")
            }
        }
    }
}

impl std::error::Error for TemplateError {}
