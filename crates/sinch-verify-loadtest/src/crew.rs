//! Those who carry flows out, whatever sends their requests.

mod begun;
mod conductor;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::arrivals::Queue;
use crate::board::{Board, Phase};
use crate::failure::{Failure, FailureKind};
use crate::flows::{Cast, Flow, Job, Steps};
use crate::live::{Admitted, Guarded, Limits};
use crate::measure::FlowEnd;
use crate::numbers::Numbers;
use crate::phone::Phone;
use crate::runfile::Shard;
use crate::scenario::{Mix, Scenario};
use crate::wire::Wire;

pub use conductor::{Conductor, Ready};

use begun::{Begun, Waiting};

/// The users of a run: what they do, for whom, and where it is counted.
#[derive(Debug)]
pub struct Crew<P> {
    /// What the flows share.
    pub cast: Cast<P>,
    /// Which flows they are.
    pub work: Work,
    /// Where they count.
    pub board: Arc<Board>,
    /// The limits of a live run; `None` against a mock.
    pub limits: Option<Arc<Limits>>,
}

/// Which flows are carried out.
#[derive(Debug)]
pub struct Work {
    /// What is run.
    pub scenario: Scenario,
    /// How it is mixed.
    pub mix: Mix,
    /// What fixes the mix.
    pub seed: u64,
    /// Whom the flows verify.
    pub numbers: Numbers,
    /// When there is something to do.
    pub source: Source,
}

/// When there is something to do.
#[derive(Debug)]
pub enum Source {
    /// When a schedule says so.
    Queue(Arc<Queue>),
    /// Always.
    Always(Turns),
}

/// The slots of a closed model, which are numbered as they are taken.
#[derive(Debug)]
pub struct Turns {
    next: AtomicU64,
    step: u64,
}

impl From<Shard> for Turns {
    /// Shards take turns, so that no two have the same slot.
    fn from(shard: Shard) -> Self {
        Self {
            next: AtomicU64::new(shard.index() as u64),
            step: shard.of() as u64,
        }
    }
}

/// A slot that is to be carried out now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    slot: u64,
    due: Option<Instant>,
}

/// Between two looks of an early user whether the run began.
const EARLY: Duration = Duration::from_millis(2);

impl<P: Phone> Crew<P> {
    /// Waits for something to do; `None` once the run is over.
    pub async fn next(&self) -> Option<Turn> {
        match &self.work.source {
            Source::Queue(queue) => {
                let arrival = queue.next().await?;
                Some(Turn {
                    slot: arrival.slot,
                    due: Some(arrival.due),
                })
            }
            Source::Always(turns) => {
                // Users who are there early wait for the others.
                while self.board.phase() == Phase::Running && !self.has_begun() {
                    tokio::time::sleep(EARLY).await;
                }
                (self.board.phase() == Phase::Running).then(|| Turn {
                    slot: turns.next.fetch_add(turns.step, Ordering::Relaxed),
                    due: None,
                })
            }
        }
    }

    fn has_begun(&self) -> bool {
        let now = self.cast.clock.now();
        self.board.origin().is_some_and(|origin| origin <= now)
    }

    /// Carries one flow out, to its end or to the end of the run, and counts it.
    pub async fn carry_out<W: Wire>(&self, turn: Turn, wire: &mut W) {
        let flow = self.work.scenario.flow(&self.work.mix, self.work.seed, turn.slot);
        let waiting = Waiting::new(&self.board, &*self.cast.clock, flow, turn.due);
        let Some(limits) = &self.limits else {
            let begun = waiting.begin();
            match self.work.numbers.of(turn.slot) {
                Some(number) => {
                    self.run(flow, turn, number, wire, begun).await;
                }
                None => {
                    let failure = Failure::new(FailureKind::Request, "there is no number to verify");
                    begun.over(FlowEnd::Failed(failure), Vec::new());
                }
            }
            return;
        };
        if let Some(admitted) = self.admitted(limits).await {
            let begun = waiting.begin();
            let number = admitted.number();
            let wire = Guarded::new(wire, admitted);
            if let Some(failed) = self.run(flow, turn, number, wire, begun).await {
                limits.flow_ended(failed);
            }
        }
        if limits.stopped().is_some() {
            self.board.close();
        }
    }

    /// The permission of a live run to begin a flow; `None` once the run is over. A flow that still waits
    /// then does not begin: a live run starts no verification after its duration.
    async fn admitted(&self, limits: &Arc<Limits>) -> Option<Admitted> {
        let admitted = tokio::select! {
            biased;
            () = self.board.reached(Phase::Draining) => return None,
            admitted = limits.admit() => admitted.ok()?,
        };
        self.board.is_open(self.cast.clock.now()).then_some(admitted)
    }

    /// Says whether the flow failed; `None` when it was cut off.
    async fn run<W: Wire>(
        &self,
        flow: Flow,
        turn: Turn,
        number: sinch_verify_protocol::PhoneNumber,
        mut wire: W,
        begun: Begun<'_>,
    ) -> Option<bool> {
        let job = Job {
            slot: turn.slot,
            number,
        };
        let mut steps = Steps::new(&mut wire, &self.cast, flow, job);
        let done = tokio::select! {
            // A flow that is through counts, even where the run ends at the same moment.
            biased;
            done = flow.run(&mut steps) => Some(done),
            () = self.board.reached(Phase::Stopped) => None,
        };
        let (end, failed) = match done {
            Some(Ok(())) => (FlowEnd::Succeeded, Some(false)),
            // A limit refused its start.
            Some(Err(failure)) if failure.kind() == FailureKind::Aborted => (FlowEnd::Aborted, None),
            Some(Err(failure)) => (FlowEnd::Failed(failure), Some(true)),
            None => {
                let waiting = steps.waiting();
                begun.without_end(&waiting, steps.finish());
                return None;
            }
        };
        begun.over(end, steps.finish());
        failed
    }

    /// Carries out one flow after the other until the run is over.
    pub async fn work<W: Wire>(&self, mut wire: W) {
        while let Some(turn) = self.next().await {
            self.carry_out(turn, &mut wire).await;
        }
    }
}
