//! Days of SMS pumping in front of a fraud policy, simulated: what of the attack is paid, and who is denied.
//!
//! ```sh
//! cargo run --release -p sinch-verify-loadtest --example pumping -- policy.toml --seeds 20 --plot pumping.svg
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::PathBuf;

use clap::Parser;
use sinch_verify_callback::policy::PolicyRules;
use sinch_verify_loadtest::pumping::Study;

#[derive(Parser)]
struct Args {
    /// The policy, in TOML.
    policy: PathBuf,
    /// How many days to simulate, each from another seed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Where to write a plot of the worst day, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let rules: PolicyRules = std::fs::read_to_string(&args.policy)?.parse()?;
    let study = Study::run(&rules, args.seeds).await?;
    if let Some(plot) = &args.plot {
        std::fs::write(plot, study.svg())?;
    }
    print!("{}", study.markdown());
    Ok(())
}
