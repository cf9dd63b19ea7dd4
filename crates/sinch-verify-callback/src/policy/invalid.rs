use std::fmt;
use std::str::FromStr;

use serde_path_to_error::Path;

use super::rules::PolicyRules;

/// A policy that cannot be used. The message names the key, and what to write.
///
/// ```
/// use sinch_verify_callback::policy::PolicyRules;
///
/// let error = "[[velocity]]\nper = \"number\"\nlimt = 5".parse::<PolicyRules>().unwrap_err();
/// assert_eq!(error.to_string(), "line 3: velocity[0].limt: unknown field `limt`; the nearest is `limit`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPolicy {
    line: Option<usize>,
    path: String,
    message: String,
}

impl InvalidPolicy {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            line: None,
            path: path.into(),
            message: message.into(),
        }
    }

    /// Which key is wrong, such as `velocity[0].window`. Empty where the text is no TOML.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidPolicy {}

/// Reads TOML. Values are checked when a policy is built of the rules.
impl FromStr for PolicyRules {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let invalid = |path: &Path, error: &toml::de::Error| InvalidPolicy {
            line: error
                .span()
                .and_then(|span| Some(text.get(..span.start)?.matches('\n').count() + 1)),
            // A table that lacks a field has no last step.
            path: Some(path.to_string())
                .filter(|path| path != ".")
                .unwrap_or_default(),
            message: with_nearest(error.message()),
        };
        let root = serde_path_to_error::Track::new().path();
        let document = toml::Deserializer::parse(text).map_err(|error| invalid(&root, &error))?;
        serde_path_to_error::deserialize(document).map_err(|error| invalid(error.path(), error.inner()))
    }
}

/// The nearest name in place of all that there are, in serde's words: unknown field `a`, expected one of `b`, `c`.
fn with_nearest(message: &str) -> String {
    let Some((unknown, known)) = message.split_once("`, expected ") else {
        return message.to_owned();
    };
    let wrong = unknown.split_once('`').map_or("", |(_, wrong)| wrong);
    let known = known.split('`').skip(1).step_by(2);
    match nearest(wrong, known) {
        Some(nearest) => format!("{unknown}`; the nearest is `{nearest}`"),
        None => message.to_owned(),
    }
}

pub(super) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|known| strsim::levenshtein(wrong, known))
}
