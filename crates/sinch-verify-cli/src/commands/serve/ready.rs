//! The file that tells scripts where the emulator is.

use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::ApplicationKey;
use tempfile::NamedTempFile;

use crate::exit::usage;

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    application_key: String,
    /// Unless it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    application_secret: Option<String>,
    pid: u32,
    url: String,
}

/// A ready file to be: it is written beside its path, where nothing is yet.
pub(super) struct Pending {
    path: PathBuf,
    file: NamedTempFile,
}

impl Pending {
    /// Makes sure that nothing is at `path`, and that a file can be made there.
    pub(super) fn open(path: PathBuf) -> anyhow::Result<Self> {
        let refused = |why: String| usage(format!("--ready-file: {} {why}", path.display()));
        remove_left_behind(&path).map_err(refused)?;
        let file = create_beside(&path).map_err(|error| refused(format!("cannot be written: {error}")))?;
        Ok(Self { path, file })
    }

    /// Writes it, whole or not at all: a script that waits for the file must not read half of it.
    pub(super) fn write(
        mut self,
        url: &str,
        key: &ApplicationKey,
        shown_secret: Option<&str>,
    ) -> anyhow::Result<ReadyFile> {
        let content = Content {
            application_key: key.as_str().to_owned(),
            application_secret: shown_secret.map(str::to_owned),
            pid: std::process::id(),
            url: url.to_owned(),
        };
        let line = serde_json::to_string(&content)? + "\n";
        let context = || format!("failed to write {}", self.path.display());
        self.file.write_all(line.as_bytes()).with_context(context)?;
        // Fails where something was put meanwhile.
        let persisted = self.file.persist_noclobber(&self.path);
        let file = persisted.map_err(|error| error.error).with_context(context)?;
        let path = self.path;
        Ok(ReadyFile { path, file })
    }
}

/// The file, there while the emulator takes requests, and removed with this.
pub(super) struct ReadyFile {
    path: PathBuf,
    /// Locked as long as this process lives.
    file: File,
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path) {
            // The process ends: there is nothing else to do about a failure.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the ready file of a process that was killed; says why anything else stays.
fn remove_left_behind(path: &Path) -> Result<(), String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
        Ok(there) if !there.is_file() => {
            return Err("exists and is not a regular file; give a path where nothing is".to_owned());
        }
        Ok(_) => {}
    }
    let mut options = File::options();
    // Network file systems lock only what may be written.
    let file = options.read(true).write(true).open(path).map_err(unreadable)?;
    let content: Content = serde_json::from_reader(BufReader::new(&file))
        .map_err(|_| "exists and is no ready file; remove it, or give a path where nothing is".to_owned())?;
    if !lock(&file).map_err(|error| format!("cannot be locked: {error}"))? || !is_at(&file, path) {
        return Err(format!(
            "belongs to process {}, which runs; end it, or give another path",
            content.pid
        ));
    }
    fs::remove_file(path).map_err(|error| format!("cannot be removed: {error}"))
}

/// A new file that only its owner can read, since it may hold a secret.
fn create_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = tempfile::Builder::new()
        .prefix(".sinch-verify-")
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))?;
    lock(file.as_file())?;
    Ok(file)
}

/// Locks a ready file for as long as it is open; says `false` where another process has it locked.
///
/// The system ends the lock with the process. The process id in the file proves nothing: another
/// process may have it by now, and in containers all have the same.
#[cfg(unix)]
fn lock(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Elsewhere a lock keeps scripts from reading the file: there is none, and every ready file that
/// exists counts as locked.
#[cfg(not(unix))]
fn lock(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// Whether `path` is this very file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(own), Ok(there)) = (file.metadata(), path.symlink_metadata()) else {
        return false;
    };
    (own.dev(), own.ino()) == (there.dev(), there.ino())
}

/// Elsewhere no other process replaces a ready file.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
