//! Receives the callbacks of Sinch Verification.
//!
//! The service posts signed events to the application's callback URL. One of
//! them, the request event, is a question: may this verification go on? The
//! service waits for the answer before it sends a message or calls, so the
//! answer saves or costs money. This crate checks who asks, asks your
//! [`Handler`], and answers in time, whatever the handler does.
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "hyper"))] {
//! use sinch_verify_callback::hyper::Server;
//! use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret, Code, Decision, Method};
//! use sinch_verify_callback::protocol::callback::RequestEvent;
//! use sinch_verify_callback::replay::MemoryStore;
//! use sinch_verify_callback::{CallbackService, InDoubt, KeyRing, Receiver, ReplayGuard, Responder, handler_fn};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
//! let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
//! let receiver = Receiver::new(KeyRing::new(key, &secret));
//!
//! let code = Code::new("4821")?; // yours: fresh and random for every event
//! let handler = handler_fn(move |event: RequestEvent| {
//!     let code = code.clone();
//!     async move {
//!         match event.method {
//!             Method::Sms => Decision::sms_code(code),
//!             Method::FlashCall | Method::Callout => Decision::Allow,
//!             _ => Decision::Deny,
//!         }
//!     }
//! });
//!
//! // A recorded callback is refused, and one that is sent again gets the same decision.
//! let guard = ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse);
//! let service = CallbackService::new(Responder::new(receiver, guard, handler));
//! let app = sinch_verify_callback::axum::router("/sinch/callback", service);
//! let server = Server::new(app); // with limits that `axum::serve` does not have
//! // server.serve(listener, std::future::pending()).await;
//! # let _ = server;
//! # Ok(()) }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Layers
//!
//! | type | does | needs |
//! |---|---|---|
//! | [`Receiver`] | bytes in, [`Callback`] or [`Rejection`] out | nothing: no I/O, no clock |
//! | [`Responder`] | the above, then a [`Handler`] within a deadline, then the HTTP answer | a tokio runtime |
//! | [`CallbackService`] | the above as a tower service: reads the body, knows the time | feature `tower` |
//! | [`Intake`] | for your own answers: a [`Receiver`] that reads the body, knows the time and refuses replays | feature `tower` |
//! | [`IntakeLayer`] | the intake before a tower service of your own | feature `tower` |
//! | [`axum`] | a route over the service, and an extractor over the intake | feature `axum` |
//! | [`hyper`] | the above as a server of its own | feature `hyper` |
//!
//! A serverless function calls [`Responder::respond`] with what its platform
//! hands it. Where no tokio runs, [`Receiver::receive`] does all the checking.
//!
//! # What holds
//!
//! - Signature and timestamp are checked before anything is parsed, the
//!   signature in constant time, over the bytes as they came.
//! - The sender of a refused callback learns nothing: every reason that has to
//!   do with authorization gives the same answer. [`Rejection::reason`] tells
//!   you, and your log.
//! - A handler that is slow, fails or panics is answered for, by default with
//!   a deny ([`Fallback`]). After the deadline the elapsed time decides, whatever
//!   the handler decided.
//! - Numbers, codes and secrets are in no log line; numbers are masked.
//! - With a [`ReplayGuard`] a recorded callback is refused, and an event that
//!   is sent again gets the same decision. Only who says
//!   [`without_guard`](Responder::without_guard) has none: then a recorded
//!   callback counts again within the window of five minutes.
//!
//! # Features
//!
//! None is on by default, and a feature adds names and changes nothing.
//!
//! | feature | adds |
//! |---|---|
//! | `tower` | [`CallbackService`], [`Intake`], [`IntakeLayer`] |
//! | `axum` | a route and an extractor, in [`axum`] |
//! | `hyper` | a server over it, in [`hyper`] |
//! | `redis` | a store for the [`ReplayGuard`] that receivers share, in [`replay`] |
//! | `redis-tls` | TLS to that store (`rediss://`), by rustls with ring |
//! | `metrics` | counters and a histogram on the `metrics` facade |
//! | `testing` | a signer, events and a tamper kit to test your own handler with, in [`testing`] |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
pub mod axum;
mod context;
mod external_path;
mod guard;
mod handler;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "tower")]
mod intake;
mod keys;
#[cfg(feature = "tower")]
mod layer;
mod receiver;
mod rejection;
pub mod replay;
mod responder;
#[cfg(feature = "tower")]
mod service;
mod task;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use context::Context;
pub use external_path::{ExternalPath, InvalidExternalPath};
pub use guard::{GuardCounts, InDoubt, ReplayGuard};
pub use handler::{Answer, BoxError, Handler, HandlerFn, handler_fn};
#[cfg(feature = "tower")]
pub use intake::Intake;
pub use keys::KeyRing;
#[cfg(feature = "tower")]
pub use layer::{IntakeLayer, IntakeService};
pub use receiver::{Callback, CheckedHead, Head, Receiver, Verified};
pub use rejection::{Reason, Rejection};
pub use responder::{Fallback, Responder};
#[cfg(feature = "tower")]
pub use service::{CallbackService, ResponseFuture};
/// The types of the wire: events, decisions, keys.
pub use sinch_verify_protocol as protocol;
pub use task::AfterDeadline;
