//! A policy, and a clock that tests move.

use std::time::{Duration, SystemTime};

use sinch_verify_callback::policy::{FraudPolicy, PolicyRules, PolicyStore, PolicyVerdict};
use sinch_verify_callback::protocol::price::Money;
use sinch_verify_callback::protocol::{Method, PhoneNumber, Status, VerificationId};
use sinch_verify_callback::testing::{request_event, result_event};
use sinch_verify_callback::{Context, RequestEvent};

use crate::fixtures::{key, now};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) const ALICE: &str = "+46700000001";
/// In the range of Alice.
pub(crate) const BOB: &str = "+46700000002";
/// In another country.
pub(crate) const CAROL: &str = "+4740612345";

/// A receiver's view of its policy: events at a time that the test sets.
pub(crate) struct Day {
    pub(crate) policy: FraudPolicy,
    pub(crate) now: SystemTime,
    started: u64,
}

impl Day {
    pub(crate) fn new(policy: FraudPolicy) -> Self {
        let started = 0;
        Self {
            policy,
            now: now(),
            started,
        }
    }

    pub(crate) fn with(rules: &str, store: PolicyStore) -> Self {
        let rules: PolicyRules = rules.parse().unwrap();
        Self::new(
            FraudPolicy::builder(rules)
                .store(store)
                .timeout(MINUTE)
                .build()
                .unwrap(),
        )
    }

    pub(crate) fn in_memory(rules: &str) -> Self {
        Self::with(rules, PolicyStore::default())
    }

    pub(crate) fn context(&self) -> Context {
        Context::new(key(), self.now)
    }

    pub(crate) fn after(&mut self, duration: Duration) -> &mut Self {
        self.now += duration;
        self
    }

    /// A start by SMS.
    pub(crate) async fn start(&mut self, number: &str) -> Started {
        self.start_event(|_| {}, number).await
    }

    /// A start that `change` has changed.
    pub(crate) async fn start_event(
        &mut self,
        change: impl FnOnce(&mut RequestEvent),
        number: &str,
    ) -> Started {
        self.started += 1;
        let mut event = event(&format!("v-{}", self.started), number);
        change(&mut event);
        let verdict = self.policy.check(&event, &self.context()).await.unwrap();
        Started { event, verdict }
    }

    /// Whether a start goes ahead.
    pub(crate) async fn allows(&mut self, number: &str) -> bool {
        self.start(number).await.verdict.is_allowed()
    }

    /// How many of `count` starts go ahead.
    pub(crate) async fn allowed(&mut self, count: usize, number: &str) -> usize {
        let mut allowed = 0;
        for _ in 0..count {
            allowed += usize::from(self.allows(number).await);
        }
        allowed
    }

    pub(crate) async fn end(&self, started: &Started, status: Status) {
        let event = &started.event;
        let number = event.identity.phone_number().unwrap();
        let mut result = result_event(event.id.clone(), event.method.clone(), number, status);
        result.custom = event.custom.clone();
        result.reference = event.reference.clone();
        self.policy.settle(&result, &self.context()).await.unwrap();
    }

    /// Starts verifications that end with these states.
    pub(crate) async fn run(&mut self, number: &str, states: &[Status]) {
        for status in states {
            let started = self.start(number).await;
            self.end(&started, status.clone()).await;
        }
    }
}

pub(crate) struct Started {
    pub(crate) event: RequestEvent,
    pub(crate) verdict: PolicyVerdict,
}

impl Started {
    /// The rule that denied it.
    pub(crate) fn denied_by(&self) -> &str {
        self.verdict
            .denial
            .as_ref()
            .map_or("none", |denial| &*denial.rule)
    }

    /// How long it has to wait, by that rule.
    pub(crate) fn retry_after(&self, now: SystemTime) -> Duration {
        let retry_at = self.verdict.denial.as_ref().unwrap().retry_at.unwrap();
        retry_at.duration_since(now).unwrap()
    }
}

pub(crate) fn event(id: &str, number: &str) -> RequestEvent {
    let number: PhoneNumber = number.parse().unwrap();
    let mut event = request_event(VerificationId::new(id).unwrap(), Method::Sms, number);
    event.price = Some(euros("0.05"));
    event
}

pub(crate) fn euros(amount: &str) -> Money {
    Money::new("EUR", amount.parse().unwrap())
}
