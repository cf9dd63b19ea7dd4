use std::fmt;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

/// The exit codes of the load tester.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Exit {
    /// 0: all thresholds passed, and no flow failed in a way that no threshold limits.
    Pass,
    /// 1: a threshold failed, or flows failed in a way that no threshold limits.
    #[serde(rename = "fail")]
    Failed,
    /// 2: wrong usage; nothing was sent.
    Usage,
    /// 3: the figures do not describe the target: the load tester was the bottleneck or had an
    /// error of its own, or there are too few samples.
    Invalid,
    /// 4: a live limit or a signal ended the run early.
    Stopped,
    /// 5: the target could not be reached.
    Unreachable,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
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

/// The result of a [`Check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckResult {
    /// The value is within the limit.
    Passed,
    /// It is not.
    Failed,
    /// Nothing was measured, which fails a threshold too.
    NotMeasured,
    /// The percentile has too few samples.
    NotJudged,
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Verdict {
    /// Whether the run passed.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        self.exit == Exit::Pass
    }
}
