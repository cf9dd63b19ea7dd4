//! The form in which a session is carried from one process to another.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Session;
use super::phase::Phase;
use super::turn::Core;

/// The version that this release writes and reads.
pub const SAVED_VERSION: u32 = 1;

impl Session {
    /// The session as JSON, `{"v":1,...}`. Restoring it changes nothing, at any
    /// point.
    ///
    /// Keep it as you keep personal data: it holds the number. Where the user
    /// could change it (a cookie), sign it. It holds a code or a caller id only
    /// while [`Session::holds_proof`] says so: a report that is not yet settled
    /// may have to be sent again, and what came before the start was answered
    /// still has to be looked at. A session that waits for a code holds none.
    ///
    /// ```
    /// use sinch_verify_protocol::session::{Plan, Session};
    /// use sinch_verify_protocol::Start;
    ///
    /// let session = Session::new(Plan::new(Start::sms("+46700000001".parse()?)))?;
    /// let saved = session.save();
    /// assert!(saved.starts_with(r#"{"v":1,"#));
    /// assert_eq!(Session::restore(&saved)?, session);
    ///
    /// let error = Session::restore(r#"{"v":7}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "saved session has version 7, this release reads version 1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "every part is text, numbers and lists, with text as keys: nothing that JSON cannot hold"
    )]
    pub fn save(&self) -> String {
        serde_json::to_string(self).expect("a session is always writable as JSON")
    }

    /// The session that [`Session::save`] wrote.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Version`] for a version that this release does not read,
    /// [`RestoreError::Json`] for anything else that is not a saved session.
    pub fn restore(saved: &str) -> Result<Self, RestoreError> {
        // The version first: whatever else there is may have changed with it.
        let Probe { v } = serde_json::from_str(saved).map_err(RestoreError::Json)?;
        if v != SAVED_VERSION {
            return Err(RestoreError::Version { found: v });
        }
        serde_json::from_str(saved).map_err(RestoreError::Json)
    }
}

#[derive(Deserialize)]
struct Probe {
    v: u32,
}

/// Why a text is not a saved session.
#[derive(Debug)]
#[non_exhaustive]
pub enum RestoreError {
    /// It was written by a release with another form.
    Version {
        /// The version found.
        found: u32,
    },
    /// It is not the JSON of a session.
    Json(serde_json::Error),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found } => version_message(f, *found),
            Self::Json(_) => f.write_str("saved session is not the JSON that was written"),
        }
    }
}

impl std::error::Error for RestoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Version { .. } => None,
            Self::Json(source) => Some(source),
        }
    }
}

fn version_message(f: &mut fmt::Formatter<'_>, found: u32) -> fmt::Result {
    write!(
        f,
        "saved session has version {found}, this release reads version {SAVED_VERSION}"
    )
}

#[derive(Serialize)]
struct Saved<'a> {
    v: Version,
    core: &'a Core,
    phase: &'a Phase,
}

#[derive(Deserialize)]
struct OwnedSaved {
    #[expect(dead_code, reason = "reading it is the check")]
    v: Version,
    core: Core,
    phase: Phase,
}

impl Serialize for Session {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let saved = Saved {
            v: Version,
            core: &self.core,
            phase: &self.phase,
        };
        saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let OwnedSaved { core, phase, .. } = OwnedSaved::deserialize(deserializer)?;
        Ok(Self { core, phase })
    }
}

/// The version, which can only be the one.
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(SAVED_VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            SAVED_VERSION => Ok(Self),
            found => Err(D::Error::custom(RestoreError::Version { found })),
        }
    }
}

/// For types that have a text form but no serde form.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}
