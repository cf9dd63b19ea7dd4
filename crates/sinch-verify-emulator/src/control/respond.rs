//! How control requests are read and answered.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::PhoneNumber;

pub(super) type Answer = Result<Response, Refused>;

/// A request that was not carried out.
pub(super) struct Refused {
    status: StatusCode,
    error: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        let error = error.into();
        Self { status, error }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json(&serde_json::json!({"error": self.error}));
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
        // Our own types always encode; if one ever does not, the caller must not hang.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer to what was done and has nothing to say.
pub(super) fn done() -> Response {
    json(&serde_json::Map::new())
}

/// Reads a number in a path, with or without its `+`, which shells and URLs make hard to type.
pub(super) fn read_number(text: &str) -> Result<PhoneNumber, Refused> {
    let text = text.trim_start_matches([' ', '+']);
    PhoneNumber::parse(&format!("+{text}")).map_err(|error| Refused::bad(error.to_string()))
}

pub(super) fn read_body<T: for<'de> Deserialize<'de>>(body: &Bytes, example: &str) -> Result<T, Refused> {
    serde_json::from_slice(body)
        .map_err(|error| Refused::bad(format!("body is not JSON such as {example}: {error}")))
}
