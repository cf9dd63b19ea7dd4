//! Following the address of a data verification.

use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use http::header::{LOCATION, USER_AGENT};
use http::{Request, Response};
use sinch_verify_protocol::method::Seamless;
use sinch_verify_protocol::{DecodeError, Verification};
use url::{Host, Url};

use super::Handle;
use crate::error::Error;
use crate::transport::{TransportError, TransportErrorKind};

/// How many redirects are followed.
const REDIRECTS: u32 = 10;

impl Handle<Seamless> {
    /// Fetches the address that the start answered with, as the device would: over **this machine's**
    /// network. A data verification succeeds only over the mobile network of the number, so in a
    /// backend this is for tests; on a device, bind the transport to that network.
    ///
    /// At most ten redirects are followed, relative ones too. Neither the address nor any redirect
    /// gets the application's credentials. Plain http is followed to this machine only, unless
    /// [`plain_http_targets`](crate::ClientBuilder::plain_http_targets) allows more. Nothing is sent
    /// twice.
    ///
    /// Where the last answer does not tell the outcome, the status is asked for.
    ///
    /// # Errors
    ///
    /// [`FollowError`], by step. A refusal by status 400 means that the number was not verified.
    pub async fn follow(&self) -> Result<Verification, FollowError> {
        let target = self.started.details.target_uri.as_deref();
        let mut url: Url = target
            .ok_or(FollowError::NoTarget)?
            .parse()
            .map_err(|_| FollowError::Address)?;
        for _ in 0..=REDIRECTS {
            let answer = self.fetch(&url).await?;
            if !answer.status().is_redirection() {
                return match Verification::from_http(&answer) {
                    Ok(verification) => Ok(verification),
                    Err(DecodeError::EmptyBody { .. }) => self.status().await.map_err(FollowError::Status),
                    Err(error) => Err(FollowError::Answer(error)),
                };
            }
            let location = answer
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
                .ok_or(FollowError::Location)?;
            url = url.join(location).map_err(|_| FollowError::Address)?;
        }
        Err(FollowError::TooManyRedirects)
    }

    /// One request, without credentials.
    async fn fetch(&self, url: &Url) -> Result<Response<Bytes>, FollowError> {
        let inner = self.client.inner();
        let allowed = match url.scheme() {
            "https" => true,
            "http" => inner.plain_http_targets || is_loopback(url),
            _ => return Err(FollowError::Address),
        };
        if !allowed {
            return Err(FollowError::PlainHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FollowError::Address);
        }
        let mut url = url.clone();
        url.set_fragment(None);
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.as_str().parse().map_err(|_| FollowError::Address)?;
        request.headers_mut().insert(USER_AGENT, inner.user_agent.clone());
        match tokio::time::timeout(inner.attempt_timeout, inner.transport.send(request)).await {
            Ok(answer) => answer.map_err(FollowError::Transport),
            Err(elapsed) => Err(FollowError::Transport(
                TransportError::new(TransportErrorKind::Timeout).with_source(elapsed),
            )),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why the address of a data verification gave no verification: `{}` fits after "failed to". No
/// message holds the address.
#[derive(Debug)]
#[non_exhaustive]
pub enum FollowError {
    /// The start's answer had no address.
    NoTarget,
    /// The address, or that of a redirect, is not one of http or https without user and password.
    Address,
    /// The address, or that of a redirect, is plain http, and its host is another than this machine.
    PlainHttp,
    /// A redirect without a readable `Location`.
    Location,
    /// More than ten redirects, or a circle of them.
    TooManyRedirects,
    /// No answer came.
    Transport(TransportError),
    /// The answer was a refusal, or no verification.
    Answer(DecodeError),
    /// The answer told nothing, and the status could not be had.
    Status(Error),
}

impl fmt::Display for FollowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTarget => "follow the target address, which the start's answer lacks",
            Self::Address => "follow an address that is not one of http or https without user and password",
            Self::PlainHttp => {
                "follow plain http to another host; `plain_http_targets` of the builder allows it"
            }
            Self::Location => "follow a redirect without a readable location",
            Self::TooManyRedirects => "follow more than ten redirects",
            Self::Transport(_) => "fetch the target address",
            Self::Answer(_) => "read the answer of the target address",
            Self::Status(_) => "learn the status after the target address was fetched",
        })?;
        crate::error::write_sources(f, self)
    }
}

impl StdError for FollowError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Transport(source) => Some(source),
            Self::Answer(source) => Some(source),
            Self::Status(source) => Some(source),
            Self::NoTarget | Self::Address | Self::PlainHttp | Self::Location | Self::TooManyRedirects => {
                None
            }
        }
    }
}
