//! Where a flow learns what reached the phone under verification.

mod control;
mod inbox;

use std::sync::Arc;
use std::time::Duration;

use sinch_verify_protocol::{Code, PhoneNumber, VerificationId};

use crate::callbacks::Conversations;
use crate::model::{Delivered, Failure, FailureKind};
use crate::wire::BoxFuture;

pub(crate) use control::ControlPhone;
pub(crate) use inbox::InboxPhone;

/// How long a message may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// The phones of a run.
pub(crate) trait Phone: Send + Sync {
    /// What reached the phone `number`, once it is there.
    ///
    /// The failure is `code.missing` when nothing arrives in time.
    fn delivered<'a>(
        &'a self,
        number: &'a PhoneNumber,
        wanted: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>>;
}

impl<P: Phone + ?Sized> Phone for Arc<P> {
    fn delivered<'a>(
        &'a self,
        number: &'a PhoneNumber,
        wanted: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        P::delivered(self, number, wanted)
    }
}

/// Which message is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// That of this verification.
    Of(&'a VerificationId),
    /// The first one after this place in the inbox.
    After(u64),
}

impl Wanted<'_> {
    /// The place in the inbox to begin at.
    fn after(self) -> u64 {
        match self {
            Self::Of(_) => 0,
            Self::After(seq) => seq,
        }
    }

    /// Whether a message of the verification `id` is the one. An older verification of the same number
    /// may have left its message in the inbox.
    fn is(self, id: &VerificationId) -> bool {
        match self {
            Self::Of(wanted) => wanted == id,
            Self::After(_) => true,
        }
    }
}

/// A phone that always gets the same code, as test numbers of a live service may.
#[derive(Clone, Debug)]
pub(crate) struct FixedPhone(Code);

impl FixedPhone {
    /// A phone that gets `code`.
    pub(crate) fn new(code: Code) -> Self {
        Self(code)
    }
}

impl Phone for FixedPhone {
    fn delivered<'a>(
        &'a self,
        _: &'a PhoneNumber,
        _: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async { Ok(Delivered::code(self.0.clone())) })
    }
}

/// A phone whose code is known because our callback receiver set it.
#[derive(Clone, Debug)]
pub(crate) struct HeardPhone(Arc<Conversations>);

impl HeardPhone {
    /// A phone that gets what was set in `conversations`.
    pub(crate) fn new(conversations: Arc<Conversations>) -> Self {
        Self(conversations)
    }
}

impl Phone for HeardPhone {
    fn delivered<'a>(
        &'a self,
        _: &'a PhoneNumber,
        wanted: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async move {
            let Wanted::Of(id) = wanted else {
                let detail =
                    "a code that the callback sets is found by its verification only; use --phone inbox";
                return Err(Failure::new(FailureKind::Request, detail));
            };
            // The answer to a start may overtake what the receiver does in our own process.
            let given = self.0.about(id).wait(PATIENCE, |heard| heard.given.clone()).await;
            given.ok_or_else(|| missing(PATIENCE))
        })
    }
}

/// Nothing reached the phone within `patience`.
fn missing(patience: Duration) -> Failure {
    let what = format!("nothing reached the phone within {} ms", patience.as_millis());
    Failure::new(FailureKind::CodeMissing, what)
}
