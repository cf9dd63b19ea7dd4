//! Reading what a command is given.

use std::io::Read as _;
use std::path::Path;

use sinch_verify_protocol::wire::{is_utf16, without_byte_order_mark};

use crate::exit::usage;
use crate::print::note;

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

/// The JSON document in the content of `file`, without a byte order mark, which is named.
pub(crate) fn json_document<'a>(file: &Path, content: &'a [u8]) -> Result<&'a [u8], String> {
    if is_utf16(content) {
        return Err("it is UTF-16; save it as UTF-8".to_owned());
    }
    let document = without_byte_order_mark(content);
    if document.len() < content.len() {
        note!("{}: byte order mark, skipped", file.display());
    }
    Ok(document)
}
