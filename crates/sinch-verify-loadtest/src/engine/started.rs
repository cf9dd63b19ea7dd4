use std::time::Duration;

use crate::model::{Arrival, Clock, Failure, FailureKind, FlowEnd, FlowRecord, ScenarioName, StepTime};
use crate::recorder::Recorder;

/// A flow that a user took on, and that may have to wait for permission to begin. Dropped before it
/// begins, it counts as cut off where the schedule counted it; in a closed model nothing is lost.
pub(super) struct Due<'a> {
    flow: Option<Counted<'a>>,
}

/// A flow under way. Dropped before it is over, it counts as unfinished: a flow that was counted when it
/// began is counted when it ends.
pub(super) struct Started<'a> {
    flow: Option<Counted<'a>>,
    at: Duration,
}

#[derive(Clone, Copy)]
struct Counted<'a> {
    recorder: &'a Recorder,
    clock: &'a dyn Clock,
    scenario: ScenarioName,
    arrival: Arrival,
}

impl<'a> Due<'a> {
    pub(super) fn new(
        recorder: &'a Recorder,
        clock: &'a dyn Clock,
        scenario: ScenarioName,
        arrival: Arrival,
    ) -> Self {
        let flow = Some(Counted {
            recorder,
            clock,
            scenario,
            arrival,
        });
        Self { flow }
    }

    /// The flow begins now: what it waited for is the generator's delay.
    pub(super) fn start(mut self) -> Started<'a> {
        let flow = self.flow.take();
        let at = flow.map_or(Duration::ZERO, Counted::begin);
        Started { flow, at }
    }
}

impl Drop for Due<'_> {
    fn drop(&mut self) {
        if let Some(flow) = self.flow.take().filter(|flow| flow.arrival.at.is_some()) {
            let at = flow.begin();
            flow.end(at, FlowEnd::Aborted, Vec::new());
        }
    }
}

impl Started<'_> {
    pub(super) fn finish(mut self, end: FlowEnd, steps: Vec<StepTime>) {
        if let Some(flow) = self.flow.take() {
            flow.end(self.at, end, steps);
        }
    }

    /// The run ended before the flow did. `waiting` says what the flow was doing.
    pub(super) fn cut_off(mut self, waiting: &str, steps: Vec<StepTime>) {
        if let Some(flow) = self.flow.take() {
            flow.end(self.at, flow.unfinished(self.at, waiting), steps);
        }
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if let Some(flow) = self.flow.take() {
            flow.end(self.at, flow.unfinished(self.at, "abandoned"), Vec::new());
        }
    }
}

impl Counted<'_> {
    fn now(self) -> Duration {
        self.recorder.since_start(self.clock.now()).unwrap_or_default()
    }

    fn begin(self) -> Duration {
        let at = self.now();
        self.recorder.begin(self.arrival, at);
        at
    }

    fn end(self, started: Duration, end: FlowEnd, steps: Vec<StepTime>) {
        self.recorder.end(&FlowRecord {
            scenario: self.scenario,
            arrival: self.arrival,
            started,
            ended: self.now(),
            end,
            steps,
        });
    }

    /// No failure where the user ended the run; else the target had all the time it was given.
    fn unfinished(self, started: Duration, waiting: &str) -> FlowEnd {
        if self.recorder.is_interrupted() {
            return FlowEnd::Aborted;
        }
        let waited = self.now().saturating_sub(started).as_secs_f64();
        let detail = format!("{waiting} when the run was over, {waited:.1} s after it began");
        FlowEnd::Failed(Failure::new(FailureKind::Unfinished, detail))
    }
}
