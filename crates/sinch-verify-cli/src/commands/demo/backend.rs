//! The application's server: decides on request events, and waits for results.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use sinch_verify_callback::{Context, Handler, Results};
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent};
use sinch_verify_protocol::{Decision, PhoneNumber, VerificationId};

/// How long a result event may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The application's server.
#[derive(Clone, Default)]
pub(crate) struct Backend(Arc<Shared>);

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    results: Results,
}

#[derive(Default)]
struct Book {
    decisions: HashMap<String, Decision>,
    asked: Vec<VerificationId>,
}

impl Backend {
    /// Decides so when asked about `number`; without this it just allows.
    pub(crate) fn decide(&self, number: PhoneNumber, decision: Decision) {
        self.book(|book| book.decisions.insert(number.as_str().to_owned(), decision));
    }

    /// Whether it was asked about this verification.
    pub(crate) fn was_asked(&self, id: &VerificationId) -> bool {
        self.book(|book| book.asked.contains(id))
    }

    /// Waits for the result event of this verification.
    pub(crate) async fn result(&self, id: &VerificationId) -> anyhow::Result<ResultEvent> {
        let result = self.0.results.wait(id, PATIENCE).await;
        result.context("no result event came within 5 s")
    }

    /// What receives the result events.
    pub(crate) fn results(&self) -> &Results {
        &self.0.results
    }

    fn book<T>(&self, act: impl FnOnce(&mut Book) -> T) -> T {
        // Every change to the book is one insertion, so it is whole even after a panic.
        act(&mut self.0.book.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Handler for Backend {
    type Error = Infallible;

    async fn on_request(&self, event: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        Ok(self.book(|book| {
            book.asked.push(event.id.clone());
            book.decisions
                .get(event.identity.endpoint.as_str())
                .cloned()
                .unwrap_or(Decision::Allow)
        }))
    }
}
