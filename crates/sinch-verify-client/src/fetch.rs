//! Fetching the address of a data verification: no credentials, bounded redirects.

use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use http::Response;
use http::header::{LOCATION, USER_AGENT};
use sinch_verify_protocol::DecodeError;
use sinch_verify_protocol::phone_number::Masked;
use sinch_verify_protocol::session::{FetchTarget, TargetError};
use tracing::Instrument as _;

use crate::call;
use crate::context::Context;
use crate::error::Error;
use crate::sources::write_sources;
use crate::telemetry::Record;
use crate::transport::TransportError;

/// Fetches `address` and what it redirects to, and gives the last answer. All of it counts as one call.
pub(crate) async fn fetch(
    context: &Context,
    address: &str,
    number: Option<Masked<'_>>,
) -> Result<Response<Bytes>, FollowError> {
    let record = Record::new("follow_target", number);
    let span = record.span().clone();
    async move {
        let answer = follow(context, address, &record).await;
        if let Err(error) = &answer {
            record.failed(error.label());
        }
        answer
    }
    .instrument(span)
    .await
}

async fn follow(context: &Context, address: &str, record: &Record) -> Result<Response<Bytes>, FollowError> {
    let budget = context.budget();
    let mut target = FetchTarget::new(address, context.plain_http_targets)?;
    for nth in 1.. {
        let mut request = target.to_http();
        request
            .headers_mut()
            .insert(USER_AGENT, context.user_agent.clone());
        let limit = call::time_for_one(context, budget).map_err(FollowError::Transport)?;
        let answer = call::send_within(context, limit, request, record, nth)
            .await
            .map_err(|error| FollowError::Transport(if nth > 1 { error.after_others() } else { error }))?;
        if !answer.status().is_redirection() {
            return Ok(answer);
        }
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        target = target.redirect(location.ok_or(FollowError::Location)?)?;
    }
    // The target ends the loop long before.
    Err(FollowError::Target(TargetError::TooManyRedirects))
}

/// Why the address of a data verification gave no verification: `{}` fits after "failed to". No
/// message holds the address.
#[derive(Debug)]
#[non_exhaustive]
pub enum FollowError {
    /// The start's answer had no address.
    NoTarget,
    /// The address, or that of a redirect, must not be fetched.
    Target(TargetError),
    /// A redirect without a readable `Location`.
    Location,
    /// No answer came.
    Transport(TransportError),
    /// The answer was a refusal, or no verification.
    Answer(DecodeError),
    /// The answer told nothing, and the status could not be had.
    Status(Error),
}

impl From<TargetError> for FollowError {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

impl FollowError {
    /// The kind in a word, for spans.
    fn label(&self) -> &'static str {
        match self {
            Self::Transport(error) => error.label(),
            Self::NoTarget | Self::Target(_) | Self::Location => "target",
            Self::Answer(_) | Self::Status(_) => "decode",
        }
    }
}

impl fmt::Display for FollowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTarget => "follow the target address, which the start's answer lacks",
            Self::Target(_) => "follow the target address",
            Self::Location => "follow a redirect without a readable location",
            Self::Transport(_) => "fetch the target address",
            Self::Answer(_) => "read the answer of the target address",
            Self::Status(_) => "learn the status after the target address was fetched",
        })?;
        write_sources(f, self)
    }
}

impl StdError for FollowError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Target(source) => Some(source),
            Self::Transport(source) => Some(source),
            Self::Answer(source) => Some(source),
            Self::Status(source) => Some(source),
            Self::NoTarget | Self::Location => None,
        }
    }
}
