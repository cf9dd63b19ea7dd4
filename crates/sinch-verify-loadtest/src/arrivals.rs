//! When flows are due: the schedule of an open model, and the queue between it and the virtual users.

mod queue;
mod schedule;

pub use queue::Queue;
pub use schedule::Schedule;
