//! The answer to a request event.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

use crate::code::{Code, CodeType};
use crate::language::LanguageTag;
use crate::method::{self, Method, methods};
use crate::open_enum::open_enum;
use crate::phone_number::PhoneNumber;
use crate::seconds::{CallSeconds, Expiry};
use crate::start::Speech;
use crate::wire::{LooseNumber, LooseText, PartOf, PrivateText, Spelled, ZeroIsAbsent, object};

/// What the application says to a verification, before it is sent.
///
/// The variants that set something name their method: an SMS code cannot be
/// given to a flash call.
///
/// ```
/// use sinch_verify_protocol::Code;
/// use sinch_verify_protocol::callback::{Decision, SmsDecision};
///
/// let mut sms = SmsDecision::default();
/// sms.code = Some(Code::new("4821")?);
/// let decision = Decision::AllowSms(sms);
/// assert_eq!(decision.to_json(), r#"{"action":"allow","sms":{"code":"4821"}}"#);
/// # Ok::<(), sinch_verify_protocol::code::InvalidCode>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Do not verify.
    Deny,
    /// Go on, as the service would by itself.
    Allow,
    /// Go on with this SMS.
    AllowSms(SmsDecision),
    /// Go on with this flash call.
    AllowFlashCall(FlashCallDecision),
    /// Go on with this callout.
    AllowCallout(CalloutDecision),
    /// Go on with this WhatsApp message.
    AllowWhatsApp(WhatsAppDecision),
}

impl Decision {
    /// Goes on with an SMS that carries `code`.
    #[must_use]
    pub fn sms_code(code: Code) -> Self {
        Self::AllowSms(SmsDecision {
            code: Some(code),
            ..SmsDecision::default()
        })
    }

    /// Goes on with a flash call from `cli`, a number that the application rents.
    #[must_use]
    pub fn flash_call_cli(cli: PhoneNumber) -> Self {
        Self::AllowFlashCall(FlashCallDecision {
            cli: Some(cli),
            ..FlashCallDecision::default()
        })
    }

    /// Goes on with a callout that speaks `code`.
    #[must_use]
    pub fn callout_code(code: Code) -> Self {
        Self::AllowCallout(CalloutDecision {
            code: Some(code),
            ..CalloutDecision::default()
        })
    }

    /// Whether the verification may go on.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        *self != Self::Deny
    }

    /// The body of the answer as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        if let Some(plain) = self.plain_json() {
            return plain.to_owned();
        }
        // Our own types always encode: every map key is text, and no float is raw.
        serde_json::to_string(&self.to_body()).unwrap_or_else(|_| DENY.to_owned())
    }

    /// The bytes of [`Decision::to_json`].
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.plain_json() {
            Some(plain) => Bytes::from_static(plain.as_bytes()),
            None => Bytes::from(self.to_json()),
        }
    }

    /// The decisions that say no more, which are most, as the text that they always are.
    fn plain_json(&self) -> Option<&'static str> {
        match self {
            Self::Deny => Some(DENY),
            Self::Allow => Some(ALLOW),
            _ => None,
        }
    }

    /// The answer.
    #[must_use]
    pub fn to_http_response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.to_bytes());
        *response.status_mut() = StatusCode::OK;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// Declares which decision belongs to which method, and what it can set.
macro_rules! decisions {
    ($(
        #[doc = $summary:literal]
        $method:ident = $wire:literal {
            start: $start:ident,
            aliases: $aliases:tt,
            reports: $reports:tt,
            decision: [$($decision:ident $(sets $sets:ident)?)?],
            $($rest:tt)*
        }
    )*) => {
        impl Decision {
            /// Goes on with `code`; `None` where a decision for `method` cannot set one.
            #[must_use]
            pub fn with_code(method: &Method, code: Code) -> Option<Self> {
                match method {
                    $($( Method::$method => decisions!(@code $method $decision code $($sets)?), )?)*
                    _ => None,
                }
            }

            /// Goes on with a call from `cli`; `None` where a decision for `method` cannot set one.
            #[must_use]
            pub fn with_cli(method: &Method, cli: PhoneNumber) -> Option<Self> {
                match method {
                    $($( Method::$method => decisions!(@cli $method $decision cli $($sets)?), )?)*
                    _ => None,
                }
            }

            /// Whether this decision can answer an event of `method`.
            #[must_use]
            pub fn fits(&self, method: &Method) -> bool {
                match self {
                    Self::Deny | Self::Allow => true,
                    $($( Self::$decision(_) => *method == Method::$method, )?)*
                }
            }

            /// The body of the answer.
            #[must_use]
            pub fn to_body(&self) -> DecisionBody {
                let mut body = DecisionBody::new(if self.is_allow() {
                    Action::Allow
                } else {
                    Action::Deny
                });
                match self {
                    Self::Deny | Self::Allow => {}
                    $($( Self::$decision(set) => *method::$method::slot(&mut body) = Some(set.clone()), )?)*
                }
                body
            }
        }

        impl DecisionBody {
            /// The decision for an event of `method`; what belongs to other methods is
            /// left aside. `None` when the action is neither allow nor deny.
            #[must_use]
            pub fn decision(&self, method: &Method) -> Option<Decision> {
                match self.action {
                    Action::Allow => {}
                    Action::Deny => return Some(Decision::Deny),
                    Action::Unknown(_) => return None,
                }
                let decision = match method {
                    $($( Method::$method => method::$method::get(self).cloned().map(Decision::$decision), )?)*
                    _ => None,
                };
                Some(decision.unwrap_or(Decision::Allow))
            }
        }
    };

    (@code $method:ident $decision:ident $code:ident Code) => {{
        let mut set = <method::$method as PartOf<DecisionBody>>::Object::default();
        set.code = Some($code);
        Some(Self::$decision(set))
    }};
    (@cli $method:ident $decision:ident $cli:ident Cli) => {{
        let mut set = <method::$method as PartOf<DecisionBody>>::Object::default();
        set.cli = Some($cli);
        Some(Self::$decision(set))
    }};
    (@code $($other:ident)*) => { None };
    (@cli $($other:ident)*) => { None };
}

methods!(decisions);

const DENY: &str = r#"{"action":"deny"}"#;
const ALLOW: &str = r#"{"action":"allow"}"#;

open_enum! {
    /// Allow or deny.
    pub enum Action {
        /// Go on.
        Allow = "allow",
        /// Do not.
        Deny = "deny",
    }
}

object! {
    /// The body of the answer to a request event, as received.
    pub struct DecisionBody {
        /// Allow or deny.
        required "action" => action: Action, via Spelled<Action>;
        /// For `sms`.
        optional "sms" => sms: SmsDecision, of Sms;
        /// For `flashcall`.
        optional "flashCall" | "flashcall" => flash_call: FlashCallDecision, of FlashCall;
        /// For `callout`.
        optional "callout" => callout: CalloutDecision, of Callout;
        /// For `whatsapp`.
        optional "whatsapp" => whatsapp: WhatsAppDecision, of WhatsApp;
    }
}

impl DecisionBody {
    /// A body that only says `action`.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self::bare(action)
    }

    /// What this sets and the service does not read, in words: anything beside a deny, or
    /// for another method than the event's. The first of it, if there is any.
    #[must_use]
    pub fn set_in_vain(&self, method: &Method) -> Option<String> {
        let denied = self.action == Action::Deny;
        let (_, in_vain) = self.parts().find(|(of, _)| {
            let is_read = !denied && (of == method || *method == Method::Auto);
            !is_read
        })?;
        Some(if denied {
            format!("{in_vain}: set beside deny, and not read")
        } else {
            format!("{in_vain}: set for a verification by {method}, and not read")
        })
    }
}

object! {
    /// What a decision may set for an SMS.
    #[derive(Default)]
    pub struct SmsDecision {
        /// The code to send.
        optional "code" => code: Code, via LooseText<Code>;
        /// The alphabet of the code to make.
        optional "codeType" => code_type: CodeType, via Spelled<CodeType>;
        /// How long the code is valid.
        optional "expiry" => expiry: Expiry;
        /// The languages for the message, best first.
        side "acceptLanguage" => accept_language: Vec<LanguageTag>;
    }
}

object! {
    /// What a decision may set for a flash call.
    #[derive(Default)]
    pub struct FlashCallDecision {
        /// The number to call from: one that the application rents.
        optional "cli" => cli: PhoneNumber;
        /// How long the call rings.
        optional "dialTimeout" => dial_timeout: CallSeconds, via ZeroIsAbsent<CallSeconds>;
        /// How long a handset waits for the call.
        optional "interceptionTimeout" => interception_timeout: CallSeconds, via ZeroIsAbsent<CallSeconds>;
    }
}

object! {
    /// What a decision may set for a callout.
    ///
    /// `code` and `speech` belong to today's form, which speaks a code that is
    /// reported back. The rest belongs to the older form, in which the person
    /// presses a key during the call.
    #[derive(Default)]
    pub struct CalloutDecision {
        /// The code to speak.
        optional "code" => code: Code, via LooseText<Code>;
        /// How it is spoken.
        optional "speech" => speech: Speech;
        /// Older form: the key to press, by default `1`.
        optional "pin" => pin: PrivateText, via LooseText<PrivateText>;
        /// Older form: the language.
        optional "locale" => locale: String;
        /// Older form: the text to speak, with `{pin}`.
        optional "ttsMenu" => tts_menu: PrivateText;
        /// Older form: a sound file to play instead.
        optional "wavFile" => wav_file: String;
        /// Older form: how long to wait for the key, in seconds.
        optional "timeout" => timeout: u32, via LooseNumber<u32>;
    }
}

object! {
    /// What a decision may set for a WhatsApp message. A code cannot be set.
    #[derive(Default)]
    pub struct WhatsAppDecision {
        /// The alphabet of the code.
        optional "codeType" => code_type: CodeType, via Spelled<CodeType>;
        /// The languages for the message, best first.
        side "acceptLanguage" => accept_language: Vec<LanguageTag>;
    }
}

#[cfg(test)]
mod tests {
    use super::Decision;

    #[test]
    fn what_is_written_out_is_what_would_be_encoded() {
        for decision in [Decision::Allow, Decision::Deny] {
            let encoded = serde_json::to_string(&decision.to_body()).unwrap();
            assert_eq!(decision.to_json(), encoded);
            assert_eq!(decision.to_bytes(), encoded);
        }
    }
}
