use std::fmt;
use std::str::FromStr;

use super::setup::Setup;

/// The name of a run: made from its setup, its shards' number and its beginning, so that shards find
/// it without asking each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

serde_as_text!(RunId);

impl RunId {
    /// The name of the run with this setup, in `of` shards, that began at `started_at`.
    #[must_use]
    pub fn of(setup: &Setup, of: usize, started_at: &str) -> Self {
        // FNV-1a tells runs apart and need not resist attacks. The target is left out:
        // every shard may have an emulator of its own.
        let setup = Setup {
            target: String::new(),
            ..setup.clone()
        };
        let text = format!("{setup:?} {of} {started_at}");
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(format!("{hash:016x}"))
    }

    /// Its text, 16 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = NoRunId;

    fn from_str(text: &str) -> Result<Self, NoRunId> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 16 && text.bytes().all(digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(NoRunId)
    }
}

/// A text that names no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRunId;

impl fmt::Display for NoRunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a run is named by 16 hexadecimal digits")
    }
}

impl std::error::Error for NoRunId {}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
