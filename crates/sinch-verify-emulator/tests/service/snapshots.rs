//! Snapshots of the whole emulator.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use sinch_verify_emulator::{Application, Emulator, HandsetBehavior, Scope, Snapshot, SnapshotError};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::{Report, Start, Status, VerificationId};

use crate::support::{
    NUMBER, OTHER_KEY, application, basic, builder, call, deciding, emulator, get, json, key, newest, noon,
    number, post, secret, send, settled, status_by_id,
};

async fn start(emulator: &Emulator, number: &str) -> VerificationId {
    let start = Start::sms(number.parse().unwrap());
    call(emulator, &basic(), &start).await.unwrap().id.clone()
}

async fn put(emulator: &Emulator, text: impl Into<Bytes>) -> Response<Bytes> {
    let request = Request::builder()
        .method("PUT")
        .uri("/_emu/snapshot")
        .body(text.into())
        .unwrap();
    send(emulator, request).await
}

/// The answer to a snapshot that is refused.
async fn refusal(emulator: &Emulator, text: impl Into<Bytes>) -> String {
    let answer = put(emulator, text).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    json(&answer)["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_situation_is_restored_as_often_as_wanted() {
    let emulator = emulator().await;
    let pending = start(&emulator, NUMBER).await;
    let message = newest(&emulator);
    let snapshot = get(&emulator, "/_emu/snapshot").await;
    assert_eq!(snapshot.status(), StatusCode::OK);
    assert_eq!(snapshot.headers()["content-type"], "application/x-ndjson");
    for _ in 0..2 {
        let more = start(&emulator, "+46700000002").await;
        let report = Report::<Sms>::by_id(pending.clone(), message.code.clone().unwrap());
        assert!(call(&emulator, &basic(), &report).await.unwrap().is_successful());
        assert_eq!(
            put(&emulator, snapshot.body().clone()).await.status(),
            StatusCode::OK
        );
        assert_eq!(status_by_id(&emulator, &pending).await.status, Status::Pending);
        assert_eq!(newest(&emulator).seq, message.seq);
        let gone = get(&emulator, &format!("/_emu/verifications/{more}")).await;
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn another_emulator_continues_from_a_snapshot() {
    let receiver = deciding(Decision::Allow).await;
    let first = builder().manual_clock(noon()).start().await.unwrap();
    first.set_callback_url(&key(), receiver.url()).unwrap();
    first
        .set_handset_behavior(Scope::Number(number()), HandsetBehavior::Never)
        .unwrap();
    first.advance(Duration::from_secs(100));
    let id = start(&first, NUMBER).await;
    let snapshot = first.snapshot();

    let other = Application::new(OTHER_KEY.parse().unwrap(), secret());
    let second = Emulator::builder().application(other).start().await.unwrap();
    second
        .restore(&Snapshot::from_bytes(snapshot.as_bytes().clone()))
        .unwrap();
    assert_eq!(second.now(), noon() + Duration::from_secs(100));
    assert_eq!(second.seed(), first.seed());
    assert!(second.inbox(&number()).is_empty(), "the behavior was Never");
    assert_eq!(status_by_id(&second, &id).await.status, Status::Pending);
    let (of_first, of_second) = (
        start(&first, "+46700000002").await,
        start(&second, "+46700000002").await,
    );
    assert_eq!(of_first, of_second, "random values continue");
    second.advance(Duration::from_secs(300));
    settled(&second).await;
    assert!(receiver.results().iter().any(|result| result.id == id));
    let info = json(&get(&second, "/_emu/info").await);
    assert_eq!(
        info["applications"][0]["key"], OTHER_KEY,
        "its own application stays"
    );
    assert_eq!(info["applications"][1]["callbackUrl"], receiver.url().to_string());
}

#[tokio::test]
async fn time_that_passed_since_a_snapshot_does_not_count_in_it() {
    let emulator = emulator().await;
    let id = start(&emulator, NUMBER).await;
    let snapshot = emulator.snapshot();
    emulator.advance(Duration::from_secs(301));
    assert_eq!(status_by_id(&emulator, &id).await.status, Status::Fail);
    emulator.restore(&snapshot).unwrap();
    assert_eq!(status_by_id(&emulator, &id).await.status, Status::Pending);
    emulator.advance(Duration::from_secs(301));
    assert_eq!(status_by_id(&emulator, &id).await.status, Status::Fail);
}

#[tokio::test]
async fn a_snapshot_that_is_not_whole_is_refused_with_what_to_do() {
    let emulator = emulator().await;
    let id = start(&emulator, NUMBER).await;
    let text = String::from_utf8(emulator.snapshot().as_bytes().to_vec()).unwrap();
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    let edited = text.replacen(NUMBER, "+46700000002", 1);
    let cut = &text[..text.len() - 10];
    let lines: Vec<&str> = text.lines().collect();
    let without_end = lines[..lines.len() - 1].join("\n");
    for (text, part) in [
        (
            "",
            "no snapshot of the emulator; take one with GET /_emu/snapshot",
        ),
        ("{}", "no snapshot of the emulator"),
        (
            &newer,
            "version 2 of the format, and this emulator reads version 1; take the snapshot again",
        ),
        (&edited, "lines 1 to 4 are not as the emulator wrote them"),
        (cut, "the end of the snapshot is missing; copy the whole file"),
        (&without_end, "the end of the snapshot is missing"),
        (lines[0], "the end of the snapshot is missing"),
    ] {
        let error = refusal(&emulator, text.to_owned()).await;
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(
        status_by_id(&emulator, &id).await.status,
        Status::Pending,
        "nothing changed"
    );
}

#[tokio::test]
async fn a_snapshot_with_a_remote_callback_is_refused_unless_that_is_allowed() {
    let remote = application().callback_url("http://192.0.2.1/callback".parse().unwrap());
    let first = Emulator::builder()
        .application(remote)
        .allow_remote_callbacks(true);
    let snapshot = first.start().await.unwrap().snapshot();
    let second = emulator().await;
    let error = second.restore(&snapshot).unwrap_err();
    assert!(matches!(error, SnapshotError::Application(_)), "{error}");
    let error = refusal(&second, snapshot.as_bytes().clone()).await;
    assert!(error.contains("callback URL is on another machine"), "{error}");
}

#[tokio::test]
async fn requests_are_answered_while_a_snapshot_is_taken() {
    let emulator = emulator().await;
    for n in 0..2_000 {
        let body = format!(r#"{{"method":"sms","number":"+4670{n:07}"}}"#);
        assert_eq!(post(&emulator, "/_emu/try", &body).await.status(), StatusCode::OK);
    }
    let (taken, _) = tokio::join!(get(&emulator, "/_emu/snapshot"), async {
        for n in 0..100 {
            start(&emulator, &format!("+4671{n:07}")).await;
        }
    });
    emulator
        .restore(&Snapshot::from_bytes(taken.into_body()))
        .unwrap();
    let page = json(&get(&emulator, "/_emu/verifications?limit=1").await);
    let seq = page["verifications"][0]["seq"].as_u64();
    assert!(seq.is_some_and(|seq| (2_000..=2_100).contains(&seq)), "{seq:?}");
}
