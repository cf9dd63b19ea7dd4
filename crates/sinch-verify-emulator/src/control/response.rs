//! Reads the bodies of control requests and builds the answers.

use std::fmt::Display;

use axum::body::Bytes;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sinch_verify_protocol::PhoneNumber;

use crate::body;
use crate::control_error::ControlError;

pub(super) type Answer = Result<Response, Refused>;

/// The answer to a request that was not carried out.
pub(super) struct Refused {
    status: StatusCode,
    error: String,
    /// The field of the body that is wrong.
    field: Option<String>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            field: None,
        }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// A field of the body has a wrong value.
    pub(super) fn field(field: &str, problem: impl Display) -> Self {
        let mut refused = Self::bad(format!("{field}: {problem}"));
        refused.field = Some(field.to_owned());
        refused
    }

    /// The emulator could not do what the request asks for.
    pub(super) fn failed(status: StatusCode, error: &ControlError) -> Self {
        Self::new(status, error.to_string())
    }

    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut body = serde_json::json!({"error": self.error});
        if let Some(field) = self.field {
            body["field"] = field.into();
        }
        let mut response = json(&body);
        *response.status_mut() = self.status;
        response
    }
}

pub(super) fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            let mut response = body.into_response();
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        // All types of this crate can be encoded.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The empty answer to a successful request.
pub(super) fn done() -> Response {
    json(&serde_json::Map::new())
}

/// Reads a phone number in a path, with or without its `+`, which needs escaping in some URLs.
pub(super) fn read_number(text: &str) -> Result<PhoneNumber, Refused> {
    let text = text.trim_start_matches([' ', '+']);
    PhoneNumber::parse(&format!("+{text}")).map_err(|error| Refused::bad(error.to_string()))
}

/// A JSON object that a request has as its body.
pub(super) trait Body: DeserializeOwned + JsonSchema {
    /// A valid body, for errors and for the description.
    const EXAMPLE: &'static str;
}

/// Decodes a JSON object. The error names the wrong field.
pub(super) fn read_body<T: Body>(body: &Bytes) -> Result<T, Refused> {
    let refused =
        |what: &str, why: &str| Refused::bad(format!("body must be {what} such as {}: {why}", T::EXAMPLE));
    // Serde would also accept an array of the fields' values.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(refused("JSON", "it is not an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let error = error.into_inner();
        let text = error.to_string();
        if !error.is_data() {
            return refused("JSON", &text);
        }
        // The field says where it is.
        let why = text.rsplit_once(" at line ").map_or(&*text, |(why, _)| why);
        match field.as_str() {
            "." => refused("an object", why),
            field => Refused::field(field, why),
        }
    })?;
    json.end().map_err(|error| refused("JSON", &error.to_string()))?;
    Ok(value)
}

/// Turns the router's own refusals into JSON, like all other refusals.
pub(super) async fn in_own_form(request: Request, next: Next) -> Response {
    let verb = request.method().clone();
    let response = next.run(request).await;
    let json = |kind: &HeaderValue| kind.as_bytes().starts_with(b"application/json");
    if !response.status().is_client_error() || response.headers().get(CONTENT_TYPE).is_some_and(json) {
        return response;
    }
    let why = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => {
            format!("this path does not accept {verb}; GET / lists the paths and verbs")
        }
        _ => "the number in the path must be a whole number, and all text must be UTF-8".to_owned(),
    };
    Refused::new(response.status(), why).into_response()
}

/// Reads the whole body before the handler runs, within the limits of the API.
pub(super) async fn with_whole_body(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match body::read(body).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(error) => {
            let mut response = Refused::new(error.status(), format!("body {error}")).into_response();
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            response
        }
    }
}

/// The answer to a path that does not exist.
pub(super) async fn nothing() -> Refused {
    Refused::not_found("this path does not exist; GET / lists the paths")
}
