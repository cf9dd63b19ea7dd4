//! Who may ask: authorization of requests, and signatures of callbacks.
//!
//! | scheme | header | for |
//! |---|---|---|
//! | public | `Application KEY` | apps on devices; the backend decides in the callback |
//! | basic | `Basic base64(KEY:SECRET)` | backends that cannot sign |
//! | application-signed | `Application KEY:SIGNATURE` and `x-timestamp` | backends |
//! | instance-signed | `Instance ID:SIGNATURE` and `x-timestamp` | legacy app instances; read, never sent |
//!
//! Callbacks are application-signed too. A signature covers the bytes that are
//! sent, so signing is a step of its own after a request is built
//! ([`Credentials::authorize`]), and checking one comes before parsing
//! ([`Verifier`]). Every attempt is signed anew: the timestamp is part of it.

mod character;
mod explain;
mod header;
mod key;
mod secret;
mod sign;
mod string_to_sign;
mod verify;

pub use character::UnwantedCharacter;
pub use explain::{BodyForm, Explain, Finding, LineDifference, Mistake};
pub use header::{Authorization, InvalidAuthorization};
pub use key::{ApplicationKey, InvalidKey};
pub use secret::{ApplicationSecret, InvalidSecret};
pub use sign::{AuthorizeError, Credentials, Signed, Signer};
pub use string_to_sign::{BodyHasher, ContentMd5, Signature, SignatureText, StringToSign};
pub use verify::{PathForm, PathPolicy, SignedMessage, Verifier, VerifyError, Window};

/// The header that carries the time of signing.
pub const X_TIMESTAMP: http::HeaderName = http::HeaderName::from_static("x-timestamp");
