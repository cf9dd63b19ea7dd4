//! A flow on its way to another request or process.

use std::time::SystemTime;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sinch_verify_protocol::Session;

use crate::clock;

/// The version that this release writes and reads.
const VERSION: u32 = 1;

/// A flow that waits, for another request: write it with serde, read it back, and give it to
/// [`Client::resume_flow`](crate::Client::resume_flow). [`Running::until_idle`](super::Running::until_idle)
/// makes it.
///
/// It holds the number in the clear, and neither credentials nor a code. Keep it on your side, in a
/// session store: with a changed one a code could be reported to another verification.
#[derive(Clone, Debug, Serialize)]
pub struct SavedFlow {
    v: u32,
    /// When the flow began, in milliseconds since the Unix epoch.
    began: u64,
    session: Box<Session>,
}

impl SavedFlow {
    pub(super) fn new(began: Option<SystemTime>, session: Session) -> Self {
        Self {
            v: VERSION,
            began: began.map(clock::to_millis).unwrap_or_default(),
            session: Box::new(session),
        }
    }

    /// Where the flow stands: its [method](Session::method), its
    /// [attempts](Session::attempts_left), its [next deadline](Session::next_deadline).
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn began(&self) -> Option<SystemTime> {
        clock::from_millis(self.began)
    }

    pub(super) fn into_session(self) -> Session {
        *self.session
    }
}

impl<'de> Deserialize<'de> for SavedFlow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Text {
            #[serde(deserialize_with = "version")]
            v: u32,
            began: u64,
            session: Box<Session>,
        }

        let Text { v, began, session } = Text::deserialize(deserializer)?;
        Ok(Self { v, began, session })
    }
}

/// Refuses another version before the rest is read, which may have another form.
fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        found => Err(D::Error::custom(format_args!(
            "saved flow has version {found}, this release reads version {VERSION}"
        ))),
    }
}
