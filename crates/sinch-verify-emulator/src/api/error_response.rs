//! Error answers of the API.

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, RETRY_AFTER};
use http::{HeaderValue, Response};
use sinch_verify_protocol::server::RouteError;
use sinch_verify_protocol::{ApiError, WireObject as _};

use crate::body::BodyError;
use crate::core::Core;
use crate::engine::Refusal;

/// The answer that reports an error, with a support id.
pub(crate) fn error_response(core: &Core, mut error: ApiError) -> Response<Bytes> {
    error.reference = Some(core.support_id());
    error.to_http_response()
}

/// The answer to a command that the engine refused.
pub(crate) fn refusal_response(core: &Core, refusal: Refusal) -> Response<Bytes> {
    let mut response = error_response(core, ApiError::new(refusal.code, refusal.message));
    if let Some(after) = refusal.retry_after {
        // Rounded up: a request sent earlier would be refused again.
        let seconds = after
            .as_secs()
            .saturating_add(u64::from(after.subsec_nanos() > 0));
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// The answer to a path or verb that is no operation.
pub(super) fn route(core: &Core, error: &RouteError) -> Response<Bytes> {
    let plain: Response<Bytes> = error.to_http_response();
    let Ok(body) = ApiError::decode(plain.body()) else {
        return plain;
    };
    let mut response = error_response(core, body);
    if let Some(allowed) = plain.headers().get(ALLOW) {
        response.headers_mut().insert(ALLOW, allowed.clone());
    }
    response
}

/// The answer to a body that could not be read.
pub(super) fn body(core: &Core, error: BodyError) -> Response<Bytes> {
    let code = match error {
        BodyError::TooLarge => ApiError::BODY_TOO_LARGE,
        BodyError::TooSlow => ApiError::BODY_TOO_SLOW,
        BodyError::Broken => ApiError::PARAMETER,
    };
    let error = ApiError::new(code, format!("Body {error}."));
    let mut response = error_response(core, error);
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
