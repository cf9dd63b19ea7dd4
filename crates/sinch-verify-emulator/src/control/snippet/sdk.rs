//! Shows a recorded request as a call of Sinch's SDKs for Node (1), Python (1) and Java (2).
//!
//! An SDK signs its requests, so the snippets leave out how this one was authorized. The SDKs name their arguments as
//! the wire names its fields, so bodies are read as JSON here. A field without an argument is named in a comment.

use serde_json::{Map, Value};
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{Method, WireObject as _};

use super::Call;

/// A call that the SDKs have.
pub(super) enum SdkCall {
    Start {
        method: SdkMethod,
        number: String,
        body: Map<String, Value>,
        languages: Option<String>,
    },
    Report {
        method: SdkMethod,
        target: Target,
        body: Map<String, Value>,
    },
    Status(Query),
}

/// The verification that a report is about.
pub(super) enum Target {
    Id(String),
    Number(String),
}

pub(super) enum Query {
    Id(String),
    Reference(String),
    Number { number: String, method: Method },
}

/// A method, as the SDKs name it.
pub(super) struct SdkMethod {
    pub(super) method: Method,
    pub(super) camel: &'static str,
    pub(super) snake: &'static str,
    /// The keys of its options in a start, and of its proof in a report.
    pub(super) options: &'static str,
    pub(super) proof: &'static str,
}

impl SdkMethod {
    fn of(method: &Method) -> Option<Self> {
        let (camel, snake, options, proof) = match method {
            Method::Sms => ("Sms", "sms", "smsOptions", "sms"),
            Method::FlashCall => ("FlashCall", "flash_call", "flashCallOptions", "flashCall"),
            Method::Callout => ("PhoneCall", "phone_call", "calloutOptions", "callout"),
            Method::WhatsApp => ("WhatsApp", "whatsapp", "whatsappOptions", "whatsapp"),
            Method::Seamless => ("Data", "data", "seamlessOptions", "seamless"),
            _ => return None,
        };
        Some(Self {
            method: method.clone(),
            camel,
            snake,
            options,
            proof,
        })
    }
}

impl SdkCall {
    /// The call; `None` if the SDKs do not make such a request.
    pub(super) fn of(call: &Call<'_>, route: &Route) -> Option<Self> {
        Some(match route {
            Route::Start => {
                let request = StartRequest::decode(call.body).ok()?;
                let languages = StartRequest::languages(call.headers).value;
                let mut body = object(&request.to_json())?;
                body.remove("method");
                Self::Start {
                    method: SdkMethod::of(&request.method)?,
                    number: request.identity.phone_number().ok()?.as_str().to_owned(),
                    body,
                    languages: (!languages.is_empty()).then(|| languages.to_string()),
                }
            }
            Route::ReportById { id } => Self::report(call, Target::Id(id.as_str().to_owned()))?,
            Route::ReportByNumber { number } => {
                Self::report(call, Target::Number(number.as_str().to_owned()))?
            }
            Route::StatusById { id } => Self::Status(Query::Id(id.as_str().to_owned())),
            Route::StatusByReference { reference } => Self::Status(Query::Reference(reference.clone())),
            Route::StatusByNumber { method, number } => Self::Status(Query::Number {
                number: number.as_str().to_owned(),
                method: method.clone()?,
            }),
            _ => return None,
        })
    }

    fn report(call: &Call<'_>, target: Target) -> Option<Self> {
        let request = ReportRequest::decode(call.body).ok()?;
        request.proof()?;
        let mut body = object(&request.to_json())?;
        body.remove("method");
        Some(Self::Report {
            method: SdkMethod::of(&request.method)?,
            target,
            body,
        })
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// The fields of a body that a snippet has not written yet.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn new(body: Map<String, Value>) -> Self {
        Self(body)
    }

    /// Takes the field at `path`, a key or keys with dots between them.
    pub(super) fn take(&mut self, path: &str) -> Option<Value> {
        let mut object = &mut self.0;
        let mut keys = path.split('.').peekable();
        while let Some(key) = keys.next() {
            if keys.peek().is_none() {
                return object.remove(key);
            }
            object = object.get_mut(key)?.as_object_mut()?;
        }
        None
    }

    /// Takes the texts in the object `key`.
    pub(super) fn take_texts_of(&mut self, key: &str) -> Vec<(String, Value)> {
        let Some(Value::Object(object)) = self.0.get_mut(key) else {
            return Vec::new();
        };
        let (texts, other): (Map<_, _>, Map<_, _>) = std::mem::take(object)
            .into_iter()
            .partition(|(_, value)| value.is_string());
        *object = other;
        texts.into_iter().collect()
    }

    /// A comment that names the fields that are left, if any.
    pub(super) fn left_out(&self, comment: &str) -> String {
        let mut paths = Vec::new();
        leaves("", &self.0, &mut paths);
        if paths.is_empty() {
            return String::new();
        }
        format!("{comment} The SDK does not send {}.\n", paths.join(", "))
    }
}

/// The paths of the fields below `place` that are not objects. Quoted, because a name from the request must not end
/// the comment that contains it.
fn leaves(place: &str, object: &Map<String, Value>, paths: &mut Vec<String>) {
    for (name, value) in object {
        let path = format!("{place}{name}");
        match value {
            Value::Object(inner) => leaves(&format!("{path}."), inner, paths),
            _ => paths.push(format!("{path:?}")),
        }
    }
}

/// A literal in JavaScript, Python and Java. The texts and numbers of JSON are literals in all of them.
pub(super) fn literal(value: impl Into<Value>) -> String {
    value.into().to_string()
}
