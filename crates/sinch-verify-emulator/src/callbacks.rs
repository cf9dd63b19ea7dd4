//! Events to the applications' callback URLs.
//!
//! One task owns everything that is under way. A request event is posted once, and its answer goes
//! back to the engine. Other events are tried several times; those of one verification are posted
//! one after the other, in order.
//!
//! How long the other side may take is wall time, because it is real. The wait before an event is
//! tried again is service time: a move of the clock brings about every try that falls into it, each
//! as if it had come at its own instant.

mod conformance;
mod deliver_event;
mod dispatcher;
mod post;
mod replay;
mod request_event;

pub use conformance::Check;
pub(crate) use conformance::run as conform;
pub(crate) use dispatcher::run;
pub(crate) use replay::replay_delivery;
