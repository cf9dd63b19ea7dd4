//! Configures and starts an emulator.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use sinch_verify_protocol::{ApplicationKey, BaseUrl};
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
        }
    }

    /// Adds an application. At least one is required. Applications do not see each other's
    /// verifications.
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
    /// [`StartError`]: there is no application, two have the same key, a callback URL or a handset
    /// behavior is not allowed, or the address is not available.
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
        // The hasher's keys are random, so that each run has another seed.
        let seed = self.seed.unwrap_or_else(|| RandomState::new().hash_one(address));
        let config = CoreConfig {
            address,
            applications: self.applications,
            settings: self.settings,
            clock,
            seed,
            remote_callbacks: self.remote_callbacks,
            public_url: self.public_url,
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
    /// Two applications have the same key.
    RepeatedKey(ApplicationKey),
    /// A callback URL points to another machine, and
    /// [`Builder::allow_remote_callbacks`] was not called.
    RemoteCallback,
    /// A handset behavior names an unknown application or an invalid prefix.
    HandsetBehavior(ControlError),
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
            Self::NoApplication => f.write_str("the emulator has no application; add one"),
            Self::RepeatedKey(key) => write!(f, "two applications have the key {key}; give each its own"),
            Self::RemoteCallback => f.write_str(
                "the callback URL is on another machine; use one on this machine, or allow remote callbacks",
            ),
            Self::HandsetBehavior(_) => f.write_str("a handset behavior is invalid"),
            Self::Bind { address, .. } => {
                write!(f, "cannot listen on {address}; choose another address or port")
            }
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
