//! How a failure is reported: on standard error its cause and what to do about it, for scripts as JSON.

use std::error::Error as StdError;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use sinch_verify_client::{Error, Lookup, Phase, TransportError};
use sinch_verify_protocol::untrusted::mask;
use sinch_verify_protocol::{ApiError, BaseUrl, WireObject as _};

use crate::control::EmulatorUnreachable;
use crate::exit::{
    ExitError, NO, NOT_VERIFIED, Outcome, RATE_LIMITED, UNAUTHORIZED, UNREACHABLE, root_cause,
};
use crate::print::{self, note, say};

/// Prints an error, as JSON too if `json` is set, and chooses the exit code.
pub(crate) fn exit_code(result: anyhow::Result<Outcome>, json: bool) -> ExitCode {
    let code = match result {
        Ok(outcome) => outcome.code(),
        Err(error) => {
            let failure = Failure::of(&error);
            failure.print(json);
            failure.code
        }
    };
    if print::failed() {
        note!("error: failed to write to standard output");
        return ExitCode::from(if code == 0 { NO } else { code });
    }
    ExitCode::from(code)
}

/// Prints a cause, and below it what to do about it.
pub(crate) fn print_error(cause: &str, hints: &[String]) {
    let bold_red = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Red.into()));
    note!("{bold_red}error{bold_red:#}: {cause}");
    for hint in hints {
        note!("hint: {hint}");
    }
}

/// A refusal in the service's words, without what may be a number.
pub(crate) fn refusal(error: &ApiError) -> String {
    let message = error.message.as_deref().unwrap_or("no message");
    mask(message.trim_end_matches('.'))
}

/// A call to the service failed.
#[derive(Debug)]
pub(crate) struct CallFailed {
    error: Error,
    url: BaseUrl,
    /// What to do about it, as the command knows.
    hint: Option<String>,
}

impl CallFailed {
    /// A call to the service at `url`.
    pub(crate) fn new(error: Error, url: BaseUrl) -> Self {
        Self {
            error,
            url,
            hint: None,
        }
    }

    /// Adds what to do where the service has no such verification.
    pub(crate) fn if_not_found(mut self, hint: impl FnOnce() -> String) -> Self {
        self.hint = self.error.is_not_found().then(hint);
        self
    }
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cause(&self.error, &self.url))
    }
}

impl StdError for CallFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}

/// An error that ended a command.
struct Failure<'a> {
    cause: String,
    hints: Vec<String>,
    code: u8,
    timed_out: bool,
    /// The client's error in it, if a call failed.
    call: Option<&'a Error>,
}

impl<'a> Failure<'a> {
    fn of(error: &'a anyhow::Error) -> Self {
        let mut failure = Self {
            cause: format!("{error:#}"),
            hints: Vec::new(),
            code: NO,
            timed_out: false,
            call: error.chain().find_map(|cause| cause.downcast_ref()),
        };
        if let Some(exit) = error.downcast_ref::<ExitError>() {
            failure.cause.clone_from(&exit.cause);
            failure.hints.extend(exit.hint.clone());
            failure.code = exit.code;
            failure.timed_out = exit.timed_out;
        } else if error.is::<EmulatorUnreachable>() {
            failure.hints.push(IS_IT_RUNNING.to_owned());
            failure.code = UNREACHABLE;
        } else if let Some(call) = failure.call {
            failure.code = code(call);
            if let Some(failed) = error.downcast_ref::<CallFailed>() {
                failure.cause = failed.to_string();
                failure.hints.extend(failed.hint.clone());
                failure.hints.extend(hints(call, &failed.url));
            }
        }
        failure
    }

    /// Prints it on standard error, and on standard output too when `json` is set.
    fn print(&self, json: bool) {
        print_error(&self.cause, &self.hints);
        if json {
            match serde_json::to_string(&self.document()) {
                Ok(document) => say!("{document}"),
                Err(error) => note!("failed to write the error as JSON: {error}"),
            }
        }
    }

    fn document(&self) -> Document<'_> {
        let api = self.call.and_then(Error::as_api_error);
        let found = self.call.and_then(Error::lookup);
        Document {
            error: ErrorFields {
                message: &self.cause,
                timed_out: self.timed_out.then_some(true),
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
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorFields<'a> {
    message: &'a str,
    /// What was waited for did not come in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    timed_out: Option<bool>,
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

/// The exit code of a call that failed.
fn code(call: &Error) -> u8 {
    let code = call.as_api_error().map(|error| error.code);
    let status = call.status().map(|status| status.as_u16());
    if call.is_denied() {
        return NOT_VERIFIED;
    }
    if let Some(refused) = status.and_then(|status| refusal_code(status, code)) {
        return refused;
    }
    match status {
        Some(500..=599) => UNREACHABLE,
        // A success that could not be read.
        Some(200..=299) => UNREACHABLE,
        Some(_) => NO,
        None if call.phase() == Phase::Transport => UNREACHABLE,
        None => NO,
    }
}

/// The exit code of a refusal for want of authorization, or for too many requests; `None` for any other.
pub(crate) fn refusal_code(status: u16, code: Option<u32>) -> Option<u8> {
    match status {
        401 => Some(UNAUTHORIZED),
        403 if code == Some(ApiError::SCHEME) => Some(UNAUTHORIZED),
        429 => Some(RATE_LIMITED),
        _ => None,
    }
}

/// Why a call failed: the cause that a user can act on, the details of the transport last.
fn cause(call: &Error, url: &BaseUrl) -> String {
    let source = call.source();
    if let Some(transport) = source.and_then(|source| source.downcast_ref::<TransportError>()) {
        let what = if call.is_connect() {
            format!("no connection to {url}")
        } else {
            transport.to_string()
        };
        return match transport.source() {
            Some(source) => format!("{what}: {}", root_cause(source)),
            None => what,
        };
    }
    let (Some(status), Some(source)) = (call.status(), source) else {
        return format!("failed to {call:#}");
    };
    let who = if status.is_server_error() {
        "the service failed"
    } else {
        "the service refused"
    };
    match call.as_api_error() {
        Some(error) => {
            let message = refusal(error);
            format!("{who}: {message} ({}, errorCode {})", status.as_u16(), error.code)
        }
        None if status.is_success() => format!("the answer cannot be read: {source}"),
        None => format!("{who}: {source}"),
    }
}

pub(crate) const IS_IT_RUNNING: &str =
    "start the emulator with `sinch-verify serve`, or give its address with --url or SINCH_VERIFICATION_URL";

/// What is known of the request, and what to do.
fn hints(call: &Error, url: &BaseUrl) -> Vec<String> {
    let mut hints = Vec::new();
    let later = call
        .reference()
        .map(|reference| format!("`sinch-verify status --reference {reference}`"));
    match (call.lookup(), later) {
        (Some(Lookup::Verification(found)), later) => {
            hints.push(format!(
                "the service has the verification: id {}, status {}",
                found.id, found.status
            ));
            hints.extend(later.map(|later| format!("{later} shows how it goes on")));
        }
        (Some(Lookup::Nothing), Some(later)) => hints.push(format!(
            "no verification has its reference so far, but the start may still arrive: \
             run {later} before you start again"
        )),
        (Some(Lookup::Unknown(query)), later) => {
            hints.push(format!(
                "the request may have been carried out; the status query failed too: {}",
                cause(query, url)
            ));
            hints.extend(later.map(|later| format!("run {later} before you start again")));
        }
        (Some(lookup), _) => hints.push(lookup.to_string()),
        (None, _) => {}
    }
    if call.is_connect() && url.is_loopback() {
        hints.push(IS_IT_RUNNING.to_owned());
    } else if call.is_connect() {
        hints.push("check the host name, in --url or SINCH_VERIFICATION_URL, and the network".to_owned());
    }
    if call.status().is_some_and(|status| status.is_success()) {
        hints.push("check that --url, or SINCH_VERIFICATION_URL, is the address of the service".to_owned());
    }
    if let Some(wait) = call.retry_after() {
        hints.push(format!("try again in {} s", whole_seconds(wait)));
    }
    hints.extend(call.ignored_clock_offset().map(|offset| {
        format!("the service's clock is {offset} from this machine's: set the clock of this machine")
    }));
    hints.extend(
        call.as_api_error()
            .and_then(|error| remedy(error.code))
            .map(str::to_owned),
    );
    hints
}

/// Rounded up: a moment too early is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// What to do about a refusal.
pub(crate) fn remedy(code: u32) -> Option<&'static str> {
    Some(match code {
        ApiError::CREDENTIALS => {
            "the service does not know this key, or its secret is another; set SINCH_APPLICATION_KEY and \
             SINCH_APPLICATION_SECRET to those that it has, or unset both for the development key and secret of \
             `sinch-verify serve`; `sinch-verify config list` shows what is set, and where"
        }
        ApiError::SIGNATURE => {
            "SINCH_APPLICATION_SECRET is not the secret of SINCH_APPLICATION_KEY; set both to those that the \
             service has, or unset both for the development key and secret of `sinch-verify serve`; \
             `sinch-verify config list` shows what is set, and where"
        }
        ApiError::SCHEME => "this takes more than the key: leave --auth out, or give --auth signed",
        ApiError::RESTRICTED => {
            "the application's callback denied it or gave no usable answer, or --auth public was given and no \
             callback URL is set; `sinch-verify serve` says why a callback failed, and takes --callback-url"
        }
        ApiError::TIMESTAMP => "set the clock of this machine",
        ApiError::REFERENCE_USED => {
            "a reference is taken once: give another one, or leave --reference out; \
             `sinch-verify status --reference` shows the verification that has it"
        }
        ApiError::CREDIT => "add credit to the account in the dashboard",
        ApiError::FORBIDDEN | ApiError::NO_ROUTE => "try another number, or another --method",
        _ => return None,
    })
}
