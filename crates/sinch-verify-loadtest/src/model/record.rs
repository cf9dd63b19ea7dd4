use std::time::Duration;

use super::arrival::Arrival;
use super::failure::Failure;
use super::name::ScenarioName;
use super::step::StepName;

/// One flow, as it went. Times count from the beginning of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlowRecord {
    /// Which scenario it carried out.
    pub(crate) scenario: ScenarioName,
    /// Which flow it was, and when it was due.
    pub(crate) arrival: Arrival,
    /// When it really was started.
    pub(crate) started: Duration,
    /// When it ended.
    pub(crate) ended: Duration,
    /// How it ended.
    pub(crate) end: FlowEnd,
    /// Its steps, in order.
    pub(crate) steps: Vec<StepTime>,
}

impl FlowRecord {
    /// Where its time counts from: when it was due, or in a closed model when it was started.
    #[must_use]
    pub(crate) fn origin(&self) -> Duration {
        self.arrival.at.unwrap_or(self.started)
    }

    /// End to end, from when it was due.
    #[must_use]
    pub(crate) fn end_to_end(&self) -> Duration {
        self.ended.saturating_sub(self.origin())
    }

    /// From when it was started.
    #[must_use]
    pub(crate) fn since_started(&self) -> Duration {
        self.ended.saturating_sub(self.started)
    }

    /// How late it was started; `None` in a closed model.
    #[must_use]
    pub(crate) fn lag(&self) -> Option<Duration> {
        self.arrival.at.map(|due| self.started.saturating_sub(due))
    }
}

#[cfg(test)]
impl FlowRecord {
    /// A flow of `sms` that was due, started and ended at these times.
    pub(crate) fn sample(due: Duration, started: Duration, ended: Duration, end: FlowEnd) -> Self {
        Self {
            scenario: ScenarioName::new("sms").unwrap(),
            arrival: Arrival {
                index: 0,
                at: Some(due),
            },
            started,
            ended,
            end,
            steps: Vec::new(),
        }
    }
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FlowEnd {
    /// As it was expected to.
    Succeeded,
    /// Otherwise.
    Failed(Failure),
    /// It was cut off because the run was ended before its time, or a live limit was reached. No
    /// failure.
    Aborted,
}

/// How long one step of a flow took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepTime {
    /// Which step.
    pub(crate) step: StepName,
    /// How long it took.
    pub(crate) took: Duration,
    /// What it was.
    pub(crate) kind: StepKind,
    /// Whether it came to an answer, be it a refusal. Those without one are kept out of latencies.
    pub(crate) answered: bool,
}

/// Whether a step counts as a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    /// A request that the flow sent.
    Request,
    /// Anything else: a wait, or a part of something.
    Other,
}
