//! The file that keeps the state of an emulator over a restart.
//!
//! Each save appends a batch of what changed, so that it costs as much as the changes, not as the state. A
//! process that is killed leaves at most one incomplete batch at the end, which is dropped. When changes
//! make up most of the file, it is replaced by a new one with the whole state. Decision 10 has the
//! measurements.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::core::{Copying, Core, Sink};
use crate::snapshot::{self, Image, SnapshotError};

/// The time between two saves, on the wall clock. This much can be lost.
const INTERVAL: Duration = Duration::from_secs(1);

/// The bytes of changes that are kept in any case before the file is replaced.
const LEAST_CHANGES: u64 = 16 << 20;

/// Reads the state in a file; `None` if there is no file yet.
pub(crate) fn read(path: &Path) -> Result<Option<Image>, SnapshotError> {
    let text = match std::fs::read(path) {
        Ok(text) if text.is_empty() => return Ok(None),
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SnapshotError::File(error)),
    };
    let (image, rest) = snapshot::read(&text)?;
    if rest > 0 {
        tracing::warn!(
            bytes = rest,
            "the last save to the state file was interrupted and is dropped"
        );
    }
    Ok(Some(image))
}

/// Keeps a state file up to date.
#[derive(Clone)]
pub(crate) struct StateFile(Arc<Mutex<Saver>>);

struct Saver {
    copying: Copying,
    target: Target,
}

/// Where the next batch is written.
struct Target {
    path: PathBuf,
    /// The file at `path`, or one that will replace it.
    file: Option<Current>,
    /// The bytes of the whole state in the file, and of all changes after it.
    whole: u64,
    changes: u64,
}

enum Current {
    Kept(File),
    New(NamedTempFile),
}

impl StateFile {
    /// A file with the present state. Replaces the file at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn create(path: PathBuf, core: &Arc<Core>) -> io::Result<Self> {
        let mut saver = Saver {
            copying: Copying::new(Arc::clone(core)),
            target: Target {
                path,
                file: None,
                whole: 0,
                changes: 0,
            },
        };
        saver.save()?;
        Ok(Self(Arc::new(Mutex::new(saver))))
    }

    /// Saves at intervals.
    pub(crate) async fn run(self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.save().await;
        }
    }

    /// Saves what changed since the last save.
    pub(crate) async fn save(&self) {
        let saver = Arc::clone(&self.0);
        let saving = tokio::task::spawn_blocking(move || {
            let mut saver = saver.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = saver.save() {
                tracing::error!(%error, path = %saver.target.path.display(), "the state file was not written; the next save tries again");
            }
        });
        // The runtime stops: there is nothing to wait for.
        let _ = saving.await;
    }
}

impl Saver {
    fn save(&mut self) -> io::Result<()> {
        if !self.copying.has_changes() {
            return Ok(());
        }
        if self.target.changes > self.target.whole.max(LEAST_CHANGES) {
            self.copying.start_over();
        }
        let saved = self
            .copying
            .update(&mut self.target)
            .and_then(|()| self.target.finish());
        if saved.is_err() {
            // A batch that was written in part must not be followed by another one.
            self.target.file = None;
            self.copying.start_over();
        }
        saved
    }
}

impl Sink for Target {
    fn begin(&mut self) -> io::Result<()> {
        // Such a file is readable for its owner only.
        let file = NamedTempFile::with_prefix_in(".sinch-verify-state-", self.folder())?;
        self.file = Some(Current::New(file));
        (self.whole, self.changes) = (0, 0);
        Ok(())
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let bytes = text.len() as u64;
        match &mut self.file {
            Some(Current::New(file)) => {
                self.whole += bytes;
                file.write_all(text)
            }
            Some(Current::Kept(file)) => {
                self.changes += bytes;
                file.write_all(text)
            }
            None => Err(io::Error::other("no file is open")),
        }
    }
}

impl Target {
    /// Makes sure that the batch stays, even if the machine stops.
    fn finish(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(Current::New(file)) => {
                file.as_file().sync_all()?;
                let file = file.persist(&self.path)?;
                self.file = Some(Current::Kept(file));
                // The folder has the name of the new file.
                #[cfg(unix)]
                File::open(self.folder())?.sync_all()?;
            }
            Some(Current::Kept(file)) => {
                file.sync_data()?;
                self.file = Some(Current::Kept(file));
            }
            None => {}
        }
        Ok(())
    }

    fn folder(&self) -> &Path {
        let folder = self.path.parent();
        folder
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."))
    }
}
