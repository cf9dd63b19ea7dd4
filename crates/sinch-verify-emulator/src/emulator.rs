//! A running emulator, and what a test does with it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::{ApplicationKey, BaseUrl, PhoneNumber, Verification};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::application::CallbackUrl;
use crate::callbacks::{self, Check};
use crate::clock_driver;
use crate::control_error::ControlError;
use crate::core::{ClockChange, Core, CoreConfig};
use crate::delivery::Delivery;
use crate::fault::{ActiveFault, FaultRule};
use crate::handset_behavior::{HandsetBehavior, Scope};
use crate::message::Message;
use crate::replay::Replay;
use crate::server;

/// A running emulator. Dropped means stopped: no task of it outlives it.
pub struct Emulator {
    core: Arc<Core>,
    address: SocketAddr,
    /// The connections. Like the other set, it aborts its tasks when dropped.
    server: JoinSet<()>,
    /// The clock's driver and the callbacks.
    _workers: JoinSet<()>,
}

impl Emulator {
    pub(crate) fn launch(listener: TcpListener, config: CoreConfig) -> Self {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let address = config.address;
        let core = Arc::new(Core::new(config, jobs));
        let mut server = JoinSet::new();
        server.spawn(server::run(listener, Arc::clone(&core)));
        let mut workers = JoinSet::new();
        workers.spawn(clock_driver::run(Arc::clone(&core)));
        workers.spawn(callbacks::run(Arc::clone(&core), waiting));
        Self {
            core,
            address,
            server,
            _workers: workers,
        }
    }

    /// Where it is, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.core.base().to_string()
    }

    /// Where it is, for requests.
    #[must_use]
    pub fn base_url(&self) -> BaseUrl {
        self.core.base().clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What fixes everything made up: give it to [`Builder::seed`](crate::Builder::seed) to see the same again.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.core.seed()
    }

    /// What the handset of `number` shows, newest first.
    #[must_use]
    pub fn inbox(&self, number: &PhoneNumber) -> Vec<Message> {
        self.core.inbox(number)
    }

    /// Waits until something newer than `after` (0 for anything at all) reaches the handset of
    /// `number`, and gives the oldest of that; `None` when nothing does within `timeout` on the
    /// wall clock.
    pub async fn wait_message(&self, number: &PhoneNumber, after: u64, timeout: Duration) -> Option<Message> {
        self.core.wait_message(number, after, None, timeout).await
    }

    /// Presses keys in the latest pending callout to `number`. The code and the pin (`1` unless
    /// the callback set another) verify the number; anything else is a wrong attempt.
    ///
    /// # Errors
    ///
    /// When no callout to this number is pending, or `digits` are not 1 to 10 keys.
    pub fn press_keypad(&self, number: &PhoneNumber, digits: &str) -> Result<Verification, ControlError> {
        self.core.press_keypad(number, digits)
    }

    /// Declines or ends the latest call to `number` that still rings or waits for keys. A callout ends
    /// as `FAIL`, Hung up without entering valid code; a flash call stops ringing, and its caller id
    /// may still be reported.
    ///
    /// # Errors
    ///
    /// When there is no such call.
    pub fn hang_up(&self, number: &PhoneNumber) -> Result<Verification, ControlError> {
        self.core.hang_up(number)
    }

    /// Service time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.core.clock().service()
    }

    /// Moves service time ahead. Everything that falls due happens before this returns, in order
    /// and each at its own instant; result events are queued then, and posted soon after. So are all
    /// tries of events that fall into the move: one that nobody hears is given up by then.
    pub fn advance(&self, by: Duration) {
        self.core.change_clock(ClockChange::By(by));
    }

    /// Lets service time stand from now on: it moves by [`Emulator::advance`] only.
    pub fn pause_clock(&self) {
        self.core.change_clock(ClockChange::Pause(true));
    }

    /// Lets service time go on with the wall clock, from where it stands.
    pub fn resume_clock(&self) {
        self.core.change_clock(ClockChange::Pause(false));
    }

    /// Moves service time to the next thing that is due, the next try of an event included, and does
    /// it; says whether anything is.
    pub fn advance_to_next(&self) -> bool {
        self.core.change_clock(ClockChange::ToNextDue)
    }

    /// Where events of an application are posted from now on; `None` for nowhere.
    ///
    /// # Errors
    ///
    /// When no application has this key, or the URL points to another machine and that is not
    /// allowed.
    pub fn set_callback_url(
        &self,
        key: &ApplicationKey,
        url: impl Into<Option<CallbackUrl>>,
    ) -> Result<(), ControlError> {
        self.core.registry.set_callback_url(key, url.into())
    }

    /// The latest tries to post an event, newest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.core.deliveries()
    }

    /// Waits for the oldest try to post an event that did not do its job, among those that are newer
    /// than `after` (a delivery's `seq`, 0 for anything at all) and still kept.
    ///
    /// It waits forever where none is kept, see [`Settings::deliveries_kept`](crate::Settings).
    pub async fn next_failed_delivery(&self, after: u64) -> Delivery {
        self.core.log.next_failed(after).await
    }

    /// Waits until no result or delivered event is waiting or under way, or `timeout` passed on the
    /// wall clock; says whether it is so. An event that was not heard waits in service time: while
    /// that stands, it is not tried again.
    pub async fn wait_delivered(&self, timeout: Duration) -> bool {
        self.core.wait_delivered(timeout).await
    }

    /// What handsets within `scope` do by themselves from now on; this replaces what was set for the
    /// same scope, and stays over a [reset](Self::reset).
    ///
    /// # Errors
    ///
    /// When no application has the key, or a prefix is not `+` and digits.
    pub fn set_handset_behavior(&self, scope: Scope, behavior: HandsetBehavior) -> Result<(), ControlError> {
        self.core.set_handset_behavior(scope, behavior)
    }

    /// Forgets all behaviors; [magic numbers](crate::MagicNumber) stay.
    pub fn clear_handset_behaviors(&self) {
        self.core.clear_handset_behaviors();
    }

    /// Posts once more what a [delivery](Self::deliveries) posted: to the callback URL of now, signed
    /// anew. A decision in the answer is judged, but nobody acts on it. `None` when the delivery is
    /// no longer known, or its application has no callback URL.
    pub async fn replay(&self, seq: u64) -> Option<Delivery> {
        self.replay_as(seq, &Replay::Same).await.ok()?.pop()
    }

    /// As [`Emulator::replay`], changed in some way; gives what became of each post, in order. A
    /// spoilt one is [ok](Delivery::ok) when it was refused.
    ///
    /// # Errors
    ///
    /// When the delivery is no longer known, its application has no callback URL, or the kit has
    /// nothing of this name.
    pub async fn replay_as(&self, seq: u64, how: &Replay) -> Result<Vec<Delivery>, ControlError> {
        callbacks::replay_delivery(&self.core, seq, how).await
    }

    /// Puts the receiver at an application's callback URL to the test: with events of every kind,
    /// with a question that comes again, and with every spoilt callback of the
    /// [kit](crate::Builder::tamper_kit).
    ///
    /// # Errors
    ///
    /// When no application has the key, it has no callback URL, or there is no kit.
    pub async fn conformance(&self, key: &ApplicationKey) -> Result<Vec<Check>, ControlError> {
        let app = self.core.registry.find(key.as_str());
        let app = app.ok_or_else(|| ControlError::UnknownApplication(key.clone()))?;
        callbacks::conform(&self.core, app).await
    }

    /// Orders a fault; gives its number. It stays over a [reset](Self::reset).
    ///
    /// # Errors
    ///
    /// When the rule makes no sense: the message names the field.
    pub fn add_fault(&self, rule: FaultRule) -> Result<u64, ControlError> {
        self.core.add_fault(rule).map_err(ControlError::Fault)
    }

    /// Ends a fault; says whether there was one of this number.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.core.remove_fault(id)
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.core.clear_faults();
    }

    /// The faults in force, and how often each struck.
    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.core.faults.list()
    }

    /// Forgets all verifications, messages, waiting events and deliveries, and starts the made-up
    /// values from the seed again. Applications and clock stay as they are.
    pub fn reset(&self) {
        self.core.reset();
    }

    /// Stops: takes no more connections, answers what is under way (for 5 s at most), and drops
    /// events that still wait.
    pub async fn shutdown(mut self) {
        self.core.stop();
        let server = async { while self.server.join_next().await.is_some() {} };
        // Whoever still holds a connection open loses it with the tasks.
        let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("address", &self.address)
            .field("seed", &self.seed())
            .finish_non_exhaustive()
    }
}
