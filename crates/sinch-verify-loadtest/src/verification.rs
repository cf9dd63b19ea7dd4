//! Verifications as goose transactions, for an attack of your own.
//!
//! Each function gives a [`Transaction`] that carries out one complete verification: start, what reached
//! the phone, report, status. Goose keeps its command line, its metrics and its report; each request is
//! in them under the name of its step. See [`main`](crate::main) for schedules, callbacks and verdicts.
//!
//! ```no_run
//! use goose::GooseAttack;
//! use goose::goose::Scenario;
//! use sinch_verify_loadtest::verification;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), goose::GooseError> {
//! GooseAttack::initialize()?
//!     .register_scenario(Scenario::new("sign up").register_transaction(verification::sms()))
//!     .execute()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! The host of the attack (`--host`) is an emulator on this machine, whose handsets are the phones. The
//! application comes from `SINCH_APPLICATION_KEY` and `SINCH_APPLICATION_SECRET`, or is [given](Settings).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use goose::goose::{GooseUser, Transaction, TransactionError, TransactionResult};
use sinch_verify_client::env;
use sinch_verify_protocol::method::{Callout, FlashCall, MethodInfo, Seamless, Sms, WhatsApp};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, Credentials};

use crate::engine::GooseWire;
use crate::model::{Arrival, Numbers, RunId, random_seed};
use crate::phone::ControlPhone;
use crate::scenario::{Flow, FlowContext, Scenario, Steps, built_in};
use crate::target::Target;
use crate::wire::BoxFuture;

/// A verification by SMS.
#[must_use]
pub fn sms() -> Transaction {
    Settings::from_env().transaction(&Sms::INFO)
}

/// A verification by flash call.
#[must_use]
pub fn flashcall() -> Transaction {
    Settings::from_env().transaction(&FlashCall::INFO)
}

/// A verification by callout, a phone call that speaks the code.
#[must_use]
pub fn callout() -> Transaction {
    Settings::from_env().transaction(&Callout::INFO)
}

/// A data verification.
#[must_use]
pub fn seamless() -> Transaction {
    Settings::from_env().transaction(&Seamless::INFO)
}

/// A verification by WhatsApp.
#[must_use]
pub fn whatsapp() -> Transaction {
    Settings::from_env().transaction(&WhatsApp::INFO)
}

/// The application that verifications are sent for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    application: Option<(ApplicationKey, ApplicationSecret)>,
}

impl Settings {
    /// The application of `SINCH_APPLICATION_KEY` and `SINCH_APPLICATION_SECRET`, which are read when
    /// the first user begins; the development application where neither is set.
    #[must_use]
    pub fn from_env() -> Self {
        Self::default()
    }

    /// This application.
    #[must_use]
    pub fn application(key: ApplicationKey, secret: ApplicationSecret) -> Self {
        let application = Some((key, secret));
        Self { application }
    }

    /// A verification by this method.
    ///
    /// A flow that fails is an error of its transaction. So is a host that is not this machine: live
    /// runs need the limits that [`main`](crate::main) has.
    #[must_use]
    pub fn transaction(self, method: &'static MethodInfo) -> Transaction {
        let shared = Arc::new(Shared {
            settings: self,
            scenario: built_in(method),
            context: OnceLock::new(),
            next: AtomicU64::new(0),
            first: random_seed(),
        });
        Transaction::new(Arc::new(
            move |user: &mut GooseUser| -> BoxFuture<'_, TransactionResult> {
                let shared = Arc::clone(&shared);
                Box::pin(async move {
                    let failed = |reason: String| Box::new(TransactionError::Custom(reason));
                    shared.verify(user).await.map_err(failed)
                })
            },
        ))
        .set_name(method.name)
    }
}

/// What the users of one transaction share.
struct Shared {
    settings: Settings,
    scenario: Scenario,
    /// Known once the first user has a host.
    context: OnceLock<Result<FlowContext, String>>,
    next: AtomicU64,
    first: u64,
}

impl Shared {
    async fn verify(&self, user: &mut GooseUser) -> Result<(), String> {
        let context = self.context.get_or_init(|| self.context(user));
        let context = context.as_ref().map_err(Clone::clone)?;
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let number = Numbers::made_up(self.first).of(index);
        let number = number.ok_or("there is no number to verify")?;
        let (mut wire, steps) = (GooseWire::new(user), Steps::default());
        let arrival = Arrival { index, at: None };
        let flow = Flow::new(context, &mut wire, &steps, self.scenario.name(), arrival, number);
        self.scenario
            .run(flow)
            .await
            .map_err(|failure| failure.to_string())
    }

    fn context(&self, user: &GooseUser) -> Result<FlowContext, String> {
        let base: BaseUrl = user
            .base_url
            .as_str()
            .parse()
            .map_err(|error| format!("--host: {error}"))?;
        if !base.is_loopback() {
            return Err(format!(
                "{} is not this machine: a live service needs the limits of `sinch-verify-load run --live`, \
                 which a goose attack does not have",
                base.host()
            ));
        }
        let (key, secret) = match &self.settings.application {
            Some(application) => application.clone(),
            None => env::application(&base)
                .map_err(|error| format!("the verifications need an application: {error}"))?,
        };
        let target = Target::new(base.clone(), Credentials::signed(key, secret));
        let transport = target.transport().map_err(|error| error.to_string())?;
        let run: RunId = format!("{:016x}", self.first)
            .parse()
            .map_err(|error| format!("{error}"))?;
        Ok(FlowContext::new(target, ControlPhone::new(base, transport), run))
    }
}

#[cfg(test)]
mod tests {
    use goose::config::GooseConfiguration;

    use super::*;

    #[test]
    fn live_hosts_are_refused() {
        let shared = Shared {
            settings: Settings::from_env(),
            scenario: built_in(&Sms::INFO),
            context: OnceLock::new(),
            next: AtomicU64::new(0),
            first: 0,
        };
        let url = "https://verification.api.sinch.com".parse().unwrap();
        let user = GooseUser::single(url, &GooseConfiguration::default()).unwrap();
        let error = shared.context(&user).unwrap_err();
        assert!(error.contains("is not this machine"), "{error}");
    }
}
