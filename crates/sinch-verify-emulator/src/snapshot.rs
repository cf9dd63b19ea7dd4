//! Snapshots: the state of an emulator as text, one JSON object a line.
//!
//! The first line names the format and its version. Then come batches: a line for each verification that
//! is new, changed or dropped, a line with everything else, and a line with the CRC-32 of the batch. A snapshot has
//! one batch. A state file grows by one with each save; the latest line of a verification counts.

use std::fmt;
use std::io;
use std::time::SystemTime;

use bytes::Bytes;
use foldhash::{HashMap, HashMapExt as _};
use serde::{Deserialize, Serialize};

use crate::application::{self, Application};
use crate::clock::{Service, instant};
use crate::control_error::ControlError;
use crate::engine::{SavedEngine, SavedVerification, Uid};

const HEAD: &[u8] = b"{\"format\":\"sinch-verify-emulator\",\"version\":1}\n";
const FORMAT: &str = "sinch-verify-emulator";
const VERSION: u64 = 1;

/// The state of an emulator: verifications, messages and calls on phones, applications with their
/// callbacks, handset behaviors, and service time. [`Emulator::snapshot`](crate::Emulator::snapshot) takes
/// one, [`Emulator::restore`](crate::Emulator::restore) returns to it.
///
/// A snapshot contains secrets and codes. Settings, faults, undelivered events, deliveries and recorded
/// requests are no part of it.
#[derive(Clone)]
pub struct Snapshot(Bytes);

impl Snapshot {
    /// A snapshot from the bytes of an earlier one. They are checked when they are restored.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The snapshot as UTF-8 text, to keep it in a file. Only emulators with the same version of the
    /// format can read it.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }

    pub(crate) fn read(&self) -> Result<Image, SnapshotError> {
        let (image, rest) = read(&self.0)?;
        if rest > 0 {
            return Err(SnapshotError::Incomplete);
        }
        Ok(image)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("bytes", &self.0.len())
            .finish_non_exhaustive()
    }
}

/// Why a snapshot or state file cannot be used. The message names the cause and the fix.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The first line is not the one of a snapshot.
    Format,
    /// The snapshot has another version of the format.
    Version(u64),
    /// The end is missing.
    Incomplete,
    /// These lines were changed after they were written.
    Damaged {
        /// The first line of the batch, counted from 1.
        first: usize,
        /// The last line of the batch.
        last: usize,
    },
    /// This line is not as the emulator writes it.
    Line {
        /// The line, counted from 1.
        line: usize,
        /// The field and its problem.
        problem: String,
    },
    /// The emulator does not accept an application of the snapshot.
    Application(ControlError),
    /// The file cannot be read or written.
    File(io::Error),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str(
                "this is no snapshot of the emulator; take one with GET /_emu/snapshot, or give a file of `serve --state`",
            ),
            Self::Version(version) => write!(
                f,
                "the snapshot has version {version} of the format, and this emulator reads version {VERSION}; take the \
                 snapshot again with this emulator, or use the emulator that wrote it",
            ),
            Self::Incomplete => f.write_str(
                "the end of the snapshot is missing; copy the whole file, or take the snapshot again",
            ),
            Self::Damaged { first, last } => write!(
                f,
                "lines {first} to {last} are not as the emulator wrote them; restore the file from a copy, or remove it \
                 and start without it",
            ),
            Self::Line { line, problem } => {
                write!(f, "line {line}: {problem}; take the snapshot again with this emulator")
            }
            Self::Application(_) => f.write_str("an application of the snapshot is not accepted"),
            Self::File(_) => f.write_str("the file cannot be read or written"),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Application(error) => Some(error),
            Self::File(error) => Some(error),
            _ => None,
        }
    }
}

/// What a snapshot holds.
pub(crate) struct Image {
    pub(crate) verifications: Vec<SavedVerification>,
    pub(crate) state: State,
}

/// Everything but the verifications.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) engine: SavedEngine,
    pub(crate) clock: Service,
    /// Wire time.
    #[serde(with = "instant")]
    pub(crate) saved_at: SystemTime,
    /// In the order of their ids.
    #[serde(with = "application::saved")]
    pub(crate) applications: Vec<Application>,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Verification(SavedVerification),
    Dropped(Uid),
    State(Box<State>),
}

#[derive(Serialize)]
struct StateLine<'a> {
    state: &'a State,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckLine {
    crc32: u32,
}

/// The beginning of every check line, and of no other line.
const CHECK: &[u8] = b"{\"crc32\":";

/// Counts the check of a batch while it is written.
#[derive(Default)]
pub(crate) struct Lines(crc32fast::Hasher);

impl Lines {
    /// The first line.
    pub(crate) fn head(&mut self) -> &'static [u8] {
        self.0.update(HEAD);
        HEAD
    }

    /// Adds lines of verifications.
    pub(crate) fn add<'a>(&mut self, lines: &'a [u8]) -> &'a [u8] {
        self.0.update(lines);
        lines
    }

    /// The last lines of the batch.
    pub(crate) fn end(mut self, state: &State) -> io::Result<Vec<u8>> {
        let mut text = serde_json::to_vec(&StateLine { state })?;
        text.push(b'\n');
        self.add(&text);
        let crc32 = self.0.finalize();
        serde_json::to_writer(&mut text, &CheckLine { crc32 })?;
        text.push(b'\n');
        Ok(text)
    }
}

/// Reads all complete batches. Returns their image, and how many bytes come after them.
pub(crate) fn read(text: &[u8]) -> Result<(Image, usize), SnapshotError> {
    let head = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let head: Head = serde_json::from_slice(head).map_err(|_| SnapshotError::Format)?;
    if head.format != FORMAT {
        return Err(SnapshotError::Format);
    }
    if head.version != VERSION {
        return Err(SnapshotError::Version(head.version));
    }
    let mut verifications: HashMap<Uid, SavedVerification> = HashMap::new();
    let mut state = None;
    let (mut begin, mut first, mut end) = (0, 1, 0);
    for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        let checked = &text[begin..end];
        end += line.len();
        if !line.starts_with(CHECK) || !line.ends_with(b"\n") {
            continue;
        }
        let is_whole = serde_json::from_slice(line)
            .is_ok_and(|check: CheckLine| check.crc32 == crc32fast::hash(checked));
        if !is_whole {
            return Err(SnapshotError::Damaged { first, last: number });
        }
        for (number, line) in (first..).zip(checked.split_inclusive(|byte| *byte == b'\n')) {
            if number == 1 {
                continue;
            }
            match read_line(line).map_err(|problem| SnapshotError::Line {
                line: number,
                problem,
            })? {
                Line::Verification(verification) => {
                    verifications.insert(verification.uid(), verification);
                }
                Line::Dropped(uid) => drop(verifications.remove(&uid)),
                Line::State(own) => state = Some(*own),
            }
        }
        (begin, first) = (end, number + 1);
    }
    let state = state.ok_or(SnapshotError::Incomplete)?;
    let verifications = verifications.into_values().collect();
    Ok((Image { verifications, state }, text.len() - begin))
}

fn read_line(line: &[u8]) -> Result<Line, String> {
    serde_json::from_slice(line).or_else(|_| {
        // The second pass, which finds the field, is slower.
        let mut json = serde_json::Deserializer::from_slice(line);
        serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())
    })
}
