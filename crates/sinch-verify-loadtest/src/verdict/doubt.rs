//! Whether the generator was the bottleneck.

use std::fmt;
use std::time::Duration;

use crate::model::{LATE, Load, StepName};
use crate::runfile::RunFile;

/// More than this part of the flows that fell due must not be dropped.
const DROPPED: f64 = 0.001;
/// More than this part of the time end to end, both at the 99th percentile, must not be the
/// generator's own delay, once that is one that counts as late: no machine starts a flow at the very
/// moment it is due, and beside a target that answers at once any delay would be a large part.
const LAG: f64 = 0.10;
/// The generator must not be busier than this.
const CPU: f64 = 0.85;

/// Why the figures of a run say nothing about its target.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// Flows were not started because every user was busy.
    Dropped {
        /// Which part of those that fell due.
        part: f64,
    },
    /// Flows were started too late.
    Lag {
        /// How late, at the 99th percentile.
        by: Duration,
        /// Which part of the time end to end that is, at the 99th percentile.
        part: f64,
    },
    /// The generator's threads had no time left.
    Cpu {
        /// How busy they were.
        busy: f64,
    },
    /// The load tester was not ready when the run, or a shard of it, was to begin, and began later.
    Beginning {
        /// How much later.
        by: Duration,
    },
    /// Shards of the run are missing.
    Missing {
        /// Which.
        shards: Vec<usize>,
    },
}

impl Doubt {
    /// All that is to be doubted about `run`.
    #[must_use]
    pub fn about(run: &RunFile) -> Vec<Self> {
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
        // In a closed model nothing is due before its user gets to it.
        if let Load::Open { .. } = run.setup.load
            && let Some((by, part)) = lag(run)
            && by > LATE
            && part > LAG
        {
            doubts.push(Self::Lag { by, part });
        }
        if let Some(busy) = run.generator.cpu
            && busy > CPU
        {
            doubts.push(Self::Cpu { busy });
        }
        doubts
    }
}

/// The generator's delay, and which part of the time end to end it is, both at the 99th percentile.
/// The time is that of flows that succeeded, or of those that failed where none did.
fn lag(run: &RunFile) -> Option<(Duration, f64)> {
    let total = run.flows.total();
    let p99 = |interval| Some(total.time(interval)?.percentile(99.0));
    let end_to_end = p99(StepName::END_TO_END)
        .or_else(|| p99(StepName::FAILED_END_TO_END))
        .filter(|time| !time.is_zero())?;
    let by = p99(StepName::LAG)?;
    Some((by, by.as_secs_f64() / end_to_end.as_secs_f64()))
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: f64| part * 100.0;
        match self {
            Self::Dropped { part } => write!(
                f,
                "the generator dropped {:.2} % of the flows, more than {:.1} %: give it more users",
                percent(*part),
                percent(DROPPED)
            ),
            Self::Lag { by, part } => write!(
                f,
                "the generator's own delay was {:.0} ms at p99, {:.0} % of the time end to end: more than {} ms and {:.0} %",
                by.as_secs_f64() * 1e3,
                percent(*part),
                LATE.as_millis(),
                percent(LAG)
            ),
            Self::Cpu { busy } => write!(
                f,
                "the generator was {:.0} % busy, more than {:.0} %: spread it over more processors or shards",
                percent(*busy),
                percent(CPU)
            ),
            Self::Beginning { by } => write!(
                f,
                "the load tester was ready {:.2} s after the run was to begin: let it begin later",
                by.as_secs_f64()
            ),
            Self::Missing { shards } => {
                f.write_str(if shards.len() == 1 { "shard" } else { "shards" })?;
                for (index, shard) in shards.iter().enumerate() {
                    write!(f, "{} {shard}", if index == 0 { "" } else { "," })?;
                }
                f.write_str(if shards.len() == 1 {
                    " is missing"
                } else {
                    " are missing"
                })
            }
        }
    }
}
