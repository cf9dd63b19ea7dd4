//! The file that tells scripts where the emulator is.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sinch_verify_protocol::ApplicationKey;

use crate::exit::usage;

/// Where the file will be written beside, until the emulator is ready; it goes with this, too.
pub(super) struct Pending {
    path: PathBuf,
    /// Beside the file, so that it can be moved there; its name is nobody else's.
    part: PathBuf,
    file: File,
}

impl Pending {
    /// Makes sure that the file can be written.
    pub(super) fn open(path: PathBuf) -> anyhow::Result<Self> {
        let mut part = path.clone().into_os_string();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        match create(&part) {
            Ok(file) => Ok(Self { path, part, file }),
            Err(error) => Err(usage(format!(
                "--ready-file: failed to write {}: {error}",
                path.display()
            ))),
        }
    }

    /// Writes it, whole or not at all: a script that waits for the file must not read half of it.
    pub(super) fn write(
        mut self,
        url: &str,
        key: &ApplicationKey,
        made_up_secret: Option<&str>,
    ) -> anyhow::Result<ReadyFile> {
        let process = std::process::id();
        let mut ready = serde_json::json!({ "url": url, "applicationKey": key.as_str(), "pid": process });
        if let Some(secret) = made_up_secret {
            ready["applicationSecret"] = secret.into();
        }
        let text = format!("{ready}\n");
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| std::fs::rename(&self.part, &self.path))
            .with_context(|| format!("failed to write {}", self.path.display()))?;
        let path = self.path.clone();
        Ok(ReadyFile { path, text })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Not there if it was moved, which is as it should be.
        let _ = std::fs::remove_file(&self.part);
    }
}

/// A file with URL, key and process, and the secret if it was made up. It is there while the emulator
/// takes requests, and goes with this.
pub(super) struct ReadyFile {
    path: PathBuf,
    /// What this run wrote: by now it may be another's.
    text: String,
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let is_own = std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text);
        if is_own {
            // There is nobody to tell, and nothing else to do about it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A new file that nobody else can read: it may hold a secret.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
