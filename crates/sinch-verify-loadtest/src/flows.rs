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

use sinch_verify_protocol::method::{Callout, FlashCall, Sms, WhatsApp};
use sinch_verify_protocol::{PhoneNumber, Start};

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
        /// Start by SMS, read the code, report it, hear the result, ask for the status.
        Sms = "sms",
        /// The same by flash call: the caller id is the code.
        FlashCall = "flashcall",
        /// The same by callout: the code is spoken.
        Callout = "callout",
        /// Start by data, fetch the address, hear the result, ask for the status.
        Seamless = "seamless",
        /// The same as by SMS, by WhatsApp.
        WhatsApp = "whatsapp",
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
        let number = steps.number();
        match self {
            Self::Sms => {
                verify::by_report(steps, Start::<Sms>::sms(number), |phone| phone.code.clone()).await
            }
            Self::FlashCall => {
                let start = Start::<FlashCall>::flash_call(number);
                verify::by_report(steps, start, |phone| phone.cli.clone()).await
            }
            Self::Callout => {
                let start = Start::<Callout>::callout(number);
                verify::by_report(steps, start, |phone| phone.code.clone()).await
            }
            Self::WhatsApp => {
                let start = Start::<WhatsApp>::whatsapp(number);
                verify::by_report(steps, start, |phone| phone.code.clone()).await
            }
            Self::Seamless => verify::by_fetch(steps).await,
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
