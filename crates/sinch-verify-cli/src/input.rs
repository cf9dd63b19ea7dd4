//! Reading what a command is given.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

/// Reads a file, or standard input for `-`.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("failed to read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))
}
