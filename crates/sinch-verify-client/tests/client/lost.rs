//! Answers that were lost: what is asked for instead, and what the caller is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sinch_verify_client::protocol::{Code, Reference, Start, Status};
use sinch_verify_client::{Client, Error, Lookup, ReportOutcome, RetryPolicy};

use crate::fault_server::{Fault, FaultServer, Seen, answer, answer_with};
use crate::script::{STARTED, busy, client, not_found, report, seen, server, verification};
use crate::support::{KEY, PATIENT, Skipping, builder, hasty, number};

/// A fault that leaves open whether the request was carried out.
struct Loss {
    fault: Fault,
    /// A success came, but nothing that could be read.
    arrived: bool,
    attempt_timeout: Duration,
}

impl Loss {
    fn client(&self, server: &FaultServer) -> Client {
        hasty(&server.base_url)
            .attempt_timeout(self.attempt_timeout)
            .clock(Skipping::new())
            .build()
            .unwrap()
    }

    /// What the caller of a start is told, where each of so many queries meets the same.
    async fn of_a_start(&self, query: Fault, queries: usize) -> Error {
        let server = server(self.fault.clone(), query).await;
        let answer = self.client(&server).start(Start::sms(number())).await;
        self.check(&server, seen(1, 0, queries));
        answer.unwrap_err()
    }

    /// What the server saw. Where the attempts' time is short, a question may have been repeated.
    fn check(&self, server: &FaultServer, expected: Seen) {
        let mut seen = server.seen();
        if self.attempt_timeout < PATIENT && seen.queries > expected.queries {
            seen.queries = expected.queries;
        }
        assert_eq!(seen, expected, "{:?}", self.fault);
    }
}

fn losses() -> Vec<Loss> {
    let whole = answer("200 OK", STARTED);
    let head = whole.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let cut = |at: usize| whole[..at].to_vec();
    let gone = [
        Fault::Reset,
        Fault::Close,
        Fault::SayAndReset(cut(head)),
        Fault::SayAndReset(cut(whole.len() - 3)),
        Fault::SayAndClose(cut(20)),
        Fault::SayAndClose(cut(head)),
        Fault::SayAndClose(cut(whole.len() - 3)),
        Fault::SayAndClose(b"garbage\r\n\r\n".to_vec()),
        Fault::SayAndStall(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n{".to_vec()),
        Fault::answer("502 Bad Gateway", "<html>"),
        busy("503 Service Unavailable", ""),
        busy("500 Internal Server Error", "retry-after: 0\r\n"),
    ];
    let unreadable = [
        Fault::Say(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        Fault::answer("200 OK", "<html>"),
    ];
    let late = [
        Fault::Stall,
        Fault::SayAndStall(cut(20)),
        Fault::SayAndStall(cut(whole.len() - 3)),
        Fault::Drip(whole.clone(), Duration::from_millis(20)),
    ];
    let within = |attempt_timeout, arrived| {
        move |fault| Loss {
            fault,
            arrived,
            attempt_timeout,
        }
    };
    let late = late.into_iter().map(within(Duration::from_millis(200), false));
    let unreadable = unreadable.into_iter().map(within(PATIENT, true));
    let gone = gone.into_iter().map(within(PATIENT, false));
    gone.chain(unreadable).chain(late).collect()
}

#[tokio::test]
async fn a_lost_start_is_found_and_goes_on() {
    for loss in losses() {
        let lost = AtomicUsize::new(0);
        let fault = loss.fault.clone();
        let server = FaultServer::scripted(move |request| {
            if request.starts_with("POST") {
                fault.clone()
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
        let handle = loss.client(&server).start(Start::sms(number())).await.unwrap();
        assert_eq!(handle.id.as_str(), "1");
        assert_eq!(handle.found().unwrap().status, Status::Pending);
        loss.check(&server, seen(1, 0, 2));
        let reference = handle.reference().unwrap().as_str();
        let requests = server.requests();
        assert!(requests[0].contains(reference), "{}", requests[0]);
        assert!(
            requests[1].contains(&format!("/reference/{reference} ")),
            "{}",
            requests[1]
        );

        let outcome = handle.report(Code::new("4821").unwrap()).await.unwrap();
        assert!(outcome.is_verified());
    }
}

#[tokio::test]
async fn a_lost_start_that_is_not_found_is_not_sent_again() {
    for loss in losses() {
        // Three times in milliseconds, and then each second until the service must know.
        let error = loss.of_a_start(not_found(), 9).await;
        assert!(error.may_have_been_sent());
        assert!(matches!(error.lookup(), Some(Lookup::Nothing)), "{error:#}");
        let text = format!("{error:#}");
        assert!(
            text.ends_with("no such verification so far; a request under way may still arrive"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_lost_start_whose_query_fails_too_is_unknown() {
    for loss in losses() {
        let error = loss.of_a_start(Fault::Close, 3).await;
        let Some(Lookup::Unknown(query)) = error.lookup() else {
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
    let found = error.lookup().and_then(Lookup::verification).unwrap();
    assert_eq!(found.status, Status::Fail);
}

#[tokio::test]
async fn a_lost_flash_call_start_is_found_without_its_filter() {
    let pending = r#"{"id":"1","method":"flashCall","status":"PENDING"}"#;
    let server = server(Fault::Close, Fault::answer("200 OK", pending)).await;
    let error = client(&server)
        .start(Start::flash_call(number()))
        .await
        .unwrap_err();
    assert_eq!(server.seen(), seen(1, 0, 1));
    let found = error.lookup().and_then(Lookup::verification).unwrap();
    assert_eq!((found.id.as_str(), &found.status), ("1", &Status::Pending));
    assert!(error.reference().is_some());
}

#[tokio::test]
async fn with_public_authorization_the_number_is_asked_for_and_must_be_of_this_start() {
    for (theirs, found) in [(false, true), (true, false)] {
        let reference = Reference::new("order-7781").unwrap();
        let told = if theirs { "another" } else { reference.as_str() };
        let body = format!(
            r#"{{"id":"1","method":"sms","status":"PENDING","reference":"{told}",
               "verificationTimestamp":"2023-11-14T22:13:20"}}"#
        );
        let date = "date: Tue, 14 Nov 2023 22:13:20 GMT\r\n";
        let server = server(Fault::Close, Fault::Say(answer_with("200 OK", date, &body))).await;
        let client = hasty(&server.base_url)
            .public(KEY)
            .clock(Skipping::new())
            .build()
            .unwrap();
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
            let server = server(loss.fault.clone(), verification(status.as_str())).await;
            let outcome = loss.client(&server).report(report()).await.unwrap();
            assert_eq!(outcome.verification().unwrap().status, status);
            assert_eq!(outcome.is_verified(), status == Status::Successful);
            assert_eq!(
                matches!(outcome, ReportOutcome::Ended(_)),
                status != Status::Successful
            );
            loss.check(&server, seen(0, 1, 1));
        }
    }
}

#[tokio::test]
async fn a_lost_report_is_sent_again_only_while_the_status_is_pending() {
    for loss in losses() {
        let pending = server(loss.fault.clone(), verification("PENDING")).await;
        let answer = loss.client(&pending).report(report()).await;
        if loss.arrived {
            // The service took it and did not find it right: another time would cost another attempt.
            loss.check(&pending, seen(0, 1, 1));
            assert!(matches!(answer, Ok(ReportOutcome::Refused { .. })), "{answer:?}");
        } else {
            loss.check(&pending, seen(0, 3, 3));
            let error = answer.unwrap_err();
            let found = error.lookup().and_then(Lookup::verification).unwrap();
            assert_eq!(found.status, Status::Pending);
        }

        let unknown = server(loss.fault.clone(), not_found()).await;
        let error = loss.client(&unknown).report(report()).await.unwrap_err();
        loss.check(&unknown, seen(0, 1, 1));
        assert!(matches!(error.lookup(), Some(Lookup::Nothing)));

        let broken = server(loss.fault.clone(), Fault::Close).await;
        let error = loss.client(&broken).report(report()).await.unwrap_err();
        loss.check(&broken, seen(0, 1, 3));
        assert!(matches!(error.lookup(), Some(Lookup::Unknown(_))));
    }
}

#[tokio::test]
async fn a_report_by_id_with_public_authorization_cannot_be_asked_for() {
    let server = FaultServer::start(Fault::Close).await;
    let client = hasty(&server.base_url).public(KEY).build().unwrap();
    let error = client.report(report()).await.unwrap_err();
    assert!(error.lookup().is_none());
    assert_eq!(server.seen(), seen(0, 1, 0));
}

/// The service said to try again, and had carried it out all the same.
#[tokio::test]
async fn a_refusal_of_what_was_done_already_is_settled_by_the_status() {
    let nth = AtomicUsize::new(0);
    let server = FaultServer::scripted(move |request| {
        if request.starts_with("GET") {
            return verification("PENDING");
        }
        match nth.fetch_add(1, Ordering::SeqCst) {
            0 => busy("503 Service Unavailable", "retry-after: 0\r\n"),
            _ => Fault::answer(
                "409 Conflict",
                r#"{"errorCode":40900,"message":"Reference used"}"#,
            ),
        }
    })
    .await;
    let handle = client(&server).start(Start::sms(number())).await.unwrap();
    assert_eq!(handle.found().unwrap().status, Status::Pending);
    assert_eq!(server.seen(), seen(2, 0, 1));

    let (reports, queries) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let server = FaultServer::scripted(move |request| {
        if request.starts_with("GET") {
            // The first report is still on its way when it is asked for.
            return match queries.fetch_add(1, Ordering::SeqCst) {
                0 => verification("PENDING"),
                _ => verification("SUCCESSFUL"),
            };
        }
        match reports.fetch_add(1, Ordering::SeqCst) {
            0 => Fault::Close,
            _ => Fault::answer("400 Bad Request", r#"{"errorCode":40003,"message":"Has ended"}"#),
        }
    })
    .await;
    assert!(client(&server).report(report()).await.unwrap().is_verified());
    assert_eq!(server.seen(), seen(0, 2, 2));
}

/// The service may wait 5 seconds for the callback before it begins a verification: a start that is
/// not known after a second may be there after six.
#[tokio::test]
async fn a_lost_start_is_asked_for_longer_than_the_service_may_take() {
    let ask = |total: u64, attempts| async move {
        let server = server(Fault::Close, not_found()).await;
        let clock = Skipping::new();
        let client = builder(&server.base_url)
            .retry(RetryPolicy::default().attempts(attempts))
            .clock(clock.clone())
            .attempt_timeout(PATIENT)
            .total_timeout(Duration::from_secs(total))
            .build()
            .unwrap();
        let error = client.start(Start::sms(number())).await.unwrap_err();
        assert!(matches!(error.lookup(), Some(Lookup::Nothing)), "{error:#}");
        (clock.ahead(), server.seen().queries)
    };
    for attempts in [1, 3, 9] {
        let (spent, queries) = ask(60, attempts).await;
        assert!(spent > Duration::from_secs(5), "{spent:?} with {attempts}");
        assert!((4..=9).contains(&queries), "{queries} with {attempts}");
    }
    // Only where there is time for it.
    let (spent, queries) = ask(3, 3).await;
    assert!(spent < Duration::from_secs(3), "{spent:?}");
    assert!(queries >= 3, "{queries}");
}
