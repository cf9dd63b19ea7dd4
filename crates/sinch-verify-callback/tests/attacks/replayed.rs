//! Callbacks that are authentic, and come again.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::protocol::Decision;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::{InDoubt, ReplayGuard};

use crate::support::{
    builder, counting, event, in_memory, now, post, post_at, send, send_raw, serve, service, wire,
};

#[tokio::test]
async fn a_replay_looks_like_a_forgery_and_asks_no_handler() {
    let (handler, decided) = counting();
    let guard = in_memory(InDoubt::Refuse);
    let server = serve(Server::new(service(handler, guard.clone()))).await;
    let request = post(event("1"));
    assert_eq!(send(server, &request).await.0, 200);

    let mut forged = post(event("1"));
    *forged.body_mut() = Bytes::from_static(b"{}");
    let strip = |answer: String| {
        let lines: Vec<String> = answer.lines().map(str::to_ascii_lowercase).collect();
        lines
            .into_iter()
            .filter(|line| !line.starts_with("date:"))
            .collect::<Vec<_>>()
    };
    let replayed = strip(send_raw(server, &wire(&request)).await);
    assert!(replayed[0].contains("401"), "{replayed:?}");
    assert_eq!(replayed, strip(send_raw(server, &wire(&forged)).await));
    assert_eq!(decided.load(Ordering::SeqCst), 1);
    assert_eq!(guard.counts().replayed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flood_of_replays_one_counts() {
    let (handler, decided) = counting();
    let guard = in_memory(InDoubt::Refuse);
    let server = serve(Server::new(service(handler, guard.clone()))).await;
    let request: Request<Bytes> = post(event("1"));
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let request = request.clone();
        tasks.push(tokio::spawn(async move {
            let mut taken = 0;
            for _ in 0..100 {
                let (status, _) = send(server, &request).await;
                assert!([200, 401].contains(&status), "{status}");
                taken += u32::from(status == 200);
            }
            taken
        }));
    }
    let mut taken = 0;
    for task in tasks {
        taken += task.await.unwrap();
    }
    assert_eq!((taken, decided.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(guard.counts().replayed, 799);
}

#[tokio::test]
async fn an_event_that_is_sent_again_gets_the_same_answer() {
    let (handler, decided) = counting();
    let guard = in_memory(InDoubt::Refuse);
    let server = serve(Server::new(service(handler, guard.clone()))).await;
    let at = |seconds| post_at(event("1"), now() + Duration::from_secs(seconds));
    let first = send(server, &at(0)).await;
    assert_eq!(
        first,
        (200, r#"{"action":"allow","sms":{"code":"0001"}}"#.to_owned())
    );
    for seconds in 1..4 {
        assert_eq!(send(server, &at(seconds)).await, first);
    }
    assert_eq!(decided.load(Ordering::SeqCst), 1);
    assert_eq!(guard.counts().repeated, 3);
    // Another verification is another question.
    let (_, body) = send(server, &post(event("2"))).await;
    assert!(body.contains("0002"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_sent_again_while_the_handler_thinks_get_one_answer() {
    let (thinks, _) = counting();
    let thinks = std::sync::Arc::new(thinks);
    let handler = move |event: RequestEvent| {
        let thinks = std::sync::Arc::clone(&thinks);
        async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let context = sinch_verify_callback::Context::new("a".parse().unwrap(), now());
            sinch_verify_callback::Handler::on_request(&*thinks, event, &context).await
        }
    };
    let server = serve(Server::new(service(handler, in_memory(InDoubt::Refuse)))).await;
    let mut tasks = Vec::new();
    for n in 0..10 {
        let request = post_at(event("1"), now() + Duration::from_millis(n));
        tasks.push(tokio::spawn(async move { send(server, &request).await }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn what_was_denied_for_a_late_handler_stays_denied() {
    let late = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_late = std::sync::Arc::clone(&late);
    let handler = move |_: RequestEvent| {
        let late = is_late.load(Ordering::SeqCst);
        async move {
            if late {
                std::future::pending::<()>().await;
            }
            Decision::Allow
        }
    };
    let builder = builder(handler, in_memory(InDoubt::Refuse)).deadline(Duration::from_millis(30));
    let server = serve(Server::new(builder.build().unwrap())).await;
    let denied = (200, r#"{"action":"deny"}"#.to_owned());
    assert_eq!(send(server, &post(event("1"))).await, denied);
    late.store(false, Ordering::SeqCst);
    let again = post_at(event("1"), now() + Duration::from_secs(1));
    assert_eq!(send(server, &again).await, denied);
}

#[tokio::test]
async fn a_full_store_does_what_was_chosen_and_is_counted() {
    for (in_doubt, status) in [(InDoubt::Accept, 200), (InDoubt::Refuse, 429)] {
        let (handler, _) = counting();
        let guard = ReplayGuard::new(MemoryStore::new(NonZeroUsize::new(3).unwrap()), in_doubt);
        let server = serve(Server::new(service(handler, guard.clone()))).await;
        for id in ["1", "2", "3"] {
            assert_eq!(send(server, &post(event(id))).await.0, 200);
        }
        assert_eq!(send(server, &post(event("4"))).await.0, status);
        assert!(guard.counts().full > 0);
        // What is remembered still counts.
        assert_eq!(send(server, &post(event("1"))).await.0, 401);
    }
}
