//! The figures that more than one report shows.

use crate::flows::Flow;
use crate::measure::{FlowTally, Interval, Latency};
use crate::runfile::{Load, RunFile};
use crate::verdict::Exit;

use super::text;

/// The verdict in a word, and a sentence that says what it means.
pub(super) fn verdict(run: &RunFile) -> (&'static str, &'static str) {
    match run.verdict.as_ref().map(|verdict| verdict.exit) {
        Some(Exit::Pass) => ("Pass", "The run did what it had to."),
        Some(Exit::Failed) => ("Fail", "The run missed what it had to do."),
        Some(Exit::Invalid) => (
            "Invalid",
            "The figures say nothing about the target: the load tester was the bottleneck, or something is missing.",
        ),
        Some(Exit::Stopped) => ("Stopped", "The run was ended before its time."),
        Some(Exit::Unreachable) => ("Unreachable", "The target was never reached."),
        Some(_) => ("Usage", "Nothing was run."),
        None => (
            "Not judged",
            "A part of a run is judged together with the others, once they are merged.",
        ),
    }
}

/// The run in one line.
pub(super) fn headline(run: &RunFile) -> String {
    let setup = &run.setup;
    let mut line = format!(
        "{}: {} for {}, {} transport, against {}",
        setup.what(),
        setup.load,
        text::rounded(setup.duration_seconds),
        setup.transport,
        setup.target
    );
    if run.shards.of > 1 {
        line.push_str(&format!(
            ", {} of {} shards",
            run.shards.present.len(),
            run.shards.of
        ));
    }
    line
}

/// The distribution end to end of all flows that ended as expected.
pub(super) fn end_to_end(total: &FlowTally) -> Option<&Latency> {
    total.time(Interval::EndToEnd).filter(|times| times.count() > 0)
}

/// `count` in a second.
pub(super) fn per_second(run: &RunFile, count: u64) -> f64 {
    run.per_second(count).unwrap_or(0.0)
}

/// How many flows fell due in a second; `None` in a closed model, where none do.
pub(super) fn wanted(run: &RunFile) -> Option<f64> {
    match run.setup.load {
        Load::Open { .. } => {
            let seconds = (run.setup.duration_seconds.min(run.seconds) - run.setup.warm_up_seconds).max(0.0);
            (seconds > 0.0).then(|| run.counters.scheduled as f64 / seconds)
        }
        Load::Closed { .. } => None,
    }
}

/// Flows may be under way at once in all shards together, and at most this many were: where that is
/// more than 80 %, a target that gets a little slower makes flows wait for a user.
pub(super) fn crowded(run: &RunFile) -> Option<String> {
    let Load::Open { users, .. } = run.setup.load else {
        return None;
    };
    let pool = users as u64 * run.shards.present.len() as u64;
    let most = run.generator.in_flight_max;
    (most * 5 > pool * 4)
        .then(|| format!("{most} of {pool} were busy at once: with more, flows do not have to wait for one"))
}

/// One block of a table of times: a flow, or all of them together.
pub(super) struct Block<'a> {
    pub(super) name: &'static str,
    pub(super) tally: &'a FlowTally,
}

/// The flows, and in front of them all together where there are several.
pub(super) fn blocks<'a>(run: &'a RunFile, total: &'a FlowTally) -> Vec<Block<'a>> {
    let flows: Vec<(Flow, &FlowTally)> = run.flows.flows().collect();
    let all = (flows.len() > 1).then_some(Block {
        name: "all flows",
        tally: total,
    });
    let each = flows.into_iter().map(|(flow, tally)| Block {
        name: flow.as_str(),
        tally,
    });
    all.into_iter().chain(each).collect()
}

/// What an interval is, in a few words.
pub(super) fn describe(interval: Interval) -> &'static str {
    match interval {
        Interval::EndToEnd => "due until final status",
        Interval::FailedEndToEnd => "due until failed",
        Interval::FromSend => "really started until final status",
        Interval::Lag => "due until really started",
        Interval::Start => "start request",
        Interval::Phone => "wait for the message",
        Interval::Report => "report request",
        Interval::Status => "status by id",
        Interval::StatusByReference => "status by reference",
        Interval::StatusByNumber => "status by number",
        Interval::Fetch => "data address fetched",
        Interval::CallbackIn => "start sent until event received",
        Interval::CallbackServed => "event received until answered",
        Interval::CallbackOut => "event answered until start answered",
        Interval::Result => "report answered until result event",
        Interval::Refused => "forged or repeated callback refused",
    }
}
