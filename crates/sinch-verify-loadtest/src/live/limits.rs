//! The limits of one live run, shared by all its flows.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::callback::RequestEvent;
use tokio::sync::{Mutex as QueuedMutex, mpsc, watch};

use super::budget::{Account, Budget, Spending};
use super::pace::{MaxRate, Pace};
use super::stop::{Stop, StopRule};

/// The limits of one live run, and what is used of them.
///
/// Only a confirmed plan has them, see [`LiveTarget`](super::LiveTarget).
#[derive(Debug)]
pub(crate) struct Limits {
    state: Mutex<State>,
    pace: Pace,
    /// The numbers that no flow verifies now: a second start would abort the first verification.
    free: QueuedMutex<mpsc::UnboundedReceiver<PhoneNumber>>,
    give_back: mpsc::UnboundedSender<PhoneNumber>,
    stop: watch::Sender<Option<Stop>>,
}

/// What is used of the limits.
#[derive(Debug)]
pub(super) struct State {
    pub(super) account: Account,
    pub(super) rule: StopRule,
}

impl Limits {
    pub(super) fn new(budget: Budget, rate: MaxRate) -> Self {
        let (give_back, free) = mpsc::unbounded_channel();
        for number in budget.numbers.numbers() {
            // Received below, so it cannot fail.
            let _ = give_back.send(*number);
        }
        Self {
            state: Mutex::new(State {
                account: Account::new(budget),
                rule: StopRule::default(),
            }),
            pace: Pace::new(rate),
            free: QueuedMutex::new(free),
            give_back,
            stop: watch::Sender::new(None),
        }
    }

    /// Ends the run: no verification is started after this, flows that started one may finish.
    ///
    /// The first reason stays, except that a failure replaces a planned end.
    pub(crate) fn stop(&self, reason: Stop) {
        self.stop.send_if_modified(|current| {
            let replaces = current
                .as_ref()
                .is_none_or(|current| current.is_planned() && !reason.is_planned());
            if replaces {
                *current = Some(reason);
            }
            replaces
        });
    }

    /// Why the run was ended; `None` while it goes on.
    #[must_use]
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stop.borrow().clone()
    }

    /// Waits until a flow may begin: for a number that no other flow verifies, then for a turn in the
    /// pace. Flows are served in the order in which they ask.
    ///
    /// # Errors
    ///
    /// Why the run was ended.
    pub(crate) async fn admit(self: &Arc<Self>) -> Result<Admitted, Stop> {
        let ready = async {
            let number = self.free.lock().await.recv().await?;
            let limits = Arc::clone(self);
            let admitted = Admitted { limits, number };
            self.pace.turn().await;
            Some(admitted)
        };
        let mut stop = self.stop.subscribe();
        let admitted = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => None,
            admitted = ready => admitted,
        };
        admitted.ok_or_else(|| self.stopped().unwrap_or(Stop::Numbers))
    }

    /// Notes that a flow ended by itself.
    pub(crate) fn flow_ended(&self, failed: bool) {
        self.apply(|state| state.rule.flow(failed));
    }

    /// Notes the price that a callback told. `event` must be about a verification of this run.
    pub(crate) fn event(&self, event: &RequestEvent) {
        if let Some(price) = event.price.as_ref().or(event.rate.as_ref()) {
            self.apply(|state| state.account.price(&event.id, price, None));
        }
    }

    /// What the run has spent so far.
    #[must_use]
    pub(crate) fn spending(&self) -> Spending {
        self.state().account.spending()
    }

    /// Waits for the turn of one more start.
    pub(super) async fn turn(&self) {
        self.pace.turn().await;
    }

    /// Reserves the price of a start. A limit that does not allow it ends the run.
    pub(super) fn reserve(&self, number: &PhoneNumber) -> Result<(), Stop> {
        if let Some(stop) = self.stopped() {
            return Err(stop);
        }
        let reserved = self.state().account.reserve(number);
        if let Err(stop) = &reserved
            // Other numbers may be left.
            && *stop != Stop::Numbers
        {
            self.stop(stop.clone());
        }
        reserved
    }

    /// Frees the reservation of a start that costs nothing.
    pub(super) fn release(&self) {
        self.state().account.release();
    }

    /// Changes what is used of the limits. What does not fit them ends the run.
    pub(super) fn apply(&self, change: impl FnOnce(&mut State) -> Result<(), Stop>) {
        let result = change(&mut self.state());
        if let Err(stop) = result {
            self.stop(stop);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No change can panic half-way, so a poisoned lock holds a good state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The permission of one flow to begin: a number that no other flow verifies until this is dropped,
/// and a turn in the pace for the first start.
///
/// Only [`Limits::admit`] gives one.
pub(crate) struct Admitted {
    limits: Arc<Limits>,
    number: PhoneNumber,
}

impl Admitted {
    /// The number to verify.
    #[must_use]
    pub(crate) fn number(&self) -> PhoneNumber {
        self.number
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let state = self.limits.state();
        let (is_left, is_used_up) = (state.account.allows(&self.number), state.account.is_used_up());
        drop(state);
        if is_left {
            // The receiver is in the same struct, so it cannot fail.
            let _ = self.limits.give_back.send(self.number);
        } else if is_used_up {
            self.limits.stop(Stop::Numbers);
        }
    }
}

/// Without the number.
impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::budget::tests::budget;

    fn limits(numbers: &str) -> Arc<Limits> {
        let numbers = numbers.parse().unwrap();
        let budget = Budget {
            numbers,
            per_number: 1,
            ..budget()
        };
        Arc::new(Limits::new(budget, "100/s".parse().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn no_two_flows_verify_one_number() {
        let limits = limits("+46700000001\n+46700000002\n");
        let (one, two) = (limits.admit().await.unwrap(), limits.admit().await.unwrap());
        assert_ne!(one.number(), two.number());
        let waiting = tokio::spawn({
            let limits = Arc::clone(&limits);
            async move { limits.admit().await }
        });
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(!waiting.is_finished(), "both numbers are being verified");
        let number = one.number();
        drop(one);
        let again = waiting.await.unwrap().unwrap();
        assert_eq!(again.number(), number, "nothing was started with it");
        for admitted in [again, two] {
            limits.reserve(&admitted.number()).unwrap();
        }
        assert_eq!(limits.admit().await.unwrap_err(), Stop::Numbers);
    }

    #[test]
    fn a_failure_replaces_a_planned_end_and_nothing_replaces_a_failure() {
        let limits = limits("+46700000001\n");
        limits.stop(Stop::Verifications);
        limits.stop(Stop::NoCredit);
        limits.stop(Stop::Interrupted);
        limits.stop(Stop::Numbers);
        assert_eq!(limits.stopped(), Some(Stop::NoCredit));
    }

    #[tokio::test]
    async fn nothing_is_reserved_or_admitted_after_the_end() {
        let limits = limits("+46700000001\n");
        limits.stop(Stop::Interrupted);
        let number = PhoneNumber::parse("+46700000001").unwrap();
        assert_eq!(limits.reserve(&number), Err(Stop::Interrupted));
        assert_eq!(limits.admit().await.unwrap_err(), Stop::Interrupted);
        assert_eq!(limits.spending().started, 0);
    }
}
