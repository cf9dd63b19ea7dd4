//! The engine under random commands, checked against a model after every one of them.
//!
//! It uses the engine's private API, so it is a module of unit tests rather than a crate of its own.
//! `exclude` in `Cargo.toml` keeps it out of the published package.

mod calls;
mod checks;
mod commands;
mod invariants;
mod journal;
mod model;
mod reports;
mod starts;
mod world;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use world::World;

/// Runs the engine with random commands and settings: starts, decisions that are late, repeated, missing
/// or invalid, repeated reports, keys, ended calls, and clocks that jump ahead and back.
///
/// There is no I/O, and the seed determines everything. After every step, a model that does not know the
/// internals of the engine must agree: a verification ends once and has one result event, a code works
/// once, reports are answered as the settings say, hanging up ends only a call that is under way, no
/// verification is pending past its expiry, no ended one has timers, and no application sees the
/// verifications of another.
struct Simulation {
    seed: u64,
    steps: u64,
    world: World,
}

impl Simulation {
    /// A simulation with this seed, before its first step.
    fn new(seed: u64) -> Self {
        Self {
            seed,
            steps: 0,
            world: World::new(seed),
        }
    }

    /// Runs more steps.
    fn run(&mut self, steps: u64) -> Result<(), SimulationFailure> {
        let world = &mut self.world;
        let taken = &mut self.steps;
        let all = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..steps {
                *taken += 1;
                world.step()?;
            }
            Ok(())
        }));
        let problem = match all {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => problem,
            Err(_) => "the engine panicked".to_owned(),
        };
        Err(SimulationFailure {
            seed: self.seed,
            step: self.steps,
            problem,
        })
    }

    /// Lets a day pass, after which no verification may be pending. The simulation can continue.
    fn settle(&mut self) -> Result<(), SimulationFailure> {
        self.world.settle().map_err(|problem| SimulationFailure {
            seed: self.seed,
            step: self.steps,
            problem,
        })
    }

    /// A digest of all answers and events so far. It is the same for the same seed and steps.
    fn digest(&self) -> u64 {
        self.world.digest()
    }

    /// The number of verifications that were started and that ended so far.
    fn verifications(&self) -> (u64, u64) {
        self.world.verifications()
    }
}

/// A failed check.
#[derive(Debug)]
struct SimulationFailure {
    /// The seed.
    seed: u64,
    /// The number of the step, 1 for the first. Running this many steps repeats the failure.
    step: u64,
    /// The check that failed.
    problem: String,
}

impl fmt::Display for SimulationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, problem } = self;
        write!(f, "seed {seed}, step {step}: {problem}")
    }
}

mod tests {
    use std::env;
    use std::time::Instant;

    use super::Simulation;
    use super::world::World;

    /// The number of steps between two lines of progress.
    const PROGRESS_STEPS: u64 = 1_000_000;

    /// `cargo xtask simulate` sets the steps and the seed.
    #[test]
    fn as_many_steps_as_asked_for_keep_every_rule() {
        let asked = |name| env::var(name).ok().map(|number| number.parse().unwrap());
        let steps = asked("SIMULATE_STEPS").unwrap_or(10_000);
        let seed = asked("SIMULATE_SEED").unwrap_or(9);
        let began = Instant::now();
        let mut simulation = Simulation::new(seed);
        while simulation.steps < steps {
            let leg = PROGRESS_STEPS.min(steps - simulation.steps);
            if let Err(failure) = simulation.run(leg) {
                let (seed, step) = (failure.seed, failure.step);
                panic!("{failure}; see it again with: cargo xtask simulate --steps {step} --seed {seed}");
            }
            let rate = simulation.steps as f64 / began.elapsed().as_secs_f64();
            println!("{:>12} steps  {rate:>9.0} steps/s", simulation.steps);
        }
        simulation.settle().unwrap();
        let (started, ended) = simulation.verifications();
        println!(
            "seed {seed}: {started} verifications started, {ended} ended, journal digest {:016x}",
            simulation.digest()
        );
    }

    #[test]
    fn two_hundred_thousand_steps_keep_every_rule() {
        let mut all = 0;
        // Each seed has its own settings.
        for seed in 1..=8 {
            let mut simulation = Simulation::new(seed);
            simulation.run(25_000).unwrap();
            simulation.settle().unwrap();
            let (started, ended) = simulation.verifications();
            assert!(started > 1_000, "{started}");
            assert_eq!(started, ended);
            all += started;
        }
        assert!(all > 20_000, "{all}");
    }

    #[test]
    fn a_seed_gives_the_same_journal_byte_for_byte() {
        let journal = |seed| {
            let mut world = World::with_journal(seed);
            for _ in 0..5_000 {
                world.step().unwrap();
            }
            world.into_journal()
        };
        let first = journal(11);
        assert!(first.len() > 100_000);
        assert!(first == journal(11), "the same seed");
        assert!(first != journal(12), "another seed");
    }

    #[test]
    fn a_digest_stands_for_the_journal() {
        let digest = |seed| {
            let mut simulation = Simulation::new(seed);
            simulation.run(2_000).unwrap();
            simulation.digest()
        };
        assert_eq!(digest(5), digest(5));
        assert_ne!(digest(5), digest(6));
    }
}
