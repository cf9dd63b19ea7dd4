use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::names::named;

named! {
    /// The exit codes of the load tester.
    pub enum Exit as "verdict" {
        /// 0: the run kept every threshold; where none says how many flows may fail, none did.
        Pass = "pass",
        /// 1: it did not.
        Failed = "fail",
        /// 2: wrong usage; nothing was sent.
        Usage = "usage",
        /// 3: the run says nothing about the target, because the load tester itself went wrong or was
        /// the bottleneck.
        Invalid = "invalid",
        /// 4: a limit or the user ended the run before its time.
        Stopped = "stopped",
        /// 5: the target could not be reached.
        Unreachable = "unreachable",
    }
}

impl Exit {
    /// The code itself.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Stopped => 4,
            Self::Unreachable => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The judgement on a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Verdict {
    /// What the process exits with.
    #[serde(rename = "result")]
    pub exit: Exit,
    /// Why, one fragment per reason; empty for a pass.
    pub reasons: Vec<String>,
    /// The thresholds, each with what was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// One threshold, and how the run did by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Check {
    /// The metric, such as `sms.e2e.p99`.
    pub metric: String,
    /// The limit, such as `< 250 ms`.
    pub limit: String,
    /// The value, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<String>,
    /// Whether the limit was kept.
    pub kept: bool,
}

impl Verdict {
    /// Whether the run passed.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        self.exit == Exit::Pass
    }
}
