//! Failed events are retried, in service time.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use sinch_verify_emulator::{Emulator, Settings};
use sinch_verify_protocol::callback::{Decision, Event};
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{PhoneNumber, Start};

use crate::support::{
    DECISION, DELIVERED, RESULT, Receiver, basic, builder_calling, call, eventually, get, json, noon, number,
    post, reply, settled,
};

/// A receiver that allows request events and refuses all others. It does not count replays and stale posts.
async fn refusing() -> Receiver {
    Receiver::careful(|event| match event {
        Event::Request(_) => Decision::Allow.to_http_response(),
        _ => reply(500, ""),
    })
    .await
}

/// An emulator with a paused clock, whose events go to `receiver`.
async fn paused(receiver: &Receiver, change: impl FnOnce(&mut Settings)) -> Emulator {
    builder_calling(receiver, change)
        .manual_clock(noon())
        .start()
        .await
        .unwrap()
}

async fn start(emulator: &Emulator, number: PhoneNumber) {
    call(emulator, &basic(), &Start::sms(number)).await.unwrap();
}

/// The list of undelivered events, once `waiting` of them wait for their next try.
async fn queue(emulator: &Emulator, waiting: usize) -> Vec<Value> {
    eventually(async || {
        let queue = json(&get(emulator, "/_emu/queue").await);
        let queue = queue["waiting"].as_array().unwrap().clone();
        let planned = queue.iter().filter(|event| event["nextAt"].is_string());
        (planned.count() == waiting).then_some(queue)
    })
    .await
}

fn text(at: SystemTime) -> String {
    XTimestamp::new(at).as_str().to_owned()
}

#[tokio::test]
async fn a_move_of_the_clock_makes_every_try_that_falls_into_it() {
    let receiver = refusing().await;
    let emulator = paused(&receiver, |_| {}).await;
    start(&emulator, number()).await;
    // It expires during the move, which does not wait for the tries.
    emulator.advance(Duration::from_secs(300));
    emulator.advance(Duration::from_secs(3600));
    settled(&emulator).await;
    let tries = |event: &'static str| std::iter::repeat_n(event, 5);
    let all: Vec<_> = [DECISION]
        .into_iter()
        .chain(tries(DELIVERED))
        .chain(tries(RESULT))
        .collect();
    assert_eq!(receiver.names(), all, "each of them signed anew");
    assert_eq!(emulator.now(), noon() + Duration::from_secs(3900));
    assert!(!emulator.advance_to_next(), "nothing is due any more");
}

#[tokio::test]
async fn a_move_makes_no_try_that_is_due_after_it() {
    let receiver = refusing().await;
    let emulator = paused(&receiver, |settings| {
        settings.event_backoff = Duration::from_secs(100);
    })
    .await;
    start(&emulator, number()).await;
    // 50 to 100 s after the first, 100 to 200 s after the second, 200 to 400 s after the third.
    emulator.advance(Duration::from_secs(299));
    let event = queue(&emulator, 1).await.remove(0);
    let attempt = event["attempt"].as_u64().unwrap();
    assert!((3..=4).contains(&attempt), "{event}");
    assert_eq!(
        receiver.posts().len() as u64,
        attempt,
        "the question, and all before this one"
    );
}

#[tokio::test]
async fn tries_wait_while_the_clock_is_paused() {
    let receiver = refusing().await;
    let backoff = Duration::from_millis(500);
    let emulator = paused(&receiver, |settings| settings.event_backoff = backoff).await;
    start(&emulator, number()).await;
    let mut last = noon();
    for attempt in 2..=5_u32 {
        let event = queue(&emulator, 1).await.remove(0);
        assert_eq!(
            (&event["attempt"], &event["underWay"]),
            (&attempt.into(), &false.into())
        );
        let whole = backoff * (1 << (attempt - 2));
        let due = json(&get(&emulator, "/_emu/clock").await);
        assert_eq!(due["nextDeadline"], event["nextAt"]);
        let next = event["nextAt"].as_str().unwrap();
        assert!(
            (text(last + whole / 2)..=text(last + whole)).contains(&next.to_owned()),
            "{next}"
        );
        let moved = json(&post(&emulator, "/_emu/clock", r#"{"to":"next"}"#).await);
        assert_eq!(moved["service"], event["nextAt"], "no further");
        last = emulator.now();
    }
    settled(&emulator).await;
    assert_eq!(receiver.posts().len(), 6, "given up");
    let left = json(&get(&emulator, "/_emu/clock").await);
    assert_eq!(left["nextDeadline"], left["nextExpiry"]);
}

#[tokio::test]
async fn events_that_failed_together_are_retried_apart() {
    let waits = async || {
        let receiver = refusing().await;
        let emulator = paused(&receiver, |_| {}).await;
        for n in 1..=2 {
            start(&emulator, format!("+4670000000{n}").parse().unwrap()).await;
        }
        let queue = queue(&emulator, 2).await;
        [0, 1].map(|n| queue[n]["nextAt"].as_str().unwrap().to_owned())
    };
    let first = waits().await;
    assert!(first[0] < first[1], "{first:?}");
    assert_eq!(first, waits().await, "the seed fixes it");
}

#[tokio::test]
async fn the_longest_delay_does_not_overflow() {
    let receiver = refusing().await;
    let emulator = paused(&receiver, |settings| settings.event_backoff = Duration::MAX).await;
    start(&emulator, number()).await;
    let event = queue(&emulator, 1).await.remove(0);
    assert_eq!(
        event["nextAt"], "9999-12-30T00:00:00.000Z",
        "the end of the clock"
    );
    emulator.reset();
    settled(&emulator).await;
    assert!(!emulator.advance_to_next(), "a reset forgets what waits");
}
