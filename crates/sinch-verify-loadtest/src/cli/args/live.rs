//! The limits of a run that costs money.

use std::fs;
use std::io::{BufRead as _, IsTerminal as _, Write as _, stderr, stdin};
use std::num::NonZeroU64;
use std::path::PathBuf;

use crate::destination::LiveUrl;
use crate::engine::Options;
use crate::live::{
    Budget, CONFIRMATION, LivePlan, LiveRequest, LiveTarget, MOST_PER_NUMBER, MaxRate, parse_amount,
    parse_currency,
};
use crate::target::Elsewhere;
use clap::value_parser;
use rust_decimal::Decimal;

/// Given together or not at all: one of them asks for the others, except those with a default.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Live runs, which cost money")]
#[group(requires_all = ["live", "max_verifications", "max_cost", "worst_price", "currency", "numbers"])]
pub(crate) struct LiveArgs {
    /// Runs against the real service. Needs the limits below and a confirmation: type the word when
    /// asked, or set SINCH_LOAD_CONFIRM to it.
    #[arg(long, requires = "target")]
    live: bool,

    /// Starts at most this many verifications.
    #[arg(long, value_name = "N", required = false)]
    max_verifications: NonZeroU64,

    /// The most that all of them together may cost.
    #[arg(long, value_name = "AMOUNT", required = false, value_parser = parse_amount)]
    max_cost: Decimal,

    /// The most that one may cost. It is reserved before each start.
    #[arg(long, value_name = "AMOUNT", required = false, value_parser = parse_amount)]
    worst_price: Decimal,

    /// The currency of both amounts and of the account, such as EUR.
    #[arg(long, value_name = "CODE", required = false, value_parser = parse_currency)]
    currency: String,

    /// A file with the numbers that may be verified, one per line.
    #[arg(long, value_name = "FILE", required = false)]
    numbers: PathBuf,

    /// How often each number may be verified, 1 to 3.
    #[arg(long, value_name = "N", default_value_t = MOST_PER_NUMBER,
        value_parser = value_parser!(u8).range(1..=i64::from(MOST_PER_NUMBER)))]
    per_number: u8,

    /// The most starts per second, from 0.001/s to 100/s.
    #[arg(long, value_name = "RATE", default_value_t)]
    pub(crate) max_rate: MaxRate,
}

impl LiveArgs {
    /// The most that the run may do, or a message for the user.
    pub(crate) fn plan(&self, service: Elsewhere<LiveUrl>, options: &Options) -> Result<LivePlan, String> {
        let file = self.numbers.display();
        let numbers = fs::read_to_string(&self.numbers)
            .map_err(|error| format!("failed to read --numbers {file}: {error}"))?;
        let request = LiveRequest {
            service,
            scenario: options.workload.name(),
            budget: Budget {
                verifications: self.max_verifications,
                cost: self.max_cost,
                worst_price: self.worst_price,
                currency: self.currency.clone(),
                numbers: numbers
                    .parse()
                    .map_err(|error| format!("--numbers {file}: {error}"))?,
                per_number: self.per_number,
            },
            max_rate: self.max_rate,
            load: options.load.clone(),
            seed: options.seed,
            duration: options.duration,
            shard: options.shard,
        };
        request.plan()
    }
}

/// Gets the confirmation of a live run: from the environment, or from the terminal.
pub(crate) fn confirm(plan: LivePlan) -> Result<LiveTarget, String> {
    let typed = match std::env::var(CONFIRMATION) {
        Ok(word) => word,
        Err(_) if stdin().is_terminal() => {
            let _ = write!(stderr(), "{plan}Type {} to spend this: ", plan.word());
            let mut line = String::new();
            // What cannot be read confirms nothing.
            let read = stdin().lock().read_line(&mut line);
            read.map(|_| line).unwrap_or_default()
        }
        Err(_) => String::new(),
    };
    plan.confirm(&typed)
}
