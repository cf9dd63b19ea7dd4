//! The past in order of time, through a policy.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_callback::Context;
use sinch_verify_callback::policy::{FraudPolicy, PolicyReport, PolicyVerdict};
use sinch_verify_callback::replay::StoreError;
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent};
use sinch_verify_protocol::{ApplicationKey, Status, VerificationId};

use super::input::{Step, What};

/// How far lines may be out of order.
const DISORDER: Duration = Duration::from_secs(3600);
/// How long the end of a start that was denied is waited for.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Replays steps. It holds those of an hour, and verifications that have not ended.
pub(super) struct Replay {
    policy: FraudPolicy,
    /// What happened and is not replayed yet, by its time; the number keeps the order of one time.
    waiting: BTreeMap<(SystemTime, u64), Step>,
    count: u64,
    newest: SystemTime,
    /// Up to when all is replayed.
    reached: SystemTime,
    /// Starts that are denied, or would be, until their ends say whether they were verified in the past.
    denied: HashMap<VerificationId, Denied>,
    /// The same verifications, in the order of their starts.
    in_order: VecDeque<(SystemTime, VerificationId)>,
    past: Past,
}

/// A start that a policy denies, or would deny.
struct Denied {
    is_enforced: bool,
    rules: Vec<Arc<str>>,
}

impl Denied {
    fn of(verdict: &PolicyVerdict) -> Option<Self> {
        let denials = verdict.denial.iter().chain(&verdict.observed);
        let rules: Vec<_> = denials.map(|denial| Arc::clone(&denial.rule)).collect();
        (!rules.is_empty()).then(|| Self {
            is_enforced: !verdict.is_allowed(),
            rules,
        })
    }
}

/// What a policy would have done.
#[derive(Default)]
pub(super) struct Past {
    pub(super) report: PolicyReport,
    /// When the first start was, and the last.
    pub(super) span: Option<(SystemTime, SystemTime)>,
    /// How many of the starts that are denied were verified in the past.
    pub(super) verified: u64,
    /// The same for each rule; those that it would deny are counted too.
    pub(super) verified_by_rule: HashMap<Arc<str>, u64>,
}

impl Replay {
    pub(super) fn new(policy: FraudPolicy) -> Self {
        Self {
            policy,
            waiting: BTreeMap::new(),
            count: 0,
            newest: SystemTime::UNIX_EPOCH,
            reached: SystemTime::UNIX_EPOCH,
            denied: HashMap::new(),
            in_order: VecDeque::new(),
            past: Past::default(),
        }
    }

    /// Adds a step, and replays those that nothing can come before.
    pub(super) async fn add(&mut self, step: Step) -> Result<(), String> {
        if step.at < self.reached {
            let message = "it is more than an hour older than a line before it; sort the lines by their time";
            return Err(message.to_owned());
        }
        // The end of a record may be long after its start, and says nothing about the order of the lines.
        if let What::Start(_) = step.what {
            self.newest = self.newest.max(step.at);
        }
        self.waiting.insert((step.at, self.count), step);
        self.count += 1;
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 + DISORDER < self.newest
        {
            let step = first.remove();
            self.step(step).await?;
        }
        Ok(())
    }

    /// Replays the rest.
    pub(super) async fn finish(mut self) -> Result<Past, String> {
        while let Some((_, step)) = self.waiting.pop_first() {
            self.step(step).await?;
        }
        self.past.report = self.policy.report();
        Ok(self.past)
    }

    async fn step(&mut self, step: Step) -> Result<(), String> {
        self.reached = step.at;
        let done = match step.what {
            What::Start(event) => self.start(&event, step.at, step.application).await,
            What::End(event) => self.end(&event, step.at, step.application).await,
        };
        done.map_err(|error| format!("the policy cannot count more keys: {error}; replay a shorter time"))
    }

    async fn start(
        &mut self,
        event: &RequestEvent,
        at: SystemTime,
        application: Option<ApplicationKey>,
    ) -> Result<(), StoreError> {
        let verdict = self.policy.check(event, &context(application, at)).await?;
        let first = self.past.span.map_or(at, |(first, _)| first);
        self.past.span = Some((first, at));
        while let Some((since, id)) = self.in_order.front()
            && *since + PATIENCE < at
        {
            self.denied.remove(id);
            self.in_order.pop_front();
        }
        if let Some(denied) = Denied::of(&verdict) {
            self.in_order.push_back((at, event.id.clone()));
            self.denied.insert(event.id.clone(), denied);
        }
        Ok(())
    }

    async fn end(
        &mut self,
        event: &ResultEvent,
        at: SystemTime,
        application: Option<ApplicationKey>,
    ) -> Result<(), StoreError> {
        self.policy.settle(event, &context(application, at)).await?;
        let denied = self.denied.remove(&event.id);
        if let (Some(denied), Status::Successful) = (denied, &event.status) {
            self.past.verified += u64::from(denied.is_enforced);
            for rule in denied.rules {
                *self.past.verified_by_rule.entry(rule).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// Where no record names the application, all belong to one.
#[expect(clippy::expect_used, reason = "the key is letters")]
fn context(application: Option<ApplicationKey>, at: SystemTime) -> Context {
    let key = application.unwrap_or_else(|| ApplicationKey::new("application").expect("a key"));
    Context::new(key, at)
}
