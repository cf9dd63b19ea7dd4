//! What can go wrong with a call.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use sinch_verify_protocol::auth::AuthorizeError;
use sinch_verify_protocol::endpoint::Idempotency;
use sinch_verify_protocol::retry::Outcome;
use sinch_verify_protocol::session::RequestFailure;
use sinch_verify_protocol::{ApiError, DecodeError, EncodeError, Endpoint, Reference, Status, Verification};

use crate::skew::ClockOffset;
use crate::sources::{write_report, write_sources};
use crate::transport::{TransportError, TransportErrorKind};
use crate::verification_ref::VerificationRef;

/// A call failed.
///
/// The predicates tell what a caller can act on; they overlap, and some errors meet none of them.
/// Everything that may be sent again was sent again before, see [`RetryPolicy`](crate::RetryPolicy),
/// and [`attempts`](Self::attempts) says how often. Where the answer to a start or a report was lost,
/// [`lookup`](Self::lookup) has what the service knows of it.
///
/// `{}` says what was not done, in words that fit after "failed to", and [`source`](StdError::source)
/// why. `{:#}` says both on one line, and `{:?}` on a line each: that is what a `main` prints that
/// returns the error. None of them holds a number, a code or a secret.
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
pub struct Error(Box<Inner>);

struct Inner {
    operation: &'static str,
    /// What it does, in words that fit after "failed to".
    action: &'static str,
    is_start: bool,
    sent: u32,
    kind: Kind,
    /// Whether the service may have seen an attempt, the last one or one before it.
    may_have_been_sent: bool,
    lookup: Option<Lookup>,
    /// The verification that the call is about.
    target: VerificationRef,
    ignored_offset: Option<ClockOffset>,
}

/// What a status query found after the answer to a start or a report was lost.
#[derive(Debug)]
#[non_exhaustive]
pub enum Lookup {
    /// The verification, as it is now.
    Verification(Box<Verification>),
    /// A verification that may be another one. **Never authenticate with this**: it may belong to an
    /// earlier start, or to a later one.
    ///
    /// For a start it has your reference, and was begun before the start, or has succeeded, or had
    /// the reference already when the service refused the start for it, or does not tell enough to
    /// know. For a report by number it is the number's latest verification.
    Doubtful(Box<Verification>),
    /// The service knows no such verification, or tells of another one only, though it was asked several
    /// times. A request that is still under way could arrive after that; its reference identifies it.
    Nothing,
    /// It could not be found out: the query failed as well, or the time for the call was over.
    Unknown(Error),
}

impl Lookup {
    /// The verification, if there is one that certainly is the one looked up.
    #[must_use]
    pub fn verification(&self) -> Option<&Verification> {
        match self {
            Self::Verification(verification) => Some(verification),
            Self::Doubtful(_) | Self::Nothing | Self::Unknown(_) => None,
        }
    }

    /// What it means for the request that it is about.
    pub(crate) fn outcome(&self) -> Outcome {
        let (verification, certain) = match self {
            Self::Verification(verification) => (verification, true),
            Self::Doubtful(verification) => (verification, false),
            Self::Nothing => return Outcome::NotFound,
            Self::Unknown(error) => return error.outcome(),
        };
        Outcome::Found {
            certain,
            pending: !verification.status.is_final(),
        }
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verification(verification) => write!(
                f,
                "the service has the verification, status {}",
                verification.status
            ),
            Self::Doubtful(verification) => write!(
                f,
                "the service has a verification with status {} that may be another one",
                verification.status
            ),
            Self::Nothing => f.write_str(
                "the service has no such verification so far; a request under way may still arrive",
            ),
            Self::Unknown(error) => write!(f, "its status is unknown: failed to {error:#}"),
        }
    }
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
    /// A status query told of another verification.
    AnotherVerification,
}

impl Kind {
    /// Whether the service may have seen this attempt.
    fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Encode(_) | Self::Authorize(_) => false,
            Self::Transport(error) => error.may_have_been_sent(),
            Self::Decode { .. } | Self::AnotherVerification => true,
        }
    }

    /// Whether the service knew the start's reference before it took the start.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Decode { status, .. } if *status == StatusCode::CONFLICT)
    }

    /// The service's error object.
    pub(crate) fn as_api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Decode {
                source: DecodeError::Api { error, .. },
                ..
            } => Some(error),
            _ => None,
        }
    }

    /// What it means for sending again.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Encode(_) | Self::Authorize(_) => Outcome::Unsendable,
            Self::Transport(error) if error.may_have_been_sent() => Outcome::Lost,
            Self::Transport(error) => match error.kind() {
                // The transport does not send such a request.
                TransportErrorKind::Other => Outcome::Unsendable,
                _ => Outcome::NotSent,
            },
            Self::Decode {
                status,
                retry_after,
                source: DecodeError::Api { .. } | DecodeError::Status { .. },
            } => Outcome::Refused {
                status: status.as_u16(),
                code: self.as_api_error().map(|error| error.code),
                retry_after: *retry_after,
            },
            Self::Decode { .. } => Outcome::Unreadable,
            Self::AnotherVerification => Outcome::NotFound,
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
    pub(crate) fn new<E: Endpoint>(sent: u32, kind: Kind) -> Self {
        Self(Box::new(Inner {
            operation: E::NAME,
            action: E::ACTION,
            is_start: E::IDEMPOTENCY == Idempotency::Never,
            sent,
            may_have_been_sent: kind.may_have_been_sent(),
            kind,
            lookup: None,
            target: VerificationRef::default(),
            ignored_offset: None,
        }))
    }

    /// A status query told of another verification than the one asked for.
    pub(crate) fn another_verification<E: Endpoint>() -> Self {
        Self::new::<E>(1, Kind::AnotherVerification)
    }

    pub(crate) fn with_lookup(mut self, lookup: Option<Lookup>) -> Self {
        self.0.lookup = lookup;
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

    pub(crate) fn with_target(mut self, target: VerificationRef) -> Self {
        self.0.target = target;
        self
    }

    /// What the last attempt means for another one.
    pub(crate) fn outcome(&self) -> Outcome {
        self.0.kind.outcome()
    }

    /// The verification that the call is about.
    pub(crate) fn target(&self) -> &VerificationRef {
        &self.0.target
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
            Kind::Decode { .. } | Kind::AnotherVerification => Phase::Decode,
        }
    }

    /// How often the request was sent, status queries that were made about it not counted.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.sent
    }

    /// What the last status query found after the answer to a start or a report was lost. `None` where
    /// the service had answered, where nothing was sent, or where there was no way to ask: a report by
    /// id with public authorization. [`Client::confirm`](crate::Client::confirm) asks again.
    ///
    /// Never authenticate with a [`Lookup::Doubtful`]: it may be another verification.
    #[must_use]
    pub fn lookup(&self) -> Option<&Lookup> {
        self.0.lookup.as_ref()
    }

    /// The reference that the start went out with: your own, or the one that the client made.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.0.target.reference.as_ref()
    }

    /// How far the service's clock is from this host's, where the service refused the time of the
    /// signature and its `Date` is more than [`ClockOffset::MAX`] away. The request was not signed again:
    /// set this host's clock. `None` where the clocks agree, or the difference was small enough to
    /// [sign with](crate::Client::clock_offset).
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
    /// [`Client::confirm`](crate::Client::confirm) tells them apart. A denial that a report or a status query tells is
    /// no error but a [`Verification`](sinch_verify_protocol::Verification) with status `DENIED`.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        let found = self.lookup().and_then(Lookup::verification);
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

    /// Whether the service does not know the id, reference or number (status 404), or tells of another
    /// verification only: with public authorization, of the number's latest one.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.0.kind, Kind::AnotherVerification) || self.status() == Some(StatusCode::NOT_FOUND)
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
        self.0.kind.as_api_error()
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

    /// The failure that a session takes.
    pub(crate) fn into_request_failure(self) -> RequestFailure {
        let outcome = self.outcome();
        match self.0.kind {
            Kind::Encode(_) | Kind::Authorize(_) => RequestFailure::Unsendable,
            Kind::Transport(_) if self.0.may_have_been_sent => RequestFailure::Lost,
            Kind::Transport(_) if outcome == Outcome::Unsendable => RequestFailure::Unsendable,
            Kind::Transport(_) => RequestFailure::NotSent,
            Kind::AnotherVerification => RequestFailure::AnotherVerification,
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
            Kind::AnotherVerification => "another_verification",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.action)?;
        match &self.0.kind {
            Kind::Encode(_) => f.write_str(": the request cannot be written")?,
            Kind::Authorize(_) => f.write_str(": the request cannot be authorized")?,
            Kind::Transport(_) => {}
            Kind::Decode {
                status,
                source: DecodeError::Api { .. } | DecodeError::Status { .. },
                ..
            } => f.write_str(if status.is_server_error() {
                ": the service failed"
            } else {
                ": the service refused"
            })?,
            Kind::Decode { .. } => f.write_str(": the answer cannot be read")?,
            Kind::AnotherVerification => f.write_str(": the service answered about another verification")?,
        }
        write_sources(f, self)?;
        if f.alternate() {
            self.write_notes(f, "; ")?;
        }
        Ok(())
    }
}

impl Error {
    /// Writes what was found out besides the cause.
    fn write_notes(&self, f: &mut fmt::Formatter<'_>, before: &str) -> fmt::Result {
        if let Some(offset) = self.0.ignored_offset {
            write!(
                f,
                "{before}the service's clock is {offset} from this host's, too far to sign with: set this host's clock"
            )?;
        }
        match &self.0.lookup {
            Some(lookup) => write!(f, "{before}{lookup}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_report(f, self)?;
        self.write_notes(f, "\n\n")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(match &self.0.kind {
            Kind::Encode(source) => source,
            Kind::Authorize(source) => source,
            Kind::Transport(source) => source,
            Kind::Decode { source, .. } => source,
            Kind::AnotherVerification => return None,
        })
    }
}
