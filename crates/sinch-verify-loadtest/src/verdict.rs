//! Whether a run passed, and the exit code that says so.
//!
//! ```text
//! RunFile --Metric::of--> value --Threshold::check--> checks
//!    |                                                  |
//!    +---Doubt::about--> doubts ----------------------> Verdict -> exit code
//! ```
//!
//! A percentile is judged only where it has [enough samples](samples_needed).

mod doubt;
mod metric;
mod samples;
#[cfg(test)]
mod tests;
mod threshold;
mod thresholds;

use std::collections::BTreeMap;

use crate::runfile::RunFile;

pub(crate) use crate::model::{Check, CheckResult, Exit, Verdict};
pub(crate) use doubt::{Doubt, Lag};
pub(crate) use metric::{Metric, Unit};
pub(crate) use samples::TooFew;
pub(crate) use threshold::Threshold;
pub(crate) use thresholds::Thresholds;

impl Verdict {
    /// Judges a run by its thresholds.
    ///
    /// An unreachable target comes first, then what ended the run early, then doubts about the figures:
    /// each of them makes what follows meaningless. A failed threshold comes before one that has too few
    /// samples.
    #[must_use]
    pub(crate) fn judge(run: &RunFile, thresholds: &Thresholds) -> Self {
        let checks: Vec<_> = thresholds.iter().map(|threshold| threshold.check(run)).collect();
        let total = run.flows.total();
        let unreachable = total.failed > 0
            && total.succeeded == 0
            && total.failures.keys().all(|kind| kind.is_unreachable());
        let stop = run.stopped.as_ref().filter(|stopped| !stopped.planned);
        let stopped = stop.map(|stop| format!("{}, after {:.1} s", stop.reason, run.seconds));
        let doubts: Vec<_> = Doubt::about(run).iter().map(ToString::to_string).collect();
        let mut failures = Vec::new();
        let mut not_judged = Vec::new();
        for check in &checks {
            let Check {
                metric,
                limit,
                measured,
                ..
            } = check;
            match check.result {
                CheckResult::Passed => {}
                CheckResult::Failed => failures.push(format!("{metric} is {measured}, not {limit}")),
                CheckResult::NotMeasured => failures.push(format!("{metric} was {measured}")),
                CheckResult::NotJudged => not_judged.push(format!(
                    "{metric} was not judged: {measured}; run longer, or limit a lower percentile or the max"
                )),
            }
        }
        failures.extend(unlimited(run, thresholds));
        if total.finished() == 0 {
            failures.push("no flow finished".to_owned());
        }

        let exit = if unreachable {
            Exit::Unreachable
        } else if stopped.is_some() {
            Exit::Stopped
        } else if !doubts.is_empty() {
            Exit::Invalid
        } else if !failures.is_empty() {
            Exit::Failed
        } else if !not_judged.is_empty() {
            Exit::Invalid
        } else {
            Exit::Pass
        };
        let reasons = stopped
            .into_iter()
            .chain(doubts)
            .chain(failures)
            .chain(not_judged)
            .collect();
        Self {
            exit,
            reasons,
            checks,
        }
    }
}

/// The failures that no threshold limits. None are allowed.
fn unlimited(run: &RunFile, thresholds: &Thresholds) -> Option<String> {
    let mut kinds = BTreeMap::new();
    for (flow, tally) in run.flows.flows() {
        for (kind, failures) in &tally.failures {
            if !thresholds.limit_failures(flow, *kind) {
                *kinds.entry(*kind).or_insert(0) += failures.count;
            }
        }
    }
    let failed: u64 = kinds.values().sum();
    let names: Vec<_> = kinds.keys().map(ToString::to_string).collect();
    let finished = run.flows.total().finished();
    (failed > 0).then(|| format!("{failed} of {finished} flows failed: {}", names.join(", ")))
}
