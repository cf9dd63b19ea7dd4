use std::collections::{BTreeMap, VecDeque};

use crate::model::{FailureKind, FlowEnd, FlowRecord, Latency, Second};

/// The seconds of a run, warm-up included.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    closed: Vec<Second>,
    /// Those behind the closed ones. What happened in a second may be counted a moment after its end.
    open: VecDeque<Open>,
    ticks: u64,
    /// Since the beginning.
    pub(super) overall: Latency,
    pub(super) errors: BTreeMap<FailureKind, u64>,
}

#[derive(Clone, Debug, Default)]
struct Open {
    second: Second,
    latency: Latency,
}

impl Seconds {
    /// The second with this number. Where that is closed already, the oldest that is open takes
    /// its place.
    pub(super) fn at(&mut self, number: u64) -> &mut Second {
        &mut self.open(number).second
    }

    fn open(&mut self, number: u64) -> &mut Open {
        let index = number.saturating_sub(self.closed.len() as u64);
        let index = usize::try_from(index).unwrap_or_default();
        if self.open.len() <= index {
            self.open.resize_with(index + 1, Open::default);
        }
        &mut self.open[index]
    }

    /// Counts a flow in the second in which it ended.
    pub(super) fn end(&mut self, record: &FlowRecord) {
        let took = record.end_to_end();
        let open = self.open(record.ended.as_secs());
        match &record.end {
            FlowEnd::Succeeded => {
                open.second.finished += 1;
                open.latency.record(took);
                self.overall.record(took);
            }
            FlowEnd::Failed(failure) => {
                open.second.finished += 1;
                open.second.failed += 1;
                *self.errors.entry(failure.kind()).or_default() += 1;
            }
            FlowEnd::Aborted => {}
        }
    }

    /// The next second is over. The one before it is closed.
    pub(super) fn tick(&mut self, cpu: Option<f64>, in_flight: u64) {
        let second = self.at(self.ticks);
        second.cpu = cpu;
        second.in_flight = in_flight;
        while (self.closed.len() as u64) < self.ticks {
            let Some(open) = self.open.pop_front() else { break };
            // Kept packed: a histogram as it is in memory takes 200 KB.
            self.closed.push(open.close(self.closed.len()));
        }
        self.ticks += 1;
    }

    /// The last second that is over.
    pub(super) fn last(&self) -> Second {
        let open = self.ticks.checked_sub(1).and_then(|number| {
            let index = number.checked_sub(self.closed.len() as u64)?;
            self.open.get(usize::try_from(index).ok()?)
        });
        open.map_or_else(Second::default, |open| open.clone().close(self.closed.len()))
    }

    /// All of them, also one that has begun.
    pub(super) fn series(&self) -> Vec<Second> {
        let mut series = self.closed.clone();
        for open in &self.open {
            series.push(open.clone().close(series.len()));
        }
        series
    }
}

impl Open {
    fn close(mut self, number: usize) -> Second {
        self.second.at = number as u64;
        self.second.set_times(self.latency.histogram());
        self.second
    }
}
