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

pub use crate::model::{Check, Counter, Exit, Verdict};
pub use doubt::Doubt;
pub use metric::{Metric, Ratio, Statistic, Unit, What};
pub use threshold::{Threshold, ThresholdError};
pub use thresholds::{Thresholds, ThresholdsError};
