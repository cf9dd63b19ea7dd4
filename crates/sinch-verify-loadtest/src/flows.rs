//! Complete verifications, step by step. There is no load generator in here.
//!
//! A flow is written once and runs over any [`Wire`] and any [`Phone`]: under goose, over the lean
//! transport, and in tests against an emulator.

mod abuse;
mod cast;
mod expectation;
mod query;
mod steps;
mod verify;

use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::method::{Form, MethodInfo, Sms};

use crate::failure::Failure;
use crate::names::named;
use crate::phone::Phone;
use crate::wire::Wire;

pub use cast::{Cast, Peer};
pub use expectation::Expectation;
pub use query::Known;
pub use steps::Steps;

named! {
    /// A complete verification, from the start to the final status.
    ///
    /// Each knows the end it expects, and fails only where the end is another one: a refusal that is
    /// expected is a success.
    pub enum Flow as "flow" {
        /// Ask for the status by id, by reference, and by method and number.
        QueryOnly = "query-only",
        /// Report wrong codes, as many as are stood or one fewer.
        WrongCode = "wrong-code",
        /// Start again and again for one number.
        ResendStorm = "resend-storm",
        /// Never report in time.
        Expire = "expire",
        /// The callback denies.
        Deny = "deny",
        /// The callback receiver misbehaves.
        BadCallback = "bad-callback",
        /// Send callbacks again, stale or changed.
        Replay = "replay",
    }
    with
        /// A verification by this method that is to succeed: start, report what reached the phone or
        /// fetch the address, hear the result, ask for the status.
        Verify(&'static MethodInfo) of MethodInfo::single();
}

/// One flow that is to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number in the run.
    pub slot: u64,
    /// The number to verify, which no other flow may use at the same time.
    pub number: PhoneNumber,
}

impl Flow {
    /// A verification by SMS, the plainest flow.
    pub const SMS: Self = Self::Verify(&Sms::INFO);

    /// The method of a verification that is to succeed.
    #[must_use]
    pub fn method(self) -> Option<&'static MethodInfo> {
        match self {
            Self::Verify(info) => Some(info),
            _ => None,
        }
    }

    /// Whether only an inbox shows what is reported: no callback sets it.
    #[must_use]
    pub fn needs_an_inbox(self) -> bool {
        let method = self.method();
        method.is_some_and(|info| info.proof.is_some() && info.decided.is_none())
    }

    /// Whether it needs our callback receiver.
    #[must_use]
    pub fn needs_callbacks(self) -> bool {
        matches!(self, Self::Deny | Self::BadCallback | Self::Replay)
    }

    /// Carries the flow out.
    ///
    /// # Errors
    ///
    /// When a step fails, or the verification does not end as expected.
    pub async fn run<W: Wire, P: Phone>(self, steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
        match self {
            Self::Verify(info) if info.form == Form::Address => verify::by_fetch(info, steps).await,
            Self::Verify(info) => verify::by_report(info, steps).await,
            Self::QueryOnly => query::query(steps).await,
            Self::WrongCode => abuse::wrong_code(steps).await,
            Self::ResendStorm => abuse::resend_storm(steps).await,
            Self::Expire => abuse::expire(steps).await,
            Self::Deny => abuse::deny(steps).await,
            Self::BadCallback => abuse::bad_callback(steps).await,
            Self::Replay => abuse::replay(steps).await,
        }
    }
}
