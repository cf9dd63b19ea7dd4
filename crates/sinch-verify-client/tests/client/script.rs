//! Answers that a fault server is told to give, and what it then saw.

use sinch_verify_client::Client;
use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{Code, Report, VerificationId};

use crate::fault_server::{Fault, FaultServer, Seen, answer_with};
use crate::support::hasty;

pub(crate) const STARTED: &str = r#"{"id":"1","method":"sms"}"#;

/// The answer to the start of a data verification whose address is `target`.
pub(crate) fn seamless(target: &str) -> Fault {
    let body = format!(r#"{{"id":"1","method":"seamless","seamless":{{"targetUri":"{target}"}}}}"#);
    Fault::answer("200 OK", &body)
}

pub(crate) fn client(server: &FaultServer) -> Client {
    hasty(&server.base_url).build().unwrap()
}

pub(crate) fn verification(status: &str) -> Fault {
    let body = format!(r#"{{"id":"1","method":"sms","status":"{status}"}}"#);
    Fault::answer("200 OK", &body)
}

pub(crate) fn not_found() -> Fault {
    Fault::answer("404 Not Found", r#"{"errorCode":40400,"message":"Not found"}"#)
}

pub(crate) fn busy(status: &str, headers: &str) -> Fault {
    let code = &status[..3];
    let body = format!(r#"{{"errorCode":{code}00,"message":"Busy"}}"#);
    Fault::Say(answer_with(status, headers, &body))
}

pub(crate) fn report() -> Report<Sms> {
    Report::by_id(VerificationId::new("1").unwrap(), Code::new("4821").unwrap())
}

pub(crate) fn seen(starts: usize, reports: usize, queries: usize) -> Seen {
    Seen {
        starts,
        reports,
        queries,
    }
}

/// A server that does one thing with starts and reports, and another with queries.
pub(crate) async fn server(write: Fault, query: Fault) -> FaultServer {
    FaultServer::scripted(move |request| match request.starts_with("GET") {
        true => query.clone(),
        false => write.clone(),
    })
    .await
}
