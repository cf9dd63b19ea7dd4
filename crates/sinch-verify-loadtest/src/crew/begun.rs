use std::time::Instant;

use crate::board::Board;
use crate::clock::Clock;
use crate::failure::{Failure, FailureKind};
use crate::flows::Flow;
use crate::measure::{FlowEnd, FlowRecord, Span, Timed};

/// A flow that is to be carried out and may have to wait for its leave. Dropped before it begins, it
/// counts as cut off where a schedule counted it as due; where nothing is due, nothing is lost.
pub(super) struct Waiting<'a> {
    board: &'a Board,
    clock: &'a dyn Clock,
    flow: Flow,
    due: Option<Instant>,
    over: bool,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(board: &'a Board, clock: &'a dyn Clock, flow: Flow, due: Option<Instant>) -> Self {
        Self {
            board,
            clock,
            flow,
            due,
            over: false,
        }
    }

    /// It begins now: what it waited for is the generator's delay.
    pub(super) fn begin(mut self) -> Begun<'a> {
        self.over = true;
        Begun::new(self.board, self.clock, self.flow, self.due)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over && self.due.is_some() {
            let begun = Begun::new(self.board, self.clock, self.flow, self.due);
            begun.over(FlowEnd::Aborted, Vec::new());
        }
    }
}

/// A flow under way. Dropped before it is over, it counts as one without an end: a flow that was
/// counted when it began is counted when it ends, whatever ends it.
pub(super) struct Begun<'a> {
    board: &'a Board,
    clock: &'a dyn Clock,
    flow: Flow,
    due: Option<Instant>,
    started: Instant,
    over: bool,
}

impl<'a> Begun<'a> {
    fn new(board: &'a Board, clock: &'a dyn Clock, flow: Flow, due: Option<Instant>) -> Self {
        let started = clock.now();
        board.begin(due, started);
        Self {
            board,
            clock,
            flow,
            due,
            started,
            over: false,
        }
    }

    pub(super) fn over(mut self, end: FlowEnd, times: Vec<Timed>) {
        self.count(end, times);
    }

    /// The flow got no end of its own. `waiting` says what for.
    pub(super) fn without_end(mut self, waiting: &str, times: Vec<Timed>) {
        let end = self.unfinished(waiting);
        self.count(end, times);
    }

    /// Nobody's fault where somebody ended the run; else the target had all the time it was given.
    fn unfinished(&self, waiting: &str) -> FlowEnd {
        if self.board.is_interrupted() {
            return FlowEnd::Aborted;
        }
        let waited = self.clock.now().saturating_duration_since(self.started);
        let detail = format!(
            "{waiting} when the run was over, {:.1} s after it began",
            waited.as_secs_f64()
        );
        FlowEnd::Failed(Failure::new(FailureKind::Unfinished, detail))
    }

    fn count(&mut self, end: FlowEnd, times: Vec<Timed>) {
        self.over = true;
        let span = Span {
            due: self.due,
            started: self.started,
            ended: self.clock.now(),
        };
        self.board.end(&FlowRecord::new(self.flow, end, span, times));
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.over {
            let end = self.unfinished("abandoned");
            self.count(end, Vec::new());
        }
    }
}
