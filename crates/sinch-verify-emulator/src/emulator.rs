//! A running emulator, as tests use it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::{ApplicationKey, BaseUrl, PhoneNumber, Verification};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::answered_request::AnsweredRequests;
use crate::application::{CallbackAuth, CallbackUrl};
use crate::callbacks::{self, Check};
use crate::clock_driver;
use crate::control_error::ControlError;
use crate::core::{ClockChange, Core, Downtime, Job};
use crate::delivery::Delivery;
use crate::fault::{ActiveFault, FaultRule};
use crate::handset_behavior::{HandsetBehavior, Scope};
use crate::message::Message;
use crate::replay::Replay;
use crate::server;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::state_file::StateFile;
use crate::test_application::TestApplication;

/// A running emulator. Dropping it stops it and all its tasks; [`Emulator::shutdown`] also answers the
/// requests that are under way.
pub struct Emulator {
    core: Arc<Core>,
    /// The connections. A dropped set aborts its tasks.
    server: JoinSet<()>,
    /// The clock driver and the dispatcher of callback events.
    _workers: JoinSet<()>,
    state_file: Option<StateFile>,
}

impl Emulator {
    pub(crate) fn launch(
        listener: TcpListener,
        core: Arc<Core>,
        jobs: mpsc::UnboundedReceiver<Job>,
        state_file: Option<StateFile>,
    ) -> Self {
        let mut server = JoinSet::new();
        server.spawn(server::run(listener, Arc::clone(&core)));
        let mut workers = JoinSet::new();
        workers.spawn(clock_driver::run(Arc::clone(&core)));
        workers.spawn(callbacks::run(Arc::clone(&core), jobs));
        if let Some(state_file) = state_file.clone() {
            workers.spawn(state_file.run());
        }
        Self {
            core,
            server,
            _workers: workers,
            state_file,
        }
    }

    /// The base URL as text: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.core.base().to_string()
    }

    /// The base URL, for the configuration of a client.
    #[must_use]
    pub fn base_url(&self) -> BaseUrl {
        self.core.base().clone()
    }

    /// The address that the emulator listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.core.address()
    }

    /// The seed of all random values. [`Builder::seed`](crate::Builder::seed) with this seed repeats them.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.core.seed()
    }

    /// Adds an application with a key and a secret of its own. Tests that share an emulator take one each, and
    /// do not see each other. To share an emulator among all tests of a process, see
    /// [`testing`](crate::testing).
    ///
    /// The application stays as long as the emulator.
    #[must_use]
    pub fn application(&self) -> TestApplication {
        TestApplication::add(&self.core)
    }

    /// The messages and calls on the handset of `number`, newest first.
    #[must_use]
    pub fn inbox(&self, number: &PhoneNumber) -> Vec<Message> {
        self.core.inbox(None, number)
    }

    /// Waits for a message or call to `number` whose [`seq`](Message::seq) is greater than `after` (0 for
    /// any), and returns the oldest one. Returns `None` after `timeout` on the wall clock.
    pub async fn wait_message(&self, number: &PhoneNumber, after: u64, timeout: Duration) -> Option<Message> {
        self.core.wait_message(None, number, after, None, timeout).await
    }

    /// Presses keys in the latest pending callout (a voice call that speaks a code) to `number`. The code
    /// and the confirmation key (`1` unless the decision of the callback sets another) verify the number;
    /// other keys are a wrong attempt.
    ///
    /// # Errors
    ///
    /// [`ControlError::NoCallout`] if no callout to this number is pending, [`ControlError::Keys`] if
    /// `digits` are not 1 to 10 keys of `0-9 * #`.
    pub fn press_keypad(&self, number: &PhoneNumber, digits: &str) -> Result<Verification, ControlError> {
        self.core.press_keypad(None, number, digits)
    }

    /// Declines or ends the latest call to `number` that rings or waits for keys. A callout ends as
    /// `FAIL` with the reason "Hung up without entering valid code". A flash call stops ringing, and its
    /// caller id can still be reported.
    ///
    /// # Errors
    ///
    /// [`ControlError::NoCall`] if there is no such call.
    pub fn hang_up(&self, number: &PhoneNumber) -> Result<Verification, ControlError> {
        self.core.hang_up(None, number)
    }

    /// The current service time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.core.clock().service()
    }

    /// Moves service time ahead. Everything that falls due happens before this returns, in order and
    /// each at its own instant. Result events are queued then and posted soon after, as are all tries of
    /// events that fall into the move. So a long move ends all tries of an event that is not accepted.
    pub fn advance(&self, by: Duration) {
        self.core.change_clock(ClockChange::By(by));
    }

    /// Pauses service time. It then moves only by [`Emulator::advance`] and
    /// [`Emulator::advance_to_next`].
    pub fn pause_clock(&self) {
        self.core.change_clock(ClockChange::Pause(true));
    }

    /// Lets service time run with the wall clock again, from where it stands.
    pub fn resume_clock(&self) {
        self.core.change_clock(ClockChange::Pause(false));
    }

    /// Moves service time to the next deadline (of a verification or of the next try of an event) and
    /// runs what is due. Returns `false` if there is no deadline.
    pub fn advance_to_next(&self) -> bool {
        self.core.change_clock(ClockChange::ToNextDue)
    }

    /// Sets the URL that events of an application are posted to. With `None`, no event is posted.
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownApplication`] if no application has this key,
    /// [`ControlError::RemoteCallback`] if the URL is on another machine and that is not allowed.
    pub fn set_callback_url(
        &self,
        key: &ApplicationKey,
        url: impl Into<Option<CallbackUrl>>,
    ) -> Result<(), ControlError> {
        self.core.set_callback_url(key, url.into())
    }

    /// Sets how events of an application are authorized from now on.
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownApplication`] if no application has this key.
    pub fn set_callback_auth(&self, key: &ApplicationKey, auth: CallbackAuth) -> Result<(), ControlError> {
        self.core.set_callback_auth(key, auth)
    }

    /// The latest deliveries (tries to post an event), newest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.core.deliveries(None)
    }

    /// Waits for a delivery that is not [ok](Delivery::ok) and whose `seq` is greater than `after` (0 for
    /// any), and returns the oldest one that is kept.
    ///
    /// Waits forever if no deliveries are kept, see
    /// [`Settings::deliveries_kept`](crate::Settings::deliveries_kept).
    pub async fn next_failed_delivery(&self, after: u64) -> Delivery {
        self.core.log.next_failed(after).await
    }

    /// The requests of the API that are answered from now on. There are none if no requests are kept, see
    /// [`Settings::requests_kept`](crate::Settings::requests_kept).
    #[must_use]
    pub fn answered_requests(&self) -> AnsweredRequests {
        AnsweredRequests::new(Arc::clone(&self.core))
    }

    /// Waits until every result and delivered event is delivered, given up or dropped. Returns `false`
    /// after `timeout` on the wall clock. The delay before the next try is service time: while it is
    /// paused, an event is not retried.
    pub async fn wait_delivered(&self, timeout: Duration) -> bool {
        self.core.wait_delivered(None, timeout).await
    }

    /// Sets what handsets within `scope` do by themselves, for verifications that start from now on. It
    /// replaces the behavior of the same scope, and [`reset`](Self::reset) keeps it.
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownApplication`] if no application has the key of the scope,
    /// [`ControlError::Prefix`] if a prefix is not `+` and digits.
    pub fn set_handset_behavior(&self, scope: Scope, behavior: HandsetBehavior) -> Result<(), ControlError> {
        self.core.set_handset_behavior(scope, behavior)
    }

    /// Removes all handset behaviors. [Magic numbers](crate::MagicNumber) keep their outcomes.
    pub fn clear_handset_behaviors(&self) {
        self.core.clear_handset_behaviors();
    }

    /// Posts a [delivery](Self::deliveries) again, authorized anew, to the current callback URL. A
    /// decision in the answer is judged but has no effect. Returns `None` if the delivery is no longer
    /// kept or its application has no callback URL.
    pub async fn replay(&self, seq: u64) -> Option<Delivery> {
        self.replay_as(seq, &Replay::Same).await.ok()?.pop()
    }

    /// Posts a delivery again, changed as `how` says. Returns the new deliveries in order. If `how` makes
    /// the callback invalid, a delivery is [ok](Delivery::ok) when the receiver refused it.
    ///
    /// # Errors
    ///
    /// [`ControlError::NoDelivery`] if the delivery is no longer kept, [`ControlError::NoCallback`] if its
    /// application has no callback URL, [`ControlError::Replay`] if the kit does not have this name.
    pub async fn replay_as(&self, seq: u64, how: &Replay) -> Result<Vec<Delivery>, ControlError> {
        callbacks::replay_delivery(&self.core, seq, how).await
    }

    /// Tests the receiver at an application's callback URL: with a valid event of every kind, with a
    /// repeated request event, and with every invalid callback of the
    /// [tamper kit](crate::Builder::tamper_kit).
    ///
    /// # Errors
    ///
    /// [`ControlError::UnknownApplication`] if no application has the key, [`ControlError::NoCallback`] if
    /// it has no callback URL, [`ControlError::NoKit`] if the emulator has no kit.
    pub async fn conformance(&self, key: &ApplicationKey) -> Result<Vec<Check>, ControlError> {
        let app = self.core.registry.find(key.as_str());
        let app = app.ok_or_else(|| ControlError::UnknownApplication(key.clone()))?;
        callbacks::conform(&self.core, app).await
    }

    /// Adds a fault rule and returns its number. [`reset`](Self::reset) keeps it.
    ///
    /// # Errors
    ///
    /// [`ControlError::Fault`] if the rule is invalid. The message names the field.
    pub fn add_fault(&self, rule: FaultRule) -> Result<u64, ControlError> {
        self.core.add_fault(rule).map_err(ControlError::Fault)
    }

    /// Removes a fault rule. Returns whether it existed.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.core.remove_fault(id)
    }

    /// Removes all fault rules.
    pub fn clear_faults(&self) {
        self.core.clear_faults();
    }

    /// The active fault rules, and how often each was triggered.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.core.faults.list()
    }

    /// Removes all verifications, messages, undelivered events, deliveries and recorded requests, and
    /// starts the random values from the seed again. Applications, clock, faults and handset behaviors
    /// stay as they are.
    pub fn reset(&self) {
        self.core.reset();
    }

    /// Takes a snapshot. Requests are answered meanwhile; the snapshot has the state of one instant.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.core.snapshot()
    }

    /// Returns to a snapshot: replaces verifications, messages, handset behaviors, service time and random
    /// values. Adds applications of the snapshot that the emulator does not have, and sets the callbacks of
    /// all of them. Undelivered events, deliveries and recorded requests are removed. Settings and faults
    /// stay as they are.
    ///
    /// Service time continues from the instant of the snapshot, so nothing has expired meanwhile.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]: the snapshot is incomplete, was changed, or has another version. Nothing is
    /// changed then.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let image = snapshot.read()?;
        let restored = self.core.restore(image, Downtime::Skipped);
        restored.map_err(SnapshotError::Application)
    }

    /// Stops the emulator. Accepts no more connections, answers the requests that are under way (for at
    /// most 5 s), drops undelivered events and saves the state file.
    pub async fn shutdown(mut self) {
        self.core.stop();
        let server = async { while self.server.join_next().await.is_some() {} };
        // Dropping the tasks closes the connections that are still open.
        let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
        if let Some(state_file) = &self.state_file {
            state_file.save().await;
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("address", &self.addr())
            .field("seed", &self.seed())
            .finish_non_exhaustive()
    }
}
