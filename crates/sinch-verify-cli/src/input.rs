//! Reading what a command is given.

use std::io::Read as _;
use std::path::Path;

use crate::exit::usage;

/// Reads a file, or standard input for `-`. What cannot be read is wrong usage.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map_err(|error| usage(format!("failed to read standard input: {error}")))?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|error| usage(format!("failed to read {}: {error}", file.display())))
}
