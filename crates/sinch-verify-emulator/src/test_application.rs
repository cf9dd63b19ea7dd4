//! An application of a test's own, on an emulator that tests share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, PhoneNumber, Verification, VerificationId};

use crate::application::{Application, CallbackUrl};
use crate::control_error::ControlError;
use crate::core::Core;
use crate::delivery::Delivery;
use crate::engine::{AppId, BehaviorScope, Intervention, Uid};
use crate::fault::{ActiveFault, FaultRule};
use crate::handset_behavior::HandsetBehavior;
use crate::message::Message;

/// An application of a test's own. Tests that share an emulator do not see each other: each has its own
/// key, verifications, phones, callbacks, deliveries, faults and handset behavior.
/// [`Emulator::application`](crate::Emulator::application) adds one.
///
/// All of them share service time, because it decides the order of everything that happens in an emulator.
/// To let one verification expire, use [`TestApplication::expire`]. A test that moves the clock starts an
/// emulator of its own, which takes less than a millisecond.
#[derive(Clone)]
pub struct TestApplication {
    core: Arc<Core>,
    app: AppId,
    key: ApplicationKey,
    secret: ApplicationSecret,
    phones: Arc<AtomicU32>,
}

impl TestApplication {
    /// Adds an application with a key and a secret of its own.
    pub(crate) fn add(core: &Arc<Core>) -> Self {
        loop {
            let (key, secret) = core.new_credentials();
            // A restored snapshot may have the key already.
            if let Ok(app) = core.add_application(Application::new(key.clone(), secret.clone())) {
                return Self {
                    core: Arc::clone(core),
                    app,
                    key,
                    secret,
                    phones: Arc::default(),
                };
            }
        }
    }

    /// The base URL for a client: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.core.base().to_string()
    }

    /// The key, for a client or a receiver.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_str()
    }

    /// The secret, for a client or a receiver. The emulator made it up.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.expose_text()
    }

    /// A phone number that this application has not returned before. It is reserved for fiction. After
    /// 2,000 numbers they repeat.
    #[must_use]
    pub fn phone(&self) -> PhoneNumber {
        fictional_number(self.phones.fetch_add(1, Ordering::Relaxed))
    }

    /// The messages and calls of this application to `number`, newest first.
    #[must_use]
    pub fn inbox(&self, number: &PhoneNumber) -> Vec<Message> {
        self.core.inbox(Some(self.app), number)
    }

    /// Waits for a message or call of this application to `number` whose [`seq`](Message::seq) is greater
    /// than `after` (0 for any), and returns the oldest one. Returns `None` after `timeout` on the wall
    /// clock.
    pub async fn wait_message(&self, number: &PhoneNumber, after: u64, timeout: Duration) -> Option<Message> {
        let app = Some(self.app);
        self.core.wait_message(app, number, after, None, timeout).await
    }

    /// Presses keys in the latest pending callout of this application to `number`, as
    /// [`Emulator::press_keypad`](crate::Emulator::press_keypad) does.
    ///
    /// # Errors
    ///
    /// [`ControlError::NoCallout`], [`ControlError::Keys`].
    pub fn press_keypad(&self, number: &PhoneNumber, digits: &str) -> Result<Verification, ControlError> {
        self.core.press_keypad(Some(self.app), number, digits)
    }

    /// Declines or ends the latest call of this application to `number`, as
    /// [`Emulator::hang_up`](crate::Emulator::hang_up) does.
    ///
    /// # Errors
    ///
    /// [`ControlError::NoCall`].
    pub fn hang_up(&self, number: &PhoneNumber) -> Result<Verification, ControlError> {
        self.core.hang_up(Some(self.app), number)
    }

    /// Lets a pending verification expire now.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotPending`] if this application has no such verification, or it has ended.
    pub fn expire(&self, id: &VerificationId) -> Result<(), ControlError> {
        let not_pending = || ControlError::NotPending(id.clone());
        let uid = Uid::parse(id.as_str()).ok_or_else(not_pending)?;
        let found = self.core.with_engine(|engine| engine.overview(uid));
        found
            .filter(|found| found.app == self.app)
            .ok_or_else(not_pending)?;
        let expired = self.core.intervene(uid, Intervention::Expire);
        expired.map_err(|_| not_pending())
    }

    /// Sets the URL that events are posted to. With `None`, no event is posted.
    ///
    /// # Errors
    ///
    /// [`ControlError::RemoteCallback`] if the URL is on another machine and that is not allowed.
    pub fn set_callback_url(&self, url: impl Into<Option<CallbackUrl>>) -> Result<(), ControlError> {
        self.core.set_callback_url(&self.key, url.into())
    }

    /// The latest deliveries to this application, newest first. All applications share the number of
    /// deliveries that are kept.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.core.deliveries(Some(self.app))
    }

    /// Waits until every result and delivered event of this application is delivered, given up or dropped.
    /// Returns `false` after `timeout` on the wall clock.
    pub async fn wait_delivered(&self, timeout: Duration) -> bool {
        self.core.wait_delivered(Some(self.app), timeout).await
    }

    /// Sets what handsets do by themselves, for verifications of this application that start from now on.
    pub fn set_handset_behavior(&self, behavior: HandsetBehavior) {
        self.core
            .set_behavior(BehaviorScope::Application(self.app), behavior);
    }

    /// Adds a fault rule for requests of this application and events to it. Returns the number of the rule.
    ///
    /// # Errors
    ///
    /// [`ControlError::Fault`] if the rule is invalid. The message names the field.
    pub fn add_fault(&self, mut rule: FaultRule) -> Result<u64, ControlError> {
        rule.application = Some(self.key.as_str().to_owned());
        self.core.add_fault(rule).map_err(ControlError::Fault)
    }

    /// The active fault rules of this application, and how often each was triggered.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        let mut faults = self.core.faults.list();
        faults.retain(|active| active.rule.application.as_deref() == Some(self.key.as_str()));
        faults
    }

    /// Removes the fault rules of this application.
    pub fn clear_faults(&self) {
        for active in self.faults() {
            self.core.remove_fault(active.id);
        }
    }
}

impl fmt::Debug for TestApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApplication")
            .field("url", &self.url())
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The area codes of [`fictional_number`]: each has 100 numbers `555-01XX` that are reserved for fiction.
const AREAS: [u16; 20] = [
    202, 206, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 612, 617, 702, 713, 718, 808, 907, 919,
];

fn fictional_number(n: u32) -> PhoneNumber {
    let area = AREAS[(n / 100) as usize % AREAS.len()];
    #[expect(clippy::expect_used, reason = "a plus and eleven digits are a phone number")]
    format!("+1{area}55501{:02}", n % 100)
        .parse()
        .expect("it has digits only")
}
