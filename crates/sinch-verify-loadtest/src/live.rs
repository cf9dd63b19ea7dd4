//! The limits of a live run, where every verification costs money and reaches a person.
//!
//! ```text
//! LiveRequest (every limit)  -> LivePlan    the most that the run may do; `--plan` prints it
//! LivePlan::confirm(word)    -> LiveTarget  the only way to get one
//! LiveTarget::limits()       -> Limits      shared by all flows of the run
//! Limits::admit()            -> Admitted    a phone number and a turn in the pace, for one flow
//! Guarded                                   every request of a flow passes through it
//! ```
//!
//! [`Guarded`] reads the bytes that are about to be sent. A start whose price cannot be reserved, or
//! whose number is not on the allow-list, is not sent, whatever the scenario does.

mod budget;
mod guard;
mod limits;
mod numbers;
mod pace;
mod plan;
mod stop;

pub use budget::Spending;
pub(crate) use budget::{Budget, parse_amount, parse_currency};
pub(crate) use guard::Guarded;
pub(crate) use limits::{Admitted, Limits};
pub(crate) use numbers::MOST_PER_NUMBER;
pub(crate) use pace::MaxRate;
pub(crate) use plan::{CONFIRMATION, LivePlan, LiveRequest, LiveTarget};
pub(crate) use stop::Stop;
