//! The numbers that a live run may verify.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use sinch_verify_protocol::PhoneNumber;

/// The numbers that a live run may verify: at least one, each once.
///
/// They are read from a file with one number a line; empty lines and lines that begin with `#` are
/// passed over. There is no pattern and no range, so whoever gets a message was written down.
///
/// ```
/// use sinch_verify_loadtest::live::AllowList;
///
/// let list: AllowList = "# the test handsets\n+46700000001\n+46700000002\n".parse()?;
/// assert_eq!(list.numbers().len(), 2);
/// # Ok::<(), sinch_verify_loadtest::live::AllowListError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AllowList(Vec<PhoneNumber>);

impl AllowList {
    /// The numbers, as they stand in the file.
    #[must_use]
    pub fn numbers(&self) -> &[PhoneNumber] {
        &self.0
    }

    /// What shard `index` of `count` may verify: every `count`th number, so that no two shards start
    /// a verification of the same one. `None` when that is nothing.
    #[must_use]
    pub fn shard(&self, index: u32, count: NonZeroU32) -> Option<Self> {
        let every = usize::try_from(count.get()).ok()?;
        let first = usize::try_from(index).ok()?;
        let own: Vec<_> = self.0.iter().skip(first).step_by(every).copied().collect();
        (!own.is_empty()).then_some(Self(own))
    }
}

impl FromStr for AllowList {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, AllowListError> {
        let mut seen = HashSet::new();
        let mut numbers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let entry = line.trim();
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let line = index + 1;
            let number = PhoneNumber::parse(entry).map_err(|_| AllowListError::NotANumber { line })?;
            if !seen.insert(number) {
                return Err(AllowListError::Twice { line });
            }
            numbers.push(number);
        }
        if numbers.is_empty() {
            return Err(AllowListError::Empty);
        }
        Ok(Self(numbers))
    }
}

/// Masked down to the last two digits, for plans on a screen.
impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        for (index, number) in self.0.iter().take(SHOWN).enumerate() {
            let digits = number.digits();
            let last = digits.get(digits.len().saturating_sub(2)..).unwrap_or_default();
            write!(f, "{}***{last}", if index == 0 { "" } else { ", " })?;
        }
        match self.0.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(f, " and {more} more"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AllowList({} numbers)", self.0.len())
    }
}

/// Why a text is no allow-list. It shows no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowListError {
    /// There is no number in it.
    Empty,
    /// A line is not a number.
    NotANumber {
        /// Which, from 1 on.
        line: usize,
    },
    /// A line repeats a number.
    Twice {
        /// Which, from 1 on.
        line: usize,
    },
}

impl fmt::Display for AllowListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no number in it"),
            Self::NotANumber { line } => write!(
                f,
                "line {line} is not one number such as +46700000001; patterns and ranges are not taken"
            ),
            Self::Twice { line } => write!(f, "line {line} repeats a number"),
        }
    }
}

impl std::error::Error for AllowListError {}

/// How often one number may be verified in a live run: at most three times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerNumber(u8);

impl PerNumber {
    /// The most there is.
    pub const MOST: u8 = 3;

    /// How often.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.into()
    }
}

/// As often as it may be.
impl Default for PerNumber {
    fn default() -> Self {
        Self(Self::MOST)
    }
}

impl FromStr for PerNumber {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        text.parse()
            .ok()
            .filter(|count| (1..=Self::MOST).contains(count))
            .map(Self)
            .ok_or("must be 1, 2 or 3: nobody's phone is to ring more often than that")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbers() {
        let list: AllowList = "\u{20}\n# us\r\n+46700000001\r\n\n +46700000002 \n"
            .parse()
            .unwrap();
        assert_eq!(list.numbers().len(), 2);
        for (text, error) in [
            ("", AllowListError::Empty),
            ("# nobody\n", AllowListError::Empty),
            ("+46700000001\n+4670*\n", AllowListError::NotANumber { line: 2 }),
            ("+46700000001-9\n", AllowListError::NotANumber { line: 1 }),
            ("+46700000001 # me\n", AllowListError::NotANumber { line: 1 }),
            ("+46700000001\n+46700000001\n", AllowListError::Twice { line: 2 }),
        ] {
            assert_eq!(text.parse::<AllowList>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn numbers_stay_hidden() {
        let list: AllowList = "+46700000001\n+46700000042\n".parse().unwrap();
        assert_eq!(list.to_string(), "***01, ***42");
        assert_eq!(format!("{list:?}"), "AllowList(2 numbers)");
        let many: String = (10..30).map(|last| format!("+467000000{last}\n")).collect();
        let shown = many.parse::<AllowList>().unwrap().to_string();
        assert!(shown.ends_with("***17 and 12 more"), "{shown}");
    }

    #[test]
    fn shards_share_no_number() {
        let list: AllowList = "+46700000001\n+46700000002\n+46700000003\n".parse().unwrap();
        let count = NonZeroU32::new(2).unwrap();
        let shards: Vec<_> = (0..2).map(|index| list.shard(index, count).unwrap()).collect();
        assert_eq!(shards[0].0.len() + shards[1].0.len(), 3);
        assert!(shards[0].0.iter().all(|number| !shards[1].0.contains(number)));
        assert_eq!(list.shard(3, NonZeroU32::new(4).unwrap()), None);
    }

    #[test]
    fn nobody_is_called_four_times() {
        assert_eq!("3".parse::<PerNumber>().map(PerNumber::get), Ok(3));
        for wrong in ["0", "4", "-1", "", "1.5"] {
            assert!(wrong.parse::<PerNumber>().is_err(), "{wrong}");
        }
    }
}
