//! Replayed deliveries, valid and invalid, and conformance checks.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use sinch_verify_emulator::{ControlError, Delivery, Emulator, Replay, TamperKit};
use sinch_verify_protocol::callback::{Decision, Event};
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Report, Start};

use crate::support::{
    KEY, NUMBER, Receiver, SHORT, application, basic, call, emulator, emulator_calling, get, json, key,
    newest, number, post, public, reply, settled,
};

/// Allows request events and acknowledges others.
fn answer(event: &Event) -> Response<Bytes> {
    match event {
        Event::Request(_) => Decision::Allow.to_http_response(),
        _ => reply(200, ""),
    }
}

/// An emulator after one verification with a request event, a delivered event and a result event.
async fn after_one(receiver: &Receiver) -> Emulator {
    let emulator = emulator_calling(receiver).await;
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    receiver.wait(2).await;
    let report = Report::<Sms>::by_number(number(), newest(&emulator).code.unwrap());
    call(&emulator, &public(), &report).await.unwrap();
    assert!(emulator.wait_delivered(SHORT).await);
    emulator
}

const SPOILT: [Replay; 6] = [
    Replay::Stale,
    Replay::Future,
    Replay::Forged,
    Replay::Truncated,
    Replay::MissingTimestamp,
    Replay::MissingAuthorization,
];

#[tokio::test]
async fn a_careful_receiver_refuses_invalid_replays() {
    let receiver = Receiver::careful(answer).await;
    let emulator = after_one(&receiver).await;
    for seq in [1, 2, 3] {
        for how in SPOILT {
            let posted = emulator.replay_as(seq, &how).await.unwrap();
            assert_eq!(posted.len(), 1);
            let delivery = &posted[0];
            assert_eq!((delivery.ok, delivery.status), (true, Some(401)), "{how:?}");
            assert_eq!(
                (delivery.replay_of, delivery.variant.as_deref()),
                (Some(seq), Some(how.name()))
            );
            assert_eq!(delivery.verdict, None);
        }
        // Faster than the resolution of timestamps; each replay has its own timestamp all the same.
        let again = tokio::join!(emulator.replay(seq), emulator.replay(seq), emulator.replay(seq));
        for again in <[_; 3]>::from(again) {
            let again = again.unwrap();
            assert_eq!((again.ok, again.status, again.variant), (true, Some(200), None));
        }
        let twice = emulator.replay_as(seq, &Replay::Duplicate).await.unwrap();
        let statuses: Vec<_> = twice
            .iter()
            .map(|delivery| (delivery.ok, delivery.status))
            .collect();
        assert_eq!(statuses, [(true, Some(200)), (true, Some(401))]);
        assert_eq!(
            twice[0].request_headers, twice[1].request_headers,
            "byte for byte"
        );
    }
    let backwards = emulator.replay_as(1, &Replay::Reordered).await.unwrap();
    let events: Vec<_> = backwards.iter().map(|delivery| delivery.event.as_str()).collect();
    assert_eq!(
        events,
        [
            "VerificationResultEvent",
            "VerificationSmsDeliveredEvent",
            "VerificationRequestEvent"
        ]
    );
    assert!(backwards.iter().all(|delivery| delivery.ok));
}

#[tokio::test]
async fn a_receiver_that_accepts_everything_fails() {
    let receiver = always("200 OK").await;
    let emulator = emulator().await;
    emulator.set_callback_url(&key(), receiver.1.clone()).unwrap();
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    for how in SPOILT {
        let posted = emulator.replay_as(1, &how).await.unwrap();
        assert!(!posted[0].ok, "{how:?}");
        assert!(
            posted[0]
                .verdict
                .as_deref()
                .unwrap()
                .contains("accepted an invalid callback")
        );
    }
    let twice = emulator.replay_as(1, &Replay::Duplicate).await.unwrap();
    assert_eq!((twice[0].ok, twice[1].ok), (true, false));
}

#[tokio::test]
async fn a_receiver_that_refuses_with_another_status_fails() {
    for status in ["400 Bad Request", "403 Forbidden"] {
        let receiver = always(status).await;
        let emulator = emulator().await;
        emulator.set_callback_url(&key(), receiver.1.clone()).unwrap();
        let _ = call(&emulator, &public(), &Start::callout(number())).await;
        for how in SPOILT {
            let posted = emulator.replay_as(1, &how).await.unwrap();
            let verdict = posted[0].verdict.as_deref().unwrap();
            assert!(
                !posted[0].ok && verdict.contains("must be 401"),
                "{how:?}: {verdict}"
            );
        }
    }
}

/// A receiver that answers every post with the same status and decision, without checks.
pub(crate) async fn always(
    status: &'static str,
) -> (tokio::task::JoinSet<()>, sinch_verify_emulator::CallbackUrl) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 8192];
            // A post is one or two segments, and its content does not matter.
            let _ = stream.read(&mut buffer).await;
            let body = r#"{"action":"allow"}"#;
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 18\r\n\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
            // Waits until the other side has received everything.
            while stream.read(&mut buffer).await.unwrap_or(0) > 0 {}
        }
    });
    (tasks, url)
}

#[tokio::test]
async fn a_repeated_request_event_must_have_the_same_decision() {
    let asked = AtomicU32::new(0);
    let receiver = Receiver::new(move |event| match event {
        Event::Request(_) if asked.fetch_add(1, Ordering::SeqCst) > 0 => Decision::Deny.to_http_response(),
        event => answer(event),
    })
    .await;
    let emulator = after_one(&receiver).await;
    let again = emulator.replay(1).await.unwrap();
    assert!(!again.ok);
    assert!(
        again
            .verdict
            .unwrap()
            .starts_with("the decision differs from the earlier one")
    );
}

#[tokio::test]
async fn deliveries_are_replayed_over_http() {
    let receiver = Receiver::careful(answer).await;
    let emulator = after_one(&receiver).await;
    let replay =
        async |seq: u64, body: &str| post(&emulator, &format!("/_emu/deliveries/{seq}/replay"), body).await;
    let forged = json(&replay(1, r#"{"as":"forged"}"#).await);
    assert_eq!(
        (&forged["variant"], &forged["ok"]),
        (&"forged".into(), &true.into())
    );
    let header = |of: &Value, name: &str| -> Value {
        let pairs = of.as_array().unwrap();
        pairs
            .iter()
            .find(|pair| pair[0] == name)
            .map_or(Value::Null, |pair| pair[1].clone())
    };
    let authorization = header(&forged["requestHeaders"], "authorization");
    assert!(
        authorization
            .as_str()
            .unwrap()
            .starts_with(&format!("application {KEY}:"))
    );
    assert_eq!(header(&forged["responseHeaders"], "content-length"), "0");
    let twice = json(&replay(1, r#"{"as":"duplicate"}"#).await);
    assert_eq!(twice["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(json(&replay(1, r#"{"as":"same"}"#).await).get("variant"), None);
    for (seq, body, status) in [
        (99, "", 404),
        (1, r#"{"as":"upside-down"}"#, 400),
        (1, r#"{"is":"forged"}"#, 400),
        (1, "x", 400),
    ] {
        let answer = replay(seq, body).await;
        assert_eq!(answer.status(), status, "{body}");
        assert!(json(&answer)["error"].is_string());
    }
    let info = json(&get(&emulator, "/_emu/info").await);
    assert_eq!(info["conformance"], false);
    let replays = info["replays"].as_array().unwrap();
    assert_eq!(replays.len(), 9);
    for how in replays {
        let body = serde_json::json!({"as": how}).to_string();
        assert_eq!(replay(2, &body).await.status(), 200, "{how}");
    }
    emulator.set_callback_url(&key(), None).unwrap();
    assert_eq!(replay(1, "").await.status(), 409);
}

/// A kit of two changes.
struct Kit;

impl TamperKit for Kit {
    fn names(&self) -> Vec<&'static str> {
        vec!["body", "stale", "nothing"]
    }

    fn spoil(
        &self,
        name: &str,
        key: &ApplicationKey,
        secret: &ApplicationSecret,
        request: &mut Request<Bytes>,
        _: SystemTime,
    ) {
        assert_eq!(
            (key.as_str(), secret.expose_text()),
            (KEY, crate::support::SECRET)
        );
        if name == "body" {
            *request.body_mut() = Bytes::from(r#"{"event":"another"}"#);
        }
    }
}

#[tokio::test]
async fn conformance_checks_a_receiver() {
    let receiver = Receiver::careful(answer).await;
    let build = |url: Option<sinch_verify_emulator::CallbackUrl>| {
        let mut application = application();
        if let Some(url) = url {
            application = application.callback_url(url);
        }
        Emulator::builder().application(application).tamper_kit(Kit)
    };
    let emulator = build(Some(receiver.url())).start().await.unwrap();
    let path = "/_emu/conformance";
    let body = format!(r#"{{"application":"{KEY}"}}"#);
    let report = json(&post(&emulator, path, &body).await);
    let checks = report["checks"].as_array().unwrap();
    let told: Vec<_> = checks
        .iter()
        .map(|check| {
            (
                check["name"].as_str().unwrap(),
                check["expected"].as_str().unwrap(),
                check["ok"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("delivered-event", "200", true),
            ("result-event", "200", true),
            ("unknown-event", "200", true),
            ("request-event", "200 and a decision", true),
            ("sent-again", "200 and the same decision", true),
            ("replayed", "401", true),
            ("body", "401", true),
            ("stale", "401", false),
            // A change without effect shows that a check can fail.
            ("nothing", "401", false),
        ],
        "{report}"
    );
    assert_eq!(report["ok"], false);
    assert!(
        checks[8]["got"]
            .as_str()
            .unwrap()
            .starts_with("200: the receiver accepted an invalid callback")
    );
    let variants: Vec<_> = emulator
        .deliveries()
        .into_iter()
        .filter_map(|delivery| delivery.variant)
        .collect();
    assert_eq!(
        (variants.len(), variants[8].as_str()),
        (9, "conformance: delivered-event")
    );

    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    let question = emulator.deliveries()[0].seq;
    let tampered = emulator
        .replay_as(question, &Replay::named("body"))
        .await
        .unwrap();
    assert_eq!(
        (tampered[0].ok, tampered[0].variant.as_deref()),
        (true, Some("body"))
    );
    let info = json(&get(&emulator, "/_emu/info").await);
    assert_eq!(info["conformance"], true);
    let replays = info["replays"].as_array().unwrap();
    assert_eq!(replays.last().unwrap(), "nothing");
    assert_eq!(replays.iter().filter(|name| **name == "stale").count(), 1);

    let unset = build(None).start().await.unwrap();
    assert_eq!(unset.conformance(&key()).await, Err(ControlError::NoCallback));
    assert_eq!(post(&unset, path, &body).await.status(), 409);
    let stranger = r#"{"application":"none"}"#;
    assert_eq!(post(&unset, path, stranger).await.status(), 404);
    let without = crate::support::emulator().await;
    assert_eq!(post(&without, path, &body).await.status(), 501);
}

#[tokio::test]
async fn decisions_with_ignored_fields_have_a_remark() {
    for (body, remark) in [
        (
            r#"{"action":"deny","sms":{"code":"1234"}}"#,
            "sms: set beside deny",
        ),
        (
            r#"{"action":"allow","flashCall":{}}"#,
            "flashCall: set for a verification by sms",
        ),
        (
            r#"{"action":"allow","whatsapp":{}}"#,
            "whatsapp: set for a verification by sms",
        ),
        (r#"{"action":"deny","wurst":1}"#, "wurst"),
    ] {
        let receiver = Receiver::new(move |_| reply(200, body)).await;
        let emulator = emulator_calling(&receiver).await;
        let _ = call(&emulator, &basic(), &Start::sms(number())).await;
        let deliveries: Vec<Delivery> = emulator.deliveries();
        let question = deliveries.last().unwrap();
        let verdict = question.verdict.as_deref().unwrap_or_default();
        assert!(question.ok && verdict.contains(remark), "{body}: {verdict}");
    }
}

#[tokio::test]
async fn a_conformance_run_is_one_item_of_a_grouped_list() {
    let receiver = Receiver::careful(answer).await;
    let application = application().callback_url(receiver.url());
    let builder = Emulator::builder().application(application).tamper_kit(Kit);
    let emulator = builder.start().await.unwrap();
    let list = async |query: &str| {
        let answer = json(&get(&emulator, &format!("/_emu/deliveries?{query}")).await);
        answer["deliveries"].as_array().unwrap().clone()
    };
    for _ in 0..2 {
        emulator.conformance(&key()).await.unwrap();
    }
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    assert_eq!(list("").await.len(), 19);
    let grouped = list("group=run").await;
    let counts = serde_json::json!({"posted": 9, "passed": 7});
    assert_eq!(grouped.len(), 3);
    assert_eq!(grouped[0].get("checks"), None);
    for run in &grouped[1..] {
        assert_eq!(run["checks"], counts);
        assert_eq!(run["conformance"]["number"], 1);
    }
    let (second, first) = (&grouped[1], &grouped[2]);
    assert_ne!(first["conformance"]["run"], second["conformance"]["run"]);
    let run = first["conformance"]["run"].as_str().unwrap();
    let numbers: Vec<_> = list(&format!("run={run}"))
        .await
        .iter()
        .map(|delivery| delivery["conformance"]["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    // A page that ends inside of a run does not list it twice.
    let seq = second["seq"].as_u64().unwrap();
    assert_eq!(list(&format!("group=run&before={seq}")).await.len(), 1);
    let refused = get(&emulator, "/_emu/deliveries?group=event").await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn a_delivery_says_what_its_event_and_its_answer_say() {
    let receiver = Receiver::new(|event| match event {
        Event::Request(_) => reply(200, r#"{"action":"deny"}"#),
        _ => reply(200, ""),
    })
    .await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &basic(), &Start::sms(number()))
        .await
        .unwrap_err();
    settled(&emulator).await;
    let listed = json(&get(&emulator, "/_emu/deliveries").await);
    let shown: Vec<_> = listed["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|delivery| ["number", "method", "decision", "result"].map(|name| delivery[name].as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            [Some(NUMBER), Some("sms"), None, Some("DENIED")],
            [Some(NUMBER), Some("sms"), Some("deny"), None],
        ]
    );
}
