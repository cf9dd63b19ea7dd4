//! The methods, by the names of the wire and by those that people use.

use sinch_verify_protocol::Method;

/// A method of verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MethodArg {
    /// A text message with a code.
    Sms,
    /// A call whose caller id is the code.
    #[value(name = "flashcall", alias = "flash-call")]
    FlashCall,
    /// A phone call that speaks a code or asks for a key.
    #[value(aliases = ["phone-call", "phonecall"])]
    Callout,
    /// An address that the device fetches over its mobile network.
    #[value(alias = "data")]
    Seamless,
    /// A WhatsApp message with a code.
    #[value(name = "whatsapp", alias = "whats-app")]
    WhatsApp,
}

impl From<MethodArg> for Method {
    fn from(method: MethodArg) -> Self {
        match method {
            MethodArg::Sms => Self::Sms,
            MethodArg::FlashCall => Self::FlashCall,
            MethodArg::Callout => Self::Callout,
            MethodArg::Seamless => Self::Seamless,
            MethodArg::WhatsApp => Self::WhatsApp,
        }
    }
}

/// A method that was given, found out or assumed.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) method: Method,
    /// Nobody said so: it may be wrong.
    pub(crate) assumed: bool,
}

impl Chosen {
    /// `given`, or else `otherwise`.
    pub(crate) fn or(given: Option<MethodArg>, otherwise: Method) -> Self {
        Self {
            assumed: given.is_none(),
            method: given.map_or(otherwise, Method::from),
        }
    }

    /// The method, where it was assumed and may be wrong.
    pub(crate) fn hint(&self) -> Option<String> {
        self.assumed
            .then(|| format!("by {}; give --method if it is another", self.method))
    }

    /// What was not done, with the method where that may be why.
    pub(crate) fn failed_to(&self, what: &str, error: &sinch_verify_client::Error) -> String {
        match self.hint().filter(|_| error.is_not_found()) {
            Some(hint) => format!("failed to {what} {hint}"),
            None => format!("failed to {what}"),
        }
    }
}
