use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::names::named;

named! {
    /// The exit codes of the load tester.
    pub enum Exit as "verdict" {
        /// 0: all thresholds passed, and no flow failed in a way that no threshold limits.
        Pass = "pass",
        /// 1: a threshold failed, or flows failed in a way that no threshold limits.
        Failed = "fail",
        /// 2: wrong usage; nothing was sent.
        Usage = "usage",
        /// 3: the figures do not describe the target: the load tester was the bottleneck or had an
        /// error of its own, or there are too few samples.
        Invalid = "invalid",
        /// 4: a live limit or a signal ended the run early.
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

/// The verdict on a run.
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

/// A threshold, what was measured, and the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Check {
    /// The metric, such as `sms.e2e.p99`.
    pub metric: String,
    /// The limit, such as `< 250 ms`.
    pub limit: String,
    /// The value, or why it is not judged.
    pub measured: String,
    /// How they compare.
    pub result: CheckResult,
}

named! {
    /// The result of a [`Check`].
    pub enum CheckResult as "result" {
        /// The value is within the limit.
        Passed = "passed",
        /// It is not.
        Failed = "failed",
        /// Nothing was measured, which fails a threshold too.
        NotMeasured = "not-measured",
        /// The percentile has too few samples.
        NotJudged = "not-judged",
    }
}

impl Verdict {
    /// Whether the run passed.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        self.exit == Exit::Pass
    }
}
