use std::time::{Duration, Instant};

use super::interval::Interval;
use crate::failure::Failure;
use crate::flows::Flow;

/// One flow, as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowRecord {
    /// Which flow.
    pub flow: Flow,
    /// How it ended.
    pub end: FlowEnd,
    /// When it happened.
    pub span: Span,
    /// The intervals within it, in order.
    pub times: Vec<Timed>,
}

impl FlowRecord {
    /// A flow that ended.
    #[must_use]
    pub fn new(flow: Flow, end: FlowEnd, span: Span, times: Vec<Timed>) -> Self {
        Self {
            flow,
            end,
            span,
            times,
        }
    }
}

/// When a flow was due, was started and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When the schedule wanted it; `None` in a closed model, which has no schedule.
    pub due: Option<Instant>,
    /// When it really was started.
    pub started: Instant,
    /// When it ended.
    pub ended: Instant,
}

impl Span {
    /// Where its time counts from.
    #[must_use]
    pub fn origin(&self) -> Instant {
        self.due.unwrap_or(self.started)
    }

    /// End to end, from when it was due.
    #[must_use]
    pub fn end_to_end(&self) -> Duration {
        self.ended.saturating_duration_since(self.origin())
    }

    /// From when it was started.
    #[must_use]
    pub fn from_send(&self) -> Duration {
        self.ended.saturating_duration_since(self.started)
    }

    /// How late it was started.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        self.due.map(|due| self.started.saturating_duration_since(due))
    }
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowEnd {
    /// As it was expected to.
    Succeeded,
    /// Otherwise.
    Failed(Failure),
    /// It was cut off, because the user or a limit ended the run. No failure.
    Aborted,
}

/// How long one interval within one flow took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timed {
    /// Which interval.
    pub interval: Interval,
    /// How long it took.
    pub took: Duration,
    /// Whether it came to an answer, be it a refusal. Those without one are kept out of latencies.
    pub answered: bool,
}

impl Timed {
    /// An interval that took `took`.
    #[must_use]
    pub fn new(interval: Interval, took: Duration, answered: bool) -> Self {
        Self {
            interval,
            took,
            answered,
        }
    }
}
