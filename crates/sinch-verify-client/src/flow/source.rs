//! Where codes and caller ids come from.

use std::future::Future;

use sinch_verify_protocol::session::{Input, LoggedCall};
use sinch_verify_protocol::wire::PrivateText;
use sinch_verify_protocol::{Cli, Code};
use tokio::sync::mpsc;

/// What the app sees and hears: typed codes, messages, calls. The app implements it, or sends into a
/// channel of tokio, whose receiver is one.
///
/// ```
/// use sinch_verify_client::flow::{CodeSource, Seen};
/// use sinch_verify_client::protocol::Code;
///
/// /// A form that asks again and again.
/// struct Form;
///
/// impl CodeSource for Form {
///     async fn next(&mut self) -> Option<Seen> {
///         let typed = ask_the_user().await;
///         Some(match Code::new(typed.trim()) {
///             Ok(code) => Seen::Code(code),
///             Err(_) => Seen::NextMethod, // "call me instead"
///         })
///     }
/// }
/// # async fn ask_the_user() -> String { String::new() }
/// ```
pub trait CodeSource: Send + 'static {
    /// What comes next; `None` when nothing more will come. The flow then goes on without: a callout
    /// may still end by a key.
    ///
    /// It is asked for anew once it gave something, and dropped when the flow ends.
    fn next(&mut self) -> impl Future<Output = Option<Seen>> + Send;
}

impl CodeSource for mpsc::Receiver<Seen> {
    async fn next(&mut self) -> Option<Seen> {
        self.recv().await
    }
}

/// One thing, or nothing: what came with a web request.
impl CodeSource for Option<Seen> {
    async fn next(&mut self) -> Self {
        self.take()
    }
}

/// Something that may prove the number. What does not fit the method at work is passed over. What is
/// typed while a start is not answered waits for its answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Seen {
    /// A person typed a code.
    Code(Code),
    /// A person typed the caller id of the flash call.
    Cli(Cli),
    /// A text message came: the code is cut out by the template.
    Sms(PrivateText),
    /// A call rings: the caller id as the system gave it, empty where it is hidden.
    Call(PrivateText),
    /// The call log was read.
    CallLog(Vec<LoggedCall>),
    /// The person wants the next method.
    NextMethod,
    /// The person gave up.
    Cancel,
}

impl Seen {
    /// A text message that came now.
    #[must_use]
    pub fn sms(text: &str) -> Self {
        Self::Sms(text.into())
    }

    /// A call that rings now.
    #[must_use]
    pub fn call(cli: &str) -> Self {
        Self::Call(cli.into())
    }

    /// Whether it is of use only to a method that is at work.
    pub(super) fn needs_a_method(&self) -> bool {
        matches!(self, Self::Code(_) | Self::Cli(_) | Self::NextMethod)
    }

    pub(super) fn into_input(self) -> Input {
        match self {
            Self::Code(code) => Input::CodeTyped(code),
            Self::Cli(cli) => Input::CliTyped(cli),
            Self::Sms(text) => Input::SmsReceived { text },
            Self::Call(cli) => Input::CallRinging { cli },
            Self::CallLog(calls) => Input::CallLog(calls),
            Self::NextMethod => Input::NextMethod,
            Self::Cancel => Input::Cancel,
        }
    }
}
