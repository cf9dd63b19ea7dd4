//! What a live run may do at most, and its confirmation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::budget::{Budget, with_cents};
use super::limits::Limits;
use super::pace::MaxRate;
use crate::arrivals::Schedule;
use crate::destination::{LiveUrl, Pin};
use crate::model::{Load, Rate, ScenarioName, Shard};
use crate::target::Elsewhere;

/// The environment variable that confirms a live run without a terminal.
pub(crate) const CONFIRMATION: &str = "SINCH_LOAD_CONFIRM";

/// A live run as the user asks for it. No limit has a default here.
#[derive(Clone, Debug)]
pub(crate) struct LiveRequest {
    /// The service, and the application that asks it.
    pub(crate) service: Elsewhere<LiveUrl>,
    /// The name of the scenario.
    pub(crate) scenario: ScenarioName,
    /// What the run may spend.
    pub(crate) budget: Budget,
    /// The most starts per second.
    pub(crate) max_rate: MaxRate,
    /// The load.
    pub(crate) load: Load,
    /// The seed of the schedule; `None` for another schedule every time.
    pub(crate) seed: Option<u64>,
    /// For how long flows are started.
    pub(crate) duration: Duration,
    /// The part of the run that this process does.
    pub(crate) shard: Shard,
}

impl LiveRequest {
    /// Checks the request against its limits.
    ///
    /// # Errors
    ///
    /// A message for the user: what does not fit, and how to fix it.
    pub(crate) fn plan(self) -> Result<LivePlan, String> {
        let stays_here = self.service.pin.as_ref().is_some_and(Pin::is_loopback);
        if !stays_here && !self.service.url.as_ref().is_https() {
            return Err(
                "a live target must start with https://: phone numbers and codes leave this machine"
                    .to_owned(),
            );
        }
        let max_rate = self.max_rate;
        if let Load::Open { rate, .. } = &self.load
            && rate.peak() > max_rate.per_second()
        {
            return Err(format!(
                "--rate is above --max-rate, which is {max_rate}: lower the one or raise the other"
            ));
        }
        let budget = self.budget.of_shard(self.shard).ok_or(
            "there are more shards than numbers or verifications: start fewer shards, or raise \
             --max-verifications",
        )?;
        // A worst price of zero would allow any number of verifications.
        if budget.worst_price.is_zero() || budget.worst_price > budget.cost {
            return Err(
                "--worst-price must be above 0 and at most this shard's part of --max-cost".to_owned(),
            );
        }
        // A word from another run fits neither another application nor a larger run.
        let key: String = self.service.key.as_str().chars().take(8).collect();
        Ok(LivePlan {
            word: format!("{key}:{}", self.budget.verifications),
            budget,
            max_rate: max_rate.of_shard(self.shard),
            request: self,
        })
    }
}

/// A live run that is within its limits and not yet confirmed. `--plan` prints its `Display`.
#[derive(Clone, Debug)]
pub(crate) struct LivePlan {
    request: LiveRequest,
    /// The part of this shard.
    budget: Budget,
    /// The part of this shard.
    max_rate: MaxRate,
    word: String,
}

impl LivePlan {
    /// The word that confirms it: the first characters of the application's key, and the most
    /// verifications.
    #[must_use]
    pub(crate) fn word(&self) -> &str {
        &self.word
    }

    /// The target, once the word was typed.
    ///
    /// # Errors
    ///
    /// A message for the user when it is another word.
    pub(crate) fn confirm(self, typed: &str) -> Result<LiveTarget, String> {
        if typed.trim() != self.word {
            let word = self.word;
            return Err(format!(
                "the live run is not confirmed: type {word} when asked, or set {CONFIRMATION}={word}"
            ));
        }
        Ok(LiveTarget {
            service: self.request.service,
            limits: Arc::new(Limits::new(self.budget, self.max_rate)),
        })
    }

    /// The most verifications: the lowest of all limits.
    ///
    /// Nothing starts after the duration, so the pace bounds any load. A schedule is a bound where it
    /// is known: that of a Poisson process depends on the seed, and may have more flows than its rate
    /// says.
    fn most(&self) -> u64 {
        let LiveRequest {
            load,
            seed,
            duration,
            shard,
            ..
        } = &self.request;
        let scheduled = match (load, seed) {
            (
                Load::Open {
                    rate: Rate::Poisson { .. },
                    ..
                },
                None,
            )
            | (Load::Closed { .. }, _) => u64::MAX,
            (Load::Open { rate, .. }, seed) => {
                let schedule = Schedule::new(rate.clone(), *duration, seed.unwrap_or_default(), *shard);
                schedule.count() as u64
            }
        };
        self.budget
            .most()
            .min(self.max_rate.most_in(*duration))
            .min(scheduled)
    }
}

impl fmt::Display for LivePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            request,
            budget,
            max_rate,
            word,
        } = self;
        let Budget {
            cost,
            worst_price,
            currency,
            numbers,
            per_number,
            ..
        } = budget;
        let most = self.most();
        let total = with_cents(worst_price.saturating_mul(most.into())).min(*cost);
        let LiveRequest {
            service,
            scenario,
            duration,
            shard,
            ..
        } = request;
        let part = match (shard.index() + 1, shard.of()) {
            (_, 1) => String::new(),
            (number, of) => format!("\n  shard          {number} of {of}"),
        };
        writeln!(
            f,
            "live run, real money:
  target         {url}
  scenario       {scenario}{part}
  verifications  at most {most}, at most {max_rate}, for at most {duration:?}
  cost           at most {total} {currency}: up to {worst_price} each, never more than {cost} in all
  numbers        {count}, each at most {per_number} times: {numbers}
  confirm with   {word}, or {CONFIRMATION}={word}",
            url = service.url.as_ref(),
            count = numbers.numbers().len(),
        )
    }
}

/// The real service with the limits of one confirmed run.
///
/// [`LivePlan::confirm`] is the only way to get one, so no run is live without its limits.
#[derive(Clone, Debug)]
pub(crate) struct LiveTarget {
    service: Elsewhere<LiveUrl>,
    limits: Arc<Limits>,
}

impl LiveTarget {
    /// The service, and the application that asks it.
    #[must_use]
    pub(crate) fn service(&self) -> &Elsewhere<LiveUrl> {
        &self.service
    }

    /// The limits, which every flow must respect.
    #[must_use]
    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

    use super::*;
    use crate::live::budget::tests::budget;
    use crate::live::parse_amount;

    fn live(url: &str) -> LiveUrl {
        LiveUrl::new(url.parse().unwrap()).unwrap()
    }

    fn request() -> LiveRequest {
        let numbers: String = (10..50).map(|last| format!("+467000000{last}\n")).collect();
        LiveRequest {
            service: Elsewhere {
                url: live("https://verification.live.test"),
                pin: None,
                key: ApplicationKey::new("11111111-2222-3333-4444-555555555555").unwrap(),
                secret: ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==").unwrap(),
            },
            scenario: ScenarioName::new("sms").unwrap(),
            budget: Budget {
                verifications: NonZeroU64::new(100).unwrap(),
                cost: parse_amount("100").unwrap(),
                numbers: numbers.parse().unwrap(),
                per_number: 3,
                ..budget()
            },
            max_rate: "100/s".parse().unwrap(),
            load: Load::closed(1),
            seed: None,
            duration: Duration::from_secs(8),
            shard: Shard::WHOLE,
        }
    }

    #[test]
    fn the_word_fits_one_application_and_one_size() {
        for wrong in [
            "",
            "yes",
            "11111111",
            "11111111:1000",
            "11111112:100",
            "11111111:10",
        ] {
            let message = request().plan().unwrap().confirm(wrong).unwrap_err();
            assert!(message.contains("SINCH_LOAD_CONFIRM=11111111:100"), "{message}");
        }
        assert!(request().plan().unwrap().confirm("11111111:100\n").is_ok());
        let mut short = request();
        short.service.key = ApplicationKey::new("ab").unwrap();
        assert_eq!(short.plan().unwrap().word(), "ab:100");
    }

    #[test]
    fn the_plan_shows_every_limit_and_no_number_key_or_secret() {
        let plan = request().plan().unwrap().to_string();
        for shown in [
            "https://verification.live.test",
            "at most 100, at most 100/s, for at most 8s",
            "at most 20.00 EUR: up to 0.20 each, never more than 100.00 in all",
            "40, each at most 3 times: +4670***10, +4670***11",
            "SINCH_LOAD_CONFIRM=11111111:100",
        ] {
            assert!(plan.contains(shown), "{shown} is not in\n{plan}");
        }
        for hidden in ["+46700", "11111111-2222", "BeIuk"] {
            assert!(!plan.contains(hidden), "{plan}");
        }
    }

    #[test]
    fn the_plan_counts_the_most_that_can_be_and_not_the_average() {
        let most = |rate: Option<&str>, max_rate: &str, seed| {
            let mut request = request();
            request.max_rate = max_rate.parse().unwrap();
            request.seed = seed;
            if let Some(rate) = rate {
                let rate = rate.parse().unwrap();
                request.load = Load::Open { rate, users: 4 };
            }
            request.plan().unwrap().most()
        };
        assert_eq!(
            most(None, "2/s", None),
            16,
            "users of a closed model keep the pace"
        );
        assert_eq!(most(Some("1/s..3/s"), "4/s", None), 16, "a ramp has its area");
        assert_eq!(
            most(Some("poisson:1/s"), "5/s", None),
            40,
            "the average of 8 is no bound"
        );
        let seed = (0..).find(|seed| {
            let rate = Rate::Poisson { per_second: 1.0 };
            Schedule::new(rate, Duration::from_secs(8), *seed, Shard::WHOLE).count() == 12
        });
        assert_eq!(most(Some("poisson:1/s"), "5/s", seed), 12);
    }

    #[test]
    fn a_live_target_that_is_not_pinned_to_this_machine_needs_tls() {
        let refusal = |url: &str, pin: Option<&str>| {
            let mut request = request();
            request.service.url = live(url);
            request.service.pin = pin.map(|pin| pin.parse().unwrap());
            request.plan().err().unwrap_or_default()
        };
        for pin in [
            None,
            Some("live.test=192.0.2.1"),
            Some("live.test=::ffff:127.0.0.1"),
        ] {
            assert!(refusal("http://live.test", pin).contains("must start with https://"));
            assert_eq!(refusal("https://live.test", pin), "");
        }
        assert_eq!(refusal("http://live.test", Some("live.test=127.0.0.1")), "");
    }

    #[test]
    fn a_shard_has_its_part_of_every_limit() {
        let mut last = request();
        last.shard = "3/4".parse().unwrap();
        let plan = last.plan().unwrap().to_string();
        for shown in [
            "4 of 4",
            "at most 25, at most 25/s",
            "more than 25.00 in all",
            "10, each",
        ] {
            assert!(plan.contains(shown), "{shown} is not in\n{plan}");
        }
        let mut too_many = request();
        too_many.shard = "40/41".parse().unwrap();
        assert!(too_many.plan().unwrap_err().contains("more shards than numbers"));
    }
}
