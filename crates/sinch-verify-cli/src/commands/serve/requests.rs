//! A line for each request, where it can be seen.

use std::convert::Infallible;

use sinch_verify_emulator::{AnsweredRequest, AnsweredRequests};
use sinch_verify_protocol::timestamp::XTimestamp;

use crate::print::note;

/// Logs requests on standard error as they are answered.
pub(super) async fn log(requests: Option<AnsweredRequests>) -> Infallible {
    let Some(mut requests) = requests else {
        return std::future::pending().await;
    };
    loop {
        note!("{}", line(&requests.next().await));
    }
}

fn line(request: &AnsweredRequest) -> String {
    let operation = request
        .operation
        .map_or("unknown path", |operation| operation.name());
    let answer = match (request.status, request.error_code) {
        (None, _) => "no answer".to_owned(),
        (Some(status), None) => status.to_string(),
        (Some(status), Some(code)) => format!("{status} (errorCode {code})"),
    };
    let fault = request
        .fault
        .map_or_else(String::new, |fault| format!("  fault {fault}"));
    let about = request.verification_id.as_ref();
    let about = about.map_or_else(String::new, |id| format!("  {}", id.as_str()));
    format!(
        "{}  {operation}  {answer}{fault}  {:.1} ms{about}",
        XTimestamp::new(request.at).as_str(),
        request.took.as_secs_f64() * 1000.0,
    )
}
