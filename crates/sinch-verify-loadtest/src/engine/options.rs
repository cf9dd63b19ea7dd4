use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::{Code, PhoneNumber};

use crate::destination::MockUrl;
use crate::live::{Limits, LiveTarget};
use crate::model::{Load, PhoneChoice, Rate, ScenarioName, Setting, Setup, Shard, TransportName};
use crate::scenario::{Needs, Workload};
use crate::target::Elsewhere;

/// What to run, and against what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub(crate) struct Options {
    /// What the users do.
    pub(crate) workload: Workload,
    /// Who sends the requests.
    pub(crate) setting: Setting,
    /// How much load there is.
    pub(crate) load: Load,
    /// For how long flows are started.
    pub(crate) duration: Duration,
    /// For how long, from the beginning, nothing counts; at least until all users are there.
    pub(crate) warm_up: Duration,
    /// How long flows under way may take when no more are started.
    pub(crate) grace: Duration,
    /// What sends the requests.
    pub(crate) transport: TransportName,
    /// What fixes the schedule and the mix; `None` takes another one every time.
    pub(crate) seed: Option<u64>,
    /// Which part of the run this is.
    pub(crate) shard: Shard,
    /// When the run begins; `None` for as soon as all users are there.
    pub(crate) start_at: Option<SystemTime>,
    /// How flows learn what reached the phone.
    pub(crate) phone: PhoneChoice,
    /// The code of [`PhoneChoice::Fixed`], and of decisions with [`PhoneChoice::Callback`] in place
    /// of a code for each flow.
    pub(crate) code: Option<Code>,
    /// Whether callbacks are received.
    pub(crate) callbacks: Receiving,
    /// Whether each shard asks as an application of its own.
    pub(crate) application_per_shard: bool,
    /// The numbers to verify; `None` for made-up ones.
    pub(crate) numbers: Option<Vec<PhoneNumber>>,
    /// The service under load.
    pub(crate) against: Against,
}

/// The service that a run is against.
#[derive(Clone, Debug, Default)]
pub(crate) enum Against {
    /// An emulator that the run starts itself.
    #[default]
    Own,
    /// An emulator that is there already.
    Mock(Elsewhere<MockUrl>),
    /// The real service, with the limits of the run.
    Live(LiveTarget),
}

impl Against {
    /// The limits of a live run; `None` against a mock.
    #[must_use]
    pub(crate) fn limits(&self) -> Option<&Arc<Limits>> {
        match self {
            Self::Live(live) => Some(live.limits()),
            Self::Own | Self::Mock(_) => None,
        }
    }
}

/// Whether callbacks are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// No. Nothing of the backend's half is exercised.
    Off,
    /// At this address, which the target must know, unless it is our own emulator.
    At(SocketAddr),
}

impl Options {
    /// How long flows under way may take when no more are started, by default.
    pub(crate) const GRACE: Duration = Duration::from_secs(10);
    /// How many flows of an open model may be under way at once, by default.
    pub(crate) const USERS: usize = 512;

    /// A run at the default rate, against an emulator of its own.
    #[must_use]
    pub(crate) fn new(workload: Workload, duration: Duration) -> Self {
        Self {
            workload,
            setting: Setting::Backend,
            load: Load::Open {
                rate: Rate::DEFAULT,
                users: Self::USERS,
            },
            duration,
            warm_up: Duration::ZERO,
            grace: Self::GRACE,
            transport: TransportName::Goose,
            seed: None,
            shard: Shard::WHOLE,
            start_at: None,
            phone: PhoneChoice::Inbox,
            code: None,
            callbacks: Receiving::At(SocketAddr::from(([127, 0, 0, 1], 0))),
            application_per_shard: false,
            numbers: None,
            against: Against::Own,
        }
    }

    /// How long it is from `now` until the run is to begin; `None` where it begins as soon as
    /// all users are there, or should have begun before.
    #[must_use]
    pub(crate) fn wait(&self, now: SystemTime) -> Option<Duration> {
        self.start_at?.duration_since(now).ok()
    }

    /// How a run with these options and this seed is set up.
    #[must_use]
    pub(crate) fn setup(&self, seed: u64) -> Setup {
        Setup {
            scenario: self.workload.name(),
            mix: self.workload.mix().cloned(),
            setting: self.setting,
            load: self.load.clone(),
            duration_seconds: self.duration.as_secs_f64(),
            warm_up_seconds: self.warm_up.max(self.load.ramp()).as_secs_f64(),
            grace_seconds: self.grace.as_secs_f64(),
            phone: self.phone,
            callbacks: self.callbacks != Receiving::Off,
            transport: self.transport,
            target: match &self.against {
                Against::Own => "an emulator of its own".to_owned(),
                Against::Mock(service) => format!("the emulator at {}", service.url.as_ref()),
                Against::Live(live) => format!("the live service at {}", live.service().url.as_ref()),
            },
            seed,
        }
    }

    /// What keeps these options from being run together.
    ///
    /// # Errors
    ///
    /// In words for the user who typed them.
    pub(crate) fn check(&self) -> Result<(), String> {
        let find = |has: fn(Needs) -> bool| self.find(has);
        if self.callbacks == Receiving::Off {
            if let Some(scenario) = find(|needs| needs.callbacks) {
                return Err(format!(
                    "the scenario {scenario} needs callbacks; leave --no-callbacks out, or give --callback-listen"
                ));
            }
            if self.phone == PhoneChoice::Callback {
                return Err("a code that the callback sets needs callbacks; let them be received".to_owned());
            }
            if self.setting == Setting::Device && find(|needs| !needs.no_starts).is_some() {
                return Err(
                    "a device's starts are let through by the callback; let callbacks be received".to_owned(),
                );
            }
        }
        if self.phone != PhoneChoice::Inbox
            && let Some(scenario) = find(|needs| needs.inbox)
        {
            return Err(format!(
                "no callback sets the code of {scenario}; only an inbox shows it"
            ));
        }
        if self.phone == PhoneChoice::Fixed
            && let Some(scenario) = find(|needs| needs.caller_id)
        {
            return Err(format!("a fixed code is no caller id; leave {scenario} out"));
        }
        if self.phone == PhoneChoice::Fixed && self.code.is_none() {
            return Err("a fixed code needs SINCH_LOAD_CODE in the environment".to_owned());
        }
        let ramp = self.load.ramp();
        if !ramp.is_zero() && ramp >= self.duration {
            return Err(format!(
                "--ramp {ramp:?} must be shorter than --duration {:?}: nothing counts until all users are there",
                self.duration
            ));
        }
        if self.warm_up >= self.duration {
            return Err("the warm-up must end before the run does".to_owned());
        }
        if self.shard != Shard::WHOLE && (self.seed.is_none() || self.start_at.is_none()) {
            return Err(
                "shards find their common schedule by --seed and --start-at; give both to every shard"
                    .to_owned(),
            );
        }
        if !matches!(self.against, Against::Own) {
            self.check_elsewhere()?;
        }
        // The plan may have been confirmed for other options.
        if let Against::Live(_) = self.against {
            self.check_live()?;
        }
        Ok(())
    }

    /// Checks that the scenarios and the phone fit a live run.
    ///
    /// # Errors
    ///
    /// A message for the user.
    pub(crate) fn check_live(&self) -> Result<(), String> {
        if let Some(scenario) = self.find(|needs| !needs.live) {
            return Err(format!(
                "{scenario} is refused against a live target: run it against an emulator"
            ));
        }
        if self.phone == PhoneChoice::Inbox {
            return Err(
                "a live target shows no inbox: give --callback-listen, so that the callback sets the code, or \
                 --phone fixed"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The first scenario whose needs are such.
    fn find(&self, has: fn(Needs) -> bool) -> Option<ScenarioName> {
        let mut scenarios = self.workload.scenarios().iter();
        scenarios
            .find(|scenario| has(scenario.needs()))
            .map(|scenario| scenario.name())
    }

    /// What keeps these options from being run together against a service that is there already.
    ///
    /// # Errors
    ///
    /// In words for the user who typed them.
    pub(crate) fn check_elsewhere(&self) -> Result<(), String> {
        if self.shard != Shard::WHOLE && self.callbacks != Receiving::Off && !self.application_per_shard {
            return Err(
                "an application has one callback URL, so only one shard would hear of its flows; give each \
                 shard an application of its own and say --application-per-shard, or leave --callback-listen \
                 out"
                .to_owned(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Registry;

    fn workload(scenario: &str) -> Workload {
        let mix = "sms=1,flashcall=1".parse().unwrap();
        let workload = Registry::new([]).unwrap().workload(scenario, &mix);
        workload.unwrap()
    }

    fn options(scenario: &str, change: impl FnOnce(&mut Options)) -> Result<(), String> {
        let mut options = Options::new(workload(scenario), Duration::from_secs(10));
        change(&mut options);
        options.check()
    }

    fn ramped(users: usize, ramp: Duration) -> Load {
        let ramp_seconds = ramp.as_secs_f64();
        Load::Closed { users, ramp_seconds }
    }

    #[test]
    fn nothing_counts_until_all_users_are_there() {
        let s = Duration::from_secs;
        let mut options = Options::new(workload("sms"), s(10));
        for (ramp, warm_up, counts_from) in [(0, 1, 1), (5, 1, 5), (5, 0, 5), (5, 7, 7)] {
            options.load = ramped(4, s(ramp));
            options.warm_up = s(warm_up);
            assert_eq!(options.setup(0).warm_up(), s(counts_from));
            assert_eq!(options.check(), Ok(()));
        }
    }

    #[test]
    fn defaults_fit_every_scenario() {
        for scenario in Registry::new([]).unwrap().names() {
            assert_eq!(options(scenario, |_| {}), Ok(()));
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let off = |options: &mut Options| options.callbacks = Receiving::Off;
        for scenario in ["deny", "bad-callback", "replay"] {
            assert!(options(scenario, off).unwrap_err().contains("callbacks"));
        }
        assert_eq!(options("sms", off), Ok(()));
        for (scenario, change, says) in [
            (
                "sms",
                (|options| {
                    options.callbacks = Receiving::Off;
                    options.setting = Setting::Device;
                }) as fn(&mut Options),
                "device",
            ),
            (
                "whatsapp",
                |options| options.phone = PhoneChoice::Callback,
                "whatsapp",
            ),
            (
                "flashcall",
                |options| {
                    options.phone = PhoneChoice::Fixed;
                    options.code = Code::new("1234").ok();
                },
                "flashcall",
            ),
            (
                "sms",
                |options| options.phone = PhoneChoice::Fixed,
                "SINCH_LOAD_CODE",
            ),
            ("sms", |options| options.warm_up = options.duration, "warm-up"),
            (
                "sms",
                |options| options.load = ramped(4, options.duration),
                "--ramp 10s must be shorter than --duration 10s",
            ),
            (
                "sms",
                |options| options.shard = "0/2".parse().unwrap(),
                "--seed and --start-at",
            ),
        ] {
            let problem = options(scenario, change).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
    }
}
