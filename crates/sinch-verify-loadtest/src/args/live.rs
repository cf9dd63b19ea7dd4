//! The limits of a run that costs money.

use std::fs;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::num::NonZeroU64;
use std::path::PathBuf;

use sinch_verify_loadtest::safety::{
    Budget, Confirmation, Currency, LivePlan, LiveRequest, LiveTarget, LiveUrl, PerNumber, RateCap, Sum,
};
use sinch_verify_loadtest::{Elsewhere, Options};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Live runs, which cost money")]
pub(crate) struct LiveArgs {
    /// Runs against the real service. Needs all of the limits below, and a confirmation: the word
    /// that is asked for, or SINCH_LOAD_CONFIRM.
    #[arg(long)]
    pub(crate) live: bool,

    /// No more verifications than this are started.
    #[arg(long, value_name = "N", requires = "live")]
    max_verifications: Option<NonZeroU64>,

    /// All of them together cost no more than this.
    #[arg(long, value_name = "AMOUNT", requires = "live")]
    max_cost: Option<Sum>,

    /// What a single one may cost: so much is reserved before each start.
    #[arg(long, value_name = "AMOUNT", requires = "live")]
    worst_price: Option<Sum>,

    /// The currency of both, and of the account.
    #[arg(long, value_name = "CODE", requires = "live")]
    currency: Option<Currency>,

    /// The file of the numbers that may be verified, one a line.
    #[arg(long, value_name = "FILE", requires = "live")]
    numbers: Option<PathBuf>,

    /// How often each of them, 1 to 3.
    #[arg(long, value_name = "N", requires = "live")]
    per_number: Option<PerNumber>,

    /// No more starts than this in a second. 1/s unless given.
    #[arg(long, value_name = "RATE", requires = "live")]
    max_rate: Option<RateCap>,

    /// Prints what the run would do at most, and exits.
    #[arg(long)]
    pub(crate) plan: bool,
}

impl LiveArgs {
    /// The fastest that a live run may be.
    pub(crate) fn cap(&self) -> RateCap {
        self.max_rate.unwrap_or_default()
    }

    /// What the run may do at most, or the limit that is missing.
    pub(crate) fn plan(&self, service: Elsewhere<LiveUrl>, options: &Options) -> Result<LivePlan, String> {
        let request = LiveRequest {
            service,
            scenario: options.scenario,
            flows: options.flows(),
            phone: options.phone,
            budget: self.budget()?,
            cap: self.cap(),
            load: options.load.clone(),
            seed: options.seed,
            duration: options.duration,
            shard: options.shard,
        };
        request.plan().map_err(|error| error.to_string())
    }

    fn budget(&self) -> Result<Budget, String> {
        fn given<T: Copy>(value: Option<T>, name: &str) -> Result<T, String> {
            value.ok_or_else(|| format!("--live needs --{name}"))
        }
        let file = self.numbers.as_ref().ok_or("--live needs --numbers")?;
        let wrong = |error: &dyn std::fmt::Display| format!("--numbers {}: {error}", file.display());
        let numbers = fs::read_to_string(file).map_err(|error| wrong(&error))?;
        Ok(Budget {
            verifications: given(self.max_verifications, "max-verifications")?,
            cost: given(self.max_cost, "max-cost")?,
            worst: given(self.worst_price, "worst-price")?,
            currency: given(self.currency, "currency")?,
            // An editor may put a byte order mark before the first number.
            numbers: numbers
                .strip_prefix('\u{feff}')
                .unwrap_or(&numbers)
                .parse()
                .map_err(|error| wrong(&error))?,
            per_number: self.per_number.unwrap_or_default(),
        })
    }
}

/// Asks for the confirmation of a live run, in the environment or, on a terminal, of whoever sits
/// there.
pub(crate) fn confirm(plan: LivePlan) -> Result<LiveTarget, String> {
    let typed = match std::env::var(Confirmation::VARIABLE) {
        Ok(word) => word,
        Err(_) if std::io::stdin().is_terminal() => {
            let _ = write!(
                std::io::stderr(),
                "{plan}Type {} to spend this: ",
                plan.confirmation()
            );
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            read.map(|_| line).unwrap_or_default()
        }
        Err(_) => String::new(),
    };
    plan.confirm(&typed).map_err(|error| error.to_string())
}
