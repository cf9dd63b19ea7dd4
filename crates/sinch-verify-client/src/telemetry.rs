//! What a call tells `tracing`: never a URI, a whole number, a code or a secret.

use http::StatusCode;
use sinch_verify_protocol::phone_number::Masked;
use tracing::{Span, field};

use crate::error::Error;

/// The span of one call, named `sinch_verify`.
///
/// | field | value |
/// |---|---|
/// | `operation` | the operation's name |
/// | `number` | the masked number, where it is at hand |
/// | `attempt` | how often the request was sent |
/// | `status` | the HTTP status of the answer |
/// | `ms` | milliseconds from the call to its answer |
/// | `error` | the kind of the error |
pub(crate) struct Record {
    span: Span,
    begun: tokio::time::Instant,
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
            span,
            begun: tokio::time::Instant::now(),
        }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn answered(&self, attempt: u32, status: Option<StatusCode>) {
        self.span.record("attempt", attempt);
        if let Some(status) = status {
            self.span.record("status", status.as_u16());
        }
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.span.record("ms", ms);
    }

    pub(crate) fn failed(&self, error: &Error) {
        self.span.record("error", error.label());
    }
}
