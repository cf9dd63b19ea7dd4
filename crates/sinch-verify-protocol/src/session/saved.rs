//! The form in which a session is carried from one process to another.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Session;
use super::state::State;
use super::step::Core;

/// The version that this release writes and reads.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Saved<'a> {
    v: Version,
    core: &'a Core,
    state: &'a State,
}

#[derive(Deserialize)]
struct OwnedSaved {
    #[expect(dead_code, reason = "reading it is the check")]
    v: Version,
    core: Core,
    state: State,
}

/// A session is written with its version. Reading it back changes nothing, at any point; one of another
/// version is an error.
///
/// Keep it as you keep personal data: it holds the number. Where the user could change it (a cookie),
/// sign it. It holds a code or a caller id only while [`Session::holds_proof`] says so: a report that is
/// not yet settled may have to be sent again, and what came before the start was answered still has to
/// be looked at. A session that waits for a code holds none.
///
/// ```
/// use sinch_verify_protocol::session::{Plan, Session};
/// use sinch_verify_protocol::Start;
///
/// let session = Session::new(Plan::new(Start::sms("+46700000001".parse()?)))?;
/// let saved = serde_json::to_string(&session)?;
/// assert_eq!(serde_json::from_str::<Session>(&saved)?, session);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Serialize for Session {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let saved = Saved {
            v: Version,
            core: &self.core,
            state: &self.state,
        };
        saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let OwnedSaved { core, state, .. } = OwnedSaved::deserialize(deserializer)?;
        Ok(Self { core, state })
    }
}

/// The version, which can only be the one.
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Self),
            found => Err(D::Error::custom(format_args!(
                "saved session has version {found}, this release reads version {VERSION}"
            ))),
        }
    }
}
