//! What can go wrong with a call.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use sinch_verify_protocol::auth::AuthorizeError;
use sinch_verify_protocol::session::RequestFailure;
use sinch_verify_protocol::{ApiError, DecodeError, EncodeError, Endpoint, Reference, Status};

use crate::client::Client;
use crate::found::{Found, Whose};
use crate::retry::Outcome;
use crate::skew::ClockOffset;
use crate::transport::{TransportError, TransportErrorKind};

/// A call failed.
///
/// The predicates tell what a caller can act on; they overlap, and some errors meet none of them.
/// Everything that may be sent again was sent again before, see [`RetryPolicy`](crate::RetryPolicy),
/// and [`attempts`](Self::attempts) says how often. Where the answer to a start or a report was lost,
/// [`found`](Self::found) has what the service knows of it.
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
    sent: u32,
    kind: Kind,
    /// Whether the service may have seen an attempt, the last one or one before it.
    may_have_been_sent: bool,
    found: Option<Found>,
    /// How to ask for the verification.
    whose: Whose,
    ignored_offset: Option<ClockOffset>,
}

/// The step that failed, with its source.
#[derive(Debug)]
pub(crate) enum Kind {
    Encode(EncodeError),
    Authorize(AuthorizeError),
    Transport(TransportError),
    Decode {
        status: StatusCode,
        /// What the answer asked for, counted from its arrival.
        retry_after: Option<Duration>,
        source: DecodeError,
    },
}

impl Kind {
    /// Whether the service may have seen this attempt.
    fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Encode(_) | Self::Authorize(_) => false,
            Self::Transport(error) => error.may_have_been_sent(),
            Self::Decode { .. } => true,
        }
    }

    /// Whether the service knew the start's reference before it took the start.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Decode { status, .. } if *status == StatusCode::CONFLICT)
    }

    /// What it means for sending again; `None` where that would end the same way.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Encode(_) | Self::Authorize(_) => None,
            Self::Transport(error) if error.may_have_been_sent() => Some(Outcome::Lost),
            Self::Transport(error) => match error.kind() {
                TransportErrorKind::Connect
                | TransportErrorKind::ConnectTimeout
                | TransportErrorKind::Interrupted => Some(Outcome::NeverLeft),
                // The transport does not send such a request, or there is no time left.
                _ => None,
            },
            Self::Decode {
                status,
                retry_after,
                source: DecodeError::Api { .. } | DecodeError::Status { .. },
            } => Some(Outcome::Answered {
                status: *status,
                retry_after: *retry_after,
            }),
            Self::Decode { .. } => Some(Outcome::Unreadable),
        }
    }
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
    pub(crate) fn new(operation: &'static str, is_start: bool, sent: u32, kind: Kind) -> Self {
        Self(Box::new(Inner {
            operation,
            is_start,
            sent,
            may_have_been_sent: kind.may_have_been_sent(),
            kind,
            found: None,
            whose: Whose::default(),
            ignored_offset: None,
        }))
    }

    /// A status query told another verification than the one asked for.
    pub(crate) fn another_verification<E: Endpoint>() -> Self {
        let error = ApiError::new(
            ApiError::NOT_FOUND,
            "what the service knows is another verification",
        );
        let kind = Kind::Decode {
            status: StatusCode::NOT_FOUND,
            retry_after: None,
            source: DecodeError::Api {
                status: StatusCode::NOT_FOUND,
                error,
            },
        };
        Self::new(E::NAME, false, 1, kind)
    }

    pub(crate) fn with_found(mut self, found: Option<Found>) -> Self {
        self.0.found = found;
        self
    }

    /// Takes the attempts before the last one into account.
    pub(crate) fn with_earlier_sent(mut self, may_have_been_sent: bool) -> Self {
        self.0.may_have_been_sent |= may_have_been_sent;
        self
    }

    pub(crate) fn with_ignored_offset(mut self, offset: Option<ClockOffset>) -> Self {
        self.0.ignored_offset = offset;
        self
    }

    pub(crate) fn with_whose(mut self, whose: Whose) -> Self {
        self.0.whose = whose;
        self
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

    /// How often the request was sent, status queries that were made about it not counted.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.sent
    }

    /// What the last status query found after the answer to a start or a report was lost. `None` where
    /// the service had answered, where nothing was sent, or where there was no way to ask: a report by
    /// id with public authorization.
    ///
    /// [`Found::Doubtful`] lets nobody in: it may be another verification.
    #[must_use]
    pub fn found(&self) -> Option<&Found> {
        self.0.found.as_ref()
    }

    /// The reference that the start went out with: your own, or the one that the client made.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.0.whose.reference.as_ref()
    }

    /// Asks the service now what it knows of the verification that this error is about.
    ///
    /// It settles a [denial](Self::is_denied): a verification with status `DENIED` was refused by
    /// your callback, and its reason says how; [`Found::Nothing`] means that none was begun, as for a
    /// start with public authorization where no callback URL is set. It serves for every error of a
    /// start, and of a report whose verification can be asked for. What may be another verification is
    /// [`Found::Doubtful`], as in [`found`](Self::found).
    ///
    /// # Errors
    ///
    /// When the query fails. [`Found::Nothing`] is no error, and is also what one gets for an error
    /// that is about no verification, such as that of a status query.
    pub async fn confirm(&self, client: &Client) -> Result<Found, Self> {
        self.0.whose.ask(client.inner(), client.inner().budget()).await
    }

    /// How far the service's clock is from this host's, where the service refused the time of the
    /// signature and its `Date` is more than [`ClockOffset::MAX`] away. The request was not signed again:
    /// set this host's clock. `None` where the clocks agree, or the difference was small enough to
    /// [sign with](Client::clock_offset).
    #[must_use]
    pub fn ignored_clock_offset(&self) -> Option<ClockOffset> {
        self.0.ignored_offset
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
    /// handshake failed, or connecting took too long. Nothing was sent: where only the last attempt
    /// found no connection, and an earlier one may have arrived, this is `false`.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        let connect = matches!(
            self.transport_kind(),
            Some(TransportErrorKind::Connect | TransportErrorKind::ConnectTimeout)
        );
        connect && !self.0.may_have_been_sent
    }

    /// Whether the service refused to start a verification: 403 with `errorCode` 40303, or the
    /// answer was lost and the status is `DENIED`.
    ///
    /// Your callback denied it, or gave no usable answer, or a start with public authorization
    /// found no callback URL set for the application: these look the same on the wire, and
    /// [`confirm`](Self::confirm) tells them apart. A denial that a report or a status query tells is
    /// no error but a [`Verification`](sinch_verify_protocol::Verification) with status `DENIED`.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        let found = self.found().and_then(Found::verification);
        if self.0.is_start && found.is_some_and(|found| found.status == Status::Denied) {
            return true;
        }
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

    /// How long the service asks to wait before the next request: `Retry-After`, counted from the
    /// arrival of its answer.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::Decode { retry_after, .. } => *retry_after,
            _ => None,
        }
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

    /// Whether the service may have seen the request, in any attempt. `false` is certain: the request
    /// never left and can be made again without any harm.
    ///
    /// It is `true` as well for everything the service answered, refusals included.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.0.may_have_been_sent
    }

    /// What a session is told.
    pub(crate) fn into_request_failure(self) -> RequestFailure {
        match self.0.kind {
            Kind::Encode(_) | Kind::Authorize(_) => RequestFailure::NotSent,
            Kind::Transport(_) if self.0.may_have_been_sent => RequestFailure::Lost,
            Kind::Transport(_) => RequestFailure::NotSent,
            Kind::Decode {
                retry_after: after,
                source,
                ..
            } => {
                let mut failure = RequestFailure::from(source);
                if let RequestFailure::Refused { retry_after, .. } = &mut failure {
                    *retry_after = after;
                }
                failure
            }
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
            Kind::Transport(error) => error.label(),
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
        write_sources(f, self)?;
        if !f.alternate() {
            return Ok(());
        }
        if let Some(offset) = self.0.ignored_offset {
            write!(
                f,
                "; the service's clock is {offset} from this host's, too far to sign with: set this host's clock"
            )?;
        }
        match &self.0.found {
            Some(found) => write!(f, "; {found}"),
            None => Ok(()),
        }
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
