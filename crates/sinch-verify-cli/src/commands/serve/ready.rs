//! The file that tells scripts where the emulator is.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sinch_verify_protocol::ApplicationKey;

/// A file with URL, key and process, and the secret if it was made up. It is there while the emulator
/// takes requests, and goes with this.
pub(super) struct ReadyFile {
    path: PathBuf,
    /// What this run wrote: by now it may be another's.
    text: String,
}

impl ReadyFile {
    /// Writes it, whole or not at all: a script that waits for the file must not read half of it.
    pub(super) fn write(
        path: PathBuf,
        url: &str,
        key: &ApplicationKey,
        made_up_secret: Option<&str>,
    ) -> anyhow::Result<Self> {
        let process = std::process::id();
        let mut ready = serde_json::json!({ "url": url, "applicationKey": key.as_str(), "pid": process });
        if let Some(secret) = made_up_secret {
            ready["applicationSecret"] = secret.into();
        }
        let text = format!("{ready}\n");
        // Beside the file, so that it can be moved there; its name is nobody else's.
        let mut part = path.clone().into_os_string();
        part.push(format!(".{process}.part"));
        let part = PathBuf::from(part);
        create(&part, &text)
            .and_then(|()| std::fs::rename(&part, &path))
            .inspect_err(|_| _ = std::fs::remove_file(&part))
            .with_context(|| format!("failed to write {}", path.display()))?;
        Ok(Self { path, text })
    }
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
fn create(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
