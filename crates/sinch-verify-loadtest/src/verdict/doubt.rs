//! Whether the load tester was the bottleneck.

use std::fmt;
use std::time::Duration;

use super::samples::TooFew;
use crate::model::{LATE, Load, StepName};
use crate::runfile::RunFile;

/// At most this part of the scheduled flows may be dropped.
const DROPPED: f64 = 0.001;
/// At most this part of the time end to end may be the load tester's own delay. A delay of up to [`LATE`]
/// is never held against it: no machine starts a flow at the very moment it is due, and beside a target
/// that answers in less than a millisecond any delay is a large part.
const LAG: f64 = 0.10;
/// The threads of the load tester may be at most this busy.
const CPU: f64 = 0.85;

/// Why the figures of a run do not describe its target.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) enum Doubt {
    /// Flows were not started because every user was busy.
    Dropped {
        /// Their part of the scheduled flows.
        part: f64,
    },
    /// Flows were started too late.
    Lag(Lag),
    /// The load tester's threads had no time left.
    Cpu {
        /// How busy they were, from 0 to 1.
        busy: f64,
    },
    /// The load tester was not ready when the run, or a shard of it, was to begin, and began later.
    Beginning {
        /// How much later.
        by: Duration,
    },
    /// Shards of the run are missing.
    Missing {
        /// Their numbers.
        shards: Vec<usize>,
    },
}

impl RunFile {
    /// Why the figures do not describe the target; empty where they do.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        Doubt::about(self).iter().map(ToString::to_string).collect()
    }
}

impl Doubt {
    /// All doubts about `run`.
    #[must_use]
    pub(crate) fn about(run: &RunFile) -> Vec<Self> {
        let mut doubts = Vec::new();
        let missing = run.shards.missing();
        if !missing.is_empty() {
            doubts.push(Self::Missing { shards: missing });
        }
        if let Some(late) = run.late_seconds {
            let by = Duration::try_from_secs_f64(late).unwrap_or_default();
            doubts.push(Self::Beginning { by });
        }
        let counters = &run.counters;
        let part = counters.dropped as f64 / (counters.scheduled.max(1)) as f64;
        if part > DROPPED {
            doubts.push(Self::Dropped { part });
        }
        if let Some(Ok(lag)) = Lag::of(run)
            && lag.delay > LATE
            && lag.part > LAG
        {
            doubts.push(Self::Lag(lag));
        }
        if let Some(busy) = run.generator.cpu
            && busy > CPU
        {
            doubts.push(Self::Cpu { busy });
        }
        doubts
    }
}

/// The load tester's own delay: from when flows were due until they were started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lag {
    /// The percentile that is compared: p99, or the highest below it that has enough samples.
    pub(crate) percent: f64,
    /// The delay at this percentile.
    pub(crate) delay: Duration,
    /// The part that this is of the time end to end at the same percentile.
    pub(crate) part: f64,
}

impl Lag {
    /// The delay in `run`; `None` in a closed model, where no flow is due before its user is free, and where
    /// no flow ended.
    ///
    /// The time end to end is that of the flows that succeeded or of those that failed, whichever are more.
    pub(crate) fn of(run: &RunFile) -> Option<Result<Self, TooFew>> {
        let Load::Open { .. } = run.setup.load else {
            return None;
        };
        let total = run.flows.total();
        let ends = [StepName::FAILED_END_TO_END, StepName::END_TO_END];
        let times = ends.into_iter().filter_map(|step| total.time(step));
        let end_to_end = times.max_by_key(|times| times.count())?;
        let lag = total.time(StepName::LAG)?;
        let mut too_few = None;
        for percent in [99.0, 95.0, 90.0, 50.0] {
            match TooFew::check(end_to_end.count(), percent) {
                Err(error) => too_few = Some(error),
                Ok(()) => {
                    let delay = lag.percentile(percent);
                    let whole = end_to_end.percentile(percent).max(Duration::from_micros(1));
                    let part = delay.as_secs_f64() / whole.as_secs_f64();
                    return Some(Ok(Self { percent, delay, part }));
                }
            }
        }
        too_few.map(Err)
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} ms at p{}, {:.0} % of the time end to end",
            self.delay.as_secs_f64() * 1e3,
            self.percent,
            self.part * 100.0
        )
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: f64| part * 100.0;
        match self {
            Self::Dropped { part } => write!(
                f,
                "the load tester dropped {:.2} % of the flows, more than {:.1} %: raise --users",
                percent(*part),
                percent(DROPPED)
            ),
            Self::Lag(lag) => write!(
                f,
                "the load tester's own delay was {lag}: more than {} ms and {:.0} %",
                LATE.as_millis(),
                percent(LAG)
            ),
            Self::Cpu { busy } => write!(
                f,
                "the load tester's threads were {:.0} % busy, more than {:.0} %: use more processors or shards",
                percent(*busy),
                percent(CPU)
            ),
            Self::Beginning { by } => write!(
                f,
                "the load tester was ready {:.2} s after --start-at: give it a later one",
                by.as_secs_f64()
            ),
            Self::Missing { shards } => {
                let (s, verb) = if shards.len() == 1 {
                    ("", "is")
                } else {
                    ("s", "are")
                };
                let shards: Vec<_> = shards.iter().map(ToString::to_string).collect();
                write!(f, "shard{s} {} {verb} missing", shards.join(", "))
            }
        }
    }
}
