use std::fmt;
use std::num::NonZeroU64;

use sinch_verify_protocol::ApplicationKey;

/// How much of the application's key is in the word.
const PREFIX: usize = 8;

/// The word that a live run is confirmed with: the beginning of the application's key, and how many
/// verifications may be started.
///
/// It names what is at stake, so that a word kept from another run, or pasted into another job,
/// fits neither another application nor a larger run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation(String);

impl Confirmation {
    /// The variable that carries the word where nobody can type it.
    pub const VARIABLE: &'static str = "SINCH_LOAD_CONFIRM";

    /// The word for a run of the application `key` with at most `most` verifications.
    #[must_use]
    pub fn of(key: &ApplicationKey, most: NonZeroU64) -> Self {
        let prefix: String = key.as_str().chars().take(PREFIX).collect();
        Self(format!("{prefix}:{most}"))
    }

    /// Compares with what was typed.
    ///
    /// # Errors
    ///
    /// When it is another word.
    pub fn check(&self, typed: &str) -> Result<(), NotConfirmed> {
        if typed.trim() == self.0 {
            Ok(())
        } else {
            Err(NotConfirmed { word: self.0.clone() })
        }
    }
}

impl fmt::Display for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A live run was not confirmed, so nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotConfirmed {
    /// The word that would have confirmed it.
    pub word: String,
}

impl fmt::Display for NotConfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the live run is not confirmed: type {word} when asked, or set {variable}={word}",
            word = self.word,
            variable = Confirmation::VARIABLE
        )
    }
}

impl std::error::Error for NotConfirmed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_fits_one_application_and_one_size() {
        let key = |text: &str| ApplicationKey::new(text).unwrap();
        let ours = key("11111111-2222-3333-4444-555555555555");
        let ten = NonZeroU64::new(10).unwrap();
        let word = Confirmation::of(&ours, ten);
        assert_eq!(word.to_string(), "11111111:10");
        assert_eq!(word.check("11111111:10\n"), Ok(()));
        for other in ["", "yes", "11111111", "11111111:100", "11111112:10", "11111111:1"] {
            assert!(word.check(other).is_err(), "{other}");
        }
        // A short key is no longer than it is.
        assert_eq!(Confirmation::of(&key("ab"), ten).to_string(), "ab:10");
    }
}
