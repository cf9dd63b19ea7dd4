//! The state that all tasks of an emulator share.

mod callback_client;
mod copying;
mod credentials;
mod delivery_log;
mod handsets;
mod registry;
mod service_time;
mod undelivered;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::HOST;
use parking_lot::{Mutex, MutexGuard};
use sinch_verify_protocol::{ApiError, ApplicationKey, BaseUrl};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::application::{Application, CallbackAuth, CallbackUrl};
use crate::clock::Clock;
use crate::control_error::ControlError;
use crate::delivery::Delivery;
use crate::engine::{
    Answer, AppId, Command, DecisionRequest, Engine, Intervention, Notice, Outputs, Refusal, Uid,
};
use crate::fault::{FaultRule, Faults};
use crate::feed::{Feed, FeedEvent};
use crate::host_name::{HostName, base_of_host};
use crate::journal::Journal;
use crate::metrics::{Metrics, Present};
use crate::settings::Settings;
use crate::splitmix::splitmix64;
use crate::tamper_kit::TamperKit;

pub(crate) use callback_client::{CallbackAnswer, PostResult};
pub(crate) use copying::{Copying, Downtime, Sink};
pub(crate) use registry::{Registered, Registry, authorize_basic};
pub(crate) use service_time::ClockChange;
pub(crate) use undelivered::{Job, Waiting};

use callback_client::CallbackClient;
use delivery_log::DeliveryLog;
use undelivered::{Outstanding, Retries};

/// The configuration of an emulator, and its clock.
pub(crate) struct CoreConfig {
    pub(crate) address: SocketAddr,
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) public_url: Option<BaseUrl>,
    pub(crate) allowed_hosts: Vec<HostName>,
    pub(crate) kit: Option<Box<dyn TamperKit>>,
}

/// The state that all tasks of an emulator share.
pub(crate) struct Core {
    address: SocketAddr,
    base: BaseUrl,
    /// The base URL of all links.
    public_url: Option<Arc<BaseUrl>>,
    /// The base URL of links in answers to requests that name no allowed host.
    default_url: Arc<BaseUrl>,
    allowed_hosts: Vec<HostName>,
    /// The seed of support ids and credentials. The seed of the engine is the one of a restored snapshot.
    seed: u64,
    /// When this emulator started, on the wall clock.
    started: SystemTime,
    settings: Arc<Settings>,
    clock: Clock,
    pub(crate) registry: Registry,
    /// Locked for short times, and never across an `await`.
    engine: Mutex<Engine>,
    /// Notified when the next deadline becomes earlier.
    deadline_change: Notify,
    /// Notified when a message or call reaches a handset.
    arrived: Notify,
    jobs: mpsc::UnboundedSender<Job>,
    pub(crate) callback_client: CallbackClient,
    kit: Option<Box<dyn TamperKit>>,
    pub(crate) outstanding: Outstanding,
    retries: Retries,
    pub(crate) log: DeliveryLog,
    pub(crate) journal: Journal,
    pub(crate) feed: Feed,
    pub(crate) faults: Faults,
    pub(crate) metrics: Metrics,
    stop: watch::Sender<bool>,
    support_ids: AtomicU64,
    /// How many credentials were made up.
    credentials: AtomicU64,
}

/// The answer to a command, and the verification that the command was about.
pub(crate) struct CommandResult {
    pub(crate) answer: Answer,
    pub(crate) about: Option<Uid>,
}

impl Core {
    pub(crate) fn new(config: CoreConfig, jobs: mpsc::UnboundedSender<Job>) -> Self {
        let CoreConfig { seed, clock, kit, .. } = config;
        let settings = Arc::new(config.settings);
        let started = clock.wire();
        let base = base_of(config.address);
        // An allowed name works on other machines too.
        let default_url = match config.allowed_hosts.first() {
            Some(name) => name.base(config.address.port()),
            None => base.clone(),
        };
        let engine = Engine::new(Arc::clone(&settings), seed);
        Self {
            address: config.address,
            base,
            public_url: config.public_url.map(Arc::new),
            default_url: Arc::new(default_url),
            allowed_hosts: config.allowed_hosts,
            seed,
            started,
            clock,
            kit,
            registry: config.registry,
            engine: Mutex::new(engine),
            deadline_change: Notify::new(),
            arrived: Notify::new(),
            jobs,
            callback_client: CallbackClient::new(),
            outstanding: Outstanding::default(),
            retries: Retries::default(),
            log: DeliveryLog::new(settings.deliveries_kept),
            journal: Journal::new(settings.requests_kept),
            feed: Feed::new(started, settings.events_kept),
            faults: Faults::new(seed),
            metrics: Metrics::new(),
            stop: watch::Sender::new(false),
            support_ids: AtomicU64::new(0),
            credentials: AtomicU64::new(0),
            settings,
        }
    }

    pub(crate) fn started(&self) -> SystemTime {
        self.started
    }

    /// The address that the emulator listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// The base URL of links in the answer to a request with these headers: the public URL, or else the
    /// host that the request came to, if it is allowed.
    pub(crate) fn base_for_links(&self, headers: &HeaderMap) -> Arc<BaseUrl> {
        if let Some(url) = &self.public_url {
            return Arc::clone(url);
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let is_allowed =
            |base: &BaseUrl| base.is_loopback() || self.allowed_hosts.iter().any(|name| name.is(base.host()));
        match host.and_then(base_of_host).filter(is_allowed) {
            Some(base) => Arc::new(base),
            None => Arc::clone(&self.default_url),
        }
    }

    /// The host names that other machines may use for the control interface.
    pub(crate) fn allowed_hosts(&self) -> &[HostName] {
        &self.allowed_hosts
    }

    /// The seed of all random values of verifications.
    pub(crate) fn seed(&self) -> u64 {
        self.lock().seed()
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

    /// Runs a command and distributes its outputs.
    pub(crate) fn run(&self, command: Command) -> Answer {
        self.run_command(command).answer
    }

    /// As [`Core::run`]. The result also names the verification that the command was about.
    pub(crate) fn run_command(&self, command: Command) -> CommandResult {
        let mut engine = self.lock();
        let before = engine.next_deadline();
        let (now, unmoved) = (self.clock.service(), self.clock.unmoved());
        let outputs = engine.handle(now, command);
        self.publish_outputs(now, &outputs);
        // Queued under the lock, so that the events of one verification keep their order.
        for effect in outputs.effects {
            if self.registry.callback(effect.app).is_some() {
                self.outstanding.add(effect.app);
                let moved = effect.at.duration_since(unmoved).unwrap_or_default();
                self.post(Job::DeliverEvent { effect, moved });
            }
        }
        let is_nearer = match (before, engine.next_deadline()) {
            (Some(before), Some(after)) => after < before,
            (before, after) => before.is_none() && after.is_some(),
        };
        drop(engine);
        if is_nearer {
            self.deadline_change.notify_one();
        }
        if !outputs.arrivals.is_empty() {
            self.arrived.notify_waiters();
        }
        CommandResult {
            answer: outputs.answer,
            about: outputs.about,
        }
    }

    /// Reads from the engine.
    pub(crate) fn with_engine<T>(&self, read: impl FnOnce(&Engine) -> T) -> T {
        read(&self.lock())
    }

    /// Counts the outputs of a command and publishes them in the feed. Called under the lock, so that the feed has the
    /// order of the engine.
    fn publish_outputs(&self, at: SystemTime, outputs: &Outputs) {
        for over in &outputs.calls_over {
            self.feed.push(over.at, FeedEvent::CallOver(*over));
        }
        for effect in &outputs.effects {
            if let Notice::Result(event) = &effect.notice {
                self.metrics.ended(event);
                self.feed.push(
                    at,
                    FeedEvent::Ended {
                        id: event.id.clone(),
                        status: event.status.clone(),
                        reason: event.reason.clone(),
                    },
                );
            }
        }
        if let Answer::Started { response, .. } = &outputs.answer {
            if let Some(method) = &response.method {
                self.metrics.started(method);
            }
            let id = response.id.clone();
            self.feed.push(
                at,
                FeedEvent::Started {
                    id,
                    method: response.method.clone(),
                },
            );
        }
        self.metrics.messages(outputs.arrivals.len());
        for arrived in &outputs.arrivals {
            self.feed.push(at, FeedEvent::Message(*arrived));
        }
    }

    /// Publishes an event that happened outside the engine in the feed.
    pub(crate) fn publish(&self, what: FeedEvent) {
        self.feed.push(self.clock.service(), what);
    }

    pub(crate) fn add_application(&self, application: Application) -> Result<AppId, ControlError> {
        let app = self.registry.add(application)?;
        self.lock().note_change();
        Ok(app)
    }

    pub(crate) fn set_callback_url(
        &self,
        key: &ApplicationKey,
        url: Option<CallbackUrl>,
    ) -> Result<(), ControlError> {
        self.registry.set_callback_url(key, url)?;
        self.lock().note_change();
        Ok(())
    }

    pub(crate) fn set_callback_auth(
        &self,
        key: &ApplicationKey,
        auth: CallbackAuth,
    ) -> Result<(), ControlError> {
        self.registry.set_callback_auth(key, auth)?;
        self.lock().note_change();
        Ok(())
    }

    pub(crate) fn add_fault(&self, rule: FaultRule) -> Result<u64, String> {
        if rule
            .application
            .as_deref()
            .is_some_and(|key| self.registry.find(key).is_none())
        {
            return Err("application: the emulator has no application with this key".to_owned());
        }
        let id = self.faults.add(rule)?;
        self.publish(FeedEvent::Fault);
        Ok(id)
    }

    /// Removes a fault. Returns whether it existed.
    pub(crate) fn remove_fault(&self, id: u64) -> bool {
        let removed = self.faults.remove(id);
        if removed {
            self.publish(FeedEvent::Fault);
        }
        removed
    }

    pub(crate) fn clear_faults(&self) {
        self.faults.clear();
        self.publish(FeedEvent::Fault);
    }

    /// The events that are not delivered yet.
    pub(crate) async fn queue(&self) -> Vec<Waiting> {
        let (reply, queue) = oneshot::channel();
        self.post(Job::ListWaiting { reply });
        queue.await.unwrap_or_default()
    }

    /// As [`Core::run_command`]. If the engine needs a decision, requests it from the callback.
    pub(crate) async fn run_with_callback(&self, app: AppId, command: Command) -> CommandResult {
        let outcome = self.run_command(command);
        match outcome.answer {
            Answer::NeedsDecision(decision_request) => CommandResult {
                about: Some(decision_request.uid),
                // Boxed: few calls need a decision, and the future of the others stays small.
                answer: Box::pin(self.request_decision(app, decision_request)).await,
            },
            _ => outcome,
        }
    }

    /// Requests a decision in a separate task, which goes on if the connection of the start closes.
    async fn request_decision(&self, app: AppId, decision_request: DecisionRequest) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.post(Job::RequestEvent {
            app,
            decision_request,
            reply,
        });
        answer.await.unwrap_or_else(|_| {
            let message = "Service is temporarily unavailable, please try again later.";
            Answer::Refused(Refusal::new(ApiError::UNAVAILABLE, message))
        })
    }

    fn post(&self, job: Job) {
        // Sending fails only after the emulator stopped; then no job matters.
        let _ = self.jobs.send(job);
    }

    /// Expires, delivers or denies a verification by request.
    ///
    /// # Errors
    ///
    /// Why it is not possible.
    pub(crate) fn intervene(&self, uid: Uid, what: Intervention) -> Result<(), Refusal> {
        match self.run(Command::Intervene { uid, what }) {
            Answer::Refused(refusal) => Err(refusal),
            _ => Ok(()),
        }
    }

    /// The latest deliveries, newest first, to one application if given.
    pub(crate) fn deliveries(&self, app: Option<AppId>) -> Vec<Delivery> {
        let is_own = |own, _: &Delivery| app.is_none_or(|app| app == own);
        self.log.before(u64::MAX, usize::MAX, is_own)
    }

    /// Waits until no event is undelivered, of one application if given.
    pub(crate) async fn wait_delivered(&self, app: Option<AppId>, timeout: Duration) -> bool {
        tokio::time::timeout(timeout, self.outstanding.none(app))
            .await
            .is_ok()
    }

    pub(crate) fn reset(&self) {
        self.run(Command::Reset);
        self.post(Job::Forget);
        self.forget_traffic();
    }

    /// Forgets what was posted and what is to be posted.
    fn forget_traffic(&self) {
        self.forget_retries();
        self.log.clear();
        self.journal.clear();
        self.publish(FeedEvent::Reset);
    }

    /// All counters as text.
    pub(crate) fn metrics_text(&self) -> Result<String, fmt::Error> {
        let (pending, ended) = self.with_engine(Engine::kept);
        self.metrics.text(&Present {
            pending,
            ended,
            undelivered: self.outstanding.count(),
            applications: self.registry.all().len(),
        })
    }

    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Becomes `true` when the emulator is to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// A new support id, for an error body.
    pub(crate) fn support_id(&self) -> String {
        let n = self.support_ids.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}", splitmix64(self.seed ^ n.rotate_left(32)))
    }

    /// After a panic in the engine the other verifications are still valid, so the lock has no poison.
    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock()
    }
}

/// The URL by which this machine reaches a server that listens on `address`.
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
