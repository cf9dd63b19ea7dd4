// The example of the README needs a server.
#![cfg_attr(any(not(doctest), feature = "hyper"), doc = include_str!("../README.md"))]
//! ## Types
//!
//! | type | does |
//! |---|---|
//! | [`Receiver`] | a request in, [`Callback`] or [`Rejection`] out |
//! | [`CallbackService`] | the above, then a [`Handler`] within a deadline, then the HTTP answer |
//! | [`Results`] | waits for the end of a verification |
//! | [`policy`] | limits against fraud, which deny before the handler is asked |
//! | [`axum`] | a route over the service, and an extractor over the receiver |
//! | [`hyper`] | a server over the service |
//!
//! [`CallbackBuilder`] builds the first two. A serverless function calls
//! [`CallbackService::respond`] with what its platform gives it.
//!
//! ## What holds
//!
//! - Signature and timestamp are checked before anything is parsed, the
//!   signature in constant time, over the bytes as they came.
//! - The sender of a refused callback learns nothing: every reason that has to
//!   do with authorization gives the same answer. [`Rejection::reason`] and your
//!   log have the reason.
//! - When a handler is slow, fails or panics, the fallback answers, by default with
//!   a deny ([`Fallback`]). After the deadline the elapsed time decides, whatever
//!   the handler decided.
//! - Numbers, codes and secrets are in no log line; numbers are masked.
//! - A recorded callback is refused, and an event that is sent again gets the same
//!   decision ([`ReplayGuard`]), unless
//!   [`without_guard`](CallbackBuilder::without_guard) says otherwise.
//! - Only signed callbacks are taken, unless [`AcceptedAuth`] says otherwise.
//!
//! ## Features
//!
//! None is on by default, and a feature adds names and changes nothing.
//!
//! | feature | adds |
//! |---|---|
//! | `tower` | [`CallbackService`] as a tower service |
//! | `axum` | a route and an extractor, in [`axum`] |
//! | `hyper` | a server over it, in [`hyper`] |
//! | `redis` | a store for the [`ReplayGuard`] that receivers share, in [`replay`] |
//! | `redis-tls` | TLS to that store (`rediss://`), by rustls with ring |
//! | `metrics` | counters and a histogram on the `metrics` facade |
//! | `policy` | limits against fraud, in front of a handler, in [`policy`] |
//! | `testing` | a signer, events and a tamper kit to test your own handler with, in [`testing`] |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
pub mod axum;
mod builder;
mod context;
mod external_path;
mod guard;
mod handler;
#[cfg(feature = "hyper")]
pub mod hyper;
mod keys;
#[cfg(feature = "policy")]
pub mod policy;
mod receiver;
mod rejection;
pub mod replay;
mod responder;
mod results;
mod service;
mod task;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
mod tower;

pub use builder::{BuildError, CallbackBuilder};
pub use context::Context;
pub use external_path::{ExternalPath, InvalidExternalPath};
pub use guard::{GuardCounts, InDoubt, ReplayGuard};
pub use handler::{Answer, BoxError, Handler};
/// The body of an answer, and of a request that is complete.
pub use http_body_util::Full;
pub use keys::KeyRing;
pub use receiver::{AcceptedAuth, Callback, CheckedHead, Head, Receiver, Verified};
pub use rejection::{Reason, Rejection};
pub use responder::Fallback;
pub use results::Results;
pub use service::CallbackService;
/// The types of the wire: events, decisions, keys.
pub use sinch_verify_protocol as protocol;
pub use sinch_verify_protocol::callback::{
    Decision, Event, RequestEvent, ResultEvent, SmsDeliveredEvent, UnknownEvent,
};
pub use sinch_verify_protocol::{Code, Method, Status};
pub use task::AfterDeadline;
#[cfg(feature = "tower")]
pub use tower::ResponseFuture;
