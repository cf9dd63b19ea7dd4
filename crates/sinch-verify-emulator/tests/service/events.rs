//! Result and delivered events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sinch_verify_emulator::{Emulator, Settings};
use sinch_verify_protocol::callback::{Decision, Event, SmsResult};
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::{AcceptLanguage, Code, Custom, Method, Reference, Report, Start, Status};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{
    DECISION, DELIVERED, RESULT, Receiver, answering, basic, builder, call, deciding, emulator_calling,
    emulator_calling_with, key, newest, number, public, reply, settled,
};

#[tokio::test]
async fn a_device_is_decided_about_then_delivered_then_verified() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling(&receiver).await;
    let start = Start::sms(number())
        .reference(Reference::new("order-1").unwrap())
        .custom(Custom::new("session 42").unwrap())
        .languages("sv-SE".parse::<AcceptLanguage>().unwrap());
    let started = call(&emulator, &public(), &start).await.unwrap();
    receiver.wait(2).await;
    let report = Report::<Sms>::by_number(number(), newest(&emulator).code.unwrap());
    call(&emulator, &public(), &report).await.unwrap();
    settled(&emulator).await;
    assert_eq!(receiver.names(), [DECISION, DELIVERED, RESULT]);

    let posts = receiver.posts();
    for posted in &posts {
        let header = |name| posted.headers[name].to_str().unwrap();
        assert!(header("authorization").starts_with(&format!("application {}:", key())));
        assert_eq!(header("content-type"), "application/json; charset=utf-8");
        assert_eq!(posted.event.id(), Some(&started.id));
    }
    let Event::Request(request) = &posts[0].event else {
        panic!("{posts:?}")
    };
    assert_eq!(request.method, Method::Sms);
    assert_eq!(request.identity.phone_number().unwrap(), number());
    assert_eq!(request.reference.as_deref(), Some("order-1"));
    assert_eq!(request.custom.as_ref().unwrap().as_str(), "session 42");
    assert_eq!(request.price.as_ref().unwrap().currency.as_deref(), Some("EUR"));
    assert_eq!(
        request.accept_language.as_deref(),
        Some(&["sv-SE".to_owned()][..])
    );
    let Event::SmsDelivered(delivered) = &posts[1].event else {
        panic!("{posts:?}")
    };
    assert_eq!(delivered.sms_result, SmsResult::Successful);
    let Event::Result(result) = &posts[2].event else {
        panic!("{posts:?}")
    };
    assert_eq!(result.status, Status::Successful);
    assert_eq!(result.reference.as_deref(), Some("order-1"));
    assert_eq!(result.custom.as_ref().unwrap().as_str(), "session 42");
}

#[tokio::test]
async fn one_result_event_for_every_kind_of_end() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling(&receiver).await;
    let start = async || {
        call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    };
    let wrong = || Report::<Sms>::by_number(number(), Code::new("wrong").unwrap());
    // Aborted by the next start.
    start().await;
    // Failed.
    start().await;
    for _ in 0..5 {
        let _ = call(&emulator, &basic(), &wrong()).await;
    }
    // Successful, and reported again.
    start().await;
    let right = Report::<Sms>::by_number(number(), newest(&emulator).code.unwrap());
    call(&emulator, &basic(), &right).await.unwrap();
    call(&emulator, &basic(), &right).await.unwrap_err();
    // Expired, and reported late.
    start().await;
    emulator.advance(Duration::from_secs(24 * 3600));
    call(&emulator, &basic(), &wrong()).await.unwrap();
    settled(&emulator).await;
    let mut told: Vec<_> = receiver
        .results()
        .iter()
        .map(|result| {
            (
                result.status.to_string(),
                result.reason.as_ref().map(ToString::to_string),
            )
        })
        .collect();
    told.sort();
    let reason = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            ("ABORTED".to_owned(), None),
            ("FAIL".to_owned(), reason("Expired")),
            ("FAIL".to_owned(), reason("Invalid code")),
            ("SUCCESSFUL".to_owned(), None),
        ]
    );
}

#[tokio::test]
async fn events_are_tried_again_in_order() {
    let failures = AtomicU32::new(3);
    let receiver = Receiver::new(move |event| match event {
        Event::Request(_) => Decision::Allow.to_http_response(),
        _ => {
            let left = failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            reply(if left.is_ok() { 503 } else { 200 }, "")
        }
    })
    .await;
    let emulator = emulator_calling_with(&receiver, |settings| {
        settings.event_backoff = Duration::from_millis(4);
    })
    .await;
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    // The verification ends while the delivered event is still retried.
    let report = Report::<Sms>::by_number(number(), newest(&emulator).code.unwrap());
    call(&emulator, &basic(), &report).await.unwrap();
    settled(&emulator).await;
    assert_eq!(
        receiver.names(),
        [DECISION, DELIVERED, DELIVERED, DELIVERED, DELIVERED, RESULT]
    );
    let tries: Vec<_> = emulator
        .deliveries()
        .iter()
        .rev()
        .map(|delivery| (delivery.attempt, delivery.status, delivery.ok))
        .collect();
    let failed = |attempt| (attempt, Some(503), false);
    let heard = |attempt| (attempt, Some(200), true);
    assert_eq!(
        tries,
        [heard(1), failed(1), failed(2), failed(3), heard(4), heard(1)]
    );
}

#[tokio::test]
async fn events_are_given_up_after_five_tries() {
    let receiver = Receiver::new(|_| reply(500, "no")).await;
    let emulator = emulator_calling_with(&receiver, |settings| {
        settings.event_backoff = Duration::from_millis(1);
    })
    .await;
    call(&emulator, &basic(), &Start::sms(number()))
        .await
        .unwrap_err();
    settled(&emulator).await;
    assert_eq!(
        receiver.names(),
        [DECISION, RESULT, RESULT, RESULT, RESULT, RESULT]
    );
    let last = emulator.deliveries().remove(0);
    assert_eq!((last.attempt, last.ok), (5, false));
    assert_eq!(last.response.as_deref(), Some("no"));
    assert!(last.request.contains(RESULT));
}

#[tokio::test]
async fn a_query_is_sent_and_not_signed() {
    // The receiver verifies the path without the query.
    let receiver = Receiver::at("/deep/path?tenant=7", answering(Decision::Allow)).await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    assert_eq!(receiver.posts()[0].path, "/deep/path?tenant=7");
}

#[tokio::test]
async fn a_callback_url_with_characters_outside_ascii_is_sent_escaped() {
    let receiver = Receiver::at("/återkoppling?från=söder", answering(Decision::Allow)).await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    // The receiver checks the signature over the path as it is sent.
    let posts = receiver.posts();
    assert_eq!(posts[0].path, "/%C3%A5terkoppling?fr%C3%A5n=s%C3%B6der");
}

#[tokio::test]
async fn moving_the_clock_does_not_change_signatures_of_events() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling(&receiver).await;
    emulator.advance(Duration::from_secs(24 * 3600));
    // The receiver checks the signature and its age.
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    emulator.advance(Duration::from_secs(24 * 3600));
    settled(&emulator).await;
    assert_eq!(receiver.names(), [DECISION, DELIVERED, RESULT]);
}

#[tokio::test]
async fn too_many_events_are_dropped_and_recorded() {
    let receiver = Receiver::holding(|_| reply(200, "")).await;
    let mut settings = Settings::default();
    settings.events_waiting = 1;
    let emulator = builder().settings(settings).start().await.unwrap();
    let numbers = ["+46700000001", "+46700000002"].map(|number| number.parse().unwrap());
    for number in numbers {
        call(&emulator, &basic(), &Start::callout(number)).await.unwrap();
    }
    emulator.set_callback_url(&key(), receiver.url()).unwrap();
    // Both expire at once.
    emulator.advance(Duration::from_secs(3600));
    receiver.wait(1).await;
    while emulator.deliveries().is_empty() {
        tokio::task::yield_now().await;
    }
    receiver.release();
    settled(&emulator).await;
    assert_eq!(receiver.names(), [RESULT]);
    let verdicts: Vec<_> = emulator
        .deliveries()
        .into_iter()
        .map(|delivery| delivery.verdict)
        .collect();
    let dropped = Some("not sent: too many events are waiting".to_owned());
    assert_eq!(verdicts, [None, dropped], "the newest first");
}

/// Starts callouts to `numbers` numbers.
async fn call_out(emulator: &Emulator, numbers: u32) {
    for n in 0..numbers {
        let number = format!("+467000002{n:02}").parse().unwrap();
        call(emulator, &basic(), &Start::callout(number)).await.unwrap();
    }
}

#[tokio::test]
async fn few_events_are_under_way_at_once() {
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: sinch_verify_emulator::CallbackUrl = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    // A receiver that holds answers back and counts the posts without an answer.
    let together = Arc::new(Barrier::new(3));
    let mut connections = JoinSet::new();
    connections.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (counted, highest) = (Arc::clone(&counted), Arc::clone(&highest));
            let together = Arc::clone(&together);
            open.spawn(async move {
                let mut buffer = [0; 8192];
                while stream.read(&mut buffer).await.unwrap_or(0) > 0 {
                    highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    together.wait().await;
                    counted.fetch_sub(1, Ordering::SeqCst);
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    let mut settings = Settings::default();
    settings.events_in_flight = 3;
    let emulator = builder().settings(settings).start().await.unwrap();
    call_out(&emulator, 12).await;
    emulator.set_callback_url(&key(), url).unwrap();
    emulator.advance(Duration::from_secs(300));
    settled(&emulator).await;
    assert_eq!(emulator.deliveries().len(), 12);
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(now.load(Ordering::SeqCst), 0);
}
