//! When flows are due: the schedule of an open model, and the queue between it and the users.

mod queue;
mod rate;
mod schedule;

pub use queue::{Arrival, Queue};
pub use rate::{Rate, RateError, Step};
pub use schedule::{Schedule, Slot};
