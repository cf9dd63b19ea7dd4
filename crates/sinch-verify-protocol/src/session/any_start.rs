//! A start by any method, so that several can stand in one list.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::language::AcceptLanguage;
use crate::method::{Auto, Callout, FlashCall, Method, Seamless, Sms, WhatsApp};
use crate::start::{Start, StartRequest};

/// A start by any method.
///
/// ```
/// use sinch_verify_protocol::session::AnyStart;
/// use sinch_verify_protocol::{Method, Start};
///
/// let number = "+46700000001".parse()?;
/// let starts: [AnyStart; 2] = [Start::sms(number).into(), Start::callout(number).into()];
/// assert_eq!(starts[1].method(), Method::Callout);
/// # Ok::<(), sinch_verify_protocol::phone_number::PhoneNumberError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyStart {
    /// By SMS.
    Sms(Start<Sms>),
    /// By flash call.
    FlashCall(Start<FlashCall>),
    /// By callout.
    Callout(Start<Callout>),
    /// By data verification.
    Seamless(Start<Seamless>),
    /// By WhatsApp.
    WhatsApp(Start<WhatsApp>),
    /// By whatever the service chooses. Undocumented.
    Auto(Start<Auto>),
}

/// Does the same with whichever start it is.
macro_rules! with_start {
    ($any:expr, $start:ident => $body:expr) => {
        match $any {
            AnyStart::Sms($start) => $body,
            AnyStart::FlashCall($start) => $body,
            AnyStart::Callout($start) => $body,
            AnyStart::Seamless($start) => $body,
            AnyStart::WhatsApp($start) => $body,
            AnyStart::Auto($start) => $body,
        }
    };
}

pub(super) use with_start;

impl AnyStart {
    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        match self {
            Self::Sms(_) => Method::Sms,
            Self::FlashCall(_) => Method::FlashCall,
            Self::Callout(_) => Method::Callout,
            Self::Seamless(_) => Method::Seamless,
            Self::WhatsApp(_) => Method::WhatsApp,
            Self::Auto(_) => Method::Auto,
        }
    }

    /// The body that goes out.
    #[must_use]
    pub fn body(&self) -> &StartRequest {
        with_start!(self, start => start.body())
    }

    fn parts(&self) -> (&StartRequest, &AcceptLanguage) {
        with_start!(self, start => start.parts())
    }
}

macro_rules! from_start {
    ($($name:ident),*) => {
        $(
            impl From<Start<$name>> for AnyStart {
                fn from(start: Start<$name>) -> Self {
                    Self::$name(start)
                }
            }
        )*
    };
}

from_start!(Sms, FlashCall, Callout, Seamless, WhatsApp, Auto);

/// The body, and the one thing of a start that travels in a header.
#[derive(Serialize)]
struct Parts<'a> {
    body: &'a StartRequest,
    languages: String,
}

#[derive(Deserialize)]
struct OwnedParts {
    body: StartRequest,
    languages: String,
}

impl Serialize for AnyStart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (body, languages) = self.parts();
        let languages = languages.to_string();
        Parts { body, languages }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AnyStart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        let OwnedParts { body, languages } = OwnedParts::deserialize(deserializer)?;
        let languages: AcceptLanguage = languages.parse().map_err(Error::custom)?;
        let start = match body.method {
            Method::Sms => Start::from_parts(body, languages).map(Self::Sms),
            Method::FlashCall => Start::from_parts(body, languages).map(Self::FlashCall),
            Method::Callout => Start::from_parts(body, languages).map(Self::Callout),
            Method::Seamless => Start::from_parts(body, languages).map(Self::Seamless),
            Method::WhatsApp => Start::from_parts(body, languages).map(Self::WhatsApp),
            Method::Auto => Start::from_parts(body, languages).map(Self::Auto),
            Method::Unknown(_) => return Err(Error::custom("a start by a method that is not known")),
        };
        start.ok_or_else(|| Error::custom("a start whose number or reference is not one"))
    }
}
