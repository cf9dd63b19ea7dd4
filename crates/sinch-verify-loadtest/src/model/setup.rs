use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::mix::Mix;
use super::name::ScenarioName;
use super::rate::Rate;

/// How a run was set up. Two runs with the same setup can be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// What was run: a scenario, or `mixed`.
    pub scenario: ScenarioName,
    /// How it was mixed; `None` where it is one scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mix: Option<Mix>,
    /// Who asks the target.
    pub setting: Setting,
    /// How much of it.
    pub load: Load,
    /// For how long flows were started, in seconds.
    pub duration_seconds: f64,
    /// For how long, from the beginning, nothing counts for the figures, in seconds.
    pub warm_up_seconds: f64,
    /// How long flows under way had when no more were started, in seconds.
    pub grace_seconds: f64,
    /// How flows learnt what reached the phone.
    pub phone: PhoneChoice,
    /// Whether callbacks were received.
    pub callbacks: bool,
    /// What sent the requests.
    pub transport: TransportName,
    /// What was under load, in words, without a secret.
    pub target: String,
    /// What fixed the schedule and the mix.
    pub seed: u64,
}

impl Setup {
    /// The scenarios that were run.
    #[must_use]
    pub fn scenarios(&self) -> Vec<ScenarioName> {
        let mixed = self.mix.as_ref();
        mixed.map_or_else(|| vec![self.scenario], |mix| mix.scenarios().collect())
    }

    /// What was run, and how it was mixed.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.mix {
            Some(mix) => format!("{} {mix}", self.scenario),
            None => self.scenario.to_string(),
        }
    }

    /// For how long flows were started.
    #[must_use]
    pub fn duration(&self) -> Duration {
        seconds(self.duration_seconds)
    }

    /// For how long, from the beginning, nothing counts for the figures.
    #[must_use]
    pub fn warm_up(&self) -> Duration {
        seconds(self.warm_up_seconds)
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Who asks the target, and with what authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Setting {
    /// A backend, whose requests are signed. The phone shows what reached it.
    Backend,
    /// An app on a device, whose requests carry the application's key only. The callback
    /// decides, and sets the code where it can.
    Device,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// How flows learn what reached the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PhoneChoice {
    /// The emulator shows what reached its handsets.
    Inbox,
    /// Our callback receiver sets the code in its decision, and so knows it.
    Callback,
    /// It is always the same.
    Fixed,
}

impl fmt::Display for PhoneChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What sends the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TransportName {
    /// Goose and its reqwest client.
    Goose,
    /// The client crate's hyper transport, without goose.
    Direct,
}

impl fmt::Display for TransportName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// How much load there is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case")]
pub enum Load {
    /// Flows fall due by a schedule, whatever the target does.
    Open {
        /// How many.
        rate: Rate,
        /// How many users carry them out; more flows than that cannot be under way.
        users: usize,
    },
    /// Users do one flow after the other, each waiting for its answers.
    Closed {
        /// How many.
        users: usize,
        /// Over how long they come, one after the other and evenly, in seconds; 0 where all are there
        /// from the beginning.
        #[serde(rename = "rampSeconds", default)]
        ramp_seconds: f64,
    },
}

impl Load {
    /// So many users who wait for answers, all there from the beginning.
    #[must_use]
    pub fn closed(users: usize) -> Self {
        Self::Closed {
            users,
            ramp_seconds: 0.0,
        }
    }

    /// How many flows can be under way at once.
    #[must_use]
    pub fn users(&self) -> usize {
        match self {
            Self::Open { users, .. } | Self::Closed { users, .. } => *users,
        }
    }

    /// From the beginning until all users are there. Those of an open model are from the first
    /// moment: its rate decides how much load there is.
    #[must_use]
    pub fn ramp(&self) -> Duration {
        match self {
            Self::Open { .. } => Duration::ZERO,
            Self::Closed { ramp_seconds, .. } => seconds(*ramp_seconds),
        }
    }

    /// How long after the beginning the user of this index comes, from 0 on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sinch_verify_loadtest::runfile::Load;
    ///
    /// let load = Load::Closed { users: 20, ramp_seconds: 10.0 };
    /// assert_eq!(load.comes(0), Duration::ZERO);
    /// assert_eq!(load.comes(19), Duration::from_millis(9500));
    /// assert_eq!(load.to_string(), "20 users (ramp 10s)");
    /// ```
    #[must_use]
    pub fn comes(&self, user: usize) -> Duration {
        let part = user as f64 / self.users().max(1) as f64;
        self.ramp().mul_f64(part.min(1.0))
    }

    /// What a reader of the figures must know about the model.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open: flows are due by a schedule, and times count from when they were due",
            Self::Closed { .. } => "closed: users wait for answers, so latency under a stall is understated",
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { rate, .. } => write!(f, "{rate}"),
            Self::Closed { users, ramp_seconds } => {
                let s = if *users == 1 { "" } else { "s" };
                write!(f, "{users} user{s}")?;
                if *ramp_seconds > 0.0 {
                    write!(f, " (ramp {ramp_seconds}s)")?;
                }
                Ok(())
            }
        }
    }
}

/// A run of `sms` for 2 s at 50/s, against an emulator of its own, for tests to change.
#[cfg(test)]
pub(crate) fn sample_setup() -> Setup {
    Setup {
        scenario: ScenarioName::new("sms").unwrap(),
        mix: None,
        setting: Setting::Backend,
        load: Load::Open {
            rate: Rate::DEFAULT,
            users: 64,
        },
        duration_seconds: 2.0,
        warm_up_seconds: 0.0,
        grace_seconds: 10.0,
        phone: PhoneChoice::Inbox,
        callbacks: true,
        transport: TransportName::Direct,
        target: "an emulator of its own".to_owned(),
        seed: 7,
    }
}
