//! An emulator, a callback receiver, and flows between them.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sinch_verify_callback::testing::CallbackSigner;
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::{Application, Emulator, Settings};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::callbacks::{Answers, CallbackReceiver, CallbackSettings, Codes, Conversations};
use crate::engine::environment::{KEY, SECRET};
use crate::engine::{Indexes, Source, VirtualUsers};
use crate::model::{
    Arrival, Counters, Failure, FlowTally, Numbers, RunId, ScenarioName, Setting, Shard, StepTime,
    SystemClock, sample_setup,
};
use crate::phone::{HeardPhone, InboxPhone, Phone};
use crate::recorder::Recorder;
use crate::scenario::{Flow, FlowContext, ReceiverLink, Registry, Steps, Workload};
use crate::target::Target;
use crate::wire::DirectWire;

/// How long the emulator waits for a decision: far longer than a slow one takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
const RUN: &str = "0123456789abcdef";

/// Held by a test that runs goose, which runs one attack at a time in a process.
pub(crate) static GOOSE: Mutex<()> = Mutex::const_new(());

/// Looks again until the condition is false: the recorder does not announce its changes.
pub(crate) fn wait_while(condition: impl Fn() -> bool) {
    while condition() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a run of this built-in scenario carries out.
pub(crate) fn workload(scenario: &str) -> Workload {
    let mix = "sms=1".parse().unwrap();
    let registry = Registry::new([]).unwrap();
    registry.workload(scenario, &mix).unwrap()
}

pub(crate) struct World {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) recorder: Arc<Recorder>,
    receiver: Option<(String, Arc<Conversations>)>,
    _tasks: JoinSet<()>,
}

impl World {
    /// An emulator that posts its callbacks to a receiver which sets `codes`.
    pub(crate) async fn with_callbacks(codes: Codes) -> Self {
        let mut settings = Settings::default();
        settings.decision_timeout = PATIENCE;
        Self::build(Some(codes), settings).await
    }

    /// An emulator that posts no callbacks.
    pub(crate) async fn alone() -> Self {
        Self::build(None, Settings::default()).await
    }

    pub(crate) async fn build(codes: Option<Codes>, settings: Settings) -> Self {
        Self::build_receiver(codes, settings, |_| {}).await
    }

    /// The same, with something else about the receiver.
    pub(crate) async fn build_receiver(
        codes: Option<Codes>,
        settings: Settings,
        change: impl FnOnce(&mut CallbackSettings),
    ) -> Self {
        let recorder = Arc::new(Recorder::new(&sample_setup(), Shard::WHOLE));
        recorder.open(Instant::now());
        let mut application = Application::new(key(), secret());
        let mut tasks = JoinSet::new();
        let mut receiver = None;
        if let Some(codes) = codes {
            let mut settings = CallbackSettings {
                limits: None,
                key: key(),
                secret: secret(),
                run: run(),
                shard: Shard::WHOLE,
                answers: answers(),
                codes,
                room: NonZeroUsize::new(10_000).unwrap(),
            };
            change(&mut settings);
            let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
            let bound = CallbackReceiver::bind(anywhere, settings, &recorder, Arc::new(SystemClock));
            let bound = bound.await.unwrap();
            application = application.callback_url(bound.url().parse().unwrap());
            receiver = Some((bound.url(), bound.conversations()));
            tasks.spawn(bound.serve());
        }
        let emulator = Emulator::builder()
            .application(application)
            .settings(settings)
            .seed(7);
        Self {
            emulator: Arc::new(emulator.start().await.unwrap()),
            recorder,
            receiver,
            _tasks: tasks,
        }
    }

    /// An emulator that posts callbacks to another receiver.
    pub(crate) async fn posting_to(url: &str) -> Self {
        let recorder = Arc::new(Recorder::new(&sample_setup(), Shard::WHOLE));
        recorder.open(Instant::now());
        let application = Application::new(key(), secret()).callback_url(url.parse().unwrap());
        let emulator = Emulator::builder().application(application).seed(7);
        Self {
            emulator: Arc::new(emulator.start().await.unwrap()),
            recorder,
            receiver: None,
            _tasks: JoinSet::new(),
        }
    }

    pub(crate) fn inbox(&self) -> InboxPhone {
        InboxPhone::new(Arc::clone(&self.emulator))
    }

    pub(crate) fn heard(&self) -> HeardPhone {
        HeardPhone::new(Arc::clone(&self.receiver.as_ref().unwrap().1))
    }

    /// The receiver, as flows know it.
    pub(crate) fn receiver(&self) -> Option<ReceiverLink> {
        let (url, conversations) = self.receiver.as_ref()?;
        Some(ReceiverLink {
            conversations: Arc::clone(conversations),
            url: url.parse().unwrap(),
            signer: CallbackSigner::new(key(), &secret()),
        })
    }

    pub(crate) fn context(&self, setting: Setting, phone: impl Phone + 'static) -> FlowContext {
        let credentials = match setting {
            Setting::Device => Credentials::public(key()),
            Setting::Backend => Credentials::signed(key(), secret()),
        };
        let target = Target::new(self.emulator.base_url(), credentials);
        let mut context = FlowContext::new(target, phone, run());
        context.setting = setting;
        context.receiver = self.receiver();
        context
    }

    /// Carries `count` flows out, several at once, and returns what was measured of them.
    pub(crate) async fn carry_out(
        &self,
        scenario: &'static str,
        count: usize,
        context: FlowContext,
    ) -> FlowTally {
        let users = self.users(scenario, context);
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let users = Arc::clone(&users);
            tasks.spawn(async move {
                let arrival = users.next().await.unwrap();
                let mut wire = DirectWire::new(HyperTransport::default());
                users.carry_out(arrival, &mut wire).await;
            });
        }
        tasks.join_all().await;
        let counted = self.recorder.counted();
        let name = ScenarioName::new(scenario).unwrap();
        counted.flows.flow(name).cloned().unwrap_or_default()
    }

    pub(crate) fn users(&self, scenario: &str, context: FlowContext) -> Arc<VirtualUsers> {
        Arc::new(VirtualUsers {
            context,
            workload: workload(scenario),
            seed: 0,
            numbers: Numbers::made_up(0),
            source: Source::Always(Indexes::from(Shard::WHOLE)),
            recorder: Arc::clone(&self.recorder),
            limits: None,
        })
    }

    pub(crate) fn counters(&self) -> Counters {
        self.recorder.counted().counters
    }
}

pub(crate) fn key() -> ApplicationKey {
    ApplicationKey::new(KEY).unwrap()
}

pub(crate) fn secret() -> ApplicationSecret {
    ApplicationSecret::new(SECRET).unwrap()
}

fn run() -> RunId {
    RUN.parse().unwrap()
}

/// All scenarios of every load test, with their rules.
fn answers() -> Answers {
    let registry = Registry::new([]).unwrap();
    let names = registry.names();
    let mixed: Vec<_> = names
        .iter()
        .filter(|name| **name != "mixed")
        .map(|name| format!("{name}=1"))
        .collect();
    let mix = mixed.join(",").parse().unwrap();
    registry.workload("mixed", &mix).unwrap().answers()
}

/// Carries one flow out, the first of all, and returns how it ended and its steps.
pub(crate) async fn one(workload: &Workload, context: &FlowContext) -> (Result<(), Failure>, Vec<StepTime>) {
    let mut wire = DirectWire::new(HyperTransport::default());
    let (steps, scenario) = (Steps::default(), &workload.scenarios()[0]);
    let arrival = Arrival { index: 0, at: None };
    let number = Numbers::made_up(0).of(0).unwrap();
    let flow = Flow::new(context, &mut wire, &steps, scenario.name(), arrival, number);
    let done = scenario.run(flow).await;
    (done, steps.finish(Instant::now()))
}
