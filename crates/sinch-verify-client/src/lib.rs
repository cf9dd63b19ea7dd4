//! An async client for Sinch Verification.
//!
//! [`Client`] starts verifications of phone numbers, reports the code or the caller id that proves
//! a number, and asks for the status. It sends what the protocol crate describes and holds no
//! state of a verification itself. It does not receive callbacks.
//!
//! ```no_run
//! use sinch_verify_client::Client;
//! use sinch_verify_client::protocol::{Code, PhoneNumber, Report, Start, method::Sms};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .application_signed("11111111-2222-3333-4444-555555555555", "BeIukql3pTKJ8RGL5zo0DA==")
//!     .base_url("http://127.0.0.1:9901") // leave out for the real service
//!     .build()?;
//!
//! let number: PhoneNumber = "+46700000001".parse()?;
//! let started = match client.start(Start::sms(number)).await {
//!     Ok(started) => started,
//!     Err(error) if error.is_denied() => return Err("this number may not be verified".into()),
//!     Err(error) => return Err(error.into()),
//! };
//!
//! let typed = Code::new("4821")?;
//! let verification = client.report(Report::<Sms>::by_id(started.id, typed)).await?;
//! println!("verified: {}", verification.is_successful());
//! # Ok(())
//! # }
//! ```
//!
//! # What a call does
//!
//! One call is one HTTP request: **nothing is sent twice**. The request is put into its wire form,
//! authorized with the time of sending, sent with a time limit, and its answer is read. The error
//! of a call that failed says in which of these steps it did, and
//! [whether the service may have seen the request](Error::may_have_been_sent). A start that may
//! have been seen should not be repeated blindly: it costs money and ends the pending verification
//! of the same number. Give it a reference, and ask for the status by reference first.
//!
//! Redirects are not followed, no proxy is taken from the environment, and an answer is read up to
//! [`MAX_BODY`](transport::MAX_BODY).
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `reqwest` | yes | `ReqwestTransport`, which a client uses when it is given no other |
//! | `rustls` | yes | TLS for it: rustls, ring, the platform's root certificates |
//! | `hyper` | no | `HyperTransport`: pooled, plain HTTP/1.1 |
//!
//! Without any of them a client takes a [`Transport`] of your own.
#![forbid(unsafe_code)]

mod builder;
mod call;
mod client;
mod clock;
mod error;
mod telemetry;
pub mod transport;

pub use sinch_verify_protocol as protocol;

pub use builder::{BuildError, ClientBuilder, IntoBaseUrl};
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use error::{Error, Phase};
pub use transport::{SharedTransport, Transport, TransportError, TransportErrorKind};
