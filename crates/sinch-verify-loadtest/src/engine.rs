//! A whole run: the target, the virtual users, and the run file.

mod beginning;
mod cpu;
mod direct;
mod draft;
mod environment;
mod error;
mod goose;
mod options;
mod prepare;
mod scheduler;
mod started;
mod users;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::arrivals::{Queue, Schedule};
use crate::model::{Load, Numbers, RunId, Setup, TransportName, random_seed};
use crate::recorder::Recorder;
use crate::runfile::RunFile;

pub(crate) use draft::Draft;
pub(crate) use error::RunError;
pub(crate) use goose::GooseWire;
pub(crate) use options::{Against, Options, Receiving};
pub(crate) use users::{Indexes, Source, VirtualUsers};

use beginning::Beginning;
use cpu::{Busy, WORKER};
use environment::{Environment, runtime, unusable};
use goose::Attack;
use scheduler::{Ready, Scheduler};

/// How long users are given to be there.
const GATHER: Duration = Duration::from_secs(15);

/// A run that is ready to go.
///
/// It has runtimes of its own, so neither [`prepare`](Self::prepare) nor [`execute`](Self::execute)
/// may be called from async code.
pub(crate) struct Run {
    // Dropped in this order: the users, then what they used.
    users: Runtime,
    workers: usize,
    environment: Environment,
    options: Options,
    setup: Setup,
    recorder: Arc<Recorder>,
}

impl Run {
    /// Starts the emulator and the callback receiver, checks that the target answers, and prepares the
    /// scenarios.
    ///
    /// # Errors
    ///
    /// When the options do not fit together, there is no target to run against, or no runtime.
    pub(crate) fn prepare(mut options: Options) -> Result<Self, RunError> {
        options.check().map_err(RunError::Options)?;
        let seed = *options.seed.get_or_insert_with(random_seed);
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // With one worker, one busy user could keep goose from ending the run.
        let workers = cores.max(2);
        let users = runtime(WORKER, workers)?;
        let setup = options.setup(seed);
        let start = options.start_at.unwrap_or_else(SystemTime::now);
        let named_at = Timestamp::try_from(start)
            .map_err(|_| RunError::Options("the start is in no year that can be written".to_owned()))?;
        let run = RunId::of(&setup, options.shard.of(), &named_at.to_string());
        let recorder = Arc::new(Recorder::new(&setup, options.shard));
        let environment = Environment::build(&options, run, &recorder)?;
        let context = &environment.context;
        users.block_on(environment::reach(&context.target))?;
        let numbers = numbers(&options, &context.run);
        users.block_on(prepare::prepare(
            &options.workload,
            context,
            &numbers,
            options.shard,
        ))?;
        Ok(Self {
            users,
            workers,
            environment,
            options,
            setup,
            recorder,
        })
    }

    /// How the run is set up.
    #[must_use]
    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What counts the run: for a live view, and to end the run early.
    #[must_use]
    pub(crate) fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.recorder)
    }

    /// Runs to the end. The file has no verdict yet.
    ///
    /// # Errors
    ///
    /// When the load generator could not do its work. That flows fail is no error: the file says so.
    pub(crate) fn execute(self) -> Result<RunFile, RunError> {
        let draft = self.draft();
        let Self {
            users: runtime,
            workers,
            environment,
            options,
            setup,
            recorder,
        } = self;
        let Environment { context, services } = environment;
        let (source, schedule) = source(&options, setup.seed);
        let users = Arc::new(VirtualUsers {
            numbers: numbers(&options, &context.run),
            context,
            workload: options.workload.clone(),
            seed: setup.seed,
            source,
            recorder: Arc::clone(&recorder),
            limits: options.against.limits().cloned(),
        });
        let scheduler = Scheduler {
            recorder,
            schedule,
            duration: options.duration,
            grace: options.grace,
            busy: Busy::new(workers),
        };
        let begun = match options.transport {
            TransportName::Direct => runtime.block_on(on_direct(users, scheduler, &options))?,
            TransportName::Goose => runtime.block_on(on_goose(users, scheduler, &options))?,
        };
        // The emulator stops only now, so that no flow meets a closed door.
        drop(services);
        Ok(draft.file(begun))
    }

    /// What is needed to write down what the run has counted so far, should it not come to its end.
    #[must_use]
    pub(crate) fn draft(&self) -> Draft {
        Draft {
            recorder: Arc::clone(&self.recorder),
            run: self.environment.context.run.clone(),
            setup: self.setup.clone(),
            options: self.options.clone(),
            workers: self.workers,
        }
    }
}

/// Where the users' arrivals come from, and for the scheduler when they are due.
fn source(options: &Options, seed: u64) -> (Source, Option<(Schedule, Arc<Queue>)>) {
    match &options.load {
        Load::Closed { .. } => (Source::Always(Indexes::from(options.shard)), None),
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

async fn on_direct(
    users: Arc<VirtualUsers>,
    scheduler: Scheduler,
    options: &Options,
) -> Result<Timestamp, RunError> {
    let transport = users
        .context
        .target
        .transport()
        .map_err(|error| unusable(&error))?;
    let beginning = Beginning::now(options);
    scheduler.start(beginning.at, || {}).map_err(RunError::Runtime)?;
    direct::run(users, transport, &options.load, beginning.at).await;
    Ok(beginning.wall)
}

async fn on_goose(
    users: Arc<VirtualUsers>,
    scheduler: Scheduler,
    options: &Options,
) -> Result<Timestamp, RunError> {
    let ready = Arc::<Ready>::default();
    let recorder = Arc::clone(&users.recorder);
    let wait = options.wait(SystemTime::now()).unwrap_or_default();
    let ramp = options.load.ramp();
    let attack = Attack {
        virtual_users: users,
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
        scheduler
            .start(beginning.at, goose::end)
            .map_err(RunError::Runtime)?;
        let ran = if direct::reach_moment(&recorder, beginning.at).await {
            attack.run().await
        } else {
            Ok(())
        };
        recorder.stop();
        return ran.map(|()| beginning.wall).map_err(RunError::Attack);
    }
    let (options, all) = (options.clone(), options.load.users());
    // Waits on a thread where waiting delays nothing else.
    let starting = tokio::task::spawn_blocking(move || {
        ready.wait(all, GATHER);
        let beginning = Beginning::now(&options);
        scheduler.start(beginning.at, goose::end).map(|_| beginning.wall)
    });
    let ran = attack.run().await;
    // Interrupted, goose ends before the scheduler does.
    recorder.stop();
    ran.map_err(RunError::Attack)?;
    match starting.await {
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

#[cfg(test)]
mod tests;
