//! Sends callback events to the callback URLs of the applications.
//!
//! One task, the dispatcher, owns all events. A request event is posted once, and its answer goes to
//! the engine. Other events are retried. The events of one verification are posted one after the
//! other, in order.
//!
//! Time limits on answers are wall time. Delays between tries are service time: when a test advances
//! the clock, every try that falls into the move is made, each as of its own instant.

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
