//! Handles: saved and resumed, waiting, following, confirming.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sinch_verify_client::handle::FollowError;
use sinch_verify_client::protocol::method::{Callout, FlashCall, Sms};
use sinch_verify_client::protocol::session::TargetError;
use sinch_verify_client::protocol::{Decision, Start, Status};
use sinch_verify_client::{Lookup, RetryPolicy, Saved, TransportErrorKind};

use crate::fault_server::{Fault, FaultServer};
use crate::script::{client, seamless, server, verification};
use crate::support::{KEY, PATIENT, SECRET, Service, Skipping, hasty, number};

#[tokio::test]
async fn a_handle_goes_through_text_into_another_client() {
    let service = Service::without_backend().await;
    let handle = service.client().start(Start::sms(number())).await.unwrap();
    let text = serde_json::to_string(&handle.save()).unwrap();
    assert_eq!(text, serde_json::to_string(&handle.save()).unwrap());
    assert!(text.starts_with(r#"{"v":1,"method":"sms","#), "{text}");
    assert!(!text.contains(SECRET));
    assert!(!format!("{handle:?} {:?}", handle.save()).contains("46700000001"));

    let saved: Saved<Sms> = serde_json::from_str(&text).unwrap();
    let resumed = service.client().resume(saved);
    assert_eq!(resumed.started(), handle.started());
    assert_eq!(resumed.reference(), handle.reference());
    assert_eq!(resumed.number(), Some(number()));
    assert_eq!(serde_json::to_string(&resumed.save()).unwrap(), text);

    let code = service.emulator.inbox(&number()).remove(0).code.unwrap();
    assert_eq!(resumed.status().await.unwrap().status, Status::Pending);
    assert!(resumed.report(code).await.unwrap().is_verified());
    assert!(handle.wait().await.unwrap().is_successful());
}

#[tokio::test]
async fn what_was_saved_is_read_as_its_own_method_and_version_only() {
    let service = Service::without_backend().await;
    let handle = service.client().start(Start::flash_call(number())).await.unwrap();
    let text = serde_json::to_string(&handle.save()).unwrap();
    let saved: Saved<FlashCall> = serde_json::from_str(&text).unwrap();
    assert!(service.client().resume(saved).cli_filter().is_ok());

    for (text, told) in [
        (text.clone(), "saved handle is of method flashcall, asked for sms"),
        (
            text.replace(r#""v":1"#, r#""v":2"#),
            "has version 2, this release reads version 1",
        ),
        (text.replace(r#""v":1,"#, ""), "missing field `v`"),
        ("{}".to_owned(), "missing field"),
    ] {
        let error = serde_json::from_str::<Saved<Sms>>(&text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert!(!error.contains("46700000001"), "{error}");
    }
    let cut = text.replace("flashCall", "flashShawl");
    let error = serde_json::from_str::<Saved<FlashCall>>(&cut)
        .unwrap_err()
        .to_string();
    assert!(error.contains("lacks what the method's answer has"), "{error}");
}

#[tokio::test]
async fn with_public_authorization_a_handle_asks_by_number_for_itself() {
    let service = Service::allowing().await;
    let client = service.builder().public(KEY).build().unwrap();
    let first = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(first.status().await.unwrap().status, Status::Pending);
    let second = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(second.status().await.unwrap().id, second.id);
    // The service tells the latest only.
    let error = first.status().await.unwrap_err();
    assert!(error.is_not_found(), "{error:#}");
}

#[tokio::test]
async fn a_denial_is_confirmed() {
    let service = Service::deciding(&Decision::Deny).await;
    for builder in [service.builder(), service.builder().public(KEY)] {
        let client = builder.build().unwrap();
        let error = client.start(Start::sms(number())).await.unwrap_err();
        assert!(error.is_denied());
        let found = client.confirm(&error).await.unwrap();
        assert_eq!(found.verification().unwrap().status, Status::Denied, "{found}");
    }

    service.emulator.reset();
    let key = KEY.parse().unwrap();
    service.emulator.set_callback_url(&key, None).unwrap();
    let client = service.builder().public(KEY).build().unwrap();
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_denied());
    assert!(matches!(client.confirm(&error).await.unwrap(), Lookup::Nothing));
}

/// Answers starts with `started`, the n-th query with the n-th of `statuses`, and then the last.
async fn scripted(started: &'static str, statuses: &'static [&'static str]) -> FaultServer {
    let nth = AtomicUsize::new(0);
    FaultServer::scripted(move |request| {
        if request.starts_with("POST") {
            return Fault::answer("200 OK", started);
        }
        let at = nth.fetch_add(1, Ordering::SeqCst).min(statuses.len() - 1);
        match statuses[at] {
            "404" => Fault::answer("404 Not Found", r#"{"errorCode":40400,"message":"No"}"#),
            "401" => Fault::answer("401 No", r#"{"errorCode":40107,"message":"No"}"#),
            "500" => Fault::answer("500 Oops", ""),
            status => {
                let body = format!(r#"{{"id":"1","status":"{status}"}}"#);
                Fault::answer("200 OK", &body)
            }
        }
    })
    .await
}

const CALLOUT: &str = r#"{"id":"1","method":"callout",
    "callout":{"startPollingAfter":3,"stopPollingAfter":30,"pollingInterval":3}}"#;

async fn wait_for_callout(statuses: &'static [&'static str]) -> (Result<Status, u16>, Vec<u64>) {
    let server = scripted(CALLOUT, statuses).await;
    let clock = Skipping::new();
    let client = hasty(&server.base_url)
        .retry(RetryPolicy::never())
        .clock(clock.clone())
        .build()
        .unwrap();
    let handle = client.start(Start::<Callout>::new(number())).await.unwrap();
    let answer = handle.wait().await;
    let answer = answer
        .map(|found| found.status)
        .map_err(|e| e.status().unwrap().as_u16());
    (answer, clock.slept().iter().map(Duration::as_secs).collect())
}

#[tokio::test]
async fn a_callout_is_waited_for_by_its_schedule() {
    let (answer, slept) = wait_for_callout(&["PENDING", "404", "500", "SUCCESSFUL"]).await;
    assert_eq!(answer, Ok(Status::Successful));
    assert_eq!(slept, [3, 3, 3, 3]);

    let (answer, slept) = wait_for_callout(&["PENDING"]).await;
    assert_eq!(answer, Ok(Status::Pending));
    assert_eq!(slept, [3; 10]);

    let (answer, slept) = wait_for_callout(&["PENDING", "FAIL"]).await;
    assert_eq!(answer, Ok(Status::Fail));
    assert_eq!(slept, [3, 3]);

    let (answer, _) = wait_for_callout(&["PENDING", "401"]).await;
    assert_eq!(answer, Err(401));
    let (answer, slept) = wait_for_callout(&["404"]).await;
    assert_eq!((answer, slept.len()), (Err(404), 10));
}

#[tokio::test]
async fn anything_else_is_waited_for_at_growing_distances() {
    let server = scripted(
        r#"{"id":"1","method":"sms"}"#,
        &["PENDING", "500", "PENDING", "PENDING", "FAIL"],
    )
    .await;
    let clock = Skipping::new();
    let client = hasty(&server.base_url)
        .retry(RetryPolicy::never())
        .clock(clock.clone())
        .build()
        .unwrap();
    let handle = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(handle.wait().await.unwrap().status, Status::Fail);
    let slept: Vec<_> = clock.slept().iter().map(Duration::as_millis).collect();
    assert_eq!(slept, [1000, 1500, 2250, 3375]);

    let server = scripted(r#"{"id":"1","method":"sms"}"#, &["PENDING"]).await;
    let clock = Skipping::new();
    let client = hasty(&server.base_url).clock(clock.clone()).build().unwrap();
    let handle = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(
        handle.wait_for(Duration::from_secs(60)).await.unwrap().status,
        Status::Pending
    );
    assert!(clock.ahead() <= Duration::from_secs(60) && clock.ahead() > Duration::from_secs(45));
    // No time, no question.
    let asked = server.seen().queries;
    let error = handle.wait_for(Duration::ZERO).await.unwrap_err();
    assert!(error.is_timeout() && !error.may_have_been_sent(), "{error:#}");
    assert_eq!(server.seen().queries, asked);
}

/// A query without an answer ends when the wait ends, whatever the time limit of a call is.
#[tokio::test]
async fn the_limit_of_waiting_ends_a_question_too() {
    let hour = Duration::from_secs(3600);
    for first in [Fault::Stall, verification("PENDING")] {
        let nth = AtomicUsize::new(0);
        let server = FaultServer::scripted(move |request| match request.starts_with("POST") {
            true => Fault::answer("200 OK", r#"{"id":"1","method":"sms"}"#),
            false if nth.fetch_add(1, Ordering::SeqCst) == 0 => first.clone(),
            false => Fault::Stall,
        })
        .await;
        let builder = hasty(&server.base_url).attempt_timeout(hour).total_timeout(hour);
        let handle = builder.build().unwrap().start(Start::sms(number())).await;
        let handle = handle.unwrap();
        let waiting = handle.wait_for(Duration::from_millis(1100));
        let answer = tokio::time::timeout(PATIENT, waiting).await.unwrap();
        match answer {
            // What was told before stays told.
            Ok(verification) => assert_eq!(verification.status, Status::Pending),
            Err(error) => assert!(error.is_timeout(), "{error:#}"),
        }
    }
}

#[tokio::test]
async fn the_emulators_data_verification_is_followed() {
    let service = Service::without_backend().await;
    let handle = service.client().start(Start::seamless(number())).await.unwrap();
    let verification = handle.follow().await.unwrap();
    assert_eq!(verification.status, handle.status().await.unwrap().status);
}

/// Starts a data verification whose address is `target`.
async fn follow(target: &str, plain_http: bool) -> Result<Status, FollowError> {
    let server = FaultServer::start(seamless(target)).await;
    let client = hasty(&server.base_url)
        .plain_http_targets(plain_http)
        .build()
        .unwrap();
    let handle = client.start(Start::seamless(number())).await.unwrap();
    handle.follow().await.map(|found| found.status)
}

fn redirect(location: &str) -> Fault {
    Fault::Say(
        format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes(),
    )
}

#[tokio::test]
async fn redirects_are_followed_without_credentials() {
    let done = r#"{"id":"1","status":"SUCCESSFUL"}"#;
    let other = FaultServer::start(Fault::answer("200 OK", done)).await;
    let elsewhere = format!("{}/end?x=1", other.base_url);
    let target = FaultServer::scripted(move |request| match request.split(' ').nth(1).unwrap() {
        "/a/begin" => redirect("next"),
        "/a/next" => redirect("../b?step=2"),
        "/b?step=2" => redirect(&elsewhere),
        _ => redirect("loop"),
    })
    .await;
    let status = follow(&format!("{}/a/begin", target.base_url), false).await;
    assert_eq!(status.unwrap(), Status::Successful);
    let requests = [target.requests(), other.requests()].concat();
    assert_eq!(requests.len(), 4);
    for request in requests {
        let lower = request.to_lowercase();
        for private in ["authorization", "x-timestamp", "11111111", "cookie"] {
            assert!(!lower.contains(private), "{request}");
        }
    }

    let error = follow(&format!("{}/loop", target.base_url), false)
        .await
        .unwrap_err();
    assert!(
        matches!(error, FollowError::Target(TargetError::TooManyRedirects)),
        "{error:#}"
    );
}

#[tokio::test]
async fn addresses_that_must_not_be_followed_are_not() {
    let onward = FaultServer::start(redirect("http://192.0.2.1/secret")).await;
    let aside = FaultServer::start(redirect("ftp://127.0.0.1/")).await;
    for (target, expected) in [
        ("http://192.0.2.1/".to_owned(), "plain http"),
        (onward.base_url.clone(), "plain http"),
        (onward.base_url.replace("//", "//user:s3cr3t@"), "credentials"),
        (aside.base_url.clone(), "scheme is not"),
        ("file:///etc/passwd".to_owned(), "not an absolute URI"),
        ("/relative".to_owned(), "not an absolute URI"),
    ] {
        let error = follow(&target, false).await.unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("192.0.2.1") && !text.contains("s3cr3t"), "{text}");
    }
}

#[tokio::test]
async fn what_a_target_says_of_another_verification_does_not_count() {
    let theirs = r#"{"id":"another","status":"SUCCESSFUL"}"#;
    for answer in [Fault::answer("200 OK", theirs), Fault::answer("200 OK", "")] {
        let target = FaultServer::start(answer).await;
        let server = server(seamless(&target.base_url), verification("PENDING")).await;
        let handle = client(&server).start(Start::seamless(number())).await.unwrap();
        assert_eq!(handle.follow().await.unwrap().status, Status::Pending);
        assert_eq!((target.requests().len(), server.seen().queries), (1, 1));
    }
}

#[tokio::test]
async fn all_redirects_together_have_the_time_of_one_call() {
    let target = FaultServer::scripted(|_| {
        let bytes = b"HTTP/1.1 302 Found\r\nlocation: on\r\ncontent-length: 0\r\n\r\n";
        Fault::Drip(bytes.to_vec(), Duration::from_millis(3))
    })
    .await;
    let server = FaultServer::start(seamless(&target.base_url)).await;
    // More than one redirect takes, and less than five.
    let builder = hasty(&server.base_url).total_timeout(Duration::from_millis(600));
    let client = builder.build().unwrap();
    let handle = client.start(Start::seamless(number())).await.unwrap();
    let error = handle.follow().await.unwrap_err();
    let FollowError::Transport(error) = error else {
        panic!("{error:#}");
    };
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
}

#[tokio::test]
async fn a_target_that_says_no_is_an_answer() {
    let body = r#"{"errorCode":40003,"message":"Number not verified"}"#;
    let target = FaultServer::start(Fault::answer("400 Bad Request", body)).await;
    let error = follow(&target.base_url, false).await.unwrap_err();
    assert!(matches!(error, FollowError::Answer(_)), "{error:#}");
    assert_eq!(target.requests().len(), 1);

    let target = FaultServer::start(Fault::Close).await;
    let error = follow(&target.base_url, false).await.unwrap_err();
    assert!(matches!(error, FollowError::Transport(_)), "{error:#}");
    assert_eq!(target.requests().len(), 1);
}
