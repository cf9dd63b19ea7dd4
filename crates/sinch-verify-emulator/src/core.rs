//! What all tasks of an emulator share.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::auth::{Signer, Verifier};
use sinch_verify_protocol::{
    ApiError, ApplicationKey, ApplicationSecret, BaseUrl, PhoneNumber, Verification,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::application::{AuthorizationLevel, CallbackUrl};
use crate::callbacks::{Job, Log, Outstanding, Poster, Waiting};
use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::emulator::{ControlError, Parts};
use crate::engine::{
    Answer, AppId, Ask, Command, Engine, Intervention, Notice, Outputs, Reach, Refusal, Uid,
};
use crate::fault::{FaultRule, Faults};
use crate::feed::{Feed, Happening};
use crate::hash::Map;
use crate::journal::Journal;
use crate::kit::TamperKit;
use crate::message::Message;
use crate::mix::mix;
use crate::policy::{Policy, Scope};
use crate::settings::Settings;

/// What all tasks of an emulator share.
pub(crate) struct Core {
    base: BaseUrl,
    seed: u64,
    /// When this emulator began, on the wall clock.
    started: SystemTime,
    settings: Arc<Settings>,
    clock: Clock,
    applications: Vec<Registered>,
    by_key: Map<Box<str>, AppId>,
    remote_callbacks: bool,
    /// Held for short, and never across an `await`.
    engine: Mutex<Engine>,
    /// The engine's next deadline came nearer.
    nearer: Notify,
    /// A handset may have something new.
    arrived: Notify,
    jobs: mpsc::UnboundedSender<Job>,
    pub(crate) poster: Poster,
    kit: Option<Box<dyn TamperKit>>,
    pub(crate) outstanding: Outstanding,
    pub(crate) log: Log,
    pub(crate) journal: Journal,
    pub(crate) feed: Feed,
    pub(crate) faults: Faults,
    stop: watch::Sender<bool>,
    support_ids: AtomicU64,
}

/// An application, ready for use.
pub(crate) struct Registered {
    pub(crate) secret: ApplicationSecret,
    older: Vec<ApplicationSecret>,
    pub(crate) minimum: AuthorizationLevel,
    /// One for each secret, the first one's first.
    pub(crate) verifiers: Vec<Verifier>,
    pub(crate) signer: Signer,
    callback: RwLock<Option<Arc<CallbackUrl>>>,
}

impl Registered {
    /// All secrets that are taken.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &ApplicationSecret> {
        [&self.secret].into_iter().chain(&self.older)
    }
}

/// What can be done to service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It moves ahead.
    By(Duration),
    /// It moves to whatever is due next.
    ToNextDue,
    /// It moves to the next expiry of a verification.
    ToNextExpiry,
    /// It stands, or goes on.
    Pause(bool),
}

/// What came of a command, and which verification it was about.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    pub(crate) about: Option<Uid>,
}

impl Core {
    pub(crate) fn new(parts: Parts, jobs: mpsc::UnboundedSender<Job>) -> Self {
        let Parts { seed, clock, kit, .. } = parts;
        let settings = Arc::new(parts.settings);
        let base = base_of(parts.address);
        let applications = parts.applications.len();
        let engine = Engine::new(Arc::clone(&settings), base.clone(), seed, applications);
        let mut by_key = Map::default();
        let mut registered = Vec::new();
        for (id, application) in (0_u32..).zip(parts.applications) {
            by_key.insert(application.key.as_str().into(), AppId(id));
            registered.push(Registered {
                verifiers: [&application.secret]
                    .into_iter()
                    .chain(&application.older)
                    .map(|secret| Verifier::new(application.key.clone(), secret))
                    .collect(),
                signer: Signer::new(application.key, &application.secret),
                secret: application.secret,
                older: application.older,
                minimum: application.minimum,
                callback: RwLock::new(application.callback.map(Arc::new)),
            });
        }
        Self {
            base,
            seed,
            started: clock.wire(),
            clock,
            kit,
            applications: registered,
            by_key,
            remote_callbacks: parts.remote_callbacks,
            engine: Mutex::new(engine),
            nearer: Notify::new(),
            arrived: Notify::new(),
            jobs,
            poster: Poster::new(),
            outstanding: Outstanding::default(),
            log: Log::new(settings.deliveries_kept),
            journal: Journal::new(settings.requests_kept),
            feed: Feed::new(settings.events_kept),
            faults: Faults::new(seed),
            stop: watch::Sender::new(false),
            support_ids: AtomicU64::new(0),
            settings,
        }
    }

    pub(crate) fn started(&self) -> SystemTime {
        self.started
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn kit(&self) -> Option<&dyn TamperKit> {
        self.kit.as_deref()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn find(&self, key: &str) -> Option<AppId> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn applications(&self) -> impl Iterator<Item = (AppId, &Registered)> {
        (0..).map(AppId).zip(&self.applications)
    }

    pub(crate) fn application(&self, app: AppId) -> Option<&Registered> {
        self.applications.get(app.0 as usize)
    }

    pub(crate) fn callback(&self, app: AppId) -> Option<Arc<CallbackUrl>> {
        let callback = &self.application(app)?.callback;
        callback.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the engine a command, and whoever is concerned what came of it.
    pub(crate) fn run(&self, command: Command) -> Answer {
        self.carry_out(command).answer
    }

    /// As [`Core::run`], and says which verification it was about.
    pub(crate) fn carry_out(&self, command: Command) -> Outcome {
        let mut engine = self.lock();
        let before = engine.next_deadline();
        let now = self.clock.service();
        let outputs = engine.handle(now, command);
        self.note(now, &outputs);
        // Queued under the lock, so that events of one verification keep their order.
        for effect in outputs.effects {
            if self.callback(effect.app).is_some() {
                self.outstanding.add();
                self.post(Job::Tell(effect));
            }
        }
        let nearer = match (before, engine.next_deadline()) {
            (Some(before), Some(after)) => after < before,
            (before, after) => before.is_none() && after.is_some(),
        };
        drop(engine);
        if nearer {
            self.nearer.notify_one();
        }
        if !outputs.arrivals.is_empty() {
            self.arrived.notify_waiters();
        }
        Outcome {
            answer: outputs.answer,
            about: outputs.about,
        }
    }

    /// Looks at the engine, for those who only look.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(&self.lock())
    }

    /// Puts into the feed what happened. Called under the lock, so that the order is the engine's.
    fn note(&self, at: SystemTime, outputs: &Outputs) {
        for effect in &outputs.effects {
            if let Notice::Result(event) = &effect.notice {
                self.feed.push(
                    at,
                    Happening::Ended {
                        id: event.id.clone(),
                        status: event.status.clone(),
                        reason: event.reason.clone(),
                    },
                );
            }
        }
        if let Answer::Started { response, .. } = &outputs.answer {
            let id = response.id.clone();
            self.feed.push(
                at,
                Happening::Started {
                    id,
                    method: response.method.clone(),
                },
            );
        }
        for arrived in &outputs.arrivals {
            self.feed.push(at, Happening::Message(*arrived));
        }
    }

    /// What stands for a start of `number`, if its answer is to be held back: for how long, or for
    /// ever.
    pub(crate) fn held_back(&self, app: AppId, number: &PhoneNumber) -> Option<Option<Duration>> {
        self.lock().held_back(app, number)
    }

    fn reach(&self, scope: Scope) -> Result<Reach, ControlError> {
        Ok(match scope {
            Scope::Number(number) => Reach::Number(number),
            Scope::Prefix(prefix) => {
                let digits = prefix.strip_prefix('+').unwrap_or_default();
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(ControlError::Prefix);
                }
                Reach::Prefix(prefix)
            }
            Scope::Application(key) => {
                let app = self.find(key.as_str());
                Reach::Application(app.ok_or(ControlError::UnknownApplication(key))?)
            }
            Scope::Everyone => Reach::Everyone,
        })
    }

    pub(crate) fn set_policy(&self, scope: Scope, policy: Policy) -> Result<(), ControlError> {
        let scope = self.reach(scope)?;
        self.run(Command::SetPolicy { scope, policy });
        self.tell(Happening::Policy);
        Ok(())
    }

    pub(crate) fn remove_policy(&self, scope: Scope) -> Result<(), ControlError> {
        let scope = self.reach(scope)?;
        self.run(Command::RemovePolicy { scope });
        self.tell(Happening::Policy);
        Ok(())
    }

    pub(crate) fn clear_policies(&self) {
        self.run(Command::ClearPolicies);
        self.tell(Happening::Policy);
    }

    /// Puts into the feed what happened outside the engine.
    pub(crate) fn tell(&self, what: Happening) {
        self.feed.push(self.clock.service(), what);
    }

    pub(crate) fn add_fault(&self, rule: FaultRule) -> Result<u64, &'static str> {
        if rule
            .application
            .as_deref()
            .is_some_and(|key| self.find(key).is_none())
        {
            return Err("application must be the key of one of this emulator");
        }
        let id = self.faults.add(rule)?;
        self.tell(Happening::Fault);
        Ok(id)
    }

    /// Says whether there was such a fault.
    pub(crate) fn remove_fault(&self, id: u64) -> bool {
        let removed = self.faults.remove(id);
        if removed {
            self.tell(Happening::Fault);
        }
        removed
    }

    pub(crate) fn clear_faults(&self) {
        self.faults.clear();
        self.tell(Happening::Fault);
    }

    /// Events that were not heard yet.
    pub(crate) async fn queue(&self) -> Vec<Waiting> {
        let (reply, queue) = oneshot::channel();
        self.post(Job::Queue { reply });
        queue.await.unwrap_or_default()
    }

    /// As [`Core::run`], and asks the callback if the engine wants that.
    pub(crate) async fn run_asking(&self, app: AppId, command: Command) -> Outcome {
        let outcome = self.carry_out(command);
        match outcome.answer {
            Answer::Ask(ask) => Outcome {
                about: Some(ask.uid),
                // Few calls get here: the others need not carry what this one waits with.
                answer: Box::pin(self.ask(app, ask)).await,
            },
            _ => outcome,
        }
    }

    /// The question is put by a task of its own: it is answered even if the asker goes away.
    async fn ask(&self, app: AppId, ask: Ask) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.post(Job::Ask { app, ask, reply });
        answer.await.unwrap_or_else(|_| {
            let message = "Service is temporarily unavailable, please try again later.";
            Answer::Refused(Refusal::new(ApiError::UNAVAILABLE, message))
        })
    }

    fn post(&self, job: Job) {
        // Nobody takes jobs once the emulator has stopped, and then nobody waits for them.
        let _ = self.jobs.send(job);
    }

    pub(crate) fn next_deadline(&self) -> Option<SystemTime> {
        self.lock().next_deadline()
    }

    pub(crate) async fn deadline_moved(&self) {
        self.nearer.notified().await;
    }

    pub(crate) fn inbox(&self, number: &PhoneNumber) -> Vec<Message> {
        self.lock().inbox(number)
    }

    pub(crate) async fn wait_message(
        &self,
        number: &PhoneNumber,
        after: u64,
        timeout: Duration,
    ) -> Option<Message> {
        let look = async {
            loop {
                let arrived = self.arrived.notified();
                tokio::pin!(arrived);
                // From here on no arrival is missed.
                arrived.as_mut().enable();
                let found = self
                    .inbox(number)
                    .into_iter()
                    .rev()
                    .find(|message| message.seq > after);
                if let Some(message) = found {
                    return message;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(timeout, look).await.ok()
    }

    pub(crate) fn press_keypad(
        &self,
        number: &PhoneNumber,
        digits: &str,
    ) -> Result<Verification, ControlError> {
        let command = Command::Keypad {
            number: *number,
            digits: digits.to_owned(),
        };
        let pressed = self.clock.service();
        let outcome = self.carry_out(command);
        if let Some(uid) = outcome.about {
            let digits = digits.to_owned();
            self.feed.push(pressed, Happening::Keys { uid, digits });
        }
        match outcome.answer {
            Answer::Verification(verification) => Ok(*verification),
            Answer::Refused(refusal) if refusal.code == ApiError::PARAMETER => Err(ControlError::Keys),
            _ => Err(ControlError::NoCallout),
        }
    }

    /// Moves service time, and does all that is due then before this returns. Says whether there was
    /// anything to move it to.
    pub(crate) fn turn(&self, turn: Turn) -> bool {
        let turned = self.turn_clock(turn);
        if turned {
            while self.do_some_that_is_due() {}
            self.tell(Happening::Clock);
        }
        turned
    }

    /// As [`Core::turn`], with requests answered in between, however much is due.
    pub(crate) async fn turn_among_others(&self, turn: Turn) -> bool {
        let turned = self.turn_clock(turn);
        if turned {
            while self.do_some_that_is_due() {
                tokio::task::yield_now().await;
            }
            self.tell(Happening::Clock);
        }
        turned
    }

    fn turn_clock(&self, turn: Turn) -> bool {
        let due = match turn {
            Turn::By(span) => {
                self.clock.advance(span);
                return true;
            }
            Turn::Pause(true) => {
                self.clock.pause();
                return true;
            }
            Turn::Pause(false) => {
                self.clock.resume();
                // The driver did not look at the clock while it stood.
                self.nearer.notify_one();
                return true;
            }
            Turn::ToNextDue => self.look(Engine::next_deadline),
            Turn::ToNextExpiry => self.look(Engine::next_expiry),
        };
        if let Some(due) = due {
            self.clock.advance_to(due);
        }
        due.is_some()
    }

    /// Does some of what is due; says whether there is more.
    pub(crate) fn do_some_that_is_due(&self) -> bool {
        self.run(Command::TimeReached);
        let now = self.clock.service();
        self.next_deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Expires, delivers or denies; says what stands against it.
    pub(crate) fn intervene(&self, uid: Uid, what: Intervention) -> Result<(), Refusal> {
        match self.run(Command::Intervene { uid, what }) {
            Answer::Refused(refusal) => Err(refusal),
            _ => Ok(()),
        }
    }

    pub(crate) fn set_callback_url(
        &self,
        key: &ApplicationKey,
        url: Option<CallbackUrl>,
    ) -> Result<(), ControlError> {
        let app = self.find(key.as_str()).and_then(|app| self.application(app));
        let app = app.ok_or_else(|| ControlError::UnknownApplication(key.clone()))?;
        if !self.remote_callbacks && url.as_ref().is_some_and(|url| !url.is_loopback()) {
            return Err(ControlError::RemoteCallback);
        }
        *app.callback.write().unwrap_or_else(PoisonError::into_inner) = url.map(Arc::new);
        Ok(())
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.log.before(u64::MAX, usize::MAX, |_, _| true)
    }

    pub(crate) async fn wait_delivered(&self, timeout: Duration) -> bool {
        tokio::time::timeout(timeout, self.outstanding.none())
            .await
            .is_ok()
    }

    pub(crate) fn reset(&self) {
        self.run(Command::Reset);
        self.post(Job::Forget);
        self.log.clear();
        self.journal.clear();
        self.tell(Happening::Reset);
    }

    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Resolves once the emulator is to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// `text` without any application's secret in it.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.applications.iter().flat_map(Registered::secrets) {
            let secret = secret.expose_text();
            if !secret.is_empty() && text.contains(secret) {
                text = text.replace(secret, "[hidden]");
            }
        }
        text
    }

    /// An id that an error body carries, for whoever asks for support.
    pub(crate) fn support_id(&self) -> String {
        let n = self.support_ids.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}", mix(self.seed ^ n.rotate_left(32)))
    }

    fn lock(&self) -> MutexGuard<'_, Engine> {
        // A panic inside would be a bug of ours; the other verifications are still whole.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server that listens on `address` is reached from this machine.
fn base_of(address: SocketAddr) -> BaseUrl {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("http://{}", SocketAddr::new(host, address.port()));
    #[expect(
        clippy::expect_used,
        reason = "a scheme and a socket address always make a base URL"
    )]
    url.parse().expect("a socket address makes a base URL")
}
