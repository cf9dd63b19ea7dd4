//! What a call tells `tracing`: never a URI, a whole number, a code or a secret.

use std::time::Instant;

use bytes::Bytes;
use http::{Response, StatusCode};
use sinch_verify_protocol::phone_number::Masked;
use tracing::{Span, field};

use crate::counts;
use crate::transport::TransportError;

/// The span of one call, named `sinch_verify`. The spans of its [attempts](Attempt), and of the status
/// queries that it makes, are within it.
///
/// | field | value |
/// |---|---|
/// | `operation` | the operation's name |
/// | `number` | the masked number, where it is at hand |
/// | `attempt` | how often the request was sent |
/// | `status` | the HTTP status of the last answer |
/// | `ms` | milliseconds from the call to its last answer |
/// | `error` | the kind of the error |
pub(crate) struct Record {
    operation: &'static str,
    span: Span,
    begun: Instant,
}

impl Record {
    pub(crate) fn new(operation: &'static str, number: Option<Masked<'_>>) -> Self {
        let span = tracing::info_span!(
            "sinch_verify",
            operation,
            number = number.map(field::display),
            attempt = field::Empty,
            status = field::Empty,
            ms = field::Empty,
            error = field::Empty,
        );
        Self {
            operation,
            span,
            begun: Instant::now(),
        }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Begins attempt number `attempt`.
    pub(crate) fn attempt(&self, attempt: u32) -> Attempt {
        let span = tracing::debug_span!(
            parent: &self.span,
            "sinch_verify_attempt",
            attempt,
            status = field::Empty,
            ms = field::Empty,
        );
        Attempt {
            span,
            begun: Instant::now(),
        }
    }

    pub(crate) fn answered(&self, attempt: u32, answer: &Result<Response<Bytes>, TransportError>) {
        self.span.record("attempt", attempt);
        record(&self.span, self.begun, answer.as_ref().ok().map(Response::status));
        counts::attempted(self.operation, answer);
    }

    pub(crate) fn failed(&self, label: &'static str) {
        self.span.record("error", label);
    }
}

/// A call that is given up counts too, or slow calls would be missing.
impl Drop for Record {
    fn drop(&mut self) {
        counts::took(self.operation, self.begun);
    }
}

/// The span of one attempt, named `sinch_verify_attempt`, at level debug: `attempt` is its number,
/// `status` and `ms` are those of its answer.
pub(crate) struct Attempt {
    span: Span,
    begun: Instant,
}

impl Attempt {
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn answered(&self, status: Option<StatusCode>) {
        record(&self.span, self.begun, status);
    }
}

fn record(span: &Span, begun: Instant, status: Option<StatusCode>) {
    if let Some(status) = status {
        span.record("status", status.as_u16());
    }
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.record("ms", ms);
}
