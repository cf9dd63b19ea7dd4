//! Shows a call as JavaScript for the SDK for Node, which takes the bodies of the wire with few changes.

use serde_json::{Map, Value};
use sinch_verify_protocol::Method;

use super::Call;
use super::sdk::{Query, SdkCall, SdkMethod, Target, literal};

const CLIENT: &str = "\
// npm install @sinch/sdk-core
import { SinchClient } from '@sinch/sdk-core';

const { verification } = new SinchClient({
  applicationKey: process.env.SINCH_APPLICATION_KEY,
  applicationSecret: process.env.SINCH_APPLICATION_SECRET,
  verificationHostname: BASE,
});
";

impl Call<'_> {
    pub(super) fn node(&self, call: &SdkCall) -> String {
        let mut left_out = "";
        let (function, argument) = match call {
            SdkCall::Start {
                method,
                body,
                languages,
                ..
            } => {
                let mut body = body.clone();
                if let (Some(languages), Method::Sms) = (languages, &method.method) {
                    let options = body.entry(method.options).or_insert_with(|| Map::new().into());
                    options["locale"] = languages.as_str().into();
                } else if languages.is_some() {
                    left_out = "// The SDK does not send Accept-Language.\n";
                }
                let key = match (&method.method, method.camel) {
                    (Method::Seamless, camel) => format!("start{camel}VerificationRequestBody"),
                    (_, camel) => format!("startVerificationWith{camel}RequestBody"),
                };
                let function = format!("verifications.start{}", method.camel);
                (function, object([(&*key, renamed(body, method).into())]))
            }
            SdkCall::Report { method, target, body } => {
                let (by, key, target) = match target {
                    Target::Id(id) => ("Id", "id", id),
                    Target::Number(number) => ("Identity", "endpoint", number),
                };
                let camel = method.camel;
                let body_key = format!("report{camel}VerificationBy{by}RequestBody");
                let argument = object([
                    (key, target.as_str().into()),
                    (&*body_key, renamed(body.clone(), method).into()),
                ]);
                (format!("verifications.report{camel}By{by}"), argument)
            }
            SdkCall::Status(query) => {
                let (by, argument) = match query {
                    Query::Id(id) => ("Id", object([("id", id.as_str().into())])),
                    Query::Reference(reference) => {
                        ("Reference", object([("reference", reference.as_str().into())]))
                    }
                    Query::Number { number, method } => (
                        "Identity",
                        object([
                            ("endpoint", number.as_str().into()),
                            ("method", method.as_str().into()),
                        ]),
                    ),
                };
                (format!("verificationStatus.getBy{by}"), argument)
            }
        };
        let client = CLIENT.replace("BASE", &literal(self.base.to_string()));
        let argument = serde_json::to_string_pretty(&argument).unwrap_or_default();
        format!(
            "{client}\n{left_out}const answer = await verification.{function}({argument});\nconsole.log(answer);"
        )
    }
}

/// The body with the SDK's keys for a phone call.
fn renamed(mut body: Map<String, Value>, method: &SdkMethod) -> Map<String, Value> {
    if method.method == Method::Callout {
        for (wire, own) in [(method.options, "phoneCallOptions"), (method.proof, "phoneCall")] {
            if let Some(value) = body.remove(wire) {
                body.insert(own.to_owned(), value);
            }
        }
    }
    body
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Object(fields.collect())
}
