//! What the tests of several files begin with: an application, a service, a clock, a process.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sinch_verify_client::protocol::{Decision, PhoneNumber};
use sinch_verify_client::{Client, ClientBuilder, Clock, RetryPolicy, SharedTransport, Sleep};
use sinch_verify_emulator::{Application, Emulator, Settings};

use crate::fault_server::{Fault, FaultServer};

pub(crate) const KEY: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";

/// Long enough for loopback on a busy machine.
pub(crate) const PATIENT: Duration = Duration::from_secs(20);

pub(crate) fn number() -> PhoneNumber {
    "+46700000001".parse().unwrap()
}

/// A client of the application, in its default settings.
pub(crate) fn builder(base_url: &str) -> ClientBuilder {
    Client::builder()
        .application_signed(KEY, SECRET)
        .base_url(base_url)
}

/// One that does not wait long before it tries again, and waits long for an answer.
pub(crate) fn hasty(base_url: &str) -> ClientBuilder {
    let short = Duration::from_millis(1);
    builder(base_url)
        .retry(RetryPolicy::default().backoff(short, short * 5))
        .attempt_timeout(PATIENT)
        .total_timeout(PATIENT * 3)
}

/// A client over this transport, which sends everything once.
pub(crate) fn once(base_url: &str, transport: impl Into<SharedTransport>) -> Client {
    let builder = builder(base_url).transport(transport);
    builder.retry(RetryPolicy::never()).build().unwrap()
}

/// The service, and the application's backend where there is one.
pub(crate) struct Service {
    pub(crate) emulator: Arc<Emulator>,
    /// Kept for its socket.
    _backend: Option<FaultServer>,
}

impl Service {
    /// The backend gives every request event the same answer; without a decision there is none.
    pub(crate) async fn start(decision: Option<&Decision>, settings: Settings) -> Self {
        let mut application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap());
        let mut backend = None;
        if let Some(decision) = decision {
            let server = FaultServer::start(Fault::answer("200 OK", &decision.to_json())).await;
            application = application.callback_url(format!("{}/callback", server.base_url).parse().unwrap());
            backend = Some(server);
        }
        let emulator = Emulator::builder()
            .application(application)
            .settings(settings)
            .seed(7)
            .start()
            .await
            .unwrap();
        Self {
            emulator: Arc::new(emulator),
            _backend: backend,
        }
    }

    pub(crate) async fn without_backend() -> Self {
        Self::start(None, Settings::default()).await
    }

    pub(crate) async fn deciding(decision: &Decision) -> Self {
        Self::start(Some(decision), Settings::default()).await
    }

    pub(crate) async fn allowing() -> Self {
        Self::deciding(&Decision::Allow).await
    }

    /// See [`hasty`].
    pub(crate) fn builder(&self) -> ClientBuilder {
        hasty(&self.emulator.url())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

/// Set in a process that carries out a part of a test.
const CHILD: &str = "CLIENT_TEST_CHILD";

/// Whether this process was started by [`child`].
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the test of this name in another process, with these variables and no others of the client's.
pub(crate) fn child(test: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(CHILD, "1")
        .env_remove("SINCH_APPLICATION_KEY")
        .env_remove("SINCH_APPLICATION_SECRET")
        .env_remove("SINCH_VERIFICATION_URL")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// The system's time, but for its pauses: they are over at once, and are counted all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hurried(Arc<AtomicU64>);

impl Clock for Hurried {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        Instant::now() + Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        self.0.fetch_add(nanos, Ordering::Relaxed);
        Box::pin(tokio::task::yield_now())
    }
}

/// Does not sleep, and goes on by what was asked for. Its day began long ago, unless it is set.
#[derive(Clone, Debug)]
pub(crate) struct Skipping {
    origin: Instant,
    day: SystemTime,
    slept: Arc<Mutex<Vec<Duration>>>,
    tick: Duration,
    looks: Arc<AtomicU32>,
    longest: Duration,
}

impl Skipping {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            day: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            slept: Arc::default(),
            tick: Duration::ZERO,
            looks: Arc::default(),
            longest: Duration::MAX,
        }
    }

    /// Goes on by `tick` with every look at the time of day, too.
    pub(crate) fn ticking(tick: Duration) -> Self {
        Self { tick, ..Self::new() }
    }

    /// Its first time of day is this one.
    pub(crate) fn beginning(self, day: SystemTime) -> Self {
        Self { day, ..self }
    }

    /// A sleep that is longer never ends.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self {
            longest,
            ..Self::new()
        }
    }

    /// Every pause that was asked for.
    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }

    /// All of them together.
    pub(crate) fn ahead(&self) -> Duration {
        self.slept().iter().sum()
    }
}

impl Clock for Skipping {
    fn now(&self) -> SystemTime {
        let looks = self.looks.fetch_add(1, Ordering::Relaxed);
        self.day + self.ahead() + self.tick * looks
    }

    fn instant(&self) -> Instant {
        self.origin + self.ahead()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        if duration > self.longest {
            return Box::pin(std::future::pending());
        }
        self.slept.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }
}
