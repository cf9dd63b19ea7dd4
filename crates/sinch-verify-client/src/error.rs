//! What can go wrong with a call.

use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;
use sinch_verify_protocol::auth::AuthorizeError;
use sinch_verify_protocol::{ApiError, DecodeError, EncodeError};

use crate::transport::{TransportError, TransportErrorKind};

/// A call failed.
///
/// The predicates tell what a caller can act on; they overlap, and some errors meet none of them.
/// The client repeats no call after any of these errors.
///
/// `{}` says what was not done, in words that fit after "failed to", and [`source`](StdError::source)
/// why. `{:#}` says both on one line. Neither holds a number, a code or a secret.
///
/// ```no_run
/// # use sinch_verify_client::{Client, Error};
/// # use sinch_verify_client::protocol::{PhoneNumber, Start};
/// # async fn example(client: Client, number: PhoneNumber) {
/// match client.start(Start::sms(number)).await {
///     Ok(started) => println!("started {}", started.id),
///     Err(error) if error.is_denied() => println!("denied"),
///     Err(error) if error.is_rate_limited() => println!("too soon after the last one"),
///     Err(error) if error.may_have_been_sent() => println!("ask for the status first: {error:#}"),
///     Err(error) => println!("failed to {error:#}; safe to start again"),
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    operation: &'static str,
    is_start: bool,
    kind: Kind,
}

/// The step that failed, with its source.
#[derive(Debug)]
pub(crate) enum Kind {
    Encode(EncodeError),
    Authorize(AuthorizeError),
    Transport(TransportError),
    Decode { status: StatusCode, source: DecodeError },
}

/// The step of a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Putting the request into its wire form. Nothing was sent.
    Encode,
    /// Making the `Authorization` header. Nothing was sent.
    Authorize,
    /// Sending the request and receiving the answer.
    Transport,
    /// Reading the answer: the service refused, or the answer is not what it should be.
    Decode,
}

impl Error {
    pub(crate) fn new(operation: &'static str, is_start: bool, kind: Kind) -> Self {
        Self(Box::new(Inner {
            operation,
            is_start,
            kind,
        }))
    }

    /// The operation's name, such as `start_verification`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The step that failed.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.0.kind {
            Kind::Encode(_) => Phase::Encode,
            Kind::Authorize(_) => Phase::Authorize,
            Kind::Transport(_) => Phase::Transport,
            Kind::Decode { .. } => Phase::Decode,
        }
    }

    /// Whether time ran out: for connecting, or for the whole attempt.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self.transport_kind(),
            Some(TransportErrorKind::Timeout | TransportErrorKind::ConnectTimeout)
        )
    }

    /// Whether no connection could be made: the name was not found, the port refused, the TLS
    /// handshake failed, or connecting took too long. Nothing was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(
            self.transport_kind(),
            Some(TransportErrorKind::Connect | TransportErrorKind::ConnectTimeout)
        )
    }

    /// Whether the service refused to start a verification: 403 with `errorCode` 40303.
    ///
    /// Your callback denied it, or gave no usable answer, or a start with public authorization
    /// found no callback URL set for the application: these look the same on the wire. A denial
    /// that a report or a status query tells is no error but a
    /// [`Verification`](sinch_verify_protocol::Verification) with status `DENIED`.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.0.is_start
            && self.status() == Some(StatusCode::FORBIDDEN)
            && self
                .as_api_error()
                .is_some_and(|error| error.code == ApiError::RESTRICTED)
    }

    /// Whether the service asks for fewer requests, or for a pause between starts to one number:
    /// status 429.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether the service does not know the id, reference or number: status 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// The service's error object, if it answered with one.
    #[must_use]
    pub fn as_api_error(&self) -> Option<&ApiError> {
        match &self.0.kind {
            Kind::Decode {
                source: DecodeError::Api { error, .. },
                ..
            } => Some(error),
            _ => None,
        }
    }

    /// The HTTP status of the answer, if a whole answer came: a success too, when the answer could
    /// not be read.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0.kind {
            Kind::Decode { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the service may have seen the request. `false` is certain: the request never left
    /// and can be made again without any harm.
    ///
    /// It is `true` as well for everything the service answered, refusals included.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        match &self.0.kind {
            Kind::Encode(_) | Kind::Authorize(_) => false,
            Kind::Transport(error) => error.may_have_been_sent(),
            Kind::Decode { .. } => true,
        }
    }

    fn transport_kind(&self) -> Option<TransportErrorKind> {
        match &self.0.kind {
            Kind::Transport(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// The kind in a word, for spans.
    pub(crate) fn label(&self) -> &'static str {
        match &self.0.kind {
            Kind::Encode(_) => "encode",
            Kind::Authorize(_) => "authorize",
            Kind::Transport(error) => match error.kind() {
                TransportErrorKind::Connect => "connect",
                TransportErrorKind::ConnectTimeout | TransportErrorKind::Timeout => "timeout",
                TransportErrorKind::Interrupted => "interrupted",
                TransportErrorKind::BodyTooLarge => "body_too_large",
                TransportErrorKind::Other => "transport",
            },
            Kind::Decode {
                source: DecodeError::Api { .. } | DecodeError::Status { .. },
                ..
            } => "refused",
            Kind::Decode { .. } => "decode",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.0.operation;
        match &self.0.kind {
            Kind::Encode(_) => write!(f, "encode {operation}")?,
            Kind::Authorize(_) => write!(f, "authorize {operation}")?,
            Kind::Transport(_) => write!(f, "send {operation}")?,
            Kind::Decode {
                source: DecodeError::Api { .. } | DecodeError::Status { .. },
                ..
            } => write!(f, "carry out {operation}, which the service refused")?,
            Kind::Decode { .. } => write!(f, "read the answer to {operation}")?,
        }
        write_sources(f, self)
    }
}

/// Writes the sources of `error` behind it when `{:#}` asks for them.
pub(crate) fn write_sources(f: &mut fmt::Formatter<'_>, error: &dyn StdError) -> fmt::Result {
    let mut source = error.source().filter(|_| f.alternate());
    while let Some(error) = source {
        write!(f, ": {error}")?;
        source = error.source();
    }
    Ok(())
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(match &self.0.kind {
            Kind::Encode(source) => source,
            Kind::Authorize(source) => source,
            Kind::Transport(source) => source,
            Kind::Decode { source, .. } => source,
        })
    }
}
