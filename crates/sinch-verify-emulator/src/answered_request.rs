//! Requests of the API as they are answered, for a log.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::{ApiError, VerificationId, WireObject as _};

use crate::core::Core;
use crate::feed::FeedEvent;
use crate::journal::Exchange;
use crate::operation::Operation;

/// A request and its answer in a few words, without numbers, codes and credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnsweredRequest {
    /// The number of the request, 1 for the first one of this emulator.
    pub seq: u64,
    /// When it came, on the wall clock.
    pub at: SystemTime,
    /// What was asked for; `None` for a path that the API does not have.
    pub operation: Option<Operation>,
    /// The verification, if there is one.
    pub verification_id: Option<VerificationId>,
    /// The HTTP status; `None` where a fault reset the connection.
    pub status: Option<u16>,
    /// The service's error code, where it refused.
    pub error_code: Option<u32>,
    /// The fault that was triggered.
    pub fault: Option<&'static str>,
    /// From the request to the answer.
    pub took: Duration,
}

impl AnsweredRequest {
    fn of(exchange: &Exchange) -> Self {
        let route = Route::parse(&exchange.verb(), exchange.target().path());
        let refused = exchange.status.is_some_and(|status| !status.is_success());
        let error = refused.then(|| ApiError::decode(&exchange.answer).ok()).flatten();
        Self {
            seq: exchange.seq,
            at: exchange.wire,
            operation: route.ok().as_ref().map(Operation::of),
            verification_id: exchange.notes.about.map(|uid| uid.to_id()),
            status: exchange.status.map(|status| status.as_u16()),
            error_code: error.map(|error| error.code),
            fault: exchange.notes.fault,
            took: exchange.took,
        }
    }
}

/// Requests as they are answered, made by [`Emulator::answered_requests`](crate::Emulator::answered_requests).
pub struct AnsweredRequests {
    core: Arc<Core>,
    /// The entry of the feed that was read last.
    after: u64,
}

impl AnsweredRequests {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let after = core.feed.last();
        Self { core, after }
    }

    /// Waits for the next one. Those that were dropped from the records in the meantime are left out.
    pub async fn next(&mut self) -> AnsweredRequest {
        loop {
            let entry = self.core.feed.next(self.after).await;
            self.after = entry.seq;
            if let FeedEvent::Request { seq, .. } = entry.what
                && let Some(exchange) = self.core.journal.find(seq)
            {
                return AnsweredRequest::of(&exchange);
            }
        }
    }
}
