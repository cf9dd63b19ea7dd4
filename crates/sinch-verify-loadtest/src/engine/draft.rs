use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::beginning::missed;
use super::options::Options;
use crate::live::Stop;
use crate::model::{RunId, Setup, Shards};
use crate::recorder::Recorder;
use crate::runfile::{Generator, RunFile, Schema, Stopped};

/// A run as it can be written down at any time: what a run file needs beside what was counted.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) recorder: Arc<Recorder>,
    pub(super) run: RunId,
    pub(super) setup: Setup,
    pub(super) options: Options,
    pub(super) workers: usize,
}

impl Draft {
    /// The run as it stands now; `None` when it has not begun.
    #[must_use]
    pub(crate) fn now(&self) -> Option<RunFile> {
        let ago = SignedDuration::try_from(self.recorder.origin()?.elapsed()).ok()?;
        Some(self.file(Timestamp::now().saturating_sub(ago).ok()?))
    }

    /// The run, begun at this time by the wall clock. There is no verdict in it.
    pub(super) fn file(&self, begun: Timestamp) -> RunFile {
        let options = &self.options;
        let limits = options.against.limits();
        let counted = self.recorder.counted();
        let mut generator = Generator::here(self.workers);
        generator.in_flight_max = counted.in_flight_max;
        generator.cpu = Generator::busy(&self.setup, &counted.series);
        // The schedule is over before its time only when the user ended it.
        let interrupted = self.recorder.is_interrupted() || counted.elapsed < options.duration;
        RunFile {
            schema: Schema,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: self.run.clone(),
            setup: self.setup.clone(),
            started_at: begun.to_string(),
            late_seconds: missed(options, begun).map(|by| by.as_secs_f64()),
            seconds: counted.elapsed.as_secs_f64(),
            shards: Shards::from(options.shard),
            generator,
            counters: counted.counters,
            warm_up: counted.warm_up,
            flows: counted.flows,
            series: counted.series,
            stopped: limits
                .and_then(|limits| limits.stopped())
                // A limit that was reached does not hide that the user ended the run.
                .filter(|stop| !(stop.is_planned() && self.recorder.is_interrupted()))
                .or_else(|| interrupted.then_some(Stop::Interrupted))
                .as_ref()
                .map(Stopped::from),
            spending: limits.map(|limits| limits.spending()),
            verdict: None,
        }
    }
}
