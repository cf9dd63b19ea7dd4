//! When flows are due: the schedule of an open model.

mod rate;

pub use rate::{Rate, RateError, Step};
