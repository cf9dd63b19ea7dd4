use std::collections::BTreeMap;

use crate::failure::FailureKind;
use crate::measure::{FlowEnd, FlowRecord, Latency, Second};

/// The seconds of a run, warm-up included.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    pub(super) closed: Vec<Second>,
    pub(super) current: Second,
    latency: Latency,
    /// Since the beginning.
    pub(super) overall: Latency,
    pub(super) errors: BTreeMap<FailureKind, u64>,
}

impl Seconds {
    pub(super) fn end(&mut self, record: &FlowRecord) {
        match &record.end {
            FlowEnd::Succeeded => {
                self.current.finished += 1;
                self.latency.record(record.span.end_to_end());
                self.overall.record(record.span.end_to_end());
            }
            FlowEnd::Failed(failure) => {
                self.current.finished += 1;
                self.current.failed += 1;
                *self.errors.entry(failure.kind()).or_default() += 1;
            }
            FlowEnd::Aborted => {}
        }
    }

    pub(super) fn tick(&mut self, cpu: Option<f64>, in_flight: u64) {
        // Kept packed: a histogram as it is in memory would take 200 KB for every second.
        let mut second = std::mem::take(&mut self.current);
        let latency = std::mem::take(&mut self.latency);
        second.at = self.closed.len() as u64;
        second.cpu = cpu;
        second.in_flight = in_flight;
        second.set_times(latency.histogram());
        self.closed.push(second);
    }

    /// Whether nothing was counted since the last second was closed.
    pub(super) fn is_fresh(&self) -> bool {
        let now = &self.current;
        [
            now.scheduled,
            now.started,
            now.finished,
            now.dropped,
            now.callbacks,
        ] == [0; 5]
    }
}
