//! What is sent again, what is asked for instead, and what the caller is told.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{
    ApiError, Code, Method, PhoneNumber, Reference, Report, Start, Status, VerificationId,
};
use sinch_verify_client::{Client, ClientBuilder, Clock, Entropy, Found, RetryPolicy, Sleep};

use crate::fault_server::{Fault, FaultServer, Seen, answer, answer_with, refusing};

const KEY: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";
const STARTED: &str = r#"{"id":"1","method":"sms"}"#;

fn number() -> PhoneNumber {
    "+46700000001".parse().unwrap()
}

fn builder(base_url: &str) -> ClientBuilder {
    let short = Duration::from_millis(1);
    Client::builder()
        .application_signed(KEY, SECRET)
        .base_url(base_url)
        .retry(RetryPolicy::default().backoff(short, short * 5))
        .attempt_timeout(Duration::from_secs(20))
        .total_timeout(Duration::from_secs(60))
}

fn client(server: &FaultServer) -> Client {
    builder(&server.base_url).build().unwrap()
}

fn verification(status: &str) -> Fault {
    let body = format!(r#"{{"id":"1","method":"sms","status":"{status}"}}"#);
    Fault::answer("200 OK", &body)
}

fn not_found() -> Fault {
    Fault::answer("404 Not Found", r#"{"errorCode":40400,"message":"Not found"}"#)
}

fn busy(status: &str, headers: &str) -> Fault {
    let code = &status[..3];
    let body = format!(r#"{{"errorCode":{code}00,"message":"Busy"}}"#);
    Fault::Say(answer_with(status, headers, &body))
}

fn report() -> Report<Sms> {
    Report::by_id(VerificationId::new("1").unwrap(), Code::new("4821").unwrap())
}

fn seen(starts: usize, reports: usize, queries: usize) -> Seen {
    Seen {
        starts,
        reports,
        queries,
    }
}

/// A server that does one thing with starts and reports, and another with queries.
async fn server(write: Fault, query: Fault) -> FaultServer {
    FaultServer::scripted(move |request| match request.starts_with("GET") {
        true => query.clone(),
        false => write.clone(),
    })
    .await
}

/// The first `n` requests meet `fault`, all others `then`.
async fn at_first(n: usize, fault: Fault, then: Fault) -> FaultServer {
    let count = AtomicUsize::new(0);
    FaultServer::scripted(move |_| match count.fetch_add(1, Ordering::SeqCst) < n {
        true => fault.clone(),
        false => then.clone(),
    })
    .await
}

/// Everything after which nobody knows whether the request was carried out.
fn losses() -> Vec<Fault> {
    let whole = answer("200 OK", STARTED);
    vec![
        Fault::Close,
        Fault::SayAndClose(whole[..20].to_vec()),
        Fault::SayAndClose(whole[..whole.len() - 3].to_vec()),
        Fault::SayAndClose(b"garbage\r\n\r\n".to_vec()),
        Fault::Say(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        Fault::answer("200 OK", "<html>"),
        Fault::answer("502 Bad Gateway", "<html>"),
        busy("503 Service Unavailable", ""),
        busy("500 Internal Server Error", "retry-after: 0\r\n"),
    ]
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
        assert!(error.found().is_none());
        assert_eq!(error.is_rate_limited(), status.starts_with("429"));
    }
}

#[tokio::test]
async fn every_attempt_of_a_start_has_the_same_reference_and_its_own_signature() {
    let fault = busy("503 Service Unavailable", "retry-after: 0\r\n");
    let server = at_first(2, fault, Fault::answer("200 OK", STARTED)).await;
    let client = builder(&server.base_url)
        .clock(Ticking::default())
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
        assert!(error.found().is_none());
    }
}

#[tokio::test]
async fn a_start_that_never_left_is_sent_again() {
    let client = builder(&refusing().await).build().unwrap();
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_connect(), "{error:#}");
    assert!(!error.may_have_been_sent());
    assert_eq!(error.attempts(), 3);
    assert!(error.found().is_none());
}

#[tokio::test]
async fn a_lost_start_is_found_and_goes_on() {
    for loss in losses() {
        let lost = AtomicUsize::new(0);
        let server = FaultServer::scripted(move |request| {
            if request.starts_with("POST") {
                loss.clone()
            } else if request.starts_with("PUT") {
                verification("SUCCESSFUL")
            } else if lost.fetch_add(1, Ordering::SeqCst) == 0 {
                // Not there yet: the service still waits for the callback.
                not_found()
            } else {
                verification("PENDING")
            }
        })
        .await;
        let handle = client(&server).start(Start::sms(number())).await.unwrap();
        assert_eq!(handle.id.as_str(), "1");
        assert_eq!(handle.found().unwrap().status, Status::Pending);
        assert_eq!(server.seen(), seen(1, 0, 2));
        let reference = handle.reference().unwrap().as_str();
        let requests = server.requests();
        assert!(requests[0].contains(reference), "{}", requests[0]);
        assert!(
            requests[1].contains(&format!("/reference/{reference} ")),
            "{}",
            requests[1]
        );

        let verification = handle.report(Code::new("4821").unwrap()).await.unwrap();
        assert!(verification.is_successful());
    }
}

#[tokio::test]
async fn a_lost_start_that_is_not_found_is_not_sent_again() {
    for loss in losses() {
        let server = server(loss, not_found()).await;
        let error = client(&server).start(Start::sms(number())).await.unwrap_err();
        assert_eq!(server.seen(), seen(1, 0, 3));
        assert!(error.may_have_been_sent());
        assert!(matches!(error.found(), Some(Found::Nothing)), "{error:#}");
        let text = format!("{error:#}");
        assert!(
            text.ends_with("; the service knows no such verification"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_lost_start_whose_query_fails_too_is_unknown() {
    for loss in losses() {
        let server = server(loss, Fault::Close).await;
        let error = client(&server).start(Start::sms(number())).await.unwrap_err();
        assert_eq!(server.seen(), seen(1, 0, 3));
        let Some(Found::Unknown(query)) = error.found() else {
            panic!("{error:#}");
        };
        assert_eq!(query.operation(), "status_by_reference");
        assert_eq!(error.operation(), "start_verification");
    }
}

#[tokio::test]
async fn a_lost_start_that_has_ended_is_told() {
    let lost = server(Fault::Close, verification("DENIED")).await;
    let error = client(&lost).start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_denied(), "{error:#}");
    assert_eq!(lost.seen(), seen(1, 0, 1));

    let lost = server(Fault::Close, verification("FAIL")).await;
    let error = client(&lost).start(Start::sms(number())).await.unwrap_err();
    assert!(!error.is_denied());
    let found = error.found().and_then(Found::verification).unwrap();
    assert_eq!(found.status, Status::Fail);
}

#[tokio::test]
async fn a_lost_flash_call_start_is_found_without_its_filter() {
    let server = server(Fault::Close, verification("PENDING")).await;
    let error = client(&server)
        .start(Start::flash_call(number()))
        .await
        .unwrap_err();
    assert_eq!(server.seen(), seen(1, 0, 1));
    let found = error.found().and_then(Found::verification).unwrap();
    assert_eq!((found.id.as_str(), &found.status), ("1", &Status::Pending));
    assert!(error.reference().is_some());
}

#[tokio::test]
async fn with_public_authorization_the_number_is_asked_for_and_must_be_of_this_start() {
    for (theirs, found) in [(false, true), (true, false)] {
        let reference = Reference::new("order-7781").unwrap();
        let told = if theirs { "another" } else { reference.as_str() };
        let body = format!(r#"{{"id":"1","method":"sms","status":"PENDING","reference":"{told}"}}"#);
        let server = server(Fault::Close, Fault::answer("200 OK", &body)).await;
        let client = builder(&server.base_url).public(KEY).build().unwrap();
        let answer = client.start(Start::sms(number()).reference(reference)).await;
        assert_eq!(answer.is_ok(), found, "{answer:?}");
        assert_eq!(server.seen().starts, 1);
        let query = server.requests().pop().unwrap();
        assert!(
            query.starts_with("GET /verification/v1/verifications/sms/number/"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_lost_report_is_settled_by_the_status() {
    for loss in losses() {
        for status in [Status::Successful, Status::Fail, Status::Aborted] {
            let server = server(loss.clone(), verification(status.as_str())).await;
            let verification = client(&server).report(report()).await.unwrap();
            assert_eq!(verification.status, status);
            assert_eq!(server.seen(), seen(0, 1, 1));
        }
    }
}

#[tokio::test]
async fn a_lost_report_is_sent_again_only_while_the_status_is_pending() {
    for loss in losses() {
        let pending = server(loss.clone(), verification("PENDING")).await;
        let error = client(&pending).report(report()).await.unwrap_err();
        assert_eq!(pending.seen(), seen(0, 3, 3));
        let found = error.found().and_then(Found::verification).unwrap();
        assert_eq!(found.status, Status::Pending);

        let unknown = server(loss.clone(), not_found()).await;
        let error = client(&unknown).report(report()).await.unwrap_err();
        assert_eq!(unknown.seen(), seen(0, 1, 1));
        assert!(matches!(error.found(), Some(Found::Nothing)));

        let broken = server(loss, Fault::Close).await;
        let error = client(&broken).report(report()).await.unwrap_err();
        assert_eq!(broken.seen(), seen(0, 1, 3));
        assert!(matches!(error.found(), Some(Found::Unknown(_))));
    }
}

#[tokio::test]
async fn a_report_waits_when_the_service_asks_for_it() {
    let fault = busy("429 Too Many Requests", "retry-after: 0\r\n");
    let server = at_first(2, fault, verification("SUCCESSFUL")).await;
    assert!(client(&server).report(report()).await.unwrap().is_successful());
    assert_eq!(server.seen(), seen(0, 3, 0));

    let server = crate::retries::server(busy("429 Too Many Requests", ""), verification("SUCCESSFUL")).await;
    assert!(client(&server).report(report()).await.unwrap().is_successful());
    assert_eq!(server.seen(), seen(0, 1, 1));
}

#[tokio::test]
async fn a_refused_code_is_reported_once() {
    let body = r#"{"errorCode":40003,"message":"Invalid identity or code."}"#;
    let server = FaultServer::start(Fault::answer("400 Bad Request", body)).await;
    let error = client(&server).report(report()).await.unwrap_err();
    assert_eq!(error.as_api_error().unwrap().code, ApiError::NOT_PROCESSABLE);
    assert_eq!(server.seen(), seen(0, 1, 0));
}

#[tokio::test]
async fn a_report_by_id_with_public_authorization_cannot_be_asked_for() {
    let server = FaultServer::start(Fault::Close).await;
    let client = builder(&server.base_url).public(KEY).build().unwrap();
    let error = client.report(report()).await.unwrap_err();
    assert!(error.found().is_none());
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
async fn a_slow_drip_is_ended_by_the_attempts_time() {
    let drip = Fault::Drip(answer("200 OK", STARTED), Duration::from_millis(20));
    let server = server(drip, not_found()).await;
    let client = builder(&server.base_url)
        .attempt_timeout(Duration::from_millis(150))
        .build()
        .unwrap();
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_timeout(), "{error:#}");
    assert!(matches!(error.found(), Some(Found::Nothing)), "{error:#}");
    assert_eq!(server.seen(), seen(1, 0, 3));
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
    let client = builder(&server.base_url)
        .total_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(error.may_have_been_sent());
    let Some(Found::Unknown(query)) = error.found() else {
        panic!("{error:#}");
    };
    assert!(query.is_timeout());
    assert!(!query.may_have_been_sent());
    assert_eq!(server.seen(), seen(1, 0, 0));
}

#[tokio::test]
async fn pauses_go_through_the_clock_and_grow() {
    let clock = Ticking::default();
    let server = at_first(3, Fault::Close, verification("PENDING")).await;
    let policy = RetryPolicy::default()
        .attempts(4)
        .backoff(Duration::from_secs(100), Duration::from_secs(300));
    let client = builder(&server.base_url)
        .retry(policy)
        .total_timeout(Duration::from_secs(100_000))
        .clock(clock.clone())
        .entropy(Zeros)
        .build()
        .unwrap();
    client.status_by_number(Method::Sms, number()).await.unwrap();
    let slept: Vec<_> = clock
        .slept
        .lock()
        .unwrap()
        .iter()
        .map(Duration::as_secs)
        .collect();
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
    let client = builder(&server.base_url)
        .clock(Ticking::default())
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
async fn a_refused_time_is_signed_once_more_only() {
    let body = r#"{"errorCode":40101,"message":"X-Timestamp required"}"#;
    let with_date = answer_with(
        "401 Unauthorized",
        "date: Tue, 14 Nov 2023 23:00:00 GMT\r\n",
        body,
    );
    for (refusal, starts) in [(with_date, 2), (answer("401 Unauthorized", body), 1)] {
        let server = FaultServer::start(Fault::Say(refusal)).await;
        let error = client(&server).start(Start::sms(number())).await.unwrap_err();
        assert_eq!(error.as_api_error().unwrap().code, ApiError::TIMESTAMP);
        assert_eq!(server.seen(), seen(starts, 0, 0));
        assert_eq!(usize::try_from(error.attempts()).unwrap(), starts);
    }
}

#[tokio::test]
async fn references_are_made_of_the_clients_entropy_unless_given() {
    let server = FaultServer::start(Fault::answer("200 OK", STARTED)).await;
    let client = builder(&server.base_url).entropy(Zeros).build().unwrap();
    let handle = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(handle.reference().unwrap().as_str(), "0".repeat(32));
    let own = Reference::new("order-7781").unwrap();
    let handle = client
        .start(Start::sms(number()).reference(own.clone()))
        .await
        .unwrap();
    assert_eq!(handle.reference(), Some(&own));

    let client = crate::retries::client(&server);
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

/// A clock that goes on by a millisecond with every look at it, and does not really sleep.
#[derive(Clone, Debug, Default)]
struct Ticking {
    ms: Arc<AtomicU64>,
    slept: Arc<Mutex<Vec<Duration>>>,
}

impl Clock for Ticking {
    fn now(&self) -> SystemTime {
        let ms = self.ms.fetch_add(1, Ordering::Relaxed);
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + ms)
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.slept.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }
}
