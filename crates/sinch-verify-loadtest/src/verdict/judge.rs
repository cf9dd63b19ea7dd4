use std::collections::BTreeMap;

use super::{Doubt, Exit, Thresholds, Verdict};
use crate::runfile::RunFile;

impl Verdict {
    /// Judges a run by its thresholds.
    ///
    /// A target that was never reached says nothing about load, and what ended a run early outweighs
    /// what was measured until then; a generator in doubt outweighs thresholds, kept or not.
    #[must_use]
    pub fn judge(run: &RunFile, thresholds: &Thresholds) -> Self {
        let checks: Vec<_> = thresholds.iter().map(|threshold| threshold.check(run)).collect();
        let total = run.flows.total();
        let unreachable = total.failed > 0
            && total.succeeded == 0
            && total.failures.keys().all(|kind| kind.is_unreachable());
        let stop = run.stopped.as_ref().filter(|stopped| !stopped.planned);
        let doubts = Doubt::about(run);

        let mut failures: Vec<_> = checks
            .iter()
            .filter(|check| !check.kept)
            .map(|check| match &check.measured {
                Some(measured) => format!("{} is {measured}, not {}", check.metric, check.limit),
                None => format!("{} was not measured", check.metric),
            })
            .collect();
        failures.extend(unforeseen(run, thresholds));
        if total.finished() == 0 {
            failures.push("no flow finished".to_owned());
        }

        let exit = if unreachable {
            Exit::Unreachable
        } else if stop.is_some() {
            Exit::Stopped
        } else if !doubts.is_empty() {
            Exit::Invalid
        } else if !failures.is_empty() {
            Exit::Failed
        } else {
            Exit::Pass
        };
        let stopped = stop.map(|stop| format!("{}, after {:.1} s", stop.reason, run.seconds));
        let doubts = doubts.iter().map(ToString::to_string);
        let reasons = stopped.into_iter().chain(doubts).chain(failures).collect();
        Self {
            exit,
            reasons,
            checks,
        }
    }
}

/// The failures that no threshold is about, of which there may be none.
fn unforeseen(run: &RunFile, thresholds: &Thresholds) -> Option<String> {
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

#[cfg(test)]
mod tests;
