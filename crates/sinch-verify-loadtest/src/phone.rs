//! Where a flow learns what reached the phone under verification.

mod control;
mod fixed;
mod heard;
mod inbox;

use std::sync::Arc;
use std::time::Duration;

use sinch_verify_protocol::method::{MethodInfo, ProofKind};
use sinch_verify_protocol::report::Proof;
use sinch_verify_protocol::{Cli, Code, PhoneNumber, VerificationId};

use crate::failure::{Failure, FailureKind};

pub use control::ControlPhone;
pub use fixed::FixedPhone;
pub use heard::HeardPhone;
pub use inbox::InboxPhone;

/// How long a phone is given for a message to arrive, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// The phones of a run.
pub trait Phone: Send + Sync {
    /// What reached the phone `number` for the verification `id`, once it is there.
    ///
    /// The failure is `code.missing` when nothing comes in time.
    fn delivered(
        &self,
        number: &PhoneNumber,
        id: &VerificationId,
    ) -> impl Future<Output = Result<Delivered, Failure>> + Send;
}

impl<P: Phone> Phone for Arc<P> {
    fn delivered(
        &self,
        number: &PhoneNumber,
        id: &VerificationId,
    ) -> impl Future<Output = Result<Delivered, Failure>> + Send {
        P::delivered(self, number, id)
    }
}

impl<P: Phone> Phone for &P {
    fn delivered(
        &self,
        number: &PhoneNumber,
        id: &VerificationId,
    ) -> impl Future<Output = Result<Delivered, Failure>> + Send {
        P::delivered(self, number, id)
    }
}

/// What reached a phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// The code of a message or of a callout.
    pub code: Option<Code>,
    /// Who called.
    pub cli: Option<Cli>,
}

impl Delivered {
    /// What proves the number to a verification by this method.
    #[must_use]
    pub fn proof(self, method: &MethodInfo) -> Option<Proof> {
        match method.proof? {
            ProofKind::Code => self.code.map(Proof::from),
            ProofKind::Cli => self.cli.map(Proof::from),
            _ => None,
        }
    }

    /// A message, or a callout, with `code`.
    #[must_use]
    pub fn code(code: Code) -> Self {
        Self {
            code: Some(code),
            cli: None,
        }
    }

    /// A call from `cli`.
    #[must_use]
    pub fn cli(cli: Cli) -> Self {
        Self {
            code: None,
            cli: Some(cli),
        }
    }
}

/// Nothing reached the phone within `patience`.
fn missing(patience: Duration) -> Failure {
    let what = format!("nothing reached the phone within {} ms", patience.as_millis());
    Failure::new(FailureKind::CodeMissing, what)
}
