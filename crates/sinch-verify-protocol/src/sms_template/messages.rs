//! Messages and the template, in whichever order they come.

use std::fmt;

use super::{ExtractOptions, SmsTemplate};

/// Joins incoming messages with the template, which may come later than the message.
///
/// An app listens before it sends the start request, so the SMS can be faster than the answer. As
/// in the Android SDK, the last message that came before the template is kept and tried when the
/// template arrives. A message that does not fit is no reason to stop listening.
///
/// ```
/// use sinch_verify_protocol::sms_template::{ExtractOptions, SmsMessages, SmsTemplate};
///
/// let mut messages = SmsMessages::new(ExtractOptions::recommended());
/// assert_eq!(messages.message("Your code is 1234"), None);
///
/// let template = SmsTemplate::parse("Your code is {{CODE}}")?;
/// assert_eq!(messages.template(template).as_deref(), Some("1234"));
/// # Ok::<(), sinch_verify_protocol::sms_template::TemplateError>(())
/// ```
#[derive(Clone, Default)]
pub struct SmsMessages {
    options: ExtractOptions,
    template: Option<SmsTemplate>,
    waiting: Option<String>,
}

impl SmsMessages {
    /// Has neither template nor message yet.
    #[must_use]
    pub const fn new(options: ExtractOptions) -> Self {
        Self {
            options,
            template: None,
            waiting: None,
        }
    }

    /// Takes a message, and gives the code if the template is known and fits.
    pub fn message(&mut self, message: &str) -> Option<String> {
        let Some(template) = &self.template else {
            self.waiting = Some(message.to_owned());
            return None;
        };
        template.extract_with(message, &self.options).map(str::to_owned)
    }

    /// Takes the template, and gives the code if a message is waiting and fits. A message is
    /// tried only once.
    pub fn template(&mut self, template: SmsTemplate) -> Option<String> {
        let waiting = self.waiting.take();
        self.template = Some(template);
        self.message(&waiting?)
    }
}

/// Says what is there, without the text of a message, which holds a code.
impl fmt::Debug for SmsMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsMessages")
            .field("template", &self.template)
            .field("message_waiting", &self.waiting.is_some())
            .finish_non_exhaustive()
    }
}
