use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which part of a run this is: of `n` shards, the one numbered `i`, from 0 on.
///
/// ```
/// use sinch_verify_loadtest::runfile::Shard;
///
/// let shard: Shard = "1/4".parse()?;
/// assert_eq!((shard.index(), shard.of()), (1, 4));
/// assert!("4/4".parse::<Shard>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// A run in one piece.
    pub const WHOLE: Self = Self { index: 0, of: 1 };
    /// More shards than this are a slip.
    const MOST: usize = 10_000;

    /// Which one.
    #[must_use]
    pub fn index(self) -> usize {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub fn of(self) -> usize {
        self.of
    }

    /// Whether the flow of this index in the run is one of its own. Shards take turns, so that no two
    /// have the same.
    #[must_use]
    pub fn has(self, index: u64) -> bool {
        index % self.of as u64 == self.index as u64
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (index, of) = text.split_once('/').ok_or(ShardError)?;
        let (index, of) = (index.parse().ok(), of.parse().ok());
        let (Some(index), Some(of)) = (index, of) else {
            return Err(ShardError);
        };
        let shard = Self { index, of };
        if index < of && of <= Self::MOST {
            Ok(shard)
        } else {
            Err(ShardError)
        }
    }
}

/// Not a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardError;

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shard is i/n with i from 0 to n-1, such as 0/4")
    }
}

impl std::error::Error for ShardError {}

/// Which parts of a run a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shards {
    /// How many the run had.
    pub of: usize,
    /// Which of them are in here, in order.
    pub present: Vec<usize>,
}

impl Shards {
    /// Those that are not in here. A run that lacks one says nothing about its target.
    #[must_use]
    pub fn missing(&self) -> Vec<usize> {
        (0..self.of)
            .filter(|index| !self.present.contains(index))
            .collect()
    }

    /// Whether the run is here in one piece.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing().is_empty()
    }
}

impl From<Shard> for Shards {
    fn from(shard: Shard) -> Self {
        Self {
            of: shard.of,
            present: vec![shard.index],
        }
    }
}
