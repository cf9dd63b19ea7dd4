//! Callbacks with basic authorization, which an application can have in place of signatures.

use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use sinch_verify_emulator::{CallbackAuth, ControlError, Emulator, Replay, TamperKit};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Report, Start};

use crate::replays::always;
use crate::support::{
    DECISION, DELIVERED, KEY, OTHER_KEY, RESULT, Receiver, SECRET, answering, application, builder_calling,
    call, get, json, key, newest, number, plain, public, send, settled,
};

/// An emulator after one verification whose events were posted to `receiver`.
async fn after_one(receiver: &Receiver) -> Emulator {
    let application = application()
        .callback_url(receiver.url())
        .callback_auth(CallbackAuth::Basic);
    let builder = Emulator::builder().application(application).tamper_kit(Unsigned);
    let emulator = builder.seed(7).start().await.unwrap();
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    receiver.wait(2).await;
    let report = Report::<Sms>::by_number(number(), newest(&emulator).code.unwrap());
    call(&emulator, &public(), &report).await.unwrap();
    settled(&emulator).await;
    emulator
}

/// Removes the authorization.
struct Unsigned;

impl TamperKit for Unsigned {
    fn names(&self) -> Vec<&'static str> {
        vec!["unsigned"]
    }

    fn spoil(
        &self,
        _: &str,
        _: &ApplicationKey,
        _: &ApplicationSecret,
        request: &mut Request<Bytes>,
        _: SystemTime,
    ) {
        request.headers_mut().remove("authorization");
    }
}

#[tokio::test]
async fn events_have_key_and_secret_and_nothing_else() {
    let receiver = Receiver::basic(answering(Decision::Allow)).await;
    let emulator = after_one(&receiver).await;
    assert_eq!(receiver.names(), [DECISION, DELIVERED, RESULT]);
    for posted in receiver.posts() {
        assert!(!posted.headers.contains_key("x-timestamp"));
        assert_eq!(posted.headers["content-type"], "application/json; charset=utf-8");
    }
    let info = json(&get(&emulator, "/_emu/info").await);
    assert_eq!(info["applications"][0]["callbackAuth"], "basic");
}

#[tokio::test]
async fn the_delivery_log_does_not_show_the_secret() {
    let receiver = Receiver::basic(answering(Decision::Allow)).await;
    let emulator = after_one(&receiver).await;
    let pair = plain("POST", "/", "").headers()["authorization"]
        .to_str()
        .unwrap()[6..]
        .to_owned();
    let log = String::from_utf8(get(&emulator, "/_emu/deliveries").await.body().to_vec()).unwrap();
    assert!(log.contains(r#"["authorization","Basic [hidden]"]"#), "{log}");
    assert!(!log.contains(&pair) && !log.contains(SECRET), "{log}");
}

#[tokio::test]
async fn the_control_interface_changes_the_authorization_of_callbacks() {
    let receiver = Receiver::careful(answering(Decision::Allow)).await;
    let emulator = builder_calling(&receiver, |_| {}).start().await.unwrap();
    let path = format!("/_emu/applications/{KEY}/callback");
    let put = async |auth: &str| {
        let body = format!(r#"{{"url":"{}"{auth}}}"#, receiver.url());
        send(&emulator, plain("PUT", &path, &body)).await
    };
    let auth = async || json(&get(&emulator, "/_emu/info").await)["applications"][0]["callbackAuth"].clone();
    assert_eq!(auth().await, "signed");
    // Without `auth`, it stays as it is.
    for (sent, now) in [
        (r#","auth":"basic""#, "basic"),
        ("", "basic"),
        (r#","auth":"signed""#, "signed"),
    ] {
        assert_eq!(put(sent).await.status(), 200);
        assert_eq!(auth().await, now);
    }
    let refused = put(r#","auth":"none""#).await;
    let error = json(&refused)["error"].as_str().unwrap().to_owned();
    assert!(refused.status() == 400 && error.contains("auth: "), "{error}");

    // A receiver of signed callbacks refuses basic ones.
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    emulator.set_callback_auth(&key(), CallbackAuth::Basic).unwrap();
    assert!(call(&emulator, &public(), &Start::sms(number())).await.is_err());
    let other: ApplicationKey = OTHER_KEY.parse().unwrap();
    assert_eq!(
        emulator.set_callback_auth(&other, CallbackAuth::Basic),
        Err(ControlError::UnknownApplication(other))
    );
}

#[tokio::test]
async fn a_receiver_of_basic_authorization_passes_its_checks() {
    let receiver = Receiver::basic(answering(Decision::Allow)).await;
    let emulator = after_one(&receiver).await;
    let checks = emulator.conformance(&key()).await.unwrap();
    let told: Vec<_> = checks
        .iter()
        .map(|check| (check.name.as_str(), check.expected, check.ok))
        .collect();
    assert_eq!(
        told,
        [
            ("delivered-event", "200", true),
            ("result-event", "200", true),
            ("unknown-event", "200", true),
            ("request-event", "200 and a decision", true),
            ("sent-again", "200 and the same decision", true),
            ("replayed", "200 and the same decision", true),
            ("wrong-secret", "401", true),
            ("unsigned", "401", true),
        ]
    );
    for how in [
        Replay::Stale,
        Replay::Future,
        Replay::Forged,
        Replay::Truncated,
        Replay::MissingTimestamp,
        Replay::MissingAuthorization,
        Replay::named("unsigned"),
    ] {
        let posted = emulator.replay_as(1, &how).await.unwrap();
        assert_eq!((posted[0].ok, posted[0].status), (true, Some(401)), "{how:?}");
    }
    // What is repeated byte for byte does not differ from a retry.
    for how in [Replay::Same, Replay::Duplicate, Replay::Reordered] {
        let posted = emulator.replay_as(1, &how).await.unwrap();
        assert!(posted.iter().all(|delivery| delivery.ok), "{how:?}: {posted:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_takes_any_secret_fails() {
    let (_receiver, url) = always("200 OK").await;
    let application = application().callback_url(url).callback_auth(CallbackAuth::Basic);
    let emulator = Emulator::builder().application(application).tamper_kit(Unsigned);
    let emulator = emulator.start().await.unwrap();
    let checks = emulator.conformance(&key()).await.unwrap();
    let wrong = checks.iter().filter(|check| !check.ok).map(|check| &*check.name);
    assert_eq!(wrong.collect::<Vec<_>>(), ["wrong-secret", "unsigned"]);
}
