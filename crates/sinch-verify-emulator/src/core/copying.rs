//! Copies the state of an emulator while it runs, and replaces it.

use std::io;
use std::sync::Arc;

use parking_lot::MutexGuard;

use super::{Core, Job};
use crate::control_error::ControlError;
use crate::engine::{Engine, Part, ReaderId};
use crate::snapshot::{Image, Lines, Snapshot, State};

/// Where a copy is written.
pub(crate) trait Sink {
    /// Begins a new copy. What was written before does not count any more.
    fn begin(&mut self) -> io::Result<()>;

    /// Writes the next bytes of the copy.
    fn write(&mut self, text: &[u8]) -> io::Result<()>;
}

impl Sink for Vec<u8> {
    fn begin(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.extend_from_slice(text);
        Ok(())
    }
}

/// A copy of the state that is kept up to date.
pub(crate) struct Copying {
    core: Arc<Core>,
    reader: ReaderId,
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.core.lock().unsubscribe(self.reader);
    }
}

impl Copying {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let reader = core.lock().subscribe();
        Self { core, reader }
    }

    /// Whether something changed since the last update.
    pub(crate) fn has_changes(&self) -> bool {
        self.core.lock().has_changes(self.reader)
    }

    /// Makes the next update begin a new copy.
    pub(crate) fn start_over(&self) {
        self.core.lock().restart_reader(self.reader);
    }

    /// Writes everything that changed since the last update; the first time everything. The engine is
    /// locked for a part at a time, so that requests are answered in between.
    ///
    /// # Errors
    ///
    /// The error of `sink`. The next update then begins a new copy.
    pub(crate) fn update(&self, sink: &mut impl Sink) -> io::Result<()> {
        let updated = self.write_parts(sink);
        if updated.is_err() {
            self.start_over();
        }
        updated
    }

    fn write_parts(&self, sink: &mut impl Sink) -> io::Result<()> {
        let mut lines = Lines::default();
        loop {
            let mut part = Vec::new();
            match self.write_part(&mut part)? {
                (Part::StartOver, _) => {
                    sink.begin()?;
                    lines = Lines::default();
                    sink.write(lines.head())?;
                }
                (_, state) => {
                    sink.write(lines.add(&part))?;
                    if let Some(state) = state {
                        return sink.write(&lines.end(&state)?);
                    }
                }
            }
        }
    }

    /// Writes the next part, and after the last one returns the rest of the state at the same instant.
    fn write_part(&self, out: &mut Vec<u8>) -> io::Result<(Part, Option<State>)> {
        let mut engine = self.core.lock();
        let part = engine.write_part(self.reader, out)?;
        let state = (part == Part::Last).then(|| State {
            engine: engine.saved(),
            clock: self.core.clock.saved(),
            saved_at: self.core.clock.wire(),
            applications: self
                .core
                .registry
                .all()
                .iter()
                .map(|own| own.application())
                .collect(),
        });
        // The next part follows at once, so a request that waits for the lock gets it first.
        MutexGuard::unlock_fair(engine);
        Ok((part, state))
    }
}

/// What running service time does between saving and restoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Downtime {
    /// It stands still: the restored situation is the saved one.
    Skipped,
    /// It runs: what was due meanwhile is due at once.
    Counted,
}

impl Core {
    /// Takes a snapshot.
    pub(crate) fn snapshot(self: &Arc<Self>) -> Snapshot {
        let mut text = Vec::new();
        let copying = Copying::new(Arc::clone(self));
        #[expect(
            clippy::expect_used,
            reason = "writing to memory does not fail, nor does encoding of these types"
        )]
        copying.update(&mut text).expect("the state can be written");
        Snapshot::from_bytes(text)
    }

    /// Replaces verifications, messages, handset behaviors and service time by those of an image. Adds its
    /// applications, and sets their callbacks. Forgets undelivered events, deliveries and requests.
    ///
    /// # Errors
    ///
    /// [`ControlError::RemoteCallback`]; nothing is changed then.
    pub(crate) fn restore(&self, image: Image, downtime: Downtime) -> Result<(), ControlError> {
        let Image { verifications, state } = image;
        let applications = self.registry.restore(state.applications)?;
        let settings = Arc::clone(&self.settings);
        let restored = Engine::restored(settings, state.engine, verifications, &applications);
        let mut engine = self.lock();
        let old = engine.replace_by(restored);
        self.clock.restore(match downtime {
            Downtime::Skipped => state.clock.resumed(state.saved_at, self.clock.wire()),
            Downtime::Counted => state.clock,
        });
        // Under the lock, so that no event of a new verification is forgotten.
        self.post(Job::Forget);
        drop(engine);
        // A large engine takes long to drop.
        drop(old);
        self.forget_traffic();
        self.deadline_change.notify_one();
        self.arrived.notify_waiters();
        Ok(())
    }
}
