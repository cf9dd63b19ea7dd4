//! From what the user asked for to a live target.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::arrivals::Schedule;
use crate::model::{Load, PhoneChoice, Rate, ScenarioName, Shard};
use crate::target::Elsewhere;

use super::budget::Budget;
use super::confirmation::{Confirmation, NotConfirmed};
use super::destination::LiveUrl;
use super::pace::RateCap;
use super::pin::Pin;
use super::rails::Rails;
use super::sum::Sum;

/// What a live run is asked to do. Every limit is there, since there is no default for it.
#[derive(Clone, Debug)]
pub struct LiveRequest {
    /// The service, and who asks it.
    pub service: Elsewhere<LiveUrl>,
    /// What to do over and over.
    pub scenario: ScenarioName,
    /// A scenario in it that is not for the live service, if there is one.
    pub unfit: Option<ScenarioName>,
    /// How flows learn what reached the phone.
    pub phone: PhoneChoice,
    /// What it may spend.
    pub budget: Budget,
    /// The most starts per second.
    pub cap: RateCap,
    /// How much load was asked for.
    pub load: Load,
    /// What fixes its schedule; `None` for another one every time.
    pub seed: Option<u64>,
    /// For how long.
    pub duration: Duration,
    /// Which part of the run this process does.
    pub shard: Shard,
}

impl LiveRequest {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub fn plan(self) -> Result<LivePlan, LiveUnfit> {
        let stays_here = self.service.pin.as_ref().is_some_and(Pin::is_loopback);
        let url = self.service.url.as_ref().to_string();
        if !stays_here && !url.starts_with("https://") {
            return Err(LiveUnfit::Plain);
        }
        if let Some(scenario) = self.unfit {
            return Err(LiveUnfit::Scenario(scenario));
        }
        if self.phone == PhoneChoice::Inbox {
            return Err(LiveUnfit::Inbox);
        }
        if let Load::Open { rate, .. } = &self.load
            && rate.peak() > self.cap.per_second()
        {
            return Err(LiveUnfit::Rate { cap: self.cap });
        }
        let confirmation = Confirmation::of(&self.service.key, self.budget.verifications);
        let shard = u32::try_from(self.shard.index());
        let count = u32::try_from(self.shard.of()).map(NonZeroU32::new);
        let (Ok(shard), Ok(Some(count))) = (shard, count) else {
            return Err(LiveUnfit::EmptyShard);
        };
        let budget = self.budget.shard(shard, count).ok_or(LiveUnfit::EmptyShard)?;
        let cap = self.cap.shard(count);
        // A worst price of nothing would let any number of verifications through.
        if budget.worst == Sum::ZERO || budget.worst > budget.cost {
            return Err(LiveUnfit::Cost);
        }
        Ok(LivePlan {
            request: self,
            budget,
            cap,
            confirmation,
        })
    }
}

/// A live run that fits together, and is not confirmed yet. Its `Display` is what `--plan` prints.
#[derive(Clone, Debug)]
pub struct LivePlan {
    request: LiveRequest,
    budget: Budget,
    cap: RateCap,
    confirmation: Confirmation,
}

impl LivePlan {
    /// The word to confirm it with.
    #[must_use]
    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    /// The target, for one who typed the word.
    ///
    /// # Errors
    ///
    /// When it is another word.
    pub fn confirm(self, typed: &str) -> Result<LiveTarget, NotConfirmed> {
        self.confirmation.check(typed)?;
        Ok(LiveTarget {
            service: self.request.service,
            rails: Arc::new(Rails::new(self.budget, self.cap)),
        })
    }

    /// How many verifications there can be: the first of all limits.
    ///
    /// Nothing begins after the duration, so the pace is a limit whatever the model of load. A schedule
    /// is one where it is known: that of a Poisson process is not without a seed, and may well have
    /// more in it than its rate says.
    fn count(&self) -> u64 {
        let LiveRequest {
            load, seed, duration, ..
        } = &self.request;
        let paced = self.cap.most_in(*duration);
        let due = match (load, seed) {
            (Load::Closed { .. }, _) => None,
            (
                Load::Open {
                    rate: Rate::Poisson { .. },
                    ..
                },
                None,
            ) => None,
            (Load::Open { rate, .. }, seed) => {
                let seed = seed.unwrap_or_default();
                let slots = Schedule::new(rate.clone(), *duration, seed, self.request.shard);
                Some(slots.count() as u64)
            }
        };
        self.budget.count().min(paced).min(due.unwrap_or(u64::MAX))
    }
}

impl fmt::Display for LivePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            request,
            budget,
            cap,
            confirmation,
        } = self;
        let count = self.count();
        let currency = budget.currency;
        let worst = budget.worst.times(count).min(budget.cost);
        let row = |f: &mut fmt::Formatter<'_>, name: &str, value: fmt::Arguments<'_>| {
            writeln!(f, "  {name:<14} {value}")
        };
        writeln!(f, "live run, real money:")?;
        row(f, "target", format_args!("{}", request.service.url.as_ref()))?;
        row(f, "scenario", format_args!("{}", request.scenario))?;
        if request.shard != Shard::WHOLE {
            let number = request.shard.index() + 1;
            row(f, "shard", format_args!("{number} of {}", request.shard.of()))?;
        }
        row(
            f,
            "verifications",
            format_args!(
                "at most {count}, at most {cap}, for at most {:?}",
                request.duration
            ),
        )?;
        row(
            f,
            "cost",
            format_args!(
                "at most {worst} {currency}: up to {} each, never more than {} in all",
                budget.worst, budget.cost
            ),
        )?;
        row(
            f,
            "numbers",
            format_args!(
                "{}, each at most {} times: {}",
                budget.numbers.numbers().len(),
                budget.per_number.get(),
                budget.numbers
            ),
        )?;
        row(
            f,
            "confirm with",
            format_args!("{confirmation}, or {}={confirmation}", Confirmation::VARIABLE),
        )
    }
}

/// The real service, with the rails of one confirmed run.
///
/// There is no other way to one than [`LivePlan::confirm`], so a live run without its budget cannot
/// be written down:
///
/// ```compile_fail,E0451
/// use std::sync::Arc;
/// use sinch_verify_loadtest::target::Elsewhere;
/// use sinch_verify_loadtest::safety::{LiveTarget, LiveUrl, Rails};
///
/// fn bypass(service: Elsewhere<LiveUrl>, rails: Arc<Rails>) -> LiveTarget {
///     LiveTarget { service, rails }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct LiveTarget {
    service: Elsewhere<LiveUrl>,
    rails: Arc<Rails>,
}

impl LiveTarget {
    /// Where it is, and who asks.
    #[must_use]
    pub fn service(&self) -> &Elsewhere<LiveUrl> {
        &self.service
    }

    /// What every flow has to pass.
    #[must_use]
    pub fn rails(&self) -> &Arc<Rails> {
        &self.rails
    }
}

/// Why a live run does not come about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LiveUnfit {
    /// The target speaks no TLS.
    Plain,
    /// The scenario is not for other people's phones.
    Scenario(ScenarioName),
    /// There is no inbox to look into.
    Inbox,
    /// The rate is above the cap.
    Rate {
        /// The cap.
        cap: RateCap,
    },
    /// The worst price is nothing, or more than all may cost.
    Cost,
    /// There is nothing for this shard to do.
    EmptyShard,
}

impl fmt::Display for LiveUnfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => {
                f.write_str("a live target must start with https://: numbers and codes leave this machine")
            }
            Self::Scenario(flow) => write!(f, "{flow} is refused against a live target: it is for emulators"),
            Self::Inbox => f.write_str(
                "a live target shows no inbox: give --callback-listen, so that the callback sets the code, or \
                 --phone fixed",
            ),
            Self::Rate { cap } => write!(
                f,
                "--rate is above the cap of a live run, {cap}; --max-rate raises it"
            ),
            Self::Cost => {
                f.write_str("--worst-price must be above 0 and at most the run's share of --max-cost")
            }
            Self::EmptyShard => f.write_str(
                "there are more shards than numbers or verifications, so this one has nothing to do",
            ),
        }
    }
}

impl std::error::Error for LiveUnfit {}
