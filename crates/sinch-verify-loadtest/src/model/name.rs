use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// The name of a scenario, such as `sms` or `signup`: on the command line, in run files and in
/// thresholds.
///
/// ```
/// use sinch_verify_loadtest::runfile::ScenarioName;
///
/// assert!("signup-2".parse::<ScenarioName>().is_ok());
/// assert!("Sign up".parse::<ScenarioName>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScenarioName(&'static str);

impl ScenarioName {
    /// The name of a run of several scenarios, mixed by weights. No scenario has it.
    pub const MIXED: Self = Self("mixed");

    /// A name that is part of the program.
    ///
    /// # Errors
    ///
    /// When it is not written as a name.
    pub fn new(name: &'static str) -> Result<Self, BadName> {
        check(name).map(|()| Self(name))
    }

    /// A name that is checked later, with [`Self::check`].
    pub(crate) fn unchecked(name: &'static str) -> Self {
        Self(name)
    }

    /// Whether it is written as a name.
    pub(crate) fn check(self) -> Result<(), BadName> {
        check(self.0)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl FromStr for ScenarioName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        check(text).map(|()| Self(interned(text)))
    }
}

/// The longest name: references and custom texts of verifications contain it, and have limits.
const LONGEST: usize = 40;

/// Whether `text` is written as a name of a scenario or a step.
pub(super) fn check(text: &str) -> Result<(), BadName> {
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if first && text.len() <= LONGEST && text.bytes().all(letter) && text != "errors" {
        return Ok(());
    }
    Err(BadName)
}

/// One copy of each name that was read. Names come from the command line and from run files, so there
/// are few; kept for good, they can be copied and compared like those in the program.
pub(super) fn interned(text: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = names.get(text) {
        return name;
    }
    let name: &'static str = Box::leak(text.into());
    names.insert(name);
    name
}

/// Not the name of a scenario or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadName;

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a name is up to {LONGEST} lower-case letters, digits and hyphens, begins with a letter and is not `errors`"
        )
    }
}

impl std::error::Error for BadName {}

impl fmt::Display for ScenarioName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for ScenarioName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

serde_as_text!(ScenarioName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        for name in ["sms", "sign-up", "v2", "e2e-failed"] {
            assert_eq!(name.parse::<ScenarioName>().unwrap().as_str(), name);
        }
        let long = "a".repeat(LONGEST + 1);
        for wrong in ["", "Sms", "sign up", "sign.up", "2nd", "-x", "errors", &long] {
            assert_eq!(wrong.parse::<ScenarioName>(), Err(BadName), "{wrong}");
        }
    }

    #[test]
    fn equal_names_are_kept_once() {
        let read = |text: &str| interned(text).as_ptr();
        assert_eq!(read("once"), read("once"));
    }
}
