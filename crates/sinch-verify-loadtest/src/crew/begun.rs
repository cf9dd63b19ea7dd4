use std::time::Instant;

use crate::board::Board;
use crate::clock::Clock;
use crate::flows::Flow;
use crate::measure::{FlowEnd, FlowRecord, Span, Timed};

/// A flow under way. Dropped before it is over, it counts as cut off: a flow that was counted when
/// it began is counted when it ends, whatever ends it.
pub(super) struct Begun<'a> {
    board: &'a Board,
    clock: &'a dyn Clock,
    flow: Flow,
    due: Option<Instant>,
    started: Instant,
    over: bool,
}

impl<'a> Begun<'a> {
    pub(super) fn new(board: &'a Board, clock: &'a dyn Clock, flow: Flow, due: Option<Instant>) -> Self {
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
            self.count(FlowEnd::Aborted, Vec::new());
        }
    }
}
