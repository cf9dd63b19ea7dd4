//! When flows are due: the schedule of an open model, and the queue between it and the virtual users.

mod queue;
mod schedule;

pub(crate) use queue::Queue;
pub(crate) use schedule::Schedule;
