//! What a verification that failed means to a script, and what to do about it.

use sinch_verify_protocol::ApiError;
use sinch_verify_protocol::session::Failure;

use crate::exit::{ExitError, NOT_VERIFIED, UNREACHABLE};
use crate::failure::{IS_IT_RUNNING, refusal_code, remedy};

/// The error of the command. `is_loopback` says whether the service is on this machine.
pub(super) fn failed(failure: Failure, is_loopback: bool) -> anyhow::Error {
    let cause = failure.to_string();
    let last = match failure {
        Failure::NoMethodLeft { last } => *last,
        only => only,
    };
    let (code, hint) = match &last {
        Failure::Refused { status, error } => {
            let number = error.as_ref().map(|error| error.code);
            let code = refusal_code(*status, number).unwrap_or(match status {
                500.. => UNREACHABLE,
                _ => NOT_VERIFIED,
            });
            (code, number.and_then(remedy))
        }
        Failure::Unreachable { .. } => (UNREACHABLE, is_loopback.then_some(IS_IT_RUNNING)),
        Failure::Denied { .. } => (NOT_VERIFIED, remedy(ApiError::RESTRICTED)),
        _ => (NOT_VERIFIED, None),
    };
    anyhow::Error::new(ExitError {
        code,
        cause,
        hint: hint.map(str::to_owned),
        timed_out: matches!(last, Failure::TimedOut | Failure::NotInTime),
    })
}
