//! Whose verification it is that a question found: this start's, or an older one with the same
//! reference or number, perhaps a success. Who takes that one for the new lets a stranger in.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::session::Failure;
use sinch_verify_client::protocol::{ApiError, Code, Reference, Report, Start, Status};
use sinch_verify_client::{Client, Lookup, SharedTransport, TransportError, TransportErrorKind};
use sinch_verify_emulator as emulator;
use tokio::sync::mpsc;

use crate::fault_server::{Fault, FaultServer, answer_with};
use crate::script::{busy, seen, server};
use crate::support::{KEY, Service, Skipping, hasty, number};

/// The service's time whenever it is asked.
const NOW: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

/// A verification as a status query tells it, of our number and reference unless said otherwise.
#[derive(Clone, Debug)]
struct Told {
    status: &'static str,
    method: &'static str,
    /// When it was started.
    timestamp: Option<&'static str>,
    number: Option<&'static str>,
    date: Option<&'static str>,
}

impl Told {
    /// By SMS, begun by the start that is on its way, or after it by another.
    fn new(status: &'static str) -> Self {
        Self {
            status,
            method: "sms",
            timestamp: Some("2023-11-14T22:13:20.0001234"),
            number: Some("+46700000001"),
            date: Some(NOW),
        }
    }

    fn answer(&self) -> Fault {
        let Self { status, method, .. } = self;
        let optional = |name: &str, value: Option<String>| match value {
            Some(value) => format!(r#","{name}":{value}"#),
            None => String::new(),
        };
        let number = self
            .number
            .map(|number| format!(r#"{{"type":"number","endpoint":"{number}"}}"#));
        let body = format!(
            r#"{{"id":"old","method":"{method}","status":"{status}","reference":"login-7781"{}{}}}"#,
            optional(
                "verificationTimestamp",
                self.timestamp.map(|at| format!(r#""{at}""#))
            ),
            optional("identity", number),
        );
        let date = self.date.map(|date| format!("date: {date}\r\n"));
        Fault::Say(answer_with("200 OK", &date.unwrap_or_default(), &body))
    }
}

fn ours() -> Reference {
    Reference::new("login-7781").unwrap()
}

/// A client whose time passes by its own pauses only, which are a few milliseconds.
fn client(server: &FaultServer) -> Client {
    hasty(&server.base_url)
        .clock(Skipping::up_to(Duration::from_secs(60)))
        .build()
        .unwrap()
}

/// The first start is put off, and the second refused because the reference is taken.
fn put_off_then_taken(told: &Told) -> impl Fn(&str) -> Fault + Send + Sync + 'static {
    let (query, starts) = (told.answer(), AtomicUsize::new(0));
    move |request| {
        if request.starts_with("GET") {
            return query.clone();
        }
        match starts.fetch_add(1, Ordering::SeqCst) {
            0 => busy("429 Too Many Requests", "retry-after: 0\r\n"),
            _ => taken(),
        }
    }
}

fn taken() -> Fault {
    Fault::answer(
        "409 Conflict",
        r#"{"errorCode":40900,"message":"Reference used"}"#,
    )
}

/// What a lost start with a reference of the caller's is told of `told`: `+` for a handle.
async fn lost(told: &Told) -> char {
    let server = server(Fault::Close, told.answer()).await;
    let answer = client(&server)
        .start(Start::sms(number()).reference(ours()))
        .await;
    assert_eq!(server.seen().starts, 1);
    let error = match answer {
        Ok(handle) => {
            assert_eq!(handle.found().map(|found| found.id.as_str()), Some("old"));
            return '+';
        }
        Err(error) => error,
    };
    // A second lookup finds the same.
    let confirmed = client(&server).confirm(&error).await.unwrap();
    assert_eq!(
        std::mem::discriminant(error.lookup().unwrap()),
        std::mem::discriminant(&confirmed)
    );
    match confirmed {
        Lookup::Verification(found) => {
            assert_eq!(error.is_denied(), found.status == Status::Denied);
            'v'
        }
        Lookup::Doubtful(found) => {
            assert_eq!(found.status.as_str(), told.status);
            assert!(!error.is_denied() && error.lookup().unwrap().verification().is_none());
            '?'
        }
        Lookup::Nothing => '-',
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_lost_start_with_a_reference_of_the_callers_takes_nothing_old_for_its_own() {
    let new = Told::new;
    let at = |status, timestamp| Told {
        timestamp,
        ..new(status)
    };
    for (told, expected) in [
        (new("PENDING"), '+'),
        // `Date` and timestamp may be cut to seconds.
        (at("PENDING", Some("2023-11-14T22:13:19")), '+'),
        (at("PENDING", Some("2023-11-14T22:13:21.9")), '+'),
        // Another start's, which may be confirmed soon.
        (at("PENDING", Some("2023-11-14T22:13:18.9")), '?'),
        (at("PENDING", Some("2023-11-11T22:13:20")), '?'),
        // By a clock that was moved ahead everything is new.
        (at("PENDING", Some("2023-11-14T22:13:22.1")), '?'),
        (at("PENDING", Some("2030-01-01T00:00:00")), '?'),
        // Nothing says when it was begun, by which clock, or of whom.
        (at("PENDING", None), '?'),
        (
            Told {
                date: None,
                ..new("PENDING")
            },
            '?',
        ),
        (
            Told {
                number: None,
                ..new("PENDING")
            },
            '?',
        ),
        (
            Told {
                number: Some("46700000001"),
                ..new("PENDING")
            },
            '?',
        ),
        // A success is never taken for the end of a start that was just sent.
        (new("SUCCESSFUL"), '?'),
        (at("SUCCESSFUL", Some("2023-11-11T22:13:20")), '?'),
        // An end other than success verifies no one, and is this start's only if it provably is.
        (new("DENIED"), 'v'),
        (at("DENIED", Some("2023-11-11T22:13:20")), '?'),
        (new("FAIL"), 'v'),
        // Certainly another.
        (
            Told {
                number: Some("+46700000002"),
                ..new("PENDING")
            },
            '-',
        ),
        (
            Told {
                number: Some("+46700000002"),
                ..new("SUCCESSFUL")
            },
            '-',
        ),
        (
            Told {
                method: "callout",
                ..new("PENDING")
            },
            '-',
        ),
    ] {
        assert_eq!(lost(&told).await, expected, "{told:?}");
    }
}

/// No other start has a reference that was made for this one, however its number is written.
#[tokio::test]
async fn a_lost_start_with_a_reference_of_its_own_is_found_whatever_its_number_looks_like() {
    for number_told in [Some("+46700000001"), Some("46700000001"), None] {
        let told = Told {
            number: number_told,
            timestamp: None,
            ..Told::new("PENDING")
        };
        let server = server(Fault::Close, told.answer()).await;
        let handle = client(&server).start(Start::sms(number())).await.unwrap();
        assert_eq!(handle.id.as_str(), "old", "{number_told:?}");
        assert_eq!(server.seen().starts, 1);
    }
}

/// What is of another number is not shown at all.
#[tokio::test]
async fn the_number_of_another_verification_is_not_told() {
    let told = Told {
        number: Some("+46700000002"),
        ..Told::new("SUCCESSFUL")
    };
    let server = server(Fault::Close, told.answer()).await;
    let start = Start::sms(number()).reference(ours());
    let error = client(&server).start(start).await.unwrap_err();
    let text = format!("{error:#} {error:?}");
    assert!(!text.contains("46700000002") && !text.contains("old"), "{text}");
}

/// An attacker who makes the service put a start off, or who waits until it does, must not get what
/// the owner's earlier start of the same reference became: not its success, and not its pending
/// call either.
#[tokio::test]
async fn a_reference_that_is_taken_gives_nobody_the_verification_that_took_it() {
    for status in ["SUCCESSFUL", "PENDING"] {
        let told = Told {
            method: "callout",
            ..Told::new(status)
        };
        let server = FaultServer::scripted(put_off_then_taken(&told)).await;
        let start = Start::callout(number()).reference(ours());
        let error = client(&server).start(start).await.unwrap_err();
        assert_eq!(server.seen(), seen(2, 0, 1), "{status}");
        assert_eq!(error.status().unwrap(), http::StatusCode::CONFLICT);
        let Some(Lookup::Doubtful(found)) = error.lookup() else {
            panic!("{error:#}");
        };
        assert_eq!(found.status.as_str(), status);
        let confirmed = client(&server).confirm(&error).await.unwrap();
        assert!(matches!(confirmed, Lookup::Doubtful(_)), "{confirmed}");
        let text = format!("{error:#}");
        assert!(text.contains("may be another one"), "{text}");
    }
}

/// While the service puts a start off, the owner may begin his own; and the refusal that follows may be
/// lost.
#[tokio::test]
async fn what_was_begun_while_a_start_was_put_off_is_not_its_own() {
    for (timestamp, own) in [("2023-11-14T22:13:15", false), ("2023-11-14T22:13:20", true)] {
        let query = Told {
            timestamp: Some(timestamp),
            ..Told::new("PENDING")
        }
        .answer();
        let starts = AtomicUsize::new(0);
        let server = FaultServer::scripted(move |request| {
            if request.starts_with("GET") {
                return query.clone();
            }
            match starts.fetch_add(1, Ordering::SeqCst) {
                0 => busy("503 Service Unavailable", "retry-after: 10\r\n"),
                _ => Fault::Close,
            }
        })
        .await;
        let start = Start::sms(number()).reference(ours());
        let answer = client(&server).start(start).await;
        assert_eq!(server.seen(), seen(2, 0, 1));
        match answer {
            Ok(handle) => assert!(own && handle.found().is_some()),
            Err(error) => {
                assert!(
                    !own && matches!(error.lookup(), Some(Lookup::Doubtful(_))),
                    "{error:#}"
                );
            }
        }
    }
}

/// Attempts that never left cannot be what took the reference.
#[tokio::test]
async fn a_reference_that_is_taken_before_anything_left_is_not_asked_for() {
    let nth = AtomicUsize::new(0);
    let transport = SharedTransport::from_fn(move |request: Request<Bytes>| {
        let first = nth.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert_eq!(
                request.method(),
                "POST",
                "a question about another's verification"
            );
            if first {
                return Err(TransportError::new(TransportErrorKind::Connect));
            }
            let body = r#"{"errorCode":40900,"message":"Reference used"}"#;
            let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
            *answer.status_mut() = http::StatusCode::CONFLICT;
            Ok(answer)
        }
    });
    let client = hasty("http://127.0.0.1:1").transport(transport).build().unwrap();
    let start = Start::callout(number()).reference(ours());
    let error = client.start(start).await.unwrap_err();
    assert_eq!(error.as_api_error().unwrap().code, ApiError::REFERENCE_USED);
    assert_eq!(error.attempts(), 2);
    assert!(error.lookup().is_none());
}

async fn flow(client: &Client, start: impl Into<Start>) -> Result<Status, Failure> {
    let (_tell, source) = mpsc::channel(1);
    match client.verify(number()).then(start).run(source).await {
        Ok(verification) => Ok(verification.status),
        Err(error) => Err(error.failure().unwrap().clone()),
    }
}

#[tokio::test]
async fn no_flow_is_verified_by_an_old_success_with_its_reference() {
    for method in ["sms", "callout", "whatsapp", "flashcall", "seamless"] {
        let start = || -> Start {
            match method {
                "sms" => Start::sms(number()).reference(ours()).into(),
                "callout" => Start::callout(number()).reference(ours()).into(),
                "whatsapp" => Start::whatsapp(number()).reference(ours()).into(),
                "flashcall" => Start::flash_call(number()).reference(ours()).into(),
                _ => Start::seamless(number()).reference(ours()).into(),
            }
        };
        let told = Told {
            method,
            ..Told::new("SUCCESSFUL")
        };
        let taken = FaultServer::scripted(put_off_then_taken(&told)).await;
        let failure = flow(&client(&taken), start()).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Refused { status: 409, .. }),
            "{method}: {failure}"
        );
        let lost = server(Fault::Close, told.answer()).await;
        let failure = flow(&client(&lost), start()).await.unwrap_err();
        let lost = matches!(
            failure,
            Failure::Unreachable {
                may_have_been_sent: true
            }
        );
        assert!(lost, "{method}: {failure}");
    }
}

/// A reference that the client made belongs to this start alone. No report was sent yet: only a key
/// pressed during a call can have ended it with success.
#[tokio::test]
async fn with_a_reference_of_the_clients_own_a_found_success_is_a_callouts() {
    let old = |method| Told {
        method,
        timestamp: None,
        ..Told::new("SUCCESSFUL")
    };
    let lost = server(Fault::Close, old("callout").answer()).await;
    let handle = client(&lost).start(Start::callout(number())).await.unwrap();
    assert!(handle.found().unwrap().is_successful());
    let verified = flow(&client(&lost), Start::callout(number())).await;
    assert_eq!(verified.unwrap(), Status::Successful);

    let lost = server(Fault::Close, old("sms").answer()).await;
    let error = client(&lost).start(Start::sms(number())).await.unwrap_err();
    assert!(error.lookup().unwrap().verification().unwrap().is_successful());
    let failure = flow(&client(&lost), Start::sms(number())).await.unwrap_err();
    assert!(matches!(failure, Failure::Doubtful(_)), "{failure}");
}

/// The service itself, in which the owner has just verified the number.
#[tokio::test]
async fn the_owners_success_at_the_service_is_nobody_elses() {
    let service = Service::without_backend().await;
    let start = || Start::callout(number()).reference(ours());
    let owner = service.client().start(start()).await.unwrap();
    service.emulator.press_keypad(&number(), "1").unwrap();
    assert!(owner.status().await.unwrap().is_successful());

    let fault = |handled| {
        let mut rule = emulator::FaultRule::api(emulator::Fault::Reset { handled });
        rule.operation = Some(emulator::Operation::Start);
        rule.count = Some(1);
        service.emulator.add_fault(rule).unwrap();
    };
    // The start does not arrive; its refusal is lost.
    for handled in [false, true] {
        fault(handled);
        let error = service.client().start(start()).await.unwrap_err();
        let Some(Lookup::Doubtful(found)) = error.lookup() else {
            panic!("{error:#}");
        };
        assert_eq!(found.id, owner.id);
        fault(handled);
        let failure = flow(&service.client(), start()).await.unwrap_err();
        assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
    }

    // A start that arrived is found as before, with a reference of its own.
    fault(true);
    let reference = Reference::new("login-7782").unwrap();
    let start = Start::callout(number()).reference(reference);
    let handle = service.client().start(start).await.unwrap();
    assert_eq!(handle.found().unwrap().status, Status::Pending);
    assert_ne!(handle.id, owner.id);
}

/// A wrong code for a number that its owner has just verified, and an answer that gets lost: the
/// number's latest verification is a success, and not by this report.
#[tokio::test]
async fn a_lost_report_by_number_is_not_answered_by_the_numbers_latest_success() {
    let client = |server: &FaultServer, public| {
        let builder = hasty(&server.base_url);
        let builder = if public { builder.public(KEY) } else { builder };
        builder.build().unwrap()
    };
    let report = || Report::<Sms>::by_number(number(), Code::new("0000").unwrap());
    for fault in [
        Fault::Close,
        busy("500 Internal Server Error", ""),
        busy("503 Service Unavailable", ""),
    ] {
        for public in [true, false] {
            for status in ["SUCCESSFUL", "FAIL"] {
                let server = server(fault.clone(), Told::new(status).answer()).await;
                let error = client(&server, public).report(report()).await.unwrap_err();
                assert_eq!(server.seen(), seen(0, 1, 1));
                let Some(Lookup::Doubtful(found)) = error.lookup() else {
                    panic!("{error:#}");
                };
                assert_eq!(found.status.as_str(), status);
            }
            // While it is pending the report is sent again, as ever.
            let server = server(fault.clone(), Told::new("PENDING").answer()).await;
            let error = client(&server, public).report(report()).await.unwrap_err();
            assert_eq!(server.seen(), seen(0, 3, 3));
            assert!(matches!(error.lookup(), Some(Lookup::Doubtful(_))), "{error:#}");
        }
    }
}
