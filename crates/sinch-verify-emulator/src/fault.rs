//! Fault rules: which requests fail on purpose, and how.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::{PhoneNumber, duration};

use crate::operation::Operation;
use crate::splitmix::splitmix64;
use crate::unit_variant;

/// A rule that makes matching requests fail. If several rules match a request, the first one that is
/// triggered applies.
///
/// As JSON `{"on":"api","operation":"report","every":3,"fault":{"kind":"reset"}}`. Fields that are left
/// out do not limit the rule. The emulator's seed determines which requests a probability selects.
///
/// ```
/// use sinch_verify_emulator::{Fault, FaultRule, Operation};
///
/// // Every second report is carried out, but its answer is lost.
/// let mut rule = FaultRule::api(Fault::Reset { handled: true });
/// rule.operation = Some(Operation::Report);
/// rule.every = Some(2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultRule {
    /// Whether the rule is for answers of the API or for callbacks.
    pub on: FaultPlace,
    /// Limits the rule to one operation: `start`, `report`, `outcome` or `status` on the API; `request`,
    /// `result` or `delivered` on callbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Limits the rule to verifications of this phone number, also where a request names the id or the
    /// reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub number: Option<PhoneNumber>,
    /// Limits the rule to the application with this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The probability that a matching request triggers the fault, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Triggers the fault on every nth matching request: with 3, on the third, sixth, ninth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// The most times that the fault is triggered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The fault.
    pub fault: Fault,
}

/// Where a fault occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultPlace {
    /// In answers of the API.
    Api,
    /// In callback events to the application.
    Callback,
}

impl FaultPlace {
    fn operations(self) -> &'static [Operation] {
        match self {
            Self::Api => &Operation::API,
            Self::Callback => &Operation::CALLBACK,
        }
    }
}

/// A fault. Durations are wall time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The answer or event is delayed by a random duration between two limits.
    Latency {
        /// The shortest delay.
        #[serde(with = "duration")]
        #[schemars(with = "String")]
        from: Duration,
        /// The longest delay.
        #[serde(with = "duration")]
        #[schemars(with = "String")]
        to: Duration,
        /// The distribution of delays between them.
        #[serde(default)]
        spread: Spread,
    },
    /// The request is not carried out and is answered with an error. An event is not posted and counts
    /// as answered with this status.
    Status {
        /// The HTTP status, 400 to 599.
        status: u16,
    },
    /// The connection is reset. An event is not posted.
    Reset {
        /// Whether the request is carried out before the reset. Only on the API.
        #[serde(default)]
        handled: bool,
    },
    /// The request is carried out but never answered.
    #[serde(deserialize_with = "unit_variant::deserialize")]
    Stall,
    /// The connection ends in the middle of the body. An event is cut after it is signed, so its
    /// signature is wrong.
    #[serde(deserialize_with = "unit_variant::deserialize")]
    Truncate,
    /// The body is complete but is not valid JSON. An event has a valid signature of that body.
    #[serde(deserialize_with = "unit_variant::deserialize")]
    Malformed,
}

/// The distribution of delays between the shortest and the longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Spread {
    /// All delays are equally likely.
    #[default]
    Even,
    /// Most delays are near the shortest; about one in a hundred is near the longest.
    Tail,
}

impl Spread {
    /// The quantile function: maps an evenly distributed number from 0 to 1 to a position between the
    /// shortest delay (0) and the longest (1).
    fn quantile(self, share: f64) -> f64 {
        match self {
            Self::Even => share,
            Self::Tail => share.powi(8),
        }
    }
}

impl Fault {
    /// The kind of the fault in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Status { .. } => "status",
            Self::Reset { .. } => "reset",
            Self::Stall => "stall",
            Self::Truncate => "truncate",
            Self::Malformed => "malformed",
        }
    }
}

impl FaultRule {
    /// A rule for every answer of the API. Set its fields to limit it.
    #[must_use]
    pub fn api(fault: Fault) -> Self {
        Self::on(FaultPlace::Api, fault)
    }

    /// A rule for every callback event. Set its fields to limit it.
    #[must_use]
    pub fn callback(fault: Fault) -> Self {
        Self::on(FaultPlace::Callback, fault)
    }

    fn on(on: FaultPlace, fault: Fault) -> Self {
        Self {
            on,
            operation: None,
            number: None,
            application: None,
            probability: None,
            every: None,
            count: None,
            fault,
        }
    }

    /// The mistake in the rule, if there is one.
    fn problem(&self) -> Option<String> {
        if self
            .operation
            .is_some_and(|operation| !self.on.operations().contains(&operation))
        {
            return Some(format!(
                "operation must be {} on the API, and {} on callbacks",
                list(&Operation::API),
                list(&Operation::CALLBACK),
            ));
        }
        if self
            .probability
            .is_some_and(|chance| !(0.0..=1.0).contains(&chance))
        {
            return Some("probability must be 0 to 1".to_owned());
        }
        if self.every == Some(0) {
            return Some("every must be at least 1".to_owned());
        }
        match &self.fault {
            Fault::Status { status } if !(400..600).contains(status) => {
                Some("status must be 400 to 599".to_owned())
            }
            Fault::Latency { from, to, .. } if from > to => {
                Some("latency: from must not be greater than to".to_owned())
            }
            _ => None,
        }
    }
}

/// `a, b or c`.
fn list(operations: &[Operation]) -> String {
    let names: Vec<_> = operations.iter().map(|operation| operation.name()).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// An active fault rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActiveFault {
    /// The number of the rule, to remove it with.
    pub id: u64,
    /// The rule.
    pub rule: FaultRule,
    /// How many requests matched the rule.
    pub seen: u64,
    /// How many times the fault was triggered.
    pub hits: u64,
}

/// The properties of a request that rules match.
pub(crate) struct RequestFacts<'a> {
    pub(crate) operation: Operation,
    pub(crate) number: Option<PhoneNumber>,
    pub(crate) application: &'a str,
}

/// All active fault rules.
pub(crate) struct Faults {
    seed: u64,
    any: AtomicBool,
    any_by_number: AtomicBool,
    rules: Mutex<Rules>,
}

#[derive(Default)]
struct Rules {
    last: u64,
    active: Vec<ActiveFault>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            any: AtomicBool::new(false),
            any_by_number: AtomicBool::new(false),
            rules: Mutex::default(),
        }
    }

    /// Whether there is any rule. Without a lock, because every request calls it.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Whether any rule has a number, so that the number of a request must be looked up.
    pub(crate) fn any_by_number(&self) -> bool {
        self.any_by_number.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, rule: FaultRule) -> Result<u64, String> {
        if let Some(problem) = rule.problem() {
            return Err(problem);
        }
        let mut rules = self.lock();
        rules.last += 1;
        let id = rules.last;
        rules.active.push(ActiveFault {
            id,
            rule,
            seen: 0,
            hits: 0,
        });
        self.count(&rules);
        Ok(id)
    }

    /// Removes a rule. Returns whether it existed.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut rules = self.lock();
        let before = rules.active.len();
        rules.active.retain(|active| active.id != id);
        self.count(&rules);
        rules.active.len() < before
    }

    pub(crate) fn clear(&self) {
        let mut rules = self.lock();
        rules.active.clear();
        self.count(&rules);
    }

    fn count(&self, rules: &Rules) {
        let mut active = rules.active.iter();
        self.any.store(active.len() > 0, Ordering::Relaxed);
        let by_number = active.any(|active| active.rule.number.is_some());
        self.any_by_number.store(by_number, Ordering::Relaxed);
    }

    pub(crate) fn list(&self) -> Vec<ActiveFault> {
        self.lock().active.clone()
    }

    /// The fault that this request triggers, if any. The delay of a latency is chosen: `from` equals `to`.
    pub(crate) fn pick(&self, facts: &RequestFacts<'_>) -> Option<Fault> {
        if !self.any() {
            return None;
        }
        let mut rules = self.lock();
        for active in &mut rules.active {
            let rule = &active.rule;
            let fits = rule.on.operations().contains(&facts.operation)
                && rule
                    .operation
                    .is_none_or(|operation| operation == facts.operation)
                && rule.number.is_none_or(|number| facts.number == Some(number))
                && rule
                    .application
                    .as_deref()
                    .is_none_or(|key| key == facts.application);
            if !fits || rule.count.is_some_and(|count| active.hits >= count) {
                continue;
            }
            active.seen += 1;
            let dice = splitmix64(self.seed ^ splitmix64(active.id) ^ active.seen);
            let chance = (dice >> 11) as f64 / (1_u64 << 53) as f64;
            if rule.every.is_some_and(|every| !active.seen.is_multiple_of(every))
                || rule.probability.is_some_and(|probability| chance >= probability)
            {
                continue;
            }
            active.hits += 1;
            return Some(match &rule.fault {
                Fault::Latency { from, to, spread } => {
                    let share = (splitmix64(dice) >> 11) as f64 / (1_u64 << 53) as f64;
                    let by = *from + to.saturating_sub(*from).mul_f64(spread.quantile(share));
                    Fault::Latency {
                        from: by,
                        to: by,
                        spread: *spread,
                    }
                }
                fault => fault.clone(),
            });
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        // No update can panic halfway, so the rules are valid.
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fault, FaultPlace, FaultRule, Faults, RequestFacts, Spread};
    use crate::operation::Operation;

    fn hits(seed: u64, rule: &FaultRule) -> Vec<bool> {
        let faults = Faults::new(seed);
        faults.add(rule.clone()).unwrap();
        let facts = RequestFacts {
            operation: Operation::Start,
            number: None,
            application: "key",
        };
        (0..1000).map(|_| faults.pick(&facts).is_some()).collect()
    }

    #[test]
    fn the_seed_fixes_what_a_probability_picks() {
        let mut rule = FaultRule::api(Fault::Stall);
        rule.probability = Some(0.25);
        let first = hits(7, &rule);
        assert_eq!(first, hits(7, &rule));
        assert_ne!(first, hits(8, &rule));
        let hits = first.iter().filter(|hit| **hit).count();
        assert!((180..320).contains(&hits), "{hits}");
    }

    #[test]
    fn a_tail_is_thin() {
        let second = Duration::from_secs(1);
        let taken = |spread| {
            let faults = Faults::new(7);
            let fault = Fault::Latency {
                from: second,
                to: second * 11,
                spread,
            };
            faults.add(FaultRule::api(fault)).unwrap();
            let facts = RequestFacts {
                operation: Operation::Start,
                number: None,
                application: "key",
            };
            let mut taken: Vec<Duration> = (0..1000)
                .map(|_| match faults.pick(&facts) {
                    Some(Fault::Latency { from, to, .. }) if from == to => to,
                    other => panic!("{other:?}"),
                })
                .collect();
            taken.sort();
            assert!(taken[0] >= second && taken[999] <= second * 11);
            (taken[500], taken[990])
        };
        let (median, high) = taken(Spread::Even);
        assert!((second * 5..second * 7).contains(&median), "{median:?}");
        assert!(high > second * 10, "{high:?}");
        let (median, high) = taken(Spread::Tail);
        assert!(median < second * 3 / 2, "{median:?}");
        assert!(high > second * 8, "{high:?}");
    }

    #[test]
    fn every_nth_and_so_often() {
        let mut rule = FaultRule::api(Fault::Stall);
        rule.every = Some(3);
        rule.count = Some(2);
        let hits: Vec<_> = hits(7, &rule)
            .into_iter()
            .enumerate()
            .filter(|(_, hit)| *hit)
            .collect();
        assert_eq!(hits, [(2, true), (5, true)]);
    }

    #[test]
    fn an_operation_happens_in_its_place() {
        let problem = "operation must be start, report, outcome or status on the API, \
                       and request, result or delivered on callbacks";
        let cases = [
            (Operation::Start, FaultPlace::Api),
            (Operation::Report, FaultPlace::Api),
            (Operation::Outcome, FaultPlace::Api),
            (Operation::Status, FaultPlace::Api),
            (Operation::Request, FaultPlace::Callback),
            (Operation::Result, FaultPlace::Callback),
            (Operation::Delivered, FaultPlace::Callback),
        ];
        for (operation, place) in cases {
            let (own, other) = match place {
                FaultPlace::Api => (FaultRule::api(Fault::Stall), FaultRule::callback(Fault::Stall)),
                FaultPlace::Callback => (FaultRule::callback(Fault::Stall), FaultRule::api(Fault::Stall)),
            };
            for (mut rule, expected) in [(own, None), (other, Some(problem.to_owned()))] {
                rule.operation = Some(operation);
                assert_eq!(Faults::new(7).add(rule).err(), expected, "{operation:?}");
            }
        }
    }
}
