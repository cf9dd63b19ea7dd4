//! Shows a call as Python for version 1 of the SDK. Version 2 has no Verification API.

use std::fmt::Write as _;

use sinch_verify_protocol::Method;

use super::Call;
use super::sdk::{Fields, Query, SdkCall, SdkMethod, Target, literal};

const CLIENT: &str = "\
# pip install 'sinch<2'; version 2 has no Verification API
import os
from sinch import SinchClient

sinch = SinchClient(
    application_key=os.environ[\"SINCH_APPLICATION_KEY\"],
    application_secret=os.environ[\"SINCH_APPLICATION_SECRET\"],
)
sinch.configuration.verification_origin = HOST
sinch.configuration.disable_https = IS_PLAIN
";

impl Call<'_> {
    /// The call as Python; `None` if the SDK lacks the method.
    pub(super) fn python(&self, call: &SdkCall) -> Option<String> {
        let (function, arguments, left_out) = match call {
            SdkCall::Start {
                method,
                number,
                body,
                languages,
            } => {
                let mut fields = Fields::new(body.clone());
                let (function, mut arguments) = start(method, number, &mut fields)?;
                for name in ["reference", "custom"] {
                    if let Some(value) = fields.take(name) {
                        arguments.push((name, literal(value)));
                    }
                }
                let mut left_out = fields.left_out("#");
                if languages.is_some() {
                    left_out.push_str("# The SDK does not send Accept-Language.\n");
                }
                (function, arguments, left_out)
            }
            SdkCall::Report { method, target, body } => {
                if method.method == Method::WhatsApp {
                    return None;
                }
                let mut fields = Fields::new(body.clone());
                let (by, name, target) = match target {
                    Target::Id(id) => ("id", "id", id),
                    Target::Number(number) => ("identity", "endpoint", number),
                };
                let mut arguments = vec![(name, literal(target.as_str()))];
                let proof = match method.method {
                    // The SDK also reports the sender of an SMS.
                    Method::Sms => &["code", "cli"][..],
                    Method::FlashCall => &["cli"],
                    _ => &["code"],
                };
                for name in proof {
                    if let Some(value) = fields.take(&format!("{}.{name}", method.proof)) {
                        arguments.push((name, literal(value)));
                    }
                }
                let function = format!("verifications.report_{}_by_{by}", method.snake);
                (function, arguments, fields.left_out("#"))
            }
            SdkCall::Status(query) => {
                let (by, arguments) = match query {
                    Query::Id(id) => ("id", vec![("id", literal(id.as_str()))]),
                    Query::Reference(reference) => {
                        ("reference", vec![("reference", literal(reference.as_str()))])
                    }
                    Query::Number { number, method } => (
                        "identity",
                        vec![
                            ("endpoint", literal(number.as_str())),
                            ("method", literal(method.as_str())),
                        ],
                    ),
                };
                (
                    format!("verification_status.get_by_{by}"),
                    arguments,
                    String::new(),
                )
            }
        };
        let base = self.base.to_string();
        let (scheme, host) = base.split_once("://")?;
        let mut code = CLIENT
            .replace("HOST", &literal(host.trim_end_matches('/')))
            .replace("IS_PLAIN", if scheme == "http" { "True" } else { "False" });
        let _ = write!(code, "\n{left_out}answer = sinch.verification.{function}(");
        for (name, value) in arguments {
            let _ = write!(code, "\n    {name}={value},");
        }
        code.push_str("\n)\nprint(answer)");
        Some(code)
    }
}

/// An argument's name and its literal.
type Argument = (&'static str, String);

/// The function that starts a verification by this method, and the arguments of its own.
fn start(method: &SdkMethod, number: &str, fields: &mut Fields) -> Option<(String, Vec<Argument>)> {
    fields.take("identity.type");
    fields.take("identity.endpoint");
    let identity = format!("{{\"type\": \"number\", \"endpoint\": {}}}", literal(number));
    let mut arguments = vec![("identity", identity)];
    let mut name = method.snake;
    // The SDK sends one option of an SMS at most, the first of these that is set.
    let options: &[(&str, &str)] = match method.method {
        Method::Sms => &[
            ("smsOptions.codeType", "code_type"),
            ("smsOptions.expiry", "expiry"),
            ("smsOptions.template", "template"),
        ],
        Method::FlashCall => &[("flashCallOptions.dialTimeout", "dial_timeout")],
        Method::Callout => &[("calloutOptions.speech.locale", "speech_locale")],
        Method::WhatsApp => return None,
        _ => &[],
    };
    let found = options
        .iter()
        .find_map(|(path, argument)| Some((*argument, fields.take(path)?)));
    if let Some((argument, value)) = found {
        if argument == "speech_locale" {
            name = "callout";
        }
        arguments.push((argument, literal(value)));
    }
    Some((format!("verifications.start_{name}"), arguments))
}
