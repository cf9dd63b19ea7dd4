//! An emulator, a callback receiver, and flows between them.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sinch_verify_callback::testing::CallbackSigner;
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::{Application, Emulator, Settings};
use sinch_verify_loadtest::callbacks::{CallbackReceiver, CallbackSettings, Codes, Conversations};
use sinch_verify_loadtest::crew::{Crew, Source, Turns, Work};
use sinch_verify_loadtest::flows::{Cast, Flow, Peer};
use sinch_verify_loadtest::measure::{Counters, FlowTally};
use sinch_verify_loadtest::runfile::{Load, RunId, Setting, Setup, Shard};
use sinch_verify_loadtest::{
    Board, HeardPhone, InboxPhone, LeanWire, Mix, Numbers, Options, Phone, Scenario, SystemClock, Target,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

pub(crate) use crate::fixtures::{KEY, SECRET};

/// How long the emulator waits for a decision: far longer than a slow one takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
const RUN: &str = "0123456789abcdef";

/// Held by whoever runs goose, which runs one attack at a time in a process.
pub(crate) static GOOSE: Mutex<()> = Mutex::const_new(());

/// Looks again until the condition is false: the board does not announce its changes.
pub(crate) fn wait_while(condition: impl Fn() -> bool) {
    while condition() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) struct World {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) board: Arc<Board>,
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

    /// An emulator that posts to nobody.
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
        let board = Arc::new(Board::new(&setup()));
        board.open(Instant::now());
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
                misbehaves: true,
                codes,
                room: NonZeroUsize::new(10_000).unwrap(),
            };
            change(&mut settings);
            let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
            let bound = CallbackReceiver::bind(anywhere, settings, &board, Arc::new(SystemClock));
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
            board,
            receiver,
            _tasks: tasks,
        }
    }

    pub(crate) fn inbox(&self) -> InboxPhone {
        InboxPhone::new(Arc::clone(&self.emulator))
    }

    pub(crate) fn heard(&self) -> HeardPhone {
        HeardPhone::new(Arc::clone(&self.receiver.as_ref().unwrap().1))
    }

    pub(crate) fn cast<P>(&self, setting: Setting, phone: P) -> Cast<P> {
        let credentials = match setting {
            Setting::Device => Credentials::public(key()),
            _ => Credentials::signed(key(), secret()),
        };
        let mut cast = Cast::new(Target::new(self.emulator.base_url(), credentials), phone, run());
        cast.setting = setting;
        cast.callbacks = self.receiver.as_ref().map(|(url, conversations)| Peer {
            conversations: Arc::clone(conversations),
            url: url.parse().unwrap(),
            signer: CallbackSigner::new(key(), &secret()),
        });
        cast
    }

    /// Carries `count` flows out, several at once, and gives what was measured of them.
    pub(crate) async fn carry_out<P>(&self, flow: Flow, count: usize, cast: Cast<P>) -> FlowTally
    where
        P: Phone + 'static,
    {
        let crew = self.crew(flow, cast);
        let mut users = JoinSet::new();
        for _ in 0..count {
            let crew = Arc::clone(&crew);
            users.spawn(async move {
                let turn = crew.next().await.unwrap();
                crew.carry_out(turn, &mut LeanWire::new(HyperTransport::default()))
                    .await;
            });
        }
        users.join_all().await;
        self.board.counted().flows.flow(flow).cloned().unwrap_or_default()
    }

    pub(crate) fn crew<P: Phone>(&self, flow: Flow, cast: Cast<P>) -> Arc<Crew<P>> {
        Arc::new(Crew {
            cast,
            work: Work {
                scenario: flow.as_str().parse().unwrap(),
                mix: Mix::default(),
                seed: 0,
                numbers: Numbers::made_up(0),
                source: Source::Always(Turns::from(Shard::WHOLE)),
            },
            board: Arc::clone(&self.board),
            limits: None,
        })
    }

    pub(crate) fn counters(&self) -> Counters {
        self.board.counted().counters
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

fn setup() -> Setup {
    let mut options = Options::new(Scenario::Only(Flow::SMS), Duration::from_secs(60));
    options.load = Load::closed(1);
    options.setup(0)
}
