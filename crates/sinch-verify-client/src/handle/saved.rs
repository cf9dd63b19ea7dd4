//! A handle on its way to another request or process.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sinch_verify_protocol::start::{MethodMarker, StartResponse};
use sinch_verify_protocol::{Method, PhoneNumber, Reference, Started};
use std::fmt;
use std::sync::Arc;

use super::Handle;
use crate::clock;
use crate::context::Context;
use crate::counts::EndOnce;
use crate::verification_ref::{Evidence, VerificationRef};

/// The version that this release writes and reads.
const VERSION: u32 = 1;

/// What a [`Handle`] leaves for another request: write it with serde, read it back, and give it to
/// [`Client::resume`](crate::Client::resume).
///
/// What was saved for one method is not read as another: reading fails. It holds the number in the
/// clear, and neither credentials nor a code. Keep it on your side, in a session store: with a changed
/// one a code could be reported to another verification.
///
/// ```no_run
/// use sinch_verify_client::{Client, Saved};
/// use sinch_verify_client::protocol::{Code, PhoneNumber, Start, method::Sms};
///
/// # async fn example(client: Client, number: PhoneNumber) -> Result<(), Box<dyn std::error::Error>> {
/// let text = serde_json::to_string(&client.start(Start::sms(number)).await?.save())?;
/// // In another request:
/// let saved: Saved<Sms> = serde_json::from_str(&text)?;
/// let outcome = client.resume(saved).report(Code::new("4821")?).await?;
/// println!("verified: {}", outcome.is_verified());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Saved<M: MethodMarker> {
    text: Text,
    started: Started<M>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Text {
    v: u32,
    method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<PhoneNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// When the start was sent, in milliseconds since the Unix epoch.
    began: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    answer: StartResponse,
}

impl<M: MethodMarker> Handle<M> {
    /// What another request, or another process, needs to go on with this verification.
    #[must_use]
    pub fn save(&self) -> Saved<M> {
        Saved {
            text: Text {
                v: VERSION,
                method: self.started.method().clone(),
                number: self.number(),
                reference: self.reference().cloned(),
                began: clock::to_millis(self.began),
                language: self.started.content_language.clone(),
                answer: self.started.clone().into(),
            },
            started: self.started.clone(),
        }
    }

    pub(crate) fn resumed(context: Arc<Context>, saved: Saved<M>) -> Self {
        let Saved { text, started } = saved;
        let (now, instant) = (context.clock.now(), context.clock.instant());
        let began = clock::from_millis(text.began).unwrap_or(now);
        let ago = now.duration_since(began).unwrap_or_default();
        Self {
            target: VerificationRef {
                id: Some(started.id.clone()),
                reference: text.reference,
                number: text.number.map(|number| (text.method.clone(), number)),
                evidence: Evidence::None,
            },
            began_at: instant.checked_sub(ago).unwrap_or(instant),
            began,
            started,
            found: None,
            end: EndOnce::default(),
            context,
        }
    }
}

impl<M: MethodMarker> Serialize for Saved<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de, M: MethodMarker> Deserialize<'de> for Saved<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        if text.v != VERSION {
            return Err(D::Error::custom(format_args!(
                "saved handle has version {}, this release reads version {VERSION}",
                text.v
            )));
        }
        if let Some(asked) = M::KNOWN.filter(|asked| *asked != text.method) {
            return Err(D::Error::custom(format_args!(
                "saved handle is of method {}, asked for {asked}",
                text.method
            )));
        }
        let started = Started::read(&text.method, text.answer.clone(), text.language.clone())
            .map_err(|_| D::Error::custom("saved handle lacks what the method's answer has"))?;
        Ok(Self { text, started })
    }
}

/// A handle is written as what it [saves](Handle::save).
impl<M: MethodMarker> Serialize for Handle<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.save().serialize(serializer)
    }
}

/// Shows the number masked.
impl<M: MethodMarker> fmt::Debug for Saved<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("method", &self.text.method)
            .field("id", &self.started.id)
            .field("number", &self.text.number)
            .finish_non_exhaustive()
    }
}
