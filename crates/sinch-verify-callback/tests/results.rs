//! Waits for result events: over a socket, and with a clock that is moved.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod fixtures;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fixtures::{builder, now, signer};
use sinch_verify_callback::protocol::{VerificationId, WireObject as _};
use sinch_verify_callback::testing::result_event;
use sinch_verify_callback::{Context, Decision, Handler, Method, RequestEvent, ResultEvent, Results, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything here takes: a test that gets there has found a hang.
const HANG: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

fn id(text: &str) -> VerificationId {
    VerificationId::new(text).unwrap()
}

fn result(text: &str) -> ResultEvent {
    result_event(
        id(text),
        Method::Sms,
        "+46700000001".parse().unwrap(),
        Status::Successful,
    )
}

/// Takes results, or fails.
struct Backend {
    fails: Arc<AtomicBool>,
}

impl Handler for Backend {
    type Error = &'static str;

    async fn on_request(&self, _: RequestEvent, _: &Context) -> Result<Decision, Self::Error> {
        Ok(Decision::Allow)
    }

    async fn on_result(&self, _: ResultEvent, _: &Context) -> Result<(), Self::Error> {
        let fails = self.fails.load(Ordering::SeqCst);
        if fails { Err("no database") } else { Ok(()) }
    }
}

async fn serve(handler: impl Handler, results: &Results) -> SocketAddr {
    let builder = builder().handler(handler);
    let service = builder.results(results).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(service.serve(listener, std::future::pending()));
    address
}

/// Posts a result as the service does, signed `later` than now, and gives the status.
async fn post(server: SocketAddr, event: &ResultEvent, later: Duration) -> u16 {
    let request = signer().post("/".parse().unwrap(), event.to_json(), now() + later);
    let mut raw = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n",
        request.body().len()
    );
    for (name, value) in request.headers() {
        raw.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let raw = [raw.as_bytes(), b"\r\n", request.body()].concat();
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(&raw).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer[9..12].parse().unwrap()
}

#[tokio::test]
async fn every_wait_for_a_verification_ends_with_its_result() {
    let results = Results::default();
    let decide = |_: RequestEvent| async { Ok::<_, Infallible>(Decision::Allow) };
    let server = serve(decide, &results).await;
    let (one, two) = (id("1"), id("2"));
    let posts = async {
        assert_eq!(post(server, &result("2"), Duration::ZERO).await, 200);
        assert_eq!(post(server, &result("1"), Duration::ZERO).await, 200);
    };
    let (first, second, other, ()) = tokio::join!(
        results.wait(&one, HANG),
        results.wait(&one, HANG),
        results.wait(&two, HANG),
        posts,
    );
    assert_eq!(first, Some(result("1")));
    assert_eq!(second, Some(result("1")));
    assert_eq!(other, Some(result("2")));
    // Delivered again, and waited for again.
    assert_eq!(post(server, &result("1"), SECOND).await, 200);
    assert_eq!(results.wait(&one, HANG).await, Some(result("1")));
}

#[tokio::test]
async fn a_result_counts_once_the_handler_has_handled_it() {
    let results = Results::default();
    let fails = Arc::new(AtomicBool::new(true));
    let backend = Backend {
        fails: Arc::clone(&fails),
    };
    let server = serve(backend, &results).await;
    assert_eq!(post(server, &result("1"), Duration::ZERO).await, 500);
    assert_eq!(results.wait(&id("1"), Duration::ZERO).await, None);
    // The service posts it again.
    fails.store(false, Ordering::SeqCst);
    assert_eq!(post(server, &result("1"), SECOND).await, 200);
    assert_eq!(results.wait(&id("1"), Duration::ZERO).await, Some(result("1")));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_limit_and_leaves_nothing_behind() {
    let results = Results::default();
    let start = tokio::time::Instant::now();
    assert_eq!(results.wait(&id("1"), 90 * SECOND).await, None);
    assert!(
        (90..92).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    // Dropped before its limit, beside one that goes on.
    let one = id("1");
    let mut goes_on = Box::pin(results.wait(&one, HANG));
    let early = SECOND;
    assert!(tokio::time::timeout(early, &mut goes_on).await.is_err());
    assert!(
        tokio::time::timeout(early, results.wait(&one, HANG))
            .await
            .is_err()
    );
    assert!(format!("{results:?}").contains("awaited: 1"), "{results:?}");
    results.record(&result("1"));
    assert_eq!(goes_on.await, Some(result("1")));
    assert!(
        format!("{results:?}").contains("kept: 1, awaited: 0"),
        "{results:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_is_kept_for_a_while() {
    let results = Results::default();
    results.record(&result("1"));
    tokio::time::advance(Results::KEPT_FOR - SECOND).await;
    // A second delivery does not keep it longer.
    results.record(&result("1"));
    assert_eq!(results.wait(&id("1"), Duration::ZERO).await, Some(result("1")));
    tokio::time::advance(SECOND).await;
    assert_eq!(results.wait(&id("1"), Duration::ZERO).await, None);
    assert!(
        format!("{results:?}").contains("kept: 0, awaited: 0"),
        "{results:?}"
    );
}

#[tokio::test]
async fn the_oldest_result_gives_way_when_there_is_no_room() {
    let results = Results::with_room(NonZeroUsize::new(2).unwrap());
    for n in ["1", "2", "2", "3"] {
        results.record(&result(n));
    }
    assert_eq!(results.wait(&id("1"), Duration::ZERO).await, None);
    for n in ["2", "3"] {
        assert_eq!(results.wait(&id(n), Duration::ZERO).await, Some(result(n)));
    }
}
