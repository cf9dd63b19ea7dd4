//! A whole run: the target, the users, what they leave behind.

mod beginning;
mod draft;
mod error;
mod known;
mod options;
mod stage;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::arrivals::{Queue, Schedule};
use crate::attack::{self, Attack};
use crate::board::{Board, Phase};
use crate::cpu::{Busy, WORKER};
use crate::crew::{Conductor, Crew, Ready, Source, Turns, Work};
use crate::flows::Flow;
use crate::numbers::Numbers;
use crate::runfile::{Load, RunFile, RunId, Setup, TransportName};
use crate::scenario::Scenario;
use crate::wire::LeanWire;

pub use draft::Draft;
pub use error::RunError;
pub use options::{Against, Options, Receiving};

use beginning::Beginning;
use stage::{RunPhone, Stage, runtime, unusable};

/// How long users are given to be there.
const GATHER: Duration = Duration::from_secs(15);

/// A run that is ready to go.
///
/// It has runtimes of its own, so neither [`prepare`](Self::prepare) nor [`execute`](Self::execute)
/// may be called from async code.
pub struct Run {
    // Dropped in this order: the users, then what they used.
    users: Runtime,
    workers: usize,
    stage: Stage,
    options: Options,
    setup: Setup,
    board: Arc<Board>,
}

impl Run {
    /// Starts the emulator and the callback receiver, and looks whether the target answers.
    ///
    /// # Errors
    ///
    /// When the options do not fit together, there is no target to run against, or no runtime.
    pub fn prepare(mut options: Options) -> Result<Self, RunError> {
        options.check().map_err(RunError::Options)?;
        // The map hasher's keys come from the operating system: entropy enough to tell runs apart.
        let seed = *options.seed.get_or_insert_with(|| RandomState::new().hash_one(0));
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // With one worker, one busy user could keep goose from ending the run.
        let workers = cores.max(2);
        let users = runtime(WORKER, workers)?;
        let setup = options.setup(seed);
        let start = options.start_at.unwrap_or_else(SystemTime::now);
        let named_at = Timestamp::try_from(start)
            .map_err(|_| RunError::Options("the start is in no year that can be written".to_owned()))?;
        let run = RunId::of(&setup, options.shard.of(), &named_at.to_string());
        let board = Arc::new(Board::new(&setup).of_shard(options.shard));
        let mut stage = Stage::build(&options, run, &board)?;
        users.block_on(stage::reach(&stage.cast.target))?;
        if options.scenario == Scenario::Only(Flow::QueryOnly) {
            let numbers = numbers(&options, &stage.cast.run);
            stage.cast.known = users.block_on(known::prepare(&stage.cast, &numbers, options.shard))?;
        }
        Ok(Self {
            users,
            workers,
            stage,
            options,
            setup,
            board,
        })
    }

    /// How the run is set up.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Where the run counts, for a live view, and for whoever ends it early.
    #[must_use]
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Runs to the end. The file has no verdict yet.
    ///
    /// # Errors
    ///
    /// When the load generator could not do its work. That flows fail is no error: the file says so.
    pub fn execute(self) -> Result<RunFile, RunError> {
        let draft = self.draft();
        let Self {
            users,
            workers,
            stage,
            options,
            setup,
            board,
            ..
        } = self;
        let (cast, service) = stage.split();
        let limits = options.against.limits().cloned();
        let run = cast.run.clone();
        let (source, schedule) = source(&options, setup.seed);
        let crew = Arc::new(Crew {
            work: Work {
                scenario: options.scenario,
                mix: options.mix.clone(),
                seed: setup.seed,
                numbers: numbers(&options, &run),
                source,
            },
            cast,
            board: Arc::clone(&board),
            limits,
        });
        let conductor = Conductor {
            board: Arc::clone(&board),
            schedule,
            duration: options.duration,
            grace: options.grace,
            busy: Busy::new(workers),
        };
        let begun = match options.transport {
            TransportName::Lean => users.block_on(lean(crew, conductor, &options))?,
            TransportName::Goose => users.block_on(goose(crew, conductor, &options))?,
        };
        // The emulator stops only now, so that no flow meets a closed door.
        drop(service);
        Ok(draft.file(begun))
    }

    /// What is needed to write down what the run has counted so far, should it not come to its end.
    #[must_use]
    pub fn draft(&self) -> Draft {
        Draft {
            board: Arc::clone(&self.board),
            run: self.stage.cast.run.clone(),
            setup: self.setup.clone(),
            options: self.options.clone(),
            workers: self.workers,
        }
    }
}

/// When flows are due, for the users and for the conductor.
fn source(options: &Options, seed: u64) -> (Source, Option<(Schedule, Arc<Queue>)>) {
    match &options.load {
        Load::Closed { .. } => (Source::Always(Turns::from(options.shard)), None),
        Load::Open { rate, users } => {
            let schedule = Schedule::new(rate.clone(), options.duration, seed, options.shard);
            // As many may wait as are under way: twice the users' number is what a target can be
            // behind before flows are dropped.
            let queue = Arc::new(Queue::new(*users));
            (Source::Queue(Arc::clone(&queue)), Some((schedule, queue)))
        }
    }
}

/// The numbers of a run. Made-up ones begin elsewhere in every run, since a target that goes on from
/// one run to the next remembers its numbers.
fn numbers(options: &Options, run: &RunId) -> Numbers {
    match &options.numbers {
        Some(numbers) => Numbers::listed(numbers.clone()),
        None => Numbers::made_up(u64::from_str_radix(run.as_str(), 16).unwrap_or_default()),
    }
}

/// Waits for `moment`; says whether flows are still started then.
async fn reach_moment(board: &Board, moment: Instant) -> bool {
    tokio::select! {
        biased;
        () = board.reached(Phase::Draining) => false,
        () = tokio::time::sleep_until(moment.into()) => true,
    }
}

async fn lean(
    crew: Arc<Crew<RunPhone>>,
    conductor: Conductor,
    options: &Options,
) -> Result<Timestamp, RunError> {
    let beginning = Beginning::now(options);
    let board = Arc::clone(&crew.board);
    let transport = crew.cast.target.transport().map_err(|error| unusable(&error))?;
    let mut users = JoinSet::new();
    for user in 0..options.load.users() {
        let (crew, wire) = (Arc::clone(&crew), LeanWire::new(transport.clone()));
        let comes = beginning.at + options.load.comes(user);
        users.spawn(async move {
            if reach_moment(&crew.board, comes).await {
                crew.work(wire).await;
            }
        });
    }
    conductor.lead(beginning.at, || {}).map_err(RunError::Runtime)?;
    board.reached(Phase::Stopped).await;
    // Each flow under way is cut off by itself.
    users.join_all().await;
    Ok(beginning.wall)
}

async fn goose(
    crew: Arc<Crew<RunPhone>>,
    conductor: Conductor,
    options: &Options,
) -> Result<Timestamp, RunError> {
    let ready = Arc::<Ready>::default();
    let board = Arc::clone(&crew.board);
    let wait = options.wait(SystemTime::now()).unwrap_or_default();
    let ramp = options.load.ramp();
    let attack = Attack {
        crew,
        users: options.load.users(),
        ramp,
        longest: wait + GATHER + options.duration + options.grace,
        ready: Arc::clone(&ready),
    };
    let attack = attack.prepare().map_err(RunError::Attack)?;
    if !ramp.is_zero() {
        // Goose lets the users come one after the other, the first as soon as it runs: the run begins
        // with that one.
        let beginning = Beginning::now(options);
        conductor
            .lead(beginning.at, attack::end)
            .map_err(RunError::Runtime)?;
        let ran = if reach_moment(&board, beginning.at).await {
            attack.run().await
        } else {
            Ok(())
        };
        board.stop();
        return ran.map(|()| beginning.wall).map_err(RunError::Attack);
    }
    let (options, all) = (options.clone(), options.load.users());
    // Waits on a thread where waiting holds nobody up.
    let leading = tokio::task::spawn_blocking(move || {
        ready.wait(all, GATHER);
        let beginning = Beginning::now(&options);
        conductor.lead(beginning.at, attack::end).map(|_| beginning.wall)
    });
    let ran = attack.run().await;
    // Interrupted, goose ends before the conductor does.
    board.stop();
    ran.map_err(RunError::Attack)?;
    match leading.await {
        Ok(begun) => begun.map_err(RunError::Runtime),
        Err(_) => Ok(Timestamp::now()),
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
