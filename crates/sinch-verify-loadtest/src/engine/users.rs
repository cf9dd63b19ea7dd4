use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sinch_verify_protocol::PhoneNumber;

use super::started::{Due, Started};
use crate::arrivals::Queue;
use crate::live::{Admitted, Guarded, Limits};
use crate::model::{Arrival, Failure, FailureKind, FlowEnd, Numbers, Shard};
use crate::recorder::{Phase, Recorder};
use crate::scenario::{Flow, FlowContext, Scenario, Steps, Workload};
use crate::wire::Wire;

/// The virtual users of a run: what they do, and what counts it. Anything that is a [`Wire`] sends their
/// requests.
pub(crate) struct VirtualUsers {
    /// What the flows share.
    pub(crate) context: FlowContext,
    /// Which flows they carry out.
    pub(crate) workload: Workload,
    /// What fixes the mix.
    pub(crate) seed: u64,
    /// The numbers that the flows verify.
    pub(crate) numbers: Numbers,
    /// Where arrivals come from.
    pub(crate) source: Source,
    /// What counts the flows.
    pub(crate) recorder: Arc<Recorder>,
    /// The limits of a live run; `None` against a mock.
    pub(crate) limits: Option<Arc<Limits>>,
}

/// Where the arrivals of virtual users come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A schedule (open model).
    Queue(Arc<Queue>),
    /// The users themselves, one flow after the other (closed model).
    Always(Indexes),
}

/// The indexes of flows of a closed model, given out as the flows begin.
#[derive(Debug)]
pub(crate) struct Indexes {
    next: AtomicU64,
    step: u64,
}

impl From<Shard> for Indexes {
    /// Shards take turns, so that no two give out the same.
    fn from(shard: Shard) -> Self {
        Self {
            next: AtomicU64::new(shard.index() as u64),
            step: shard.of() as u64,
        }
    }
}

/// Between two looks of an early user whether the run began.
const EARLY: Duration = Duration::from_millis(2);

impl VirtualUsers {
    /// Waits for the next arrival; `None` once the run is over.
    pub(crate) async fn next(&self) -> Option<Arrival> {
        match &self.source {
            Source::Queue(queue) => queue.next().await,
            Source::Always(indexes) => {
                // Users who are there early wait for the others.
                while self.recorder.phase() == Phase::Running && !self.has_begun() {
                    tokio::time::sleep(EARLY).await;
                }
                (self.recorder.phase() == Phase::Running).then(|| Arrival {
                    index: indexes.next.fetch_add(indexes.step, Ordering::Relaxed),
                    at: None,
                })
            }
        }
    }

    fn has_begun(&self) -> bool {
        self.recorder.since_start(self.context.clock.now()).is_some()
    }

    /// Carries out one flow after the other until the run is over.
    pub(crate) async fn work(&self, mut wire: impl Wire) {
        while let Some(arrival) = self.next().await {
            self.carry_out(arrival, &mut wire).await;
        }
    }

    /// Carries one flow out, to its end or to the end of the run, and counts it.
    pub(crate) async fn carry_out(&self, arrival: Arrival, wire: &mut dyn Wire) {
        let scenario = self.workload.pick(self.seed, arrival.index);
        let due = Due::new(&self.recorder, &*self.context.clock, scenario.name(), arrival);
        let Some(limits) = &self.limits else {
            let started = due.start();
            match self.numbers.of(arrival.index) {
                Some(number) => {
                    self.run(scenario, arrival, number, wire, started).await;
                }
                None => {
                    let failure = Failure::new(FailureKind::Request, "there is no number to verify");
                    started.finish(FlowEnd::Failed(failure), Vec::new());
                }
            }
            return;
        };
        if let Some(admitted) = self.admitted(limits).await {
            let started = due.start();
            let number = admitted.number();
            let mut wire = Guarded::new(wire, admitted);
            if let Some(failed) = self.run(scenario, arrival, number, &mut wire, started).await {
                limits.flow_ended(failed);
            }
        }
        if limits.stopped().is_some() {
            self.recorder.close();
        }
    }

    /// Permission of the live limits to begin a flow; `None` once the run is over. A flow that still
    /// waits for it then does not begin: a live run starts no verification after its duration.
    async fn admitted(&self, limits: &Arc<Limits>) -> Option<Admitted> {
        let admitted = tokio::select! {
            biased;
            () = self.recorder.reached(Phase::Draining) => return None,
            admitted = limits.admit() => admitted.ok()?,
        };
        self.recorder
            .is_open(self.context.clock.now())
            .then_some(admitted)
    }

    /// Returns whether the flow failed; `None` when it was cut off.
    async fn run(
        &self,
        scenario: &Scenario,
        arrival: Arrival,
        number: PhoneNumber,
        wire: &mut dyn Wire,
        started: Started<'_>,
    ) -> Option<bool> {
        let steps = Steps::default();
        let flow = Flow::new(&self.context, wire, &steps, scenario.name(), arrival, number);
        let done = tokio::select! {
            // A flow that is through counts, even where the run ends at the same moment.
            biased;
            done = scenario.run(flow) => Some(done),
            () = self.recorder.reached(Phase::Stopped) => None,
        };
        let waiting = steps.waiting();
        let steps = steps.finish(self.context.clock.now());
        let (end, failed) = match done {
            Some(Ok(())) => (FlowEnd::Succeeded, Some(false)),
            // The live limits let it go no further.
            Some(Err(failure)) if failure.kind() == FailureKind::Aborted => (FlowEnd::Aborted, None),
            Some(Err(failure)) => (FlowEnd::Failed(failure), Some(true)),
            None => {
                started.cut_off(&waiting, steps);
                return None;
            }
        };
        started.finish(end, steps);
        failed
    }
}

impl fmt::Debug for VirtualUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualUsers")
            .field("workload", &self.workload)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
