//! What is sent again, when, and signed with which time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use http::header::RETRY_AFTER;
use sinch_verify_client::protocol::{ApiError, Method, Reference, Start, Status, VerificationId};
use sinch_verify_client::{
    Entropy, Lookup, ReportOutcome, RetryPolicy, SharedTransport, TransportError, TransportErrorKind,
};
use tracing::span;

use crate::fault_server::{Fault, FaultServer, answer, answer_with, refusing};
use crate::script::{STARTED, busy, client, report, seen, server, verification};
use crate::support::{Service, Skipping, hasty, number};

/// The first `n` requests meet `fault`, all others `then`.
async fn at_first(n: usize, fault: Fault, then: Fault) -> FaultServer {
    let count = AtomicUsize::new(0);
    FaultServer::scripted(move |_| match count.fetch_add(1, Ordering::SeqCst) < n {
        true => fault.clone(),
        false => then.clone(),
    })
    .await
}

#[tokio::test]
async fn a_start_is_sent_again_when_the_service_asks_for_it() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let fault = busy(status, "retry-after: 0\r\n");
        let server = at_first(2, fault.clone(), Fault::answer("200 OK", STARTED)).await;
        let handle = client(&server).start(Start::sms(number())).await.unwrap();
        assert_eq!(handle.id.as_str(), "1");
        assert!(handle.found().is_none());
        assert_eq!(server.seen(), seen(3, 0, 0), "{status}");

        let server = FaultServer::start(fault).await;
        let error = client(&server).start(Start::sms(number())).await.unwrap_err();
        assert_eq!(server.seen(), seen(3, 0, 0), "{status}");
        assert_eq!(error.attempts(), 3);
        assert_eq!(error.retry_after(), Some(Duration::ZERO));
        assert!(error.lookup().is_none());
        assert_eq!(error.is_rate_limited(), status.starts_with("429"));
    }
}

#[tokio::test]
async fn every_attempt_of_a_start_has_the_same_reference_and_its_own_signature() {
    let fault = busy("503 Service Unavailable", "retry-after: 0\r\n");
    let server = at_first(2, fault, Fault::answer("200 OK", STARTED)).await;
    let client = hasty(&server.base_url)
        .clock(Skipping::ticking(Duration::from_millis(1)))
        .build()
        .unwrap();
    client.start(Start::sms(number())).await.unwrap();
    let requests = server.requests();
    let unique = |name: &str| {
        let mut values: Vec<_> = requests
            .iter()
            .map(|request| {
                let line = request.lines().find(|line| line.to_lowercase().starts_with(name));
                line.unwrap().to_owned()
            })
            .collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    assert_eq!(unique("authorization:"), 3);
    assert_eq!(unique("x-timestamp:"), 3);
    assert_eq!(unique("{"), 1, "the bodies differ");
}

#[tokio::test]
async fn a_start_that_is_refused_is_sent_once() {
    for (status, code) in [
        (400, 40001),
        (402, 40200),
        (403, 40303),
        (409, 40900),
        (422, 42200),
        (429, 42901),
    ] {
        let body = format!(r#"{{"errorCode":{code},"message":"No"}}"#);
        let server = FaultServer::start(Fault::answer(&format!("{status} No"), &body)).await;
        let error = client(&server).start(Start::sms(number())).await.unwrap_err();
        assert_eq!(server.seen(), seen(1, 0, 0), "{status}");
        assert_eq!(error.as_api_error().unwrap().code, code);
        assert!(error.lookup().is_none());
    }
}

#[tokio::test]
async fn a_start_that_never_left_is_sent_again() {
    let client = hasty(&refusing()).build().unwrap();
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_connect(), "{error:#}");
    assert!(!error.may_have_been_sent());
    assert_eq!(error.attempts(), 3);
    assert!(error.lookup().is_none());
}

#[tokio::test]
async fn a_report_waits_when_the_service_asks_for_it() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let fault = busy(status, "retry-after: 0\r\n");
        let server = at_first(2, fault, verification("SUCCESSFUL")).await;
        assert!(client(&server).report(report()).await.unwrap().is_verified());
        assert_eq!(server.seen(), seen(0, 3, 0), "{status}");
    }

    // Nor is it carried out where the service names no time: the status decides nothing.
    let server = server(busy("429 Too Many Requests", ""), verification("SUCCESSFUL")).await;
    let error = client(&server).report(report()).await.unwrap_err();
    assert!(error.is_rate_limited(), "{error:#}");
    assert_eq!(server.seen(), seen(0, 3, 0));
}

#[tokio::test]
async fn a_refused_code_is_reported_once() {
    let body = r#"{"errorCode":40003,"message":"Invalid identity or code."}"#;
    let server = FaultServer::start(Fault::answer("400 Bad Request", body)).await;
    let outcome = client(&server).report(report()).await.unwrap();
    let ReportOutcome::Refused { error, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.unwrap().code, ApiError::NOT_PROCESSABLE);
    assert_eq!(server.seen(), seen(0, 1, 0));
}

#[tokio::test]
async fn a_query_is_sent_again_freely() {
    for loss in [
        Fault::Close,
        busy("503 Service Unavailable", ""),
        busy("429 Too Many Requests", ""),
        Fault::answer("500 Oops", ""),
    ] {
        let server = at_first(2, loss.clone(), verification("PENDING")).await;
        client(&server)
            .status_by_number(Method::Sms, number())
            .await
            .unwrap();
        assert_eq!(server.seen(), seen(0, 0, 3));

        let server = FaultServer::start(loss).await;
        let error = client(&server)
            .status_by_number(Method::Sms, number())
            .await
            .unwrap_err();
        assert_eq!(server.seen(), seen(0, 0, 3));
        assert_eq!(error.attempts(), 3);
    }
}

#[tokio::test]
async fn the_total_time_ends_everything() {
    // A pause that would not fit is not begun.
    let server = FaultServer::start(busy("503 Service Unavailable", "retry-after: 3600\r\n")).await;
    let error = client(&server).start(Start::sms(number())).await.unwrap_err();
    assert_eq!(server.seen(), seen(1, 0, 0));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));

    // An attempt is cut short, and nothing is left for the question.
    let server = FaultServer::start(Fault::Stall).await;
    let client = hasty(&server.base_url)
        .total_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(error.may_have_been_sent());
    let Some(Lookup::Unknown(query)) = error.lookup() else {
        panic!("{error:#}");
    };
    assert!(query.is_timeout());
    assert!(!query.may_have_been_sent());
    assert_eq!(server.seen(), seen(1, 0, 0));
}

#[tokio::test]
async fn pauses_go_through_the_clock_and_grow() {
    let clock = Skipping::ticking(Duration::from_millis(1));
    let server = at_first(3, Fault::Close, verification("PENDING")).await;
    let policy = RetryPolicy::default()
        .attempts(4)
        .backoff(Duration::from_secs(100), Duration::from_secs(300));
    let client = hasty(&server.base_url)
        .retry(policy)
        .total_timeout(Duration::from_secs(100_000))
        .clock(clock.clone())
        .entropy(Zeros)
        .build()
        .unwrap();
    client.status_by_number(Method::Sms, number()).await.unwrap();
    let slept: Vec<_> = clock.slept().iter().map(Duration::as_secs).collect();
    assert_eq!(slept, [50, 100, 150]);
}

#[tokio::test]
async fn a_wrong_clock_is_set_right_by_the_services() {
    let body = r#"{"errorCode":40101,"message":"X-Timestamp required"}"#;
    let refusal = answer_with(
        "401 Unauthorized",
        "date: Tue, 14 Nov 2023 23:00:00 GMT\r\n",
        body,
    );
    let server = FaultServer::scripted(move |request| {
        // Right is what was signed in the hour of `Date`.
        if request.contains("2023-11-14T23:0") || request.contains("2023-11-14T22:59:59") {
            if request.starts_with("POST") {
                Fault::answer("200 OK", STARTED)
            } else {
                verification("PENDING")
            }
        } else {
            Fault::Say(refusal.clone())
        }
    })
    .await;
    // This host says 22:13:20.
    let client = hasty(&server.base_url)
        .clock(Skipping::ticking(Duration::from_millis(1)))
        .build()
        .unwrap();
    assert!(client.clock_offset().is_zero());
    client.start(Start::sms(number())).await.unwrap();
    assert_eq!(server.seen(), seen(2, 0, 0));
    let offset = client.clock_offset().as_secs();
    assert!((2790..2800).contains(&offset), "{offset}");

    client.status_by_number(Method::Sms, number()).await.unwrap();
    assert_eq!(server.seen(), seen(2, 0, 1), "the offset was not kept");
}

#[tokio::test]
async fn a_clock_that_takes_local_time_for_utc_is_set_right_by_the_emulators() {
    let service = Service::without_backend().await;
    let hours = Duration::from_secs(14 * 3600);
    let clock = Skipping::new().beginning(SystemTime::now() - hours);
    let client = service.builder().clock(clock).build().unwrap();
    let handle = client.start(Start::sms(number())).await.unwrap();
    let offset = client.clock_offset().as_secs();
    assert!(offset.abs_diff(14 * 3600) < 600, "{offset}");
    // One message: the refusal came before anything was done.
    let code = service.emulator.inbox(&number()).remove(0).code.unwrap();
    assert!(handle.report(code).await.unwrap().is_verified());
    assert_eq!(service.emulator.inbox(&number()).len(), 1);
}

#[tokio::test]
async fn a_refused_time_is_signed_once_more_only() {
    let body = r#"{"errorCode":40101,"message":"X-Timestamp required"}"#;
    let with_date = answer_with(
        "401 Unauthorized",
        "date: Tue, 14 Nov 2023 23:00:00 GMT\r\n",
        body,
    );
    for (refusal, starts) in [(with_date, 2), (answer("401 Unauthorized", body), 1)] {
        let server = FaultServer::start(Fault::Say(refusal)).await;
        let client = hasty(&server.base_url).clock(Skipping::new()).build().unwrap();
        let error = client.start(Start::sms(number())).await.unwrap_err();
        assert_eq!(error.as_api_error().unwrap().code, ApiError::TIMESTAMP);
        assert_eq!(error.ignored_clock_offset(), None);
        assert_eq!(server.seen(), seen(starts, 0, 0));
        assert_eq!(usize::try_from(error.attempts()).unwrap(), starts);
    }
}

#[tokio::test]
async fn a_service_whose_clock_is_years_away_changes_no_signature() {
    let body = r#"{"errorCode":40101,"message":"X-Timestamp required"}"#;
    let refusal = answer_with(
        "401 Unauthorized",
        "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
        body,
    );
    let server = FaultServer::start(Fault::Say(refusal)).await;
    let events = Events::default();
    let _guard = tracing::subscriber::set_default(events.clone());
    let client = client(&server);
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert_eq!(server.seen(), seen(1, 0, 0), "it was signed again");
    assert!(client.clock_offset().is_zero());
    let ignored = error.ignored_clock_offset().unwrap();
    assert!(ignored.as_secs() < -365 * 24 * 3600, "{ignored}");
    let told = format!("the service's clock is {ignored} from this host's, too far to sign with");
    assert!(format!("{error:#}").contains(&told), "{error:#}");
    let events = events.0.lock().unwrap();
    assert!(
        matches!(&events[..], [event] if event.contains("is ignored") && event.contains(&ignored.as_secs().to_string())),
        "{events:?}"
    );
}

/// Keeps the warnings of the client, fields and all.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Events {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() == tracing::Level::WARN
            && metadata.target().starts_with("sinch_verify_client")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn references_are_made_of_the_clients_entropy_unless_given() {
    let server = FaultServer::start(Fault::answer("200 OK", STARTED)).await;
    let client = hasty(&server.base_url).entropy(Zeros).build().unwrap();
    let handle = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(handle.reference().unwrap().as_str(), "0".repeat(32));
    let own = Reference::new("order-7781").unwrap();
    let handle = client
        .start(Start::sms(number()).reference(own.clone()))
        .await
        .unwrap();
    assert_eq!(handle.reference(), Some(&own));

    let client = self::client(&server);
    let one = client.start(Start::sms(number())).await.unwrap();
    let other = client.start(Start::sms(number())).await.unwrap();
    assert_ne!(one.reference(), other.reference());
}

#[derive(Debug)]
struct Zeros;

impl Entropy for Zeros {
    fn next_u64(&self) -> u64 {
        0
    }
}

/// What one request meets.
#[derive(Clone, Copy, Debug)]
enum Met {
    Refused,
    Lost,
    Answer(u16, &'static str),
    Wait,
}

/// A transport on which request after request meets the next of these, and then the last.
fn script(met: &'static [Met]) -> SharedTransport {
    let nth = AtomicUsize::new(0);
    SharedTransport::from_fn(move |_| {
        let at = nth.fetch_add(1, Ordering::SeqCst).min(met.len() - 1);
        let answer = |status: u16, body: &'static str| {
            let mut answer = http::Response::new(Bytes::from_static(body.as_bytes()));
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            answer
        };
        let met = match met[at] {
            Met::Refused => Err(TransportError::new(TransportErrorKind::Connect)),
            Met::Lost => Err(TransportError::new(TransportErrorKind::Interrupted)),
            Met::Answer(status, body) => Ok(answer(status, body)),
            Met::Wait => {
                let mut answer = answer(503, "");
                answer.headers_mut().insert(RETRY_AFTER, 0.into());
                Ok(answer)
            }
        };
        async move { met }
    })
}

const PENDING: &str = r#"{"id":"1","method":"sms","status":"PENDING"}"#;

/// An earlier attempt that may have arrived still counts if the last one met no connection.
#[tokio::test]
async fn an_attempt_that_may_have_arrived_counts_whatever_the_last_one_met() {
    let scripted = |met| {
        let builder = hasty("http://127.0.0.1:1").transport(script(met));
        builder.build().unwrap()
    };
    let reported = scripted(&[Met::Lost, Met::Answer(200, PENDING), Met::Refused])
        .report(report())
        .await
        .unwrap_err();
    let found = reported.lookup().and_then(Lookup::verification).unwrap();
    assert_eq!(found.status, Status::Pending);
    assert_eq!(reported.attempts(), 3);

    let started = scripted(&[Met::Wait, Met::Refused])
        .start(Start::sms(number()))
        .await
        .unwrap_err();
    let asked = scripted(&[Met::Lost, Met::Refused])
        .status_by_id(VerificationId::new("1").unwrap())
        .await
        .unwrap_err();
    for error in [reported, started, asked] {
        assert!(error.may_have_been_sent(), "{error:#}");
        assert!(!error.is_connect(), "{error:#}");
    }

    let error = scripted(&[Met::Refused]).report(report()).await.unwrap_err();
    assert!(error.is_connect() && !error.may_have_been_sent(), "{error:#}");
}
