//! A whole run: the target, the users, the report.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::{Application, Emulator, StartError};
use sinch_verify_protocol::{
    ApplicationKey, ApplicationSecret, Credentials, Endpoint, PhoneNumber, StatusById, VerificationId,
};
use tokio::runtime::{Builder, Runtime};

use crate::attack::{Attack, AttackError};
use crate::board::Board;
use crate::clock::{Clock as _, SystemClock};
use crate::failure::{Failure, FailureKind};
use crate::numbers::Numbers;
use crate::phone::{ControlPhone, Delivered, InboxPhone, Phone};
use crate::report::{Report, RunFacts};
use crate::scenario::Scenario;
use crate::target::{Target, TargetUrl};
use crate::verdict::{Exit, Verdict};
use crate::wire::{LeanWire, Wire as _};

/// The application of the emulator that a run starts for itself. It guards nothing: the emulator
/// listens on loopback for as long as the run takes.
const KEY: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";

/// What to run, and against what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What the users do.
    pub scenario: Scenario,
    /// How many users there are at once.
    pub users: NonZeroUsize,
    /// For how long.
    pub duration: Duration,
    /// Another emulator and who asks it; `None` starts one in this process.
    pub target: Option<(TargetUrl, Credentials)>,
}

impl Options {
    /// A run against an emulator of its own.
    #[must_use]
    pub fn new(scenario: Scenario, users: NonZeroUsize, duration: Duration) -> Self {
        Self {
            scenario,
            users,
            duration,
            target: None,
        }
    }

    /// Against the emulator at `url` instead.
    #[must_use]
    pub fn target(mut self, url: TargetUrl, credentials: Credentials) -> Self {
        self.target = Some((url, credentials));
        self
    }
}

/// A run that is ready to go.
///
/// It has runtimes of its own, so neither [`prepare`](Self::prepare) nor [`execute`](Self::execute)
/// may be called from async code.
pub struct Run {
    // Dropped in this order: the users, then what they used.
    users: Runtime,
    phone: RunPhone,
    service: Option<Runtime>,
    target: Target,
    target_name: String,
    options: Options,
    board: Arc<Board>,
}

impl Run {
    /// Starts the emulator, or looks whether the target answers.
    ///
    /// # Errors
    ///
    /// When there is no target to run against, or no runtime.
    pub fn prepare(options: Options) -> Result<Self, RunError> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // With one worker, one busy user could keep goose from ending the run.
        let users = runtime("user", cores.max(2))?;
        Ok(match options.target.clone() {
            Some((url, credentials)) => {
                let transport = HyperTransport::default();
                let target = Target::new(url.base().clone(), credentials);
                users.block_on(reach(&target, transport.clone()))?;
                Self {
                    users,
                    phone: RunPhone::Control(Arc::new(ControlPhone::new(url.base().clone(), transport))),
                    service: None,
                    target,
                    target_name: format!("the emulator at {url}"),
                    options,
                    board: Arc::default(),
                }
            }
            None => {
                // Apart from the users, so that neither side's load delays the other's timers.
                let service = runtime("emulator", (cores / 2).max(1))?;
                let (emulator, target) = service.block_on(emulator())?;
                Self {
                    users,
                    phone: RunPhone::Inbox(InboxPhone::new(Arc::new(emulator))),
                    service: Some(service),
                    target,
                    target_name: "an emulator of its own".to_owned(),
                    options,
                    board: Arc::default(),
                }
            }
        })
    }

    /// What the run is against, in words.
    #[must_use]
    pub fn target_name(&self) -> &str {
        &self.target_name
    }

    /// Where the run counts, for a progress display.
    #[must_use]
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Runs to the end.
    ///
    /// # Errors
    ///
    /// When the load generator could not do its work. That flows fail is no error: the verdict
    /// says so.
    pub fn execute(self) -> Result<(Report, Verdict), RunError> {
        let planned = self.options.duration;
        let attack = Attack {
            scenario: self.options.scenario,
            users: self.options.users.get(),
            duration: planned,
            target: self.target.clone(),
            phone: self.phone.clone(),
            numbers: Numbers::default(),
            clock: SystemClock,
        };
        self.users
            .block_on(attack.run(self.board()))
            .map_err(RunError::Attack)?;
        let elapsed = self.board.elapsed();
        let measured = self.board.measured();
        let verdict = Verdict::on(&measured, Some(elapsed).filter(|elapsed| *elapsed < planned));
        let facts = RunFacts {
            scenario: self.options.scenario,
            users: self.options.users.get(),
            planned,
            elapsed,
            target: self.target_name.clone(),
            transport: "goose",
        };
        // The emulator stops only now, so that no flow meets a closed door.
        drop(self.service);
        Ok((Report::new(facts, &measured, &verdict), verdict))
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("options", &self.options)
            .field("target", &self.target_name)
            .finish_non_exhaustive()
    }
}

fn runtime(name: &str, workers: usize) -> Result<Runtime, RunError> {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)
}

/// An emulator on the current runtime, and how to address it.
async fn emulator() -> Result<(Emulator, Target), RunError> {
    let unusable = |error: &dyn fmt::Display| Failure::new(FailureKind::Request, error.to_string());
    let key = ApplicationKey::new(KEY).map_err(|error| RunError::Request(unusable(&error)))?;
    let secret = ApplicationSecret::new(SECRET).map_err(|error| RunError::Request(unusable(&error)))?;
    let emulator = Emulator::builder()
        .application(Application::new(key.clone(), secret.clone()))
        .start()
        .await
        .map_err(RunError::Emulator)?;
    let target = Target::new(emulator.base_url(), Credentials::signed(key, secret));
    Ok((emulator, target))
}

/// Asks the target for a verification that it cannot know: any answer will do.
async fn reach(target: &Target, transport: HyperTransport) -> Result<(), RunError> {
    let made =
        |error: &dyn fmt::Display| RunError::Request(Failure::new(FailureKind::Request, error.to_string()));
    let id = VerificationId::new("0").map_err(|error| made(&error))?;
    let mut request = StatusById { id }
        .to_http(&target.base)
        .map_err(|error| made(&error))?;
    target
        .credentials
        .authorize(&mut request, SystemClock.wall())
        .map_err(|error| made(&error))?;
    let answer = LeanWire::new(transport).send(StatusById::NAME, request).await;
    answer.map(drop).map_err(RunError::Unreachable)
}

/// The phones of a run, wherever its emulator is.
#[derive(Clone)]
enum RunPhone {
    Inbox(InboxPhone),
    Control(Arc<ControlPhone<HyperTransport>>),
}

impl Phone for RunPhone {
    async fn delivered(&self, number: &PhoneNumber, id: &VerificationId) -> Result<Delivered, Failure> {
        match self {
            Self::Inbox(phone) => phone.delivered(number, id).await,
            Self::Control(phone) => phone.delivered(number, id).await,
        }
    }
}

/// A run did not come about.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The operating system gives no threads.
    Runtime(io::Error),
    /// The emulator did not start.
    Emulator(StartError),
    /// The target does not answer.
    Unreachable(Failure),
    /// A request to the target cannot be made.
    Request(Failure),
    /// The load generator could not do its work.
    Attack(AttackError),
}

impl RunError {
    /// What the process exits with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Unreachable(_) => Exit::Unreachable,
            _ => Exit::Invalid,
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runtime(_) => "start the threads of a run",
            Self::Emulator(_) => "start an emulator for the run",
            Self::Unreachable(_) => "reach the target",
            Self::Request(_) => "make a request to the target",
            Self::Attack(_) => "run the users",
        })
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            Self::Runtime(source) => source,
            Self::Emulator(source) => source,
            Self::Unreachable(source) | Self::Request(source) => source,
            Self::Attack(source) => source,
        })
    }
}
