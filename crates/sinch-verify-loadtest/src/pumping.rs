//! A day of SMS pumping, simulated: what a fraud policy lets through, and which honest users it denies.
//!
//! [`Traffic`] generates the starts of 24 hours in order of time, from a seed: honest users, and bots that ask
//! for messages to a few ranges in rotating countries and never type a code. [`day`] feeds them to a policy, with
//! the time of each start in place of a clock, and counts. [`Study`] does so for many seeds and writes the result.
//!
//! ```
//! use sinch_verify_callback::policy::{FraudPolicy, Per, PolicyRules, Velocity};
//! use sinch_verify_loadtest::pumping::{Traffic, day};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let hour = std::time::Duration::from_secs(3600);
//! let rules = PolicyRules::new().velocity(Velocity::new(Per::Range, 20, hour));
//! let policy = FraudPolicy::builder(rules).build()?;
//! let traffic = Traffic { users: 100, ..Traffic::attacked(1) };
//! let tally = day(&policy, &traffic).await?;
//! assert!(tally.attack.allowed < tally.attack.starts / 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dice;
mod study;
mod tally;
mod traffic;

pub use study::Study;
pub use tally::{Starts, Tally, Users, day};
pub use traffic::{Sender, SimulatedStart, Traffic};
