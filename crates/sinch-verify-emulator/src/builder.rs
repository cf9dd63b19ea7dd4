//! How an emulator comes to be.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use sinch_verify_protocol::ApplicationKey;
use tokio::net::TcpListener;

use crate::application::Application;
use crate::clock::Clock;
use crate::control_error::ControlError;
use crate::core::CoreConfig;
use crate::emulator::Emulator;
use crate::handset_behavior::{HandsetBehavior, Scope};
use crate::host_name::HostName;
use crate::settings::Settings;
use crate::tamper_kit::TamperKit;

/// Sets an emulator up; made by [`Emulator::builder`].
#[derive(Debug)]
pub struct Builder {
    applications: Vec<Application>,
    settings: Settings,
    seed: Option<u64>,
    address: SocketAddr,
    manual_clock: Option<SystemTime>,
    remote_callbacks: bool,
    allowed_hosts: Vec<HostName>,
    behaviors: Vec<(Scope, HandsetBehavior)>,
    kit: Option<Box<dyn TamperKit>>,
}

impl Emulator {
    /// Sets an emulator up.
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
            allowed_hosts: Vec::new(),
            behaviors: Vec::new(),
            kit: None,
        }
    }

    /// Adds an application. At least one is needed; what they do is kept apart.
    #[must_use]
    pub fn application(mut self, application: Application) -> Self {
        self.applications.push(application);
        self
    }

    /// How the emulator behaves.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Fixes every id, code and caller id that is made up. Without it they differ from run to run,
    /// see [`Emulator::seed`]. Ids also hold the time, so they repeat with a
    /// [manual clock](Self::manual_clock) only.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Where to listen. Default 127.0.0.1 and a free port.
    #[must_use]
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Service time starts at `now` and moves by [`Emulator::advance`] only.
    #[must_use]
    pub fn manual_clock(mut self, now: SystemTime) -> Self {
        self.manual_clock = Some(now);
        self
    }

    /// What handsets within `scope` do by themselves, from the start on.
    #[must_use]
    pub fn handset_behavior(mut self, scope: Scope, behavior: HandsetBehavior) -> Self {
        self.behaviors.push((scope, behavior));
        self
    }

    /// Ways to spoil callbacks, which make [`Emulator::conformance`] possible.
    #[must_use]
    pub fn tamper_kit(mut self, kit: impl TamperKit) -> Self {
        self.kit = Some(Box::new(kit));
        self
    }

    /// Lets callback URLs point to other machines. Default `false`.
    #[must_use]
    pub fn allow_remote_callbacks(mut self, allow: bool) -> Self {
        self.remote_callbacks = allow;
        self
    }

    /// Lets the control interface and the page take requests to this host name too; without it they
    /// take requests from this machine to a loopback name only. A loopback name, such as
    /// `localhost`, lets other machines use loopback names. Links and data addresses go by the first
    /// of these names.
    ///
    /// With an [address](Self::bind) that others reach, whoever reaches it reads every code and may
    /// change everything: a name is no password.
    #[must_use]
    pub fn allow_host(mut self, name: HostName) -> Self {
        self.allowed_hosts.push(name);
        self
    }

    /// Starts the emulator on the current tokio runtime, which needs its I/O and time drivers.
    /// The emulator takes requests when this returns.
    ///
    /// # Errors
    ///
    /// When the applications make no sense together, or the address cannot be listened on.
    pub async fn start(self) -> Result<Emulator, StartError> {
        if self.applications.is_empty() {
            return Err(StartError::NoApplication);
        }
        let mut keys = BTreeSet::new();
        for application in &self.applications {
            if !keys.insert(&application.key) {
                return Err(StartError::RepeatedKey(application.key.clone()));
            }
            let remote = application
                .callback
                .as_ref()
                .is_some_and(|url| !url.is_loopback());
            if remote && !self.remote_callbacks {
                return Err(StartError::RemoteCallback);
            }
        }
        let bind = |source| StartError::Bind {
            address: self.address,
            source,
        };
        let listener = TcpListener::bind(self.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let clock = self.manual_clock.map_or_else(Clock::running, Clock::manual);
        // The map hasher's keys come from the operating system: entropy enough to tell runs apart.
        let seed = self.seed.unwrap_or_else(|| RandomState::new().hash_one(address));
        let config = CoreConfig {
            address,
            applications: self.applications,
            settings: self.settings,
            clock,
            seed,
            remote_callbacks: self.remote_callbacks,
            allowed_hosts: self.allowed_hosts,
            kit: self.kit,
        };
        let emulator = Emulator::launch(listener, config);
        for (scope, behavior) in self.behaviors {
            emulator
                .set_handset_behavior(scope, behavior)
                .map_err(StartError::HandsetBehavior)?;
        }
        Ok(emulator)
    }
}

/// Why an emulator did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// No application was added.
    NoApplication,
    /// Two applications have this key.
    RepeatedKey(ApplicationKey),
    /// A callback URL points to another machine, and
    /// [`Builder::allow_remote_callbacks`] was not called.
    RemoteCallback,
    /// A handset behavior is for an unknown application or an unusable prefix.
    HandsetBehavior(ControlError),
    /// The address cannot be listened on.
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoApplication => f.write_str("start an emulator without an application; add one"),
            Self::RepeatedKey(key) => write!(f, "start an emulator with the application key {key} twice"),
            Self::RemoteCallback => f.write_str(
                "start an emulator whose callback URL is not on this machine; allow remote callbacks first",
            ),
            Self::HandsetBehavior(_) => f.write_str("start an emulator with its handset behaviors"),
            Self::Bind { address, .. } => write!(f, "listen on {address}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind { source, .. } => Some(source),
            Self::HandsetBehavior(error) => Some(error),
            _ => None,
        }
    }
}
