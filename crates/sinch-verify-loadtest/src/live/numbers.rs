//! The phone numbers that a live run may verify.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::PhoneNumber;

use crate::model::Shard;

/// How often a live run may verify one number at most.
pub(crate) const MOST_PER_NUMBER: u8 = 3;

/// The numbers that a live run may verify: at least one, each once.
///
/// They are read from a text with one number per line; empty lines and lines that start with `#` are
/// skipped. There are no patterns and no ranges, so every person who gets a message is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowList(Vec<PhoneNumber>);

impl AllowList {
    /// The numbers, in the order of the text.
    #[must_use]
    pub(crate) fn numbers(&self) -> &[PhoneNumber] {
        &self.0
    }

    /// The numbers of one shard: no two shards verify the same one. `None` when there are none.
    #[must_use]
    pub(crate) fn of_shard(&self, shard: Shard) -> Option<Self> {
        let own: Vec<_> = self
            .0
            .iter()
            .skip(shard.index())
            .step_by(shard.of())
            .copied()
            .collect();
        (!own.is_empty()).then_some(Self(own))
    }
}

impl FromStr for AllowList {
    /// A message for the user, without a number.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // An editor may put a byte order mark before the first number.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut seen = HashSet::new();
        let mut numbers = Vec::new();
        for (line, entry) in (1..).zip(text.lines().map(str::trim)) {
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let number = PhoneNumber::parse(entry).map_err(|_| {
                format!(
                    "line {line} is not one phone number such as +46700000001; \
                     patterns and ranges are not supported"
                )
            })?;
            if !seen.insert(number) {
                return Err(format!("line {line} repeats a number; remove it"));
            }
            numbers.push(number);
        }
        if numbers.is_empty() {
            return Err("has no phone number; write one per line".to_owned());
        }
        Ok(Self(numbers))
    }
}

/// The first eight numbers, masked, for a plan on a screen.
impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let shown: Vec<_> = self
            .0
            .iter()
            .take(SHOWN)
            .map(|number| number.masked().to_string())
            .collect();
        f.write_str(&shown.join(", "))?;
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_one_number() {
        let list: AllowList = "\u{feff}\u{20}\n# us\r\n+46700000001\r\n\n +46700000002 \n"
            .parse()
            .unwrap();
        assert_eq!(list.numbers().len(), 2);
        for (text, error) in [
            ("", "no phone number"),
            ("# all of us\n", "no phone number"),
            ("+46700000001\n+4670*\n", "line 2 is not"),
            ("+46700000001-9\n", "line 1 is not"),
            ("+46700000001 # me\n", "line 1 is not"),
            ("+46700000001\n+46700000001\n", "line 2 repeats"),
        ] {
            let message = text.parse::<AllowList>().unwrap_err();
            assert!(message.contains(error) && !message.contains("4670*"), "{message}");
        }
    }

    #[test]
    fn numbers_are_masked() {
        let list: AllowList = "+46700000001\n+46700000042\n".parse().unwrap();
        assert_eq!(list.to_string(), "+4670***01, +4670***42");
        assert!(!format!("{list:?}").contains("46700"));
        let many: String = (10..30).map(|last| format!("+467000000{last}\n")).collect();
        let shown = many.parse::<AllowList>().unwrap().to_string();
        assert!(shown.ends_with("+4670***17 and 12 more"), "{shown}");
    }
}
