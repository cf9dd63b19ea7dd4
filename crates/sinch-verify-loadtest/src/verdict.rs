//! Whether a run passed, and how the process says so.
//!
//! ```text
//! RunFile --Metric::of--> values --Threshold::holds--> checks
//!    |                                                   |
//!    +---Doubt::about--> doubts -----------------------> Verdict -> exit code
//! ```

mod doubt;
mod judge;
mod metric;
mod threshold;
mod thresholds;

use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::Measurements;
use crate::names::named;

pub use doubt::Doubt;
pub use metric::{Counter, Metric, Ratio, Statistic, Unit, What};
pub use threshold::{Threshold, ThresholdError};
pub use thresholds::{Thresholds, ThresholdsError};

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
        /// 4: the rails, or somebody, ended the run before its time.
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
    /// Judges what was measured. `cut_short` is how long a run went on that was interrupted.
    #[must_use]
    pub fn on(measured: &Measurements, cut_short: Option<Duration>) -> Self {
        let total = measured.total();
        let mut reasons = Vec::new();
        if let Some(after) = cut_short {
            reasons.push(format!("interrupted after {:.1} s", after.as_secs_f64()));
        }
        if total.failed > 0 {
            reasons.push(format!("{} of {} flows failed", total.failed, total.finished()));
        }
        if total.finished() == 0 {
            reasons.push("no flow finished".to_owned());
        }
        let unreachable = total.failed > 0
            && total.succeeded == 0
            && total.failures.keys().all(|kind| kind.is_unreachable());
        let exit = match (unreachable, reasons.is_empty()) {
            (true, _) => Exit::Unreachable,
            (false, true) => Exit::Pass,
            (false, false) => Exit::Failed,
        };
        Self {
            exit,
            reasons,
            checks: Vec::new(),
        }
    }

    /// Whether the run passed.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        self.exit == Exit::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, FailureKind};
    use crate::flows::Flow;
    use crate::measure::{FlowEnd, FlowRecord, Span};

    fn measured(succeeded: usize, failed: &[FailureKind], aborted: usize) -> Measurements {
        let ends = std::iter::repeat_n(FlowEnd::Succeeded, succeeded)
            .chain(failed.iter().map(|kind| FlowEnd::Failed(Failure::new(*kind, ""))))
            .chain(std::iter::repeat_n(FlowEnd::Aborted, aborted));
        let mut measured = Measurements::default();
        for end in ends {
            let started = std::time::Instant::now();
            let span = Span {
                due: None,
                started,
                ended: started + Duration::from_millis(1),
            };
            measured.record(&FlowRecord::new(Flow::Sms, end, span, Vec::new()));
        }
        measured
    }

    #[test]
    fn runs_are_judged() {
        use FailureKind::{Api, Connect, ConnectTimeout};
        let cut = Some(Duration::from_millis(2500));
        for (measured, cut, exit, reasons) in [
            (measured(9, &[], 0), None, Exit::Pass, vec![]),
            (measured(9, &[], 4), None, Exit::Pass, vec![]),
            (
                measured(9, &[Api(40003)], 0),
                None,
                Exit::Failed,
                vec!["1 of 10 flows failed"],
            ),
            (measured(0, &[], 4), None, Exit::Failed, vec!["no flow finished"]),
            (measured(0, &[], 0), None, Exit::Failed, vec!["no flow finished"]),
            (
                measured(9, &[], 4),
                cut,
                Exit::Failed,
                vec!["interrupted after 2.5 s"],
            ),
            (
                measured(0, &[Connect, ConnectTimeout], 0),
                None,
                Exit::Unreachable,
                vec!["2 of 2 flows failed"],
            ),
            (
                measured(1, &[Connect], 0),
                None,
                Exit::Failed,
                vec!["1 of 2 flows failed"],
            ),
            (
                measured(0, &[Connect, Api(1)], 0),
                None,
                Exit::Failed,
                vec!["2 of 2 flows failed"],
            ),
        ] {
            let verdict = Verdict::on(&measured, cut);
            assert_eq!(
                (verdict.exit, verdict.reasons),
                (exit, reasons.iter().map(|r| (*r).to_owned()).collect())
            );
        }
    }
}
