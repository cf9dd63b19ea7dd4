//! What is run, and how much of it.

use std::env;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use crate::engine::{Options, Receiving};
use crate::model::{Load, Mix, PhoneChoice, Rate, ScenarioName, Setting, Shard, TransportName};
use crate::scenario::{Registry, Workload};
use jiff::Timestamp;
use sinch_verify_protocol::{Code, duration};

/// Where a fixed code comes from: it does not belong on a command line, which others can read.
const CODE: &str = "SINCH_LOAD_CODE";

#[derive(Debug, clap::Args)]
pub(crate) struct LoadArgs {
    /// What every user does over and over.
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Option<String>,

    /// The weights of scenarios in a run of `mixed`. sms=70,flashcall=15,callout=10,seamless=5 unless
    /// given.
    #[arg(long, value_name = "SCENARIO=WEIGHT,...")]
    pub(crate) mix: Option<Mix>,

    /// Who sends the requests: backend (signed requests) or device (public authorization; the callback decides).
    #[arg(long, value_name = "NAME", default_value = "backend")]
    pub(crate) setting: Setting,

    /// How many flows fall due (open model): 300/s, 600/m, poisson:300/s, 10/s..300/s (a ramp over
    /// the run), 50/s:10s,100/s:10s (steps). 50/s when neither this nor --users is given.
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<Rate>,

    /// With --rate, how many flows may be under way at once. Alone, how many users there are, each
    /// waiting for its answers (closed model: latency under a stall is understated).
    #[arg(long, value_name = "N", value_parser = users)]
    pub(crate) users: Option<NonZeroUsize>,

    /// With --users alone, over how long they come, one after the other and evenly, such as 10s. Nothing
    /// counts until all are there, nor before a longer --warm-up is over. A rate has a ramp of its own.
    #[arg(long, value_name = "DURATION", value_parser = up_to_a_day)]
    pub(crate) ramp: Option<Duration>,

    /// For how long flows are started, such as 10s or 2m30s.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = run_duration)]
    pub(crate) duration: Duration,

    /// For how long, from the beginning, nothing counts. A tenth of the duration unless given, and at
    /// least --ramp.
    #[arg(long, value_name = "DURATION", value_parser = up_to_a_day)]
    pub(crate) warm_up: Option<Duration>,

    /// How long flows under way may take after that. Those that are not through then have failed.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = up_to_a_day)]
    pub(crate) grace: Duration,

    /// What sends the requests: goose, or direct (the client's own transport, for saturation).
    #[arg(long, value_name = "NAME", default_value = "goose")]
    pub(crate) transport: TransportName,

    /// Fixes the schedule and the mix.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Which part of the run this is, such as 0/4; needs --seed and --start-at.
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    pub(crate) shard: Shard,

    /// When the run begins, such as 2026-11-24T06:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) start_at: Option<SystemTime>,

    /// How flows learn what reached the phone: inbox (the emulator shows it), callback (our receiver
    /// sets it), or fixed (SINCH_LOAD_CODE). With --setting device, callback unless given.
    #[arg(long, value_name = "NAME")]
    pub(crate) phone: Option<PhoneChoice>,

    /// Says that every shard asks as an application of its own, which shards that receive callbacks
    /// from one target need: an application has one callback URL.
    #[arg(long, requires = "shard")]
    pub(crate) application_per_shard: bool,

    /// Receive no callbacks.
    #[arg(long, conflicts_with = "callback_listen")]
    pub(crate) no_callbacks: bool,

    /// Where to receive callbacks. An emulator of the run's own posts there. Another one must be
    /// configured to; without this, the run receives none of its callbacks.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) callback_listen: Option<SocketAddr>,
}

impl LoadArgs {
    /// What the users do.
    pub(crate) fn workload(&self, registry: &Registry) -> Result<Workload, String> {
        let name = self
            .scenario
            .as_deref()
            .unwrap_or_else(|| registry.first().as_str());
        let mixed = name == ScenarioName::MIXED.as_str();
        if self.mix.is_some() && !mixed {
            return Err("--mix is for --scenario mixed".to_owned());
        }
        let mix = self.mix.clone().unwrap_or_default();
        let workload = registry.workload(name, &mix);
        let flag = if mixed { "mix" } else { "scenario" };
        workload.map_err(|error| format!("--{flag}: {error}"))
    }

    /// What to run; `elsewhere` says whether the target is not an emulator of the run's own.
    pub(crate) fn options(&self, workload: Workload, elsewhere: bool) -> Result<Options, String> {
        let mut options = Options::new(workload, self.duration);
        options.setting = self.setting;
        options.load = self.load()?;
        options.warm_up = self.warm_up.unwrap_or(self.duration / 10);
        options.grace = self.grace;
        options.transport = self.transport;
        options.seed = self.seed;
        options.shard = self.shard;
        options.start_at = self.start_at;
        options.application_per_shard = self.application_per_shard;
        let mut scenarios = options.workload.scenarios().iter();
        let needs_an_inbox = scenarios.all(|scenario| scenario.needs().inbox);
        options.phone = self.phone.unwrap_or(match self.setting {
            Setting::Device if !needs_an_inbox => PhoneChoice::Callback,
            _ => PhoneChoice::Inbox,
        });
        options.code = match env::var(CODE) {
            Ok(code) => Some(Code::new(&code).map_err(|error| format!("{CODE}: {error}"))?),
            Err(_) => None,
        };
        if self.start_at.is_some_and(|at| at <= SystemTime::now()) {
            return Err("--start-at has passed; give every shard one that is still to come".to_owned());
        }
        if let Some(address) = self.callback_listen {
            options.callbacks = Receiving::At(address);
        } else if self.no_callbacks || elsewhere {
            options.callbacks = Receiving::Off;
        }
        options.check()?;
        if elsewhere {
            options.check_elsewhere()?;
        }
        Ok(options)
    }

    fn load(&self) -> Result<Load, String> {
        let users = self.users.map(NonZeroUsize::get);
        match (&self.rate, users, self.ramp) {
            (Some(_), _, Some(_)) => Err(
                "--ramp is for users who wait for answers, so for --users without --rate; a rate has a ramp of \
                 its own, such as --rate 10/s..300/s"
                    .to_owned(),
            ),
            (None, None, Some(_)) => {
                Err("--ramp says over how long users come; say with --users how many".to_owned())
            }
            (None, Some(users), ramp) => Ok(Load::Closed {
                users,
                ramp_seconds: ramp.unwrap_or_default().as_secs_f64(),
            }),
            (rate, users, None) => Ok(Load::Open {
                rate: rate.clone().unwrap_or_default(),
                users: users.unwrap_or(Options::USERS),
            }),
        }
    }
}

/// More users than this have more sockets than a process usually may.
const MOST_USERS: usize = 10_000;

fn users(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|users: &NonZeroUsize| users.get() <= MOST_USERS)
        .ok_or_else(|| format!("must be a whole number from 1 to {MOST_USERS}"))
}

/// The shortest and the longest run.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

fn run_duration(text: &str) -> Result<Duration, String> {
    let duration = up_to_a_day(text)?;
    if duration < SHORTEST {
        return Err("must be from 100ms to 24h".to_owned());
    }
    Ok(duration)
}

fn up_to_a_day(text: &str) -> Result<Duration, String> {
    let duration = duration::parse(text).map_err(|error| error.to_string())?;
    match duration <= LONGEST {
        true => Ok(duration),
        false => Err("must be from 0s to 24h".to_owned()),
    }
}

fn instant(text: &str) -> Result<SystemTime, String> {
    let time = text.parse::<Timestamp>().and_then(SystemTime::try_from);
    time.map_err(|_| "must be a time such as 2026-11-24T06:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn durations_have_units_and_bounds() {
        assert_eq!(run_duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(run_duration("2m30s"), Ok(Duration::from_secs(150)));
        assert_eq!(run_duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "10", "0s", "-10s", "25h", "ten"] {
            assert!(run_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        load: LoadArgs,
    }

    #[test]
    fn users_come_over_the_ramp() {
        let load = |arguments: &str| {
            let arguments = ["run"].into_iter().chain(arguments.split(' '));
            Command::try_parse_from(arguments).unwrap().load.load()
        };
        let ramp = |ramp_seconds| {
            Ok(Load::Closed {
                users: 20,
                ramp_seconds,
            })
        };
        assert_eq!(load("--users 20 --ramp 2500ms"), ramp(2.5));
        assert_eq!(load("--users 20 --ramp 0s"), ramp(0.0));
        assert_eq!(load("--users 20"), ramp(0.0));
        for (wrong, says) in [
            ("--ramp 1s", "--users"),
            ("--ramp 1s --rate 9/s", "--rate 10/s..300/s"),
            ("--ramp 1s --rate 9/s --users 20", "--rate 10/s..300/s"),
        ] {
            let problem = load(wrong).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
    }

    #[test]
    fn users_have_bounds() {
        assert!(users("1").is_ok());
        for wrong in ["0", "-1", "10001", "20.5", ""] {
            assert!(users(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn instants_have_a_zone() {
        assert!(instant("2026-11-24T06:00:00Z").is_ok());
        assert!(instant("2026-11-24T07:00:00+01:00").is_ok());
        for wrong in ["", "06:00", "2026-11-24T06:00:00", "tomorrow"] {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }
}
