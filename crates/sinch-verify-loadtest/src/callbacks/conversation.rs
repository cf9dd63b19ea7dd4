use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sinch_verify_protocol::{Reason, Status, VerificationId};
use tokio::sync::watch;

use crate::model::Delivered;
use crate::recorder::CallbackSeen;

/// What our callback receiver heard of the verifications of a run, by their ids.
///
/// The event of a start comes before the start's answer as a rule, and after it at times. The first of
/// them begins the conversation, and the other finds it.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<VerificationId, Arc<Conversation>>,
    /// Oldest first.
    order: VecDeque<VerificationId>,
}

/// How many verifications are remembered. Flows that take seconds, at thousands of flows a second,
/// find theirs; what is older is forgotten, so that a long run does not fill the memory.
const REMEMBERED: usize = 200_000;

impl Conversations {
    /// The conversation about a verification, begun if there is none.
    #[must_use]
    pub(crate) fn about(&self, id: &VerificationId) -> Arc<Conversation> {
        let mut known = self.lock();
        if let Some(conversation) = known.by_id.get(id) {
            return Arc::clone(conversation);
        }
        if known.order.len() >= REMEMBERED
            && let Some(oldest) = known.order.pop_front()
        {
            known.by_id.remove(&oldest);
        }
        let conversation = Arc::<Conversation>::default();
        known.order.push_back(id.clone());
        known.by_id.insert(id.clone(), Arc::clone(&conversation));
        conversation
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Both halves are written without anything in between that could panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What our callback receiver heard of one verification.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    heard: watch::Sender<Heard>,
}

/// How far a conversation is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// When the request event was in our receiver.
    pub(crate) asked: Option<Instant>,
    /// When our receiver had its answer.
    pub(crate) answered: Option<Instant>,
    /// What the answer set: a code, or who calls.
    pub(crate) given: Option<Delivered>,
    /// When the result event came, and what it said.
    pub(crate) ended: Option<Ended>,
    /// Whether the flow stopped waiting for the result event before it came.
    pub(crate) given_up: bool,
}

/// What a result event said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// When it came.
    pub(crate) at: Instant,
    /// The status.
    pub(crate) status: Status,
    /// The reason.
    pub(crate) reason: Option<Reason>,
}

impl Conversation {
    /// The request event came, and was answered; returns how it is counted.
    pub(crate) fn answered(
        &self,
        asked: Instant,
        answered: Instant,
        given: Option<Delivered>,
    ) -> CallbackSeen {
        let first = self.heard.send_if_modified(|heard| {
            let first = heard.asked.is_none();
            if first {
                heard.asked = Some(asked);
                heard.answered = Some(answered);
                heard.given = given;
            }
            first
        });
        if first {
            CallbackSeen::Taken
        } else {
            CallbackSeen::Duplicate
        }
    }

    /// The result event came; returns how it is counted.
    pub(crate) fn ended(&self, ended: Ended) -> CallbackSeen {
        let mut seen = CallbackSeen::Duplicate;
        self.heard.send_if_modified(|heard| {
            let first = heard.ended.is_none();
            if first {
                heard.ended = Some(ended);
                seen = if heard.given_up {
                    CallbackSeen::Overdue
                } else {
                    CallbackSeen::Taken
                };
            }
            first
        });
        seen
    }

    /// Waits for the result event; `None` when that takes longer than `patience`, and what comes
    /// after that is overdue.
    pub(crate) async fn result(&self, patience: Duration) -> Option<Ended> {
        if let Some(ended) = self.wait(patience, |heard| heard.ended.clone()).await {
            return Some(ended);
        }
        let mut last = None;
        // At once with a last look, so that no event is both missing and in time.
        self.heard.send_if_modified(|heard| {
            last.clone_from(&heard.ended);
            heard.given_up = last.is_none();
            heard.given_up
        });
        last
    }

    /// How far it is.
    #[must_use]
    pub(crate) fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// Waits until `found` finds something in it; `None` when that takes longer than `patience`.
    pub(crate) async fn wait<T>(
        &self,
        patience: Duration,
        mut found: impl FnMut(&Heard) -> Option<T>,
    ) -> Option<T> {
        let mut heard = self.heard.subscribe();
        let mut result = None;
        let wait = heard.wait_for(|heard| {
            result = found(heard);
            result.is_some()
        });
        // The sender lives in `self`, so what ends this is what was waited for, or the time.
        let _ = tokio::time::timeout(patience, wait).await;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> VerificationId {
        VerificationId::new(&number.to_string()).unwrap()
    }

    fn code() -> Delivered {
        Delivered::code(sinch_verify_protocol::Code::new("4821").unwrap())
    }

    fn ended() -> Ended {
        Ended {
            at: Instant::now(),
            status: Status::Successful,
            reason: None,
        }
    }

    /// Request event, answer to the start, result event, answer to the report: in whatever order
    /// they come, the flow sees the same.
    #[tokio::test(start_paused = true)]
    async fn every_order_of_events_and_answers_ends_the_same() {
        const STEPS: [&str; 4] = ["asked", "started", "ended", "reported"];
        let mut orders = Vec::new();
        permute(&mut STEPS.to_vec(), 0, &mut orders);
        assert_eq!(orders.len(), 24);
        for order in orders {
            let conversations = Arc::new(Conversations::default());
            let mut flow = Vec::new();
            for step in &order {
                let conversation = conversations.about(&id(1));
                match *step {
                    "asked" => {
                        let now = Instant::now();
                        let seen = conversation.answered(now, now, Some(code()));
                        assert_eq!(seen, CallbackSeen::Taken, "{order:?}");
                    }
                    "ended" => assert_eq!(conversation.ended(ended()), CallbackSeen::Taken, "{order:?}"),
                    // What the flow waits for may have come already, or come later.
                    "started" => flow.push(tokio::spawn(async move {
                        let given = conversation
                            .wait(Duration::from_secs(5), |heard| heard.given.clone())
                            .await;
                        given == Some(code())
                    })),
                    _ => flow.push(tokio::spawn(async move {
                        let ended = conversation.result(Duration::from_secs(5)).await;
                        ended.is_some_and(|ended| ended.status == Status::Successful)
                    })),
                }
                tokio::task::yield_now().await;
            }
            for seen in flow {
                assert!(seen.await.unwrap(), "{order:?}");
            }
        }
    }

    fn permute(steps: &mut Vec<&'static str>, from: usize, into: &mut Vec<Vec<&'static str>>) {
        if from == steps.len() {
            into.push(steps.clone());
            return;
        }
        for index in from..steps.len() {
            steps.swap(from, index);
            permute(steps, from + 1, into);
            steps.swap(from, index);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_after_it_was_given_up_is_overdue() {
        let conversation = Conversation::default();
        assert_eq!(conversation.result(Duration::from_secs(5)).await, None);
        assert_eq!(conversation.ended(ended()), CallbackSeen::Overdue);
        assert_eq!(conversation.ended(ended()), CallbackSeen::Duplicate);
        // What is there needs no patience.
        assert!(conversation.result(Duration::ZERO).await.is_some());
    }

    #[test]
    fn second_events_change_nothing() {
        let conversation = Conversation::default();
        let now = Instant::now();
        let second = Ended {
            status: Status::Fail,
            ..ended()
        };
        let seen = [
            conversation.answered(now, now, Some(code())),
            conversation.answered(now, now, None),
            conversation.ended(ended()),
            conversation.ended(second),
        ];
        let (first, again) = (CallbackSeen::Taken, CallbackSeen::Duplicate);
        assert_eq!(seen, [first, again, first, again]);
        let heard = conversation.heard();
        assert_eq!(heard.given, Some(code()));
        assert_eq!(heard.ended.unwrap().status, Status::Successful);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let conversations = Conversations::default();
        let first = conversations.about(&id(0));
        (1..REMEMBERED).for_each(|number| drop(conversations.about(&id(number))));
        assert!(Arc::ptr_eq(&first, &conversations.about(&id(0))));
        let _ = conversations.about(&id(REMEMBERED));
        assert!(!Arc::ptr_eq(&first, &conversations.about(&id(0))));
    }

    /// Two threads that race for a conversation get the same one.
    #[test]
    fn racing_threads_meet() {
        let conversations = Conversations::default();
        for number in 0..200 {
            let meet = std::sync::Barrier::new(2);
            let about = || {
                meet.wait();
                conversations.about(&id(number))
            };
            let (one, other) = std::thread::scope(|scope| {
                let (one, other) = (scope.spawn(about), scope.spawn(about));
                (one.join().unwrap(), other.join().unwrap())
            });
            assert!(Arc::ptr_eq(&one, &other));
        }
    }
}
