use std::fmt;

use super::RunFile;
use crate::model::{BadHistogram, Shards};

impl RunFile {
    /// Adds the shards of one run up, without loss: counters and histograms are what one machine
    /// would have counted that did everything. There is no verdict in it yet.
    ///
    /// Shards may be missing; the file says which, and a verdict on it is `invalid`. How busy the
    /// generator was is that of the busiest machine.
    ///
    /// # Errors
    ///
    /// When a file belongs to another run, or is there twice.
    pub fn merge(files: Vec<Self>) -> Result<Self, MergeError> {
        let mut files = files.into_iter();
        let mut whole = files.next().ok_or(MergeError {
            at: 0,
            why: Misfit::Nothing,
        })?;
        whole.verdict = None;
        for (index, file) in files.enumerate() {
            let misfit = |why| MergeError { at: index + 1, why };
            whole.add(&file).map_err(misfit)?;
        }
        whole.shards.present.sort_unstable();
        Ok(whole)
    }

    fn add(&mut self, other: &Self) -> Result<(), Misfit> {
        if other.run != self.run || other.shards.of != self.shards.of {
            return Err(Misfit::Foreign {
                run: other.run.to_string(),
                other: self.run.to_string(),
            });
        }
        add_shards(&mut self.shards, &other.shards)?;
        // All had the same time to begin at, so the one that missed it by less began first.
        if other.late_seconds < self.late_seconds {
            self.started_at.clone_from(&other.started_at);
        }
        self.late_seconds = larger(self.late_seconds, other.late_seconds);
        self.seconds = self.seconds.max(other.seconds);
        self.counters.merge(&other.counters);
        self.warm_up.merge(&other.warm_up);
        self.flows.merge(&other.flows);
        for second in &other.series {
            match self.series.iter_mut().find(|one| one.at == second.at) {
                Some(one) => one.merge(second).map_err(|BadHistogram| Misfit::Histogram)?,
                None => self.series.push(second.clone()),
            }
        }
        self.series.sort_by_key(|second| second.at);
        let generator = &mut self.generator;
        generator.cores += other.generator.cores;
        generator.workers += other.generator.workers;
        generator.in_flight_max += other.generator.in_flight_max;
        generator.cpu = larger(generator.cpu, other.generator.cpu);
        // What went wrong matters more than a limit that was reached.
        if self.stopped.as_ref().is_none_or(|stopped| stopped.planned) {
            self.stopped = other.stopped.clone().or_else(|| self.stopped.take());
        }
        self.spending = match (self.spending.take(), &other.spending) {
            (Some(one), Some(other)) => Some(one.plus(other).ok_or(Misfit::Spending)?),
            (one, other) => one.or_else(|| other.clone()),
        };
        Ok(())
    }
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

fn add_shards(all: &mut Shards, more: &Shards) -> Result<(), Misfit> {
    for shard in &more.present {
        if all.present.contains(shard) {
            return Err(Misfit::Twice { shard: *shard });
        }
        all.present.push(*shard);
    }
    Ok(())
}

/// Files that are no shards of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergeError {
    /// Which of the files does not fit to those before it.
    pub at: usize,
    /// Why.
    pub why: Misfit,
}

/// Why a file does not fit to others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misfit {
    /// There is no file.
    Nothing,
    /// It belongs to another run.
    Foreign {
        /// The run it belongs to.
        run: String,
        /// The run of the others.
        other: String,
    },
    /// This shard is there already.
    Twice {
        /// Its number.
        shard: usize,
    },
    /// A histogram of a second cannot be read.
    Histogram,
    /// What was spent cannot be added up.
    Spending,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no file to merge"),
            Self::Foreign { run, other } => {
                write!(f, "it is of run {run}, those before it are of run {other}")
            }
            Self::Twice { shard } => write!(f, "shard {shard} is there already"),
            Self::Histogram => f.write_str("a second in it has no histogram that can be read"),
            Self::Spending => f.write_str("what it spent cannot be added up with the others"),
        }
    }
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "merge file {}: {}", self.at + 1, self.why)
    }
}

impl std::error::Error for MergeError {}

#[cfg(test)]
mod tests;
