#![doc = include_str!("../README.md")]
//! ## What a call does
//!
//! A request is put into its wire form, authorized with the time of sending, sent with a time limit,
//! and its answer is read. Where sending it again does no harm it is [sent again](RetryPolicy), each
//! time signed anew. A **start** costs money and ends the pending verification of the same number, so
//! it is never sent twice unless it provably never left, or the service asked for it with
//! `Retry-After`. Where the answer to a start or a report was lost the client queries the status
//! instead, and the [result](Handle::found) or the [error](Error::lookup) says what it found.
//!
//! Redirects are not followed, no proxy is taken from the environment, and an answer is read up to
//! [`MAX_BODY`](transport::MAX_BODY).
//!
//! ## Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `reqwest` | yes | `ReqwestTransport`, which a client uses when it is given no other |
//! | `rustls` | yes | TLS for it: rustls, ring, the platform's root certificates |
//! | `hyper` | no | `HyperTransport`: pooled, plain HTTP/1.1 |
//! | `hyper-tls` | no | TLS for it, the same as reqwest's, and HTTP/2 where the server has it |
//! | `tower` | no | `SharedTransport::from_service`: any tower service |
//! | `metrics` | no | counters and a histogram on the `metrics` facade: the guide about callbacks lists them |
//!
//! Without any of them a client takes a [`Transport`] of your own, or a closure:
//! [`SharedTransport::from_fn`].
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod build_error;
mod builder;
mod call;
mod client;
mod clock;
mod context;
mod counts;
mod entropy;
pub mod env;
mod error;
mod fetch;
pub mod flow;
pub mod handle;
mod reconcile;
mod skew;
mod sources;
mod telemetry;
pub mod transport;
mod verification_ref;

pub use sinch_verify_protocol as protocol;

pub use build_error::BuildError;
pub use builder::ClientBuilder;
pub use client::Client;
pub use clock::{Clock, Sleep, SystemClock};
pub use entropy::{Entropy, SystemEntropy};
pub use env::EnvError;
pub use error::{Error, Lookup, Phase};
pub use flow::{CodeSource, Flow, FlowError, FlowState, SavedFlow};
pub use handle::{Handle, Saved};
pub use sinch_verify_protocol::ReportOutcome;
pub use sinch_verify_protocol::retry::RetryPolicy;
pub use skew::ClockOffset;
pub use transport::{SharedTransport, Transport, TransportError, TransportErrorKind};
