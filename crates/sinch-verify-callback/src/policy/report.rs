use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rust_decimal::Decimal;
use sinch_verify_protocol::country::Country;

use super::plan::MILLIONTHS;
use super::rules::Mode;
use super::store::End;
use super::verdict::PolicyVerdict;

/// What a policy has decided since it was built, in this process.
///
/// An event that came twice is counted once; exceptions are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyReport {
    /// All starts.
    pub all: Tally,
    /// By rule, in the policy's order: what it denied, and what it would have denied.
    pub rules: Vec<(Arc<str>, RuleTally)>,
    /// By country, in the order of their codes; `None` for numbers of no country.
    pub countries: Vec<(Option<Country>, Tally)>,
    /// By range: numbers without their last digits. At most [`MOST_RANGES`](Self::MOST_RANGES); starts in ranges
    /// beyond that are in the other counts only.
    pub ranges: Vec<(Box<str>, Tally)>,
}

impl PolicyReport {
    /// The most ranges that are counted.
    pub const MOST_RANGES: usize = 10_000;

    /// The ranges that cost most, the most expensive first.
    #[must_use]
    pub fn by_cost(&self, count: usize) -> Vec<&(Box<str>, Tally)> {
        self.first(count, |_| true, |tally| u128::from(u64::MAX - tally.cost))
    }

    /// The ranges with the lowest share of successes, of those where at least `samples` have ended.
    #[must_use]
    pub fn by_conversion(&self, count: usize, samples: u64) -> Vec<&(Box<str>, Tally)> {
        let share = |tally: &Tally| (u128::from(tally.succeeded) << 64) / u128::from(tally.ended.max(1));
        self.first(count, |tally| tally.ended >= samples, share)
    }

    fn first(
        &self,
        count: usize,
        has_part: impl Fn(&Tally) -> bool,
        order: impl Fn(&Tally) -> u128,
    ) -> Vec<&(Box<str>, Tally)> {
        let mut ranges: Vec<_> = self.ranges.iter().filter(|(_, tally)| has_part(tally)).collect();
        ranges.sort_by_key(|(range, tally)| (order(tally), range.clone()));
        ranges.truncate(count);
        ranges
    }
}

/// What was counted for some starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Starts that the policy let through.
    pub allowed: u64,
    /// Starts that were denied.
    pub denied: u64,
    /// Verifications that ended, but not with `DENIED`.
    pub ended: u64,
    /// Those of them that succeeded.
    pub succeeded: u64,
    cost: u64,
    denied_cost: u64,
}

impl Tally {
    /// What the starts that it let through cost, without those that were denied after all.
    #[must_use]
    pub fn cost(&self) -> Decimal {
        decimal(self.cost)
    }

    /// What the starts that were denied would have cost.
    #[must_use]
    pub fn denied_cost(&self) -> Decimal {
        decimal(self.denied_cost)
    }

    fn decided(&mut self, is_allowed: bool, cost: u64) {
        let (count, sum) = match is_allowed {
            true => (&mut self.allowed, &mut self.cost),
            false => (&mut self.denied, &mut self.denied_cost),
        };
        *count += 1;
        *sum = sum.saturating_add(cost);
    }

    fn ended(&mut self, end: End, cost: u64) {
        match end {
            End::Denied => self.cost = self.cost.saturating_sub(cost),
            End::Success => {
                self.ended += 1;
                self.succeeded += 1;
            }
            End::Failure => self.ended += 1,
        }
    }
}

/// What a rule denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleTally {
    /// Starts that it denied.
    pub denied: u64,
    /// Starts that it would have denied, had it been enforced.
    pub observed: u64,
    /// Starts that it did not apply to, because it could not read what it counts.
    pub skipped: u64,
    cost: u64,
}

impl RuleTally {
    /// What the starts that it denied, or would have denied, cost.
    #[must_use]
    pub fn cost(&self) -> Decimal {
        decimal(self.cost)
    }
}

fn decimal(millionths: u64) -> Decimal {
    Decimal::new(i64::try_from(millionths).unwrap_or(i64::MAX), MILLIONTHS).normalize()
}

/// Where a number is.
#[derive(Clone, Copy)]
pub(super) struct Destination<'a> {
    pub(super) country: Option<Country>,
    pub(super) range: Option<&'a str>,
}

/// Counts for the report.
#[derive(Default)]
pub(super) struct Recorder(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    all: Tally,
    rules: HashMap<Arc<str>, RuleTally>,
    countries: HashMap<Option<Country>, Tally>,
    ranges: HashMap<Box<str>, Tally>,
}

impl Recorder {
    pub(super) fn decided(&self, destination: Destination<'_>, verdict: &PolicyVerdict, cost: u64) {
        let mut counts = self.counts();
        counts.tallies(destination, |tally| tally.decided(verdict.is_allowed(), cost));
        for denial in verdict.denial.iter().chain(&verdict.observed) {
            let tally = counts.rules.entry(Arc::clone(&denial.rule)).or_default();
            tally.cost = tally.cost.saturating_add(cost);
            match denial.mode {
                Mode::Enforce => tally.denied += 1,
                Mode::Observe => tally.observed += 1,
            }
        }
        for skipped in &verdict.skipped {
            counts.rules.entry(Arc::clone(&skipped.rule)).or_default().skipped += 1;
        }
    }

    pub(super) fn ended(&self, destination: Destination<'_>, end: End, cost: u64) {
        self.counts().tallies(destination, |tally| tally.ended(end, cost));
    }

    /// With these rules first, in this order.
    pub(super) fn report<'a>(&self, rules: impl Iterator<Item = &'a Arc<str>>) -> PolicyReport {
        let counts = self.counts();
        let of = |rule: &Arc<str>| counts.rules.get(rule).copied().unwrap_or_default();
        let rules = rules.map(|rule| (Arc::clone(rule), of(rule)));
        let mut countries: Vec<_> = counts.countries.iter().map(|(k, v)| (*k, *v)).collect();
        countries.sort_by_key(|(country, _)| *country);
        let mut ranges: Vec<_> = counts.ranges.iter().map(|(k, v)| (k.clone(), *v)).collect();
        ranges.sort_by(|(a, _), (b, _)| a.cmp(b));
        PolicyReport {
            all: counts.all,
            rules: rules.collect(),
            countries,
            ranges,
        }
    }

    /// No code that holds the lock can panic halfway, so a poisoned one is whole.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn tallies(&mut self, destination: Destination<'_>, mut change: impl FnMut(&mut Tally)) {
        change(&mut self.all);
        change(self.countries.entry(destination.country).or_default());
        let Some(range) = destination.range else { return };
        if let Some(tally) = self.ranges.get_mut(range) {
            change(tally);
        } else if self.ranges.len() < PolicyReport::MOST_RANGES {
            change(self.ranges.entry(range.into()).or_default());
        }
    }
}
