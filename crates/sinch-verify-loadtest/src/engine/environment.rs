//! What a run needs beside its users: the target, the callback receiver, the phones.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_callback::testing::CallbackSigner;
use sinch_verify_emulator::{Application, Emulator, Settings};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Endpoint as _, StatusById, VerificationId};
use tokio::runtime::{Builder, Runtime};

use super::error::RunError;
use super::options::{Against, Options, Receiving};
use crate::callbacks::{CallbackReceiver, CallbackSettings, Codes};
use crate::model::{Failure, FailureKind, Load, PhoneChoice, RunId, StepName, SystemClock};
use crate::phone::{ControlPhone, FixedPhone, HeardPhone, InboxPhone, Phone};
use crate::recorder::Recorder;
use crate::scenario::{FlowContext, ReceiverLink};
use crate::target::{Target, credentials};
use crate::wire::{DirectWire, Wire as _};

/// The application of the emulator that a run starts for itself. It guards nothing: the emulator
/// listens on loopback for as long as the run takes.
pub(super) const KEY: &str = "11111111-2222-3333-4444-555555555555";
pub(super) const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";
/// How long the emulator waits for a callback receiver that never answers: short, so that such flows
/// do not pile up.
const DECISION: Duration = Duration::from_secs(1);
/// Callbacks of one flow that are remembered against replays: a request, a delivery, a result, and
/// what a flow of abuse adds.
const SIGNATURES: f64 = 8.0;
/// For how long, in seconds: the window of authentic callbacks, and a minute more.
const REMEMBERED: f64 = 420.0;
/// The most that are remembered, which takes half a gigabyte.
const MOST_ROOM: f64 = 8e6;

/// Everything that is not a user. Dropped, it stops.
pub(super) struct Environment {
    pub(super) context: FlowContext,
    pub(super) services: Services,
}

/// What must go on until the flows are through: the emulator and the callback receiver, each on threads
/// of its own, so that neither side's load delays the other's timers.
pub(super) struct Services {
    /// Kept, whether a phone looks into it or not.
    _emulator: Option<Arc<Emulator>>,
    _runtimes: Vec<Runtime>,
}

impl Environment {
    pub(super) fn build(options: &Options, run: RunId, recorder: &Arc<Recorder>) -> Result<Self, RunError> {
        let (key, secret) = application(options)?;
        let mut runtimes = Vec::new();
        let receiver = match options.callbacks {
            Receiving::Off => None,
            Receiving::At(address) => {
                let runtime = runtime("receiver", 1)?;
                let settings = CallbackSettings {
                    key: key.clone(),
                    secret: secret.clone(),
                    run: run.clone(),
                    shard: options.shard,
                    answers: options.workload.answers(),
                    codes: codes(options),
                    limits: options.against.limits().cloned(),
                    room: room(options),
                };
                let receiver = runtime.block_on(receive(address, settings, recorder))?;
                runtimes.push(runtime);
                Some(receiver)
            }
        };
        let (target, emulator) = match &options.against {
            Against::Mock(service) => (service.target(options.setting), None),
            Against::Live(live) => (live.service().target(options.setting), None),
            Against::Own => {
                let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
                let runtime = runtime("emulator", (cores / 2).max(1))?;
                let url = receiver.as_ref().map(|receiver| receiver.url.to_string());
                let emulator = runtime.block_on(emulator(options, &key, &secret, url.as_deref()))?;
                runtimes.push(runtime);
                let credentials = credentials(options.setting, &key, &secret);
                (Target::new(emulator.base_url(), credentials), Some(emulator))
            }
        };
        let phone: Arc<dyn Phone> = match (options.phone, &receiver, &emulator, &options.code) {
            (PhoneChoice::Callback, Some(receiver), ..) => {
                Arc::new(HeardPhone::new(Arc::clone(&receiver.conversations)))
            }
            (PhoneChoice::Fixed, _, _, Some(code)) => Arc::new(FixedPhone::new(code.clone())),
            (_, _, Some(emulator), _) => Arc::new(InboxPhone::new(Arc::clone(emulator))),
            _ => Arc::new(ControlPhone::new(
                target.base.clone(),
                target.transport().map_err(|error| unusable(&error))?,
            )),
        };
        let context = FlowContext {
            target,
            setting: options.setting,
            phone,
            receiver: receiver.map(|receiver| ReceiverLink {
                conversations: receiver.conversations,
                url: receiver.url,
                signer: CallbackSigner::new(key, &secret),
            }),
            run,
            clock: Arc::new(SystemClock),
        };
        let services = Services {
            _emulator: emulator,
            _runtimes: runtimes,
        };
        Ok(Self { context, services })
    }
}

/// A runtime with so many workers of this name.
pub(super) fn runtime(name: &str, workers: usize) -> Result<Runtime, RunError> {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)
}

fn application(options: &Options) -> Result<(ApplicationKey, ApplicationSecret), RunError> {
    match &options.against {
        Against::Own => {}
        Against::Mock(service) => return Ok((service.key.clone(), service.secret.clone())),
        Against::Live(live) => {
            let service = live.service();
            return Ok((service.key.clone(), service.secret.clone()));
        }
    }
    let key = ApplicationKey::new(KEY).map_err(|error| unusable(&error))?;
    let secret = ApplicationSecret::new(SECRET).map_err(|error| unusable(&error))?;
    Ok((key, secret))
}

fn codes(options: &Options) -> Codes {
    match (options.phone, &options.code) {
        (PhoneChoice::Inbox, _) => Codes::Theirs,
        (_, Some(code)) => Codes::Fixed(code.clone()),
        (_, None) => Codes::Ours(options.seed.unwrap_or_default()),
    }
}

/// Room for all signatures that come within the window of authentic callbacks.
fn room(options: &Options) -> NonZeroUsize {
    let flows = match &options.load {
        Load::Open { rate, .. } => rate.peak() / options.shard.of() as f64,
        // No user carries out more than a thousand flows a second.
        Load::Closed { users, .. } => *users as f64 * 1000.0,
    };
    let seconds = options.duration.as_secs_f64().min(REMEMBERED) + 60.0;
    let room = (flows * seconds * SIGNATURES).clamp(100_000.0, MOST_ROOM);
    NonZeroUsize::new(room as usize).unwrap_or(NonZeroUsize::MIN)
}

struct Bound {
    url: http::Uri,
    conversations: Arc<crate::callbacks::Conversations>,
}

async fn receive(
    address: SocketAddr,
    settings: CallbackSettings,
    recorder: &Arc<Recorder>,
) -> Result<Bound, RunError> {
    let receiver = CallbackReceiver::bind(address, settings, recorder, Arc::new(SystemClock));
    let receiver = receiver
        .await
        .map_err(|source| RunError::Callbacks { address, source })?;
    let bound = Bound {
        url: receiver.url().parse().map_err(|error| unusable(&error))?,
        conversations: receiver.conversations(),
    };
    tokio::spawn(receiver.serve());
    Ok(bound)
}

async fn emulator(
    options: &Options,
    key: &ApplicationKey,
    secret: &ApplicationSecret,
    callback: Option<&str>,
) -> Result<Arc<Emulator>, RunError> {
    let mut application = Application::new(key.clone(), secret.clone());
    if let Some(url) = callback {
        application = application.callback_url(url.parse().map_err(|error| unusable(&error))?);
    }
    let mut settings = Settings::default();
    if options.workload.answers().has_rules() {
        settings.decision_timeout = DECISION;
    }
    let mut builder = Emulator::builder().application(application).settings(settings);
    if let Some(seed) = options.seed {
        builder = builder.seed(seed);
    }
    builder.start().await.map(Arc::new).map_err(RunError::Emulator)
}

/// Queries a verification that the target cannot know. Any answer shows that the target is there.
pub(super) async fn reach(target: &Target) -> Result<(), RunError> {
    let id = VerificationId::new("0").map_err(|error| unusable(&error))?;
    let mut request = StatusById { id }
        .to_http(&target.base)
        .map_err(|error| unusable(&error))?;
    target
        .credentials
        .authorize(&mut request, SystemTime::now())
        .map_err(|error| unusable(&error))?;
    let mut wire = DirectWire::new(target.transport().map_err(|error| unusable(&error))?);
    let answer = wire.send(StepName::STATUS, request).await;
    answer.map(drop).map_err(RunError::Unreachable)
}

pub(super) fn unusable(error: &dyn fmt::Display) -> RunError {
    RunError::Request(Failure::new(FailureKind::Request, error.to_string()))
}
