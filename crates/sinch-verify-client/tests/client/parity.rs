//! A handle and a flow send the same requests, whatever the service answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use sinch_verify_client::flow::{Seen, Step};
use sinch_verify_client::protocol::session::Progress;
use sinch_verify_client::protocol::{Code, Start};
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_client::{
    Client, ClientBuilder, Entropy, SharedTransport, Transport as _, TransportError, TransportErrorKind,
};

use crate::fault_server::{Fault, FaultServer};
use crate::script::{STARTED, busy, not_found, verification};
use crate::support::{PATIENT, Skipping, hasty, number};

/// What a start or a report meets.
#[derive(Clone, Debug)]
enum Met {
    /// The transport fails before anything is sent.
    NotSent(TransportErrorKind),
    Answer(Fault),
}

fn every_outcome() -> Vec<Met> {
    let refused = |status: &str, code: u32| {
        let body = format!(r#"{{"errorCode":{code},"message":"No"}}"#);
        Met::Answer(Fault::answer(&format!("{status} No"), &body))
    };
    let busy = |status: &str, headers: &str| Met::Answer(busy(status, headers));
    vec![
        Met::NotSent(TransportErrorKind::Connect),
        Met::NotSent(TransportErrorKind::ConnectTimeout),
        // The connection is reset before the request is sent.
        Met::NotSent(TransportErrorKind::Interrupted),
        Met::Answer(Fault::Reset),
        Met::Answer(Fault::Close),
        Met::Answer(Fault::Stall),
        refused("400", 40001),
        refused("400", 40003),
        refused("401", 40107),
        refused("403", 40303),
        refused("404", 40400),
        busy("408 Request Timeout", ""),
        refused("409", 40900),
        busy("429 Too Many Requests", "retry-after: 0\r\n"),
        busy("429 Too Many Requests", ""),
        busy("500 Internal Server Error", ""),
        busy("503 Service Unavailable", ""),
        busy("503 Service Unavailable", "retry-after: 0\r\n"),
        Met::Answer(Fault::answer("200 OK", "<html>")),
        Met::Answer(Fault::Say(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())),
    ]
}

/// What the queries about it meet.
fn every_status() -> Vec<Fault> {
    vec![
        verification("PENDING"),
        verification("SUCCESSFUL"),
        verification("FAIL"),
        not_found(),
        busy("500 Internal Server Error", ""),
        busy("429 Too Many Requests", ""),
        Fault::answer("401 No", r#"{"errorCode":40107,"message":"No"}"#),
        Fault::answer("200 OK", "<html>"),
        Fault::Close,
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Start,
    Report,
}

impl Operation {
    fn verb(self) -> &'static str {
        match self {
            Self::Start => "POST",
            Self::Report => "PUT",
        }
    }
}

/// The same references for all clients.
#[derive(Debug)]
struct Zeros;

impl Entropy for Zeros {
    fn next_u64(&self) -> u64 {
        0
    }
}

/// One side of the comparison: its server, and how often its transport failed before sending.
struct Side {
    server: FaultServer,
    not_sent: Arc<AtomicUsize>,
    operation: Operation,
    met: Met,
}

impl Side {
    async fn new(operation: Operation, met: &Met, status: &Fault) -> Self {
        let (answer, status) = (met.clone(), status.clone());
        let server = FaultServer::scripted(move |request| {
            let verb = request.split(' ').next().unwrap();
            match &answer {
                _ if verb == "GET" => status.clone(),
                Met::Answer(fault) if verb == operation.verb() => fault.clone(),
                _ if verb == "POST" => Fault::answer("200 OK", STARTED),
                _ => verification("SUCCESSFUL"),
            }
        })
        .await;
        Self {
            server,
            not_sent: Arc::default(),
            operation,
            met: met.clone(),
        }
    }

    fn client(&self) -> Client {
        let wire = Arc::new(ReqwestTransport::plain(PATIENT).unwrap());
        let (met, verb, not_sent) = (
            self.met.clone(),
            self.operation.verb(),
            Arc::clone(&self.not_sent),
        );
        let transport = SharedTransport::from_fn(move |request: Request<Bytes>| {
            let wire = Arc::clone(&wire);
            let kind = match met {
                Met::NotSent(kind) if request.method() == verb => Some(kind),
                _ => None,
            };
            if kind.is_some() {
                not_sent.fetch_add(1, Ordering::SeqCst);
            }
            async move {
                match kind {
                    Some(kind) => Err(TransportError::new(kind).never_sent()),
                    None => wire.send(request).await,
                }
            }
        });
        let builder: ClientBuilder = hasty(&self.server.base_url);
        let stalls = matches!(self.met, Met::Answer(Fault::Stall));
        builder
            .attempt_timeout(if stalls {
                Duration::from_millis(300)
            } else {
                PATIENT
            })
            .clock(Skipping::up_to(Duration::from_secs(60)))
            .entropy(Zeros)
            .transport(transport)
            .build()
            .unwrap()
    }

    async fn by_handle(&self) {
        let client = self.client();
        if let Ok(handle) = client.start(Start::sms(number())).await
            && self.operation == Operation::Report
        {
            let _outcome = handle.report(Code::new("4821").unwrap()).await;
        }
    }

    async fn by_flow(&self) {
        let (tell, source) = tokio::sync::mpsc::channel(1);
        if self.operation == Operation::Report {
            tell.try_send(Seen::Code(Code::new("4821").unwrap())).unwrap();
        }
        let flow = self.client().verify(number());
        let mut running = flow.begin(source).unwrap();
        while let Some(step) = running.next().await {
            match step {
                // The start was answered, or found.
                Step::Progress(Progress::Waiting { .. }) if self.operation == Operation::Start => break,
                // The report is settled as far as it can be.
                Step::Progress(Progress::Refused { .. } | Progress::ReportUnsettled) => break,
                _ => {}
            }
        }
    }

    /// The requests that the server saw, without what differs from one to the next: signature, time, host.
    fn seen(&self) -> Vec<String> {
        let plain = |request: String| {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let line = head.lines().next().unwrap();
            // A person's code is marked as such by the session.
            format!("{line} {}", body.replace(r#""source":"manual","#, ""))
        };
        self.server.requests().into_iter().map(plain).collect()
    }
}

/// Checks one operation, and gives how many requests it took at most.
async fn compare(operation: Operation) -> usize {
    let mut most = 0;
    for met in every_outcome() {
        for status in every_status() {
            let handle = Side::new(operation, &met, &status).await;
            let flow = Side::new(operation, &met, &status).await;
            tokio::join!(handle.by_handle(), flow.by_flow());
            assert_eq!(
                handle.seen(),
                flow.seen(),
                "{operation:?} met {met:?}, then {status:?}"
            );
            let count = |side: &Side| side.not_sent.load(Ordering::SeqCst);
            assert_eq!(
                count(&handle),
                count(&flow),
                "{operation:?} met {met:?}, then {status:?}"
            );
            most = most.max(handle.seen().len());
        }
    }
    most
}

#[tokio::test]
async fn a_handle_and_a_flow_send_the_same_starts_and_queries() {
    // One start, and queries until the service must know it.
    assert_eq!(compare(Operation::Start).await, 1 + 9);
}

#[tokio::test]
async fn a_handle_and_a_flow_send_the_same_reports_and_queries() {
    // The start, three reports, and a query about each.
    assert_eq!(compare(Operation::Report).await, 1 + 3 + 3);
}
