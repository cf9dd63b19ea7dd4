//! Configures and starts an emulator.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use sinch_verify_protocol::{ApplicationKey, BaseUrl};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::application::Application;
use crate::clock::Clock;
use crate::control_error::ControlError;
use crate::core::{Core, CoreConfig, Downtime, Registry};
use crate::emulator::Emulator;
use crate::handset_behavior::{HandsetBehavior, Scope};
use crate::host_name::HostName;
use crate::settings::Settings;
use crate::snapshot::SnapshotError;
use crate::state_file::{self, StateFile};
use crate::tamper_kit::TamperKit;

/// Configures an emulator. Create it with [`Emulator::builder`], finish with [`Builder::start`].
#[derive(Debug)]
pub struct Builder {
    applications: Vec<Application>,
    settings: Settings,
    seed: Option<u64>,
    address: SocketAddr,
    manual_clock: Option<SystemTime>,
    remote_callbacks: bool,
    public_url: Option<BaseUrl>,
    allowed_hosts: Vec<HostName>,
    behaviors: Vec<(Scope, HandsetBehavior)>,
    kit: Option<Box<dyn TamperKit>>,
    state_file: Option<PathBuf>,
}

impl Emulator {
    /// Returns a builder with the default settings and no application.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl Builder {
    fn new() -> Self {
        Self {
            applications: Vec::new(),
            settings: Settings::default(),
            seed: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            manual_clock: None,
            remote_callbacks: false,
            public_url: None,
            allowed_hosts: Vec::new(),
            behaviors: Vec::new(),
            kit: None,
            state_file: None,
        }
    }

    /// Adds an application. Applications do not see each other's verifications.
    /// [`Emulator::application`] adds more while the emulator runs.
    #[must_use]
    pub fn application(mut self, application: Application) -> Self {
        self.applications.push(application);
        self
    }

    /// Sets how the emulator behaves.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the seed of all random values: ids, codes and caller ids. Without it each run has another
    /// seed; [`Emulator::seed`] returns it. Ids contain the time, so they repeat only with a
    /// [manual clock](Self::manual_clock).
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the address to listen on. Default 127.0.0.1 and a free port.
    #[must_use]
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Makes service time start at `now` and move only by [`Emulator::advance`].
    #[must_use]
    pub fn manual_clock(mut self, now: SystemTime) -> Self {
        self.manual_clock = Some(now);
        self
    }

    /// Sets what the handsets within `scope` do by themselves. See [`HandsetBehavior`].
    #[must_use]
    pub fn handset_behavior(mut self, scope: Scope, behavior: HandsetBehavior) -> Self {
        self.behaviors.push((scope, behavior));
        self
    }

    /// Adds a kit that makes invalid callbacks. [`Emulator::conformance`] requires one.
    #[must_use]
    pub fn tamper_kit(mut self, kit: impl TamperKit) -> Self {
        self.kit = Some(Box::new(kit));
        self
    }

    /// Keeps verifications, phones, applications, handset behaviors and service time in a file, so that
    /// they survive a restart. The file is created if it does not exist, readable for its owner only, and
    /// saved every second and by [`Emulator::shutdown`]. It has the format of a
    /// [`Snapshot`](crate::Snapshot), and contains secrets and codes.
    ///
    /// An emulator that ends in another way loses at most the changes since the last save. Undelivered
    /// events, deliveries and recorded requests are not kept. Applications, behaviors and a
    /// [manual clock](Self::manual_clock) that are set here take precedence over the file. A clock that ran
    /// keeps its distance to the wall clock: what was due in between is due at once.
    #[must_use]
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Allows callback URLs on other machines. Default `false`.
    #[must_use]
    pub fn allow_remote_callbacks(mut self, allow: bool) -> Self {
        self.remote_callbacks = allow;
        self
    }

    /// Makes the control interface and the page accept requests with this `Host`. By default they accept
    /// only requests from this machine with a loopback name as `Host`. With a loopback name here, such as
    /// `localhost`, other machines may use loopback names too. Links in answers use the name that the
    /// request came to, see [`public_url`](Self::public_url).
    ///
    /// A name is not a password: with an [address](Self::bind) that other machines reach, each of them
    /// can read every code and change everything.
    #[must_use]
    pub fn allow_host(mut self, name: HostName) -> Self {
        self.allowed_hosts.push(name);
        self
    }

    /// Sets the base URL of links in answers, and of the addresses that data verifications open. For a
    /// proxy that changes `Host`, or has TLS or a path of its own.
    ///
    /// Without it, links use the `Host` of the start if it is a loopback name or an
    /// [allowed](Self::allow_host) one, and otherwise the first allowed name, or else the address that the
    /// emulator listens on. The URL does not open the control interface: that needs an allowed name.
    #[must_use]
    pub fn public_url(mut self, url: BaseUrl) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Starts the emulator on the current tokio runtime, which needs its I/O and time drivers enabled.
    /// The emulator accepts requests when this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`]: two applications have the same key, a callback URL or a handset
    /// behavior is not allowed, the state file cannot be used, or the address is not available.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let registry = Registry::new(self.remote_callbacks);
        for application in self.applications.clone() {
            registry.add(application).map_err(|error| match error {
                ControlError::RepeatedKey(key) => StartError::RepeatedKey(key),
                _ => StartError::RemoteCallback,
            })?;
        }
        let bind = |source| StartError::Bind {
            address: self.address,
            source,
        };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let clock = self.manual_clock.map_or_else(Clock::running, Clock::manual);
        // The hasher's keys are random, so that each run has another seed.
        let seed = self.seed.unwrap_or_else(|| RandomState::new().hash_one(address));
        let config = CoreConfig {
            address,
            registry,
            settings: self.settings,
            clock,
            seed,
            public_url: self.public_url,
            allowed_hosts: self.allowed_hosts,
            kit: self.kit,
        };
        let (jobs, waiting) = mpsc::unbounded_channel();
        let core = Arc::new(Core::new(config, jobs));
        if let Some(path) = &self.state_file {
            restore(&core, path, &self.applications, self.manual_clock).map_err(|source| {
                StartError::StateFile {
                    path: path.clone(),
                    source,
                }
            })?;
        }
        for (scope, behavior) in self.behaviors {
            core.set_handset_behavior(scope, behavior)
                .map_err(StartError::HandsetBehavior)?;
        }
        let create = |path: PathBuf| {
            StateFile::create(path.clone(), &core).map_err(|error| StartError::StateFile {
                path,
                source: SnapshotError::File(error),
            })
        };
        let state_file = self.state_file.map(create).transpose()?;
        Ok(Emulator::launch(listener, core, waiting, state_file))
    }
}

/// Continues from a state file, if it exists.
fn restore(
    core: &Core,
    path: &Path,
    applications: &[Application],
    manual_clock: Option<SystemTime>,
) -> Result<(), SnapshotError> {
    let Some(mut image) = state_file::read(path)? else {
        return Ok(());
    };
    if manual_clock.is_some() {
        image.state.clock = core.clock().saved();
    }
    for saved in &mut image.state.applications {
        let given = applications.iter().find(|given| given.key == saved.key);
        if let Some(given) = given.filter(|given| given.callback.is_some()) {
            saved.clone_from(given);
        }
    }
    core.restore(image, Downtime::Counted)
        .map_err(SnapshotError::Application)
}

/// Why an emulator did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Two applications have the same key.
    RepeatedKey(ApplicationKey),
    /// A callback URL points to another machine, and
    /// [`Builder::allow_remote_callbacks`] was not called.
    RemoteCallback,
    /// A handset behavior names an unknown application or an invalid prefix.
    HandsetBehavior(ControlError),
    /// The state file cannot be used.
    StateFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: SnapshotError,
    },
    /// The system does not provide a thread or a runtime, see [`testing`](crate::testing).
    Runtime(io::Error),
    /// The emulator cannot listen on the address.
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepeatedKey(key) => write!(f, "two applications have the key {key}; give each its own"),
            Self::RemoteCallback => f.write_str(
                "the callback URL is on another machine; use one on this machine, or allow remote callbacks",
            ),
            Self::HandsetBehavior(_) => f.write_str("a handset behavior is invalid"),
            Self::StateFile { path, .. } => write!(f, "the state file {} cannot be used", path.display()),
            Self::Runtime(_) => f.write_str("the system provides no thread for the emulator"),
            Self::Bind { address, .. } => {
                write!(f, "cannot listen on {address}; choose another address or port")
            }
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind { source, .. } | Self::Runtime(source) => Some(source),
            Self::StateFile { source, .. } => Some(source),
            Self::HandsetBehavior(error) => Some(error),
            _ => None,
        }
    }
}
