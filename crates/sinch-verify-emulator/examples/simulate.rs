//! The engine under any number of random commands:
//!
//! ```sh
//! cargo run --release -p sinch-verify-emulator --features simulation --example simulate -- --steps 1000000 --seed 7
//! ```
//!
//! It ends with 0 when everything held, and else with 1 and the seed and step to see it again.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is what the example is for"
)]

use std::process::ExitCode;
use std::time::Instant;

use sinch_verify_emulator::Simulation;

const USAGE: &str = "usage: simulate [--steps N] [--seed S]";

/// Steps between two lines of progress.
const LEG: u64 = 1_000_000;

fn main() -> ExitCode {
    let Some((steps, seed)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let began = Instant::now();
    let mut simulation = Simulation::new(seed);
    while simulation.steps() < steps {
        let leg = LEG.min(steps - simulation.steps());
        let ran = simulation.run(leg).and_then(|()| {
            if simulation.steps() == steps {
                simulation.settle()
            } else {
                Ok(())
            }
        });
        if let Err(failure) = ran {
            eprintln!("FAILED: {failure}");
            let (seed, step) = (failure.seed, failure.step);
            eprintln!("see it again with: cargo xtask simulate --steps {step} --seed {seed}");
            return ExitCode::FAILURE;
        }
        let rate = simulation.steps() as f64 / began.elapsed().as_secs_f64();
        println!("{:>12} steps  {rate:>9.0} steps/s", simulation.steps());
    }
    let (started, ended) = simulation.verifications();
    println!(
        "seed {seed}: {started} verifications started, {ended} ended, journal digest {:016x}",
        simulation.digest()
    );
    ExitCode::SUCCESS
}

fn arguments() -> Option<(u64, u64)> {
    let (mut steps, mut seed) = (1_000_000, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.replace('_', "").parse().ok()?;
        match name.as_str() {
            "--steps" => steps = value,
            "--seed" => seed = value,
            _ => return None,
        }
    }
    Some((steps, seed))
}
