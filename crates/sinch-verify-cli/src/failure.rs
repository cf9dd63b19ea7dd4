//! How an error is told: to people on stderr, with what to do about it, and to scripts as JSON.

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use sinch_verify_client::{Error, Lookup, Phase};
use sinch_verify_protocol::untrusted::mask;
use sinch_verify_protocol::{ApiError, WireObject as _};

use crate::control::NobodyThere;
use crate::exit::{NO, NOT_VERIFIED, Outcome, RATE_LIMITED, UNAUTHORIZED, UNREACHABLE, USAGE, Usage};
use crate::print::{self, note, say};

/// Prints an error, as JSON too if `json` is set, and chooses the exit code.
pub(crate) fn exit_code(result: anyhow::Result<Outcome>, json: bool) -> ExitCode {
    let code = match result {
        Ok(outcome) => outcome.code(),
        Err(error) => {
            let failure = Failure::of(&error);
            failure.tell(json);
            failure.code()
        }
    };
    if print::failed() {
        note!("error: failed to write to standard output");
        return ExitCode::from(if code == 0 { NO } else { code });
    }
    ExitCode::from(code)
}

/// An error that ended a command.
struct Failure<'a> {
    error: &'a anyhow::Error,
    /// The client's error in it, if a call failed.
    call: Option<&'a Error>,
}

impl<'a> Failure<'a> {
    fn of(error: &'a anyhow::Error) -> Self {
        let call = error.chain().find_map(|cause| cause.downcast_ref());
        Self { error, call }
    }

    /// The exit code.
    fn code(&self) -> u8 {
        if self.error.is::<Usage>() {
            return USAGE;
        }
        let Some(call) = self.call else {
            return if self.error.is::<NobodyThere>() {
                UNREACHABLE
            } else {
                NO
            };
        };
        let code = call.as_api_error().map(|error| error.code);
        let status = call.status().map(|status| status.as_u16());
        match status {
            _ if call.is_denied() => NOT_VERIFIED,
            Some(401) => UNAUTHORIZED,
            Some(403) if code == Some(ApiError::SCHEME) => UNAUTHORIZED,
            Some(429) => RATE_LIMITED,
            Some(500..=599) => UNREACHABLE,
            // A success that could not be read.
            Some(200..=299) => UNREACHABLE,
            Some(_) => NO,
            None if call.phase() == Phase::Transport => UNREACHABLE,
            None => NO,
        }
    }

    /// Tells people on stderr, and scripts on stdout when `json` is set.
    fn tell(&self, json: bool) {
        let bold_red = anstyle::Style::new()
            .bold()
            .fg_color(Some(anstyle::AnsiColor::Red.into()));
        note!("{bold_red}error{bold_red:#}: {}", self.message());
        match self.call {
            Some(call) => advise(call),
            None if self.error.is::<NobodyThere>() => note!("{IS_IT_RUNNING}"),
            None => {}
        }
        if json {
            match serde_json::to_string(&self.document()) {
                Ok(document) => say!("{document}"),
                Err(error) => note!("failed to write the error as JSON: {error}"),
            }
        }
    }

    /// What failed and why. The client's errors are fragments that fit after "failed to".
    fn message(&self) -> String {
        let outermost = self.error.chain().next();
        if outermost.is_some_and(<dyn std::error::Error>::is::<Error>) {
            format!("failed to {:#}", self.error)
        } else {
            format!("{:#}", self.error)
        }
    }

    fn document(&self) -> Document<'_> {
        let api = self.call.and_then(Error::as_api_error);
        let found = self.call.and_then(Error::lookup);
        Document {
            error: Told {
                message: self.message(),
                status: self.call.and_then(Error::status).map(|status| status.as_u16()),
                error_code: api.map(|error| error.code),
                support_reference: api.and_then(|error| error.reference.as_deref()).map(mask),
                reference: self.call.and_then(Error::reference).map(|own| own.as_str()),
                may_have_been_sent: self.call.map(Error::may_have_been_sent),
                found: found.map(|found| match found {
                    Lookup::Verification(_) => "verification",
                    Lookup::Doubtful(_) => "doubtful",
                    Lookup::Nothing => "nothing",
                    _ => "unknown",
                }),
                verification: found
                    .and_then(Lookup::verification)
                    .and_then(|found| RawValue::from_string(found.to_json()).ok()),
                retry_after_ms: self
                    .call
                    .and_then(Error::retry_after)
                    .map(|wait| wait.as_millis()),
            },
        }
    }
}

/// What scripts get.
#[derive(Serialize)]
struct Document<'a> {
    error: Told<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<u32>,
    /// What the service's support asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    support_reference: Option<String>,
    /// The reference of the start: the caller's own, or the one that was made up.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    may_have_been_sent: Option<bool>,
    /// Where an answer was lost: `verification`, `doubtful`, `nothing` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u128>,
}

const IS_IT_RUNNING: &str =
    "is it running? `sinch-verify serve` starts one on this machine, and --url names another";

/// What became of the request, and what can be done.
fn advise(call: &Error) {
    match call.lookup() {
        Some(Lookup::Verification(found)) => {
            note!("the answer was lost, but the service has the verification:");
            note!("  id {}, status {}", found.id, found.status);
        }
        Some(found) => note!("{found}"),
        None => {}
    }
    // Only where it is of use: a refusal began nothing that could be asked for.
    if let (Some(_), Some(reference)) = (call.lookup(), call.reference()) {
        note!("ask for it later: sinch-verify status --reference {reference}");
    }
    if call.is_connect() {
        note!("{IS_IT_RUNNING}");
    } else if call.phase() == Phase::Transport && !call.may_have_been_sent() {
        note!("nothing was sent");
    }
    if let Some(wait) = call.retry_after() {
        note!("try again in {} s", whole_seconds(wait));
    }
    if let Some(hint) = call.as_api_error().and_then(|error| hint(error.code)) {
        note!("{hint}");
    }
}

/// Rounded up: a moment too early is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// How a refusal is mended.
fn hint(code: u32) -> Option<&'static str> {
    Some(match code {
        ApiError::CREDENTIALS => {
            "the service does not know SINCH_APPLICATION_KEY, or SINCH_APPLICATION_SECRET is not its secret; \
             `sinch-verify serve` makes new ones up at each start, unless it is given some: paste the lines that it prints"
        }
        ApiError::SIGNATURE => {
            "SINCH_APPLICATION_SECRET is not the secret of SINCH_APPLICATION_KEY; \
             `sinch-verify serve` makes new ones up at each start, unless it is given some: paste the lines that it prints"
        }
        ApiError::SCHEME => "more than the key is needed: leave --auth out, or give --auth signed",
        ApiError::RESTRICTED => {
            "the callback denied it, or gave no usable answer, or none is set for a start with --auth public; \
             `sinch-verify serve` says what became of a callback, and takes --callback-url"
        }
        ApiError::TIMESTAMP => "the clock of this machine or of the service is wrong: set it",
        _ => return None,
    })
}
