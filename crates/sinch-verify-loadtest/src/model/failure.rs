//! Why flows fail, under names that scripts can rely on.

use std::error::Error;
use std::fmt;
use std::io;
use std::str::FromStr;

use sinch_verify_client::{TransportError, TransportErrorKind};
use sinch_verify_protocol::DecodeError;
use sinch_verify_protocol::untrusted::mask;

use super::unknown_name::UnknownName;

/// A flow failed: what kind of failure it is, and what is known about it.
///
/// The detail holds no phone number, code or secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    detail: Box<str>,
}

impl Failure {
    /// A failure of `kind`.
    #[must_use]
    pub fn new(kind: FailureKind, detail: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// A failure of `kind` whose detail quotes the service: it is [masked](mask).
    #[must_use]
    pub fn quoting(kind: FailureKind, detail: &str) -> Self {
        Self::new(kind, mask(detail))
    }

    /// The answer has a status that the flow does not expect.
    #[must_use]
    pub fn status(status: http::StatusCode) -> Self {
        let detail = format!("the answer's status is {}", status.as_u16());
        Self::new(FailureKind::Http(status.as_u16()), detail)
    }

    /// Something is not as the flow expects it to be.
    #[must_use]
    pub fn mismatch(detail: impl Into<Box<str>>) -> Self {
        Self::new(FailureKind::OutcomeMismatch, detail)
    }

    /// The flow cannot make a request; nothing was sent.
    pub(crate) fn unmade(error: &dyn Error) -> Self {
        Self::new(FailureKind::Request, error.to_string())
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What is known about it, as a fragment of a sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl Error for Failure {}

impl From<http::Error> for Failure {
    /// A request of the flow's own cannot be made.
    fn from(error: http::Error) -> Self {
        Self::unmade(&error)
    }
}

impl From<serde_json::Error> for Failure {
    /// JSON, such as an answer's, is not as it should be. The place is named, but not what is there.
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let detail = format!("the JSON is not as it should be, at line {line} column {column}");
        Self::new(FailureKind::Decode, detail)
    }
}

impl From<&DecodeError> for Failure {
    /// The service refused, or its answer could not be read.
    fn from(error: &DecodeError) -> Self {
        let kind = match error {
            DecodeError::Api { error, .. } => FailureKind::Api(error.code),
            DecodeError::Status { status, .. } => FailureKind::Http(status.as_u16()),
            _ => FailureKind::Decode,
        };
        // Masked already.
        Self::new(kind, error.to_string())
    }
}

impl From<&TransportError> for Failure {
    /// A request got no answer from the direct transport.
    fn from(error: &TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Connect => connect_kind(error),
            TransportErrorKind::ConnectTimeout => FailureKind::ConnectTimeout,
            TransportErrorKind::Timeout => FailureKind::ReadTimeout,
            TransportErrorKind::Interrupted => FailureKind::Reset,
            _ => FailureKind::Decode,
        };
        Self::new(kind, chain(error))
    }
}

impl From<reqwest::Error> for Failure {
    /// A request got no answer from reqwest. Its URL, which holds numbers, is left out.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let kind = match (error.is_connect(), error.is_timeout()) {
            (true, true) => FailureKind::ConnectTimeout,
            (true, false) => connect_kind(&error),
            (false, true) => FailureKind::ReadTimeout,
            (false, false) if error.is_decode() || error.is_redirect() => FailureKind::Decode,
            (false, false) => FailureKind::Reset,
        };
        Self::new(kind, chain(&error))
    }
}

/// What kept a connection from being made.
fn connect_kind(error: &(dyn Error + 'static)) -> FailureKind {
    let mut next = error.source();
    while let Some(error) = next {
        // The connector's own error type is private; its message is all there is to tell.
        if error.to_string().starts_with("dns error") {
            return FailureKind::Dns;
        }
        // rustls reports a failed handshake as invalid data.
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::InvalidData) {
            return FailureKind::Tls;
        }
        next = error.source();
    }
    FailureKind::Connect
}

/// An error with its sources, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

/// What kind of failure it is. Its text is a stable name, in reports and for scripts.
///
/// Late and repeated callbacks, `generator.dropped`, `generator.late` and `aborted` are no failures of flows: they are counted by
/// themselves, and a run file lists them beside the failures.
///
/// ```
/// use sinch_verify_loadtest::FailureKind;
///
/// assert_eq!(FailureKind::Api(40003).to_string(), "api.40003");
/// assert_eq!("http.4xx.404".parse(), Ok(FailureKind::Http(404)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// `dns`: the host's name was not found.
    Dns,
    /// `connect`: no connection, such as a refused port.
    Connect,
    /// `tls`: the TLS handshake failed.
    Tls,
    /// `timeout.connect`: no connection in time.
    ConnectTimeout,
    /// `timeout.read`: no whole answer in time.
    ReadTimeout,
    /// `reset`: the connection broke before the answer was whole.
    Reset,
    /// `http.4xx.404`, `http.5xx.503`, `http.429` and so on: a status that is not success, without
    /// a readable error object.
    Http(u16),
    /// `api.40003` and so on: the service's own error code.
    Api(u32),
    /// `decode`: a success that is not the answer it should be.
    Decode,
    /// `signature`: a callback that should have been taken was refused, or the other way round.
    Signature,
    /// `callback.missing`: an event that the flow waits for did not come.
    CallbackMissing,
    /// `callback.late`: the result event came after the flow had given it up as missing.
    CallbackLate,
    /// `callback.duplicate`: an event came more than once.
    CallbackDuplicate,
    /// `code.missing`: nothing reached the phone in time, or not what the method sends.
    CodeMissing,
    /// `outcome.mismatch`: the verification ended otherwise than the flow expects.
    OutcomeMismatch,
    /// `generator.request`: the load tester could not make the request; nothing was sent.
    Request,
    /// `generator.dropped`: a flow was due while every user was busy, and was never started.
    Dropped,
    /// `generator.late`: a flow was started more than 5 ms after it was due.
    Late,
    /// `unfinished`: a flow was still under way when the run, grace included, was over.
    Unfinished,
    /// `aborted`: a flow was cut off because the user or a limit ended the run.
    Aborted,
}

impl FailureKind {
    /// The kinds without a number in them, and their names.
    const PLAIN: [(Self, &'static str); 18] = [
        (Self::Dns, "dns"),
        (Self::Connect, "connect"),
        (Self::Tls, "tls"),
        (Self::ConnectTimeout, "timeout.connect"),
        (Self::ReadTimeout, "timeout.read"),
        (Self::Reset, "reset"),
        (Self::Decode, "decode"),
        (Self::Signature, "signature"),
        (Self::CallbackMissing, "callback.missing"),
        (Self::CallbackLate, "callback.late"),
        (Self::CallbackDuplicate, "callback.duplicate"),
        (Self::CodeMissing, "code.missing"),
        (Self::OutcomeMismatch, "outcome.mismatch"),
        (Self::Request, "generator.request"),
        (Self::Dropped, "generator.dropped"),
        (Self::Late, "generator.late"),
        (Self::Unfinished, "unfinished"),
        (Self::Aborted, "aborted"),
    ];

    /// Whether the target was never reached.
    #[must_use]
    pub fn is_unreachable(self) -> bool {
        matches!(self, Self::Dns | Self::Connect | Self::Tls | Self::ConnectTimeout)
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(429) => return f.write_str("http.429"),
            Self::Http(status) => return write!(f, "http.{}xx.{status}", status / 100),
            Self::Api(code) => return write!(f, "api.{code}"),
            _ => {}
        }
        let name = Self::PLAIN.iter().find(|(kind, _)| kind == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for FailureKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let plain = Self::PLAIN.iter().find(|(_, name)| *name == text);
        let coded = || {
            let code = text.rsplit('.').next()?;
            let kind = if text.starts_with("http.") {
                Self::Http(code.parse().ok()?)
            } else {
                Self::Api(code.parse().ok()?)
            };
            // Only what would be written the same.
            Some(kind).filter(|kind| kind.to_string() == text)
        };
        let found = plain.map(|(kind, _)| *kind).or_else(coded);
        found.ok_or_else(|| {
            let mut all: Vec<_> = Self::PLAIN.iter().map(|(_, name)| *name).collect();
            all.extend(["http.4xx.404", "http.429", "http.5xx.503", "api.40003"]);
            UnknownName::new("kind of failure", text, all)
        })
    }
}

serde_as_text!(FailureKind);

#[cfg(test)]
mod tests {
    use http::{Response, StatusCode};
    use sinch_verify_protocol::Verification;

    use super::FailureKind::{Api, Http};
    use super::*;

    fn refusal(status: StatusCode, body: &'static str) -> FailureKind {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        Failure::from(&Verification::from_http(&response).unwrap_err()).kind()
    }

    #[test]
    fn answers_have_stable_names() {
        let coded = refusal(StatusCode::BAD_REQUEST, r#"{"errorCode":40003,"message":"no"}"#);
        assert_eq!(coded.to_string(), "api.40003");
        assert_eq!(refusal(StatusCode::TOO_MANY_REQUESTS, "").to_string(), "http.429");
        assert_eq!(
            refusal(StatusCode::BAD_GATEWAY, "<html>").to_string(),
            "http.5xx.502"
        );
        assert_eq!(refusal(StatusCode::OK, "{}").to_string(), "decode");
    }

    #[test]
    fn every_name_reads_back() {
        let coded = [Http(429), Http(404), Http(503), Api(40003)];
        let plain = FailureKind::PLAIN.iter().map(|(kind, _)| *kind);
        for kind in plain.chain(coded) {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for (text, nearest) in [
            ("timeout.reed", "timeout.read"),
            ("http.404", "http.4xx.404"),
            ("http.4xx.503", "http.5xx.503"),
            ("api.040003", "api.40003"),
        ] {
            let error = text.parse::<FailureKind>().unwrap_err();
            assert_eq!(error.nearest, nearest, "{text}");
        }
    }

    #[test]
    fn lost_requests_have_stable_names() {
        let kind = |kind| Failure::from(&TransportError::new(kind)).kind().to_string();
        assert_eq!(kind(TransportErrorKind::Connect), "connect");
        assert_eq!(kind(TransportErrorKind::ConnectTimeout), "timeout.connect");
        assert_eq!(kind(TransportErrorKind::Timeout), "timeout.read");
        assert_eq!(kind(TransportErrorKind::Interrupted), "reset");
    }
}
