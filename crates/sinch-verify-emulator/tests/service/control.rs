//! The control interface.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::{Start, StatusById};

use crate::support::{
    NUMBER, Receiver, SHORT, basic, call, code, deciding, emulator, emulator_calling, get, json, newest,
    number, post, public, send, status_by_id,
};

#[tokio::test]
async fn messages_have_the_shape_that_scripts_rely_on() {
    let emulator = emulator().await;
    for path in ["+46700000001", "%2B46700000001", "46700000001"] {
        let path = format!("/_emu/numbers/{path}/messages");
        assert_eq!(
            json(&get(&emulator, &path).await),
            serde_json::json!({"messages": []})
        );
    }
    let sms = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let flash_call = call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let seamless = call(&emulator, &basic(), &Start::seamless(number()))
        .await
        .unwrap();
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    call(&emulator, &basic(), &Start::whatsapp(number()))
        .await
        .unwrap();
    let body = json(&get(&emulator, "/_emu/numbers/+46700000001/messages").await);
    let messages = body["messages"].as_array().unwrap();
    let kinds: Vec<_> = messages
        .iter()
        .map(|message| message["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["whatsapp", "callout", "seamless", "flashcall", "sms"],
        "newest first"
    );
    let keys = |n: usize| -> Vec<&str> {
        messages[n]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    };
    let common = ["seq", "id", "kind", "verificationId", "at"];
    let has = |n: usize, more: &[&str]| {
        let mut expected: Vec<_> = common.iter().chain(more).copied().collect();
        expected.sort_unstable();
        assert_eq!(keys(n), expected);
    };
    has(0, &["text", "language", "code"]);
    has(1, &["text", "language", "code", "ringing", "missed"]);
    has(2, &["targetUri"]);
    has(3, &["cli", "ringing", "ringUntil", "missed"]);
    has(4, &["text", "language", "code"]);
    assert_eq!(messages[4]["seq"], 1);
    assert_eq!(messages[4]["verificationId"], sms.id.as_str());
    assert_eq!(messages[3]["verificationId"], flash_call.id.as_str());
    assert_eq!(messages[2]["verificationId"], seamless.id.as_str());
    assert!(messages[4]["at"].as_str().unwrap().ends_with('Z'));
    let bad = get(&emulator, "/_emu/numbers/abc/messages").await;
    assert_eq!(bad.status(), 400);
}

#[tokio::test]
async fn keys_are_pressed_over_http() {
    let emulator = emulator().await;
    let path = format!("/_emu/numbers/{NUMBER}/keypad");
    assert_eq!(post(&emulator, &path, r#"{"digits":"1"}"#).await.status(), 404);
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    for bad in [
        "",
        "{}",
        r#"{"digits":1}"#,
        r#"{"digits":""}"#,
        r#"{"digits":"x"}"#,
        r#"{"digits":"12345678901"}"#,
    ] {
        assert_eq!(post(&emulator, &path, bad).await.status(), 400, "{bad}");
    }
    let answer = post(&emulator, &path, r#"{"digits":"1"}"#).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(json(&answer)["status"], "SUCCESSFUL");
}

#[tokio::test]
async fn the_clock_is_moved_over_http() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let before = json(&get(&emulator, "/_emu/clock").await);
    assert_eq!(
        (&before["aheadMs"], &before["manual"]),
        (&0.into(), &false.into())
    );
    for bad in [
        "",
        "{}",
        r#"{"advance":5}"#,
        r#"{"advance":"5 months"}"#,
        r#"{"advance":"-5m"}"#,
        r#"{"advance":"3651d"}"#,
        r#"{"advance":"100000000000h"}"#,
    ] {
        assert_eq!(post(&emulator, "/_emu/clock", bad).await.status(), 400, "{bad}");
    }
    let after = json(&post(&emulator, "/_emu/clock", r#"{"advance":"5m"}"#).await);
    assert_eq!(after["aheadMs"], 300_000);
    let told = status_by_id(&emulator, &started.id).await;
    assert_eq!(told.reason.unwrap().as_str(), "Expired");
    // A move past the end of service time stops there.
    emulator.advance(Duration::from_secs(9_999_999 * 86_400));
    emulator.advance(Duration::from_secs(9_999_999 * 86_400));
    let last = json(&get(&emulator, "/_emu/clock").await);
    assert!(
        last["service"].as_str().unwrap().starts_with("9999-12-30T00:00"),
        "{last}"
    );
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling(&receiver).await;
    let started = call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    assert_eq!(post(&emulator, "/_emu/reset", "").await.status(), 200);
    assert!(emulator.inbox(&number()).is_empty());
    let gone = call(
        &emulator,
        &basic(),
        &StatusById {
            id: started.id.clone(),
        },
    )
    .await;
    assert_eq!(code(gone), 40400);
    assert!(emulator.wait_delivered(SHORT).await);
    // It continues like a new emulator, except for the numbers of messages.
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    assert_eq!(newest(&emulator).seq, 2);
}

#[tokio::test]
async fn deliveries_are_listed_over_http() {
    let receiver = Receiver::new(|_| Decision::Deny.to_http_response()).await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &public(), &Start::sms(number()))
        .await
        .unwrap_err();
    assert!(emulator.wait_delivered(SHORT).await);
    let body = json(&get(&emulator, "/_emu/deliveries").await);
    let deliveries = body["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 2);
    let question = &deliveries[1];
    assert_eq!(question["event"], "VerificationRequestEvent");
    assert_eq!(question["status"], 200);
    assert_eq!(question["ok"], true);
    assert_eq!(question["response"], r#"{"action":"deny"}"#);
    assert!(question["ms"].is_u64());
}

#[tokio::test]
async fn probes_and_index_answer() {
    let emulator = emulator().await;
    for path in ["/livez", "/readyz", "/"] {
        let answer = get(&emulator, path).await;
        assert_eq!(answer.status(), 200, "{path}");
    }
    let index = get(&emulator, "/").await;
    assert!(String::from_utf8_lossy(index.body()).contains("not affiliated with Sinch"));
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let emulator = emulator().await;
    let own = emulator.addr().to_string();
    let port = emulator.addr().port();
    for (host, origin, status) in [
        (own.clone(), None, 200),
        (format!("localhost:{port}"), None, 200),
        ("[::1]".to_owned(), None, 200),
        (own.clone(), Some(format!("http://{own}")), 200),
        (format!("evil.example:{port}"), None, 403),
        (format!("127.0.0.1.evil.example:{port}"), None, 403),
        (own.clone(), Some("https://evil.example".to_owned()), 403),
        (own.clone(), Some("http://127.0.0.1:1".to_owned()), 403),
        (own.clone(), Some("null".to_owned()), 403),
    ] {
        let mut request = Request::builder()
            .method("POST")
            .uri("/_emu/reset")
            .header("host", &host);
        if let Some(origin) = &origin {
            request = request.header("origin", origin);
        }
        let answer = send(&emulator, request.body(Bytes::new()).unwrap()).await;
        assert_eq!(answer.status(), status, "{host} {origin:?}");
    }
}
