//! The rails of one live run, shared by all its flows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use sinch_verify_protocol::callback::RequestEvent;
use sinch_verify_protocol::{PhoneNumber, Reason, Verification, VerificationId};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::admitted::Admitted;
use super::breaker::Breaker;
use super::budget::{Budget, Ledger, Spending};
use super::pace::{Pace, RateCap};
use super::stop::Stop;

/// The limits of a live run, and how far it has come with them.
///
/// It can only be had from a [`LiveTarget`](super::LiveTarget), which can only be had from a
/// confirmed plan.
#[derive(Debug)]
pub struct Rails {
    books: Mutex<Books>,
    stop: watch::Sender<Option<Stop>>,
}

#[derive(Debug)]
struct Books {
    ledger: Ledger,
    breaker: Breaker,
    pace: Pace,
    /// Numbers under verification: a second start would abort the first.
    busy: HashSet<PhoneNumber>,
    /// Which number is next.
    turn: usize,
}

/// Between two looks whether a number is free.
const BUSY: Duration = Duration::from_millis(20);

impl Rails {
    pub(super) fn new(budget: Budget, cap: RateCap) -> Self {
        let books = Books {
            ledger: Ledger::new(budget),
            breaker: Breaker::default(),
            pace: Pace::new(cap),
            busy: HashSet::new(),
            turn: 0,
        };
        Self {
            books: Mutex::new(books),
            stop: watch::Sender::new(None),
        }
    }

    /// Ends the run: nothing is started after this, what is under way may finish.
    ///
    /// The first reason stays, but for one that was planned: what went wrong after it matters more.
    pub fn stop(&self, reason: Stop) {
        self.stop.send_if_modified(|standing| {
            let news = standing
                .as_ref()
                .is_none_or(|first| first.is_planned() && !reason.is_planned());
            if news {
                *standing = Some(reason);
            }
            news
        });
    }

    /// Why the run was ended, if it was.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        self.stop.borrow().clone()
    }

    /// Waits for the run to be ended.
    pub async fn wait(&self) {
        // The sender lives in `self`, so the only answer is the one waited for.
        let _ = self.stop.subscribe().wait_for(Option::is_some).await;
    }

    /// Waits until one more flow may begin: for a number that is not being verified, and then for its
    /// turn in the pace. Both are ours and not the service's doing, so a flow begins after this.
    ///
    /// # Errors
    ///
    /// When the run is over, or every number was used up, which ends it.
    pub async fn admit(self: &Arc<Self>) -> Result<Admitted, Stop> {
        let admitted = loop {
            if let Some(number) = self.take()? {
                break Admitted::new(Arc::clone(self), number);
            }
            sleep(BUSY).await;
        };
        tokio::select! {
            () = self.paced() => {}
            () = self.wait() => {}
        }
        self.stopped().map_or(Ok(admitted), Err)
    }

    /// Waits until one more start may be sent.
    pub(super) async fn paced(&self) {
        let slot = self.books().pace.slot(Instant::now().into_std());
        sleep_until(slot.into()).await;
    }

    /// A number that may be verified and is not being verified; `None` when every one of them is.
    /// It is taken until [left](Self::leave).
    fn take(&self) -> Result<Option<PhoneNumber>, Stop> {
        if let Some(stop) = self.stopped() {
            return Err(stop);
        }
        let mut books = self.books();
        let Books {
            ledger, busy, turn, ..
        } = &mut *books;
        let numbers = ledger.budget().numbers.numbers();
        let mut left = false;
        for offset in 0..numbers.len() {
            let at = (*turn + offset) % numbers.len();
            let number = numbers[at];
            if ledger.allows(&number) {
                left = true;
                if busy.insert(number) {
                    *turn = at + 1;
                    return Ok(Some(number));
                }
            }
        }
        drop(books);
        if left {
            return Ok(None);
        }
        self.stop(Stop::Numbers);
        Err(Stop::Numbers)
    }

    /// A flow came to an end of its own.
    pub fn flow_ended(&self, failed: bool) {
        let judged = self.books().breaker.flow(failed);
        self.heed(judged);
    }

    /// Our callback receiver was asked about a verification, with its price.
    pub fn event(&self, event: &RequestEvent) {
        if let Some(price) = event.price.as_ref().or(event.rate.as_ref()) {
            let judged = self.books().ledger.announced(&event.id, price);
            self.heed(judged);
        }
    }

    /// What the run has spent so far.
    #[must_use]
    pub fn spending(&self) -> Spending {
        self.books().ledger.spending()
    }

    /// Reserves what a start may cost. A limit that does not allow it ends the run.
    pub(super) fn reserve(&self, number: &PhoneNumber, call: bool) -> Result<u64, Stop> {
        if let Some(stop) = self.stopped() {
            return Err(stop);
        }
        let reserved = self.books().ledger.reserve(number, call);
        if let Err(stop) = &reserved
            // One number that is used up is no reason to end the run.
            && *stop != Stop::Numbers
        {
            self.stop(stop.clone());
        }
        reserved
    }

    pub(super) fn bind(&self, name: u64, id: &VerificationId) {
        let judged = self.books().ledger.bind(name, id);
        self.heed(judged);
    }

    pub(super) fn release(&self, name: u64) {
        self.books().ledger.release(name);
    }

    pub(super) fn close(&self, name: u64) {
        let judged = self.books().ledger.close(name);
        self.heed(judged);
    }

    pub(super) fn leave(&self, number: &PhoneNumber) {
        self.books().busy.remove(number);
    }

    pub(super) fn answered(&self, status: StatusCode) {
        let judged = self.books().breaker.answer(status);
        self.heed(judged);
    }

    /// A status or a report was answered.
    pub(super) fn seen(&self, verification: &Verification) {
        if verification.reason == Some(Reason::NotEnoughCredit) {
            self.stop(Stop::NoCredit);
        }
        if let Some(price) = &verification.price {
            let judged = self.books().ledger.charged(&verification.id, price);
            self.heed(judged);
        }
    }

    fn heed(&self, judged: Result<(), Stop>) {
        if let Err(stop) = judged {
            self.stop(stop);
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Every entry is made in one step, so a panic elsewhere leaves the books as they were.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rails(numbers: &str) -> Rails {
        let budget = Budget {
            verifications: std::num::NonZeroU64::new(10).unwrap(),
            cost: "1".parse().unwrap(),
            worst: "0.1".parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            numbers: numbers.parse().unwrap(),
            per_number: "1".parse().unwrap(),
        };
        Rails::new(budget, RateCap::default())
    }

    #[test]
    fn numbers_take_turns_and_end() {
        let rails = rails("+46700000001\n+46700000002\n");
        let first = rails.take().unwrap().unwrap();
        let second = rails.take().unwrap().unwrap();
        assert_ne!(first, second);
        assert_eq!(rails.take(), Ok(None), "both are under verification");
        rails.leave(&first);
        assert_eq!(rails.take(), Ok(Some(first)), "nothing was started with it");
        rails.reserve(&first, false).unwrap();
        rails.reserve(&second, false).unwrap();
        rails.leave(&first);
        assert_eq!(rails.take(), Err(Stop::Numbers));
        assert_eq!(rails.stopped(), Some(Stop::Numbers));
    }

    #[test]
    fn what_went_wrong_outweighs_what_was_planned() {
        let rails = rails("+46700000001\n");
        rails.stop(Stop::Verifications);
        rails.stop(Stop::NoCredit);
        rails.stop(Stop::Interrupted);
        rails.stop(Stop::Numbers);
        assert_eq!(rails.stopped(), Some(Stop::NoCredit));
    }

    #[test]
    fn nothing_is_reserved_after_the_end() {
        let rails = rails("+46700000001\n");
        rails.stop(Stop::Interrupted);
        let number = PhoneNumber::parse("+46700000001").unwrap();
        assert_eq!(rails.reserve(&number, false), Err(Stop::Interrupted));
        assert_eq!(rails.take(), Err(Stop::Interrupted));
        assert_eq!(rails.spending().started, 0);
    }
}
