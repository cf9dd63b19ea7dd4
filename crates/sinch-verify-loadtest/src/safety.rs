//! What keeps a load test from spending by accident.
//!
//! ```text
//! URL, --mock-host, --live      -> Destination     judged by name alone, before anything is sent
//! LiveRequest (every limit)     -> LivePlan        what a live run may do at most; `--plan` prints it
//! LivePlan::confirm(word)       -> LiveTarget      the only way to one
//! LiveTarget                    -> Rails           every request of the run passes `Guarded`
//! ```
//!
//! The rails stand at the wire, below every flow: a start that finds no budget, or that names a
//! number outside the allow-list, does not leave this machine, whoever wrote it.

mod admitted;
mod breaker;
mod budget;
mod confirmation;
mod destination;
mod guarded;
mod live;
mod numbers;
mod pace;
mod pin;
mod rails;
mod stop;
mod sum;

pub use admitted::Admitted;
pub use breaker::Breaker;
pub use budget::{Budget, Ledger, Spending};
pub use confirmation::{Confirmation, NotConfirmed};
pub use destination::{Destination, DestinationError, LiveUrl, MockHost, MockHostError, MockUrl};
pub use guarded::Guarded;
pub use live::{LivePlan, LiveRequest, LiveTarget, LiveUnfit};
pub use numbers::{AllowList, AllowListError, PerNumber};
pub use pace::{Pace, RateCap};
pub use pin::{Pin, PinError};
pub use rails::Rails;
pub use stop::Stop;
pub use sum::{Currency, Sum, SumError};
