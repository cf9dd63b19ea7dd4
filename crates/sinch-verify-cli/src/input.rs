//! Reading what a command is given.

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};

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

/// Reads a JSON file; what is wrong is said with its place.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, String> {
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let document = json_document(file, &text)?;
    let mut json = serde_json::Deserializer::from_slice(document);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| explained(&error, "", &[]))?;
    json.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// What is wrong below `place`, and for a name that there is not, the nearest that there is: of those
/// that Serde knows, and of `also`, which were taken out of the outermost object before.
pub(crate) fn explained(
    error: &serde_path_to_error::Error<serde_json::Error>,
    place: &str,
    also: &[&str],
) -> String {
    let path = match error.path().to_string().as_str() {
        // A document that breaks off has an unknown last step.
        "." | "?" => place.to_owned(),
        path if path.starts_with('[') || place.is_empty() => format!("{place}{path}"),
        path => format!("{place}.{path}"),
    };
    let mut why = error.inner().to_string();
    // Serde's words: unknown field `a`, expected one of `b`, `c`
    if let Some((unknown, known)) = why.split_once("`, expected ") {
        let wrong = unknown.split_once('`').map_or("", |(_, wrong)| wrong).to_owned();
        let is_outermost = error.path().iter().len() <= 1 && unknown.starts_with("unknown field");
        let also = if is_outermost { also } else { &[] };
        let known = known.split('`').skip(1).step_by(2).chain(also.iter().copied());
        if let Some(nearest) = known.min_by_key(|known| strsim::levenshtein(&wrong, known)) {
            why = format!("{unknown}`; the nearest is `{nearest}`");
        }
    }
    // Serde quotes what it found, and this is not to be read in a log.
    let is_secret = |key: &serde_path_to_error::Segment| {
        matches!(key, serde_path_to_error::Segment::Map { key } if key.to_ascii_lowercase().ends_with("secret")
            || key.to_ascii_lowercase().ends_with("secrets"))
    };
    if error.path().iter().any(is_secret)
        && let Some((_, expected)) = why.rsplit_once(", expected ")
    {
        why = format!("expected {expected}");
    }
    if path.is_empty() {
        why
    } else {
        format!("{path}: {why}")
    }
}

/// Reads a TOML document. No message holds a value of a secret.
pub(crate) fn toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let whole: toml::Table = toml::from_str(text).map_err(|error| {
        // Only the place: the message of the library quotes the line.
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        format!("line {}: it is not TOML", before.matches('\n').count() + 1)
    })?;
    let whole = serde_json::to_value(whole).map_err(|error| error.to_string())?;
    serde_path_to_error::deserialize(whole).map_err(|error| explained(&error, "", &[]))
}

/// Reads a text that is parsed into what it means.
pub(crate) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// As [`parsed`], for what may be left out.
pub(crate) fn maybe_parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}
