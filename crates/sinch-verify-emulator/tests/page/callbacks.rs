//! Callbacks: what was posted, what is posted again, and a receiver put to the test.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use sinch_verify_emulator::{Emulator, TamperKit};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Event};

use crate::driver::Browser;
use crate::start::start;
use crate::support::{NUMBER, Receiver, application, reply};

/// Two ways to spoil a callback, one of which does not.
struct Kit;

impl TamperKit for Kit {
    fn names(&self) -> Vec<&'static str> {
        vec!["other-path", "nothing"]
    }

    fn spoil(
        &self,
        name: &str,
        _: &ApplicationKey,
        _: &ApplicationSecret,
        request: &mut Request<Bytes>,
        _: SystemTime,
    ) {
        if name == "other-path" {
            *request.uri_mut() = request
                .uri()
                .to_string()
                .replace("callback", "other")
                .parse()
                .unwrap();
        }
    }
}

fn answer(event: &Event) -> Response<Bytes> {
    match event {
        Event::Request(_) => reply(200, r#"{"action":"allow"}"#),
        _ => reply(200, ""),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_posted_again_and_a_receiver_is_put_to_the_test() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let receiver = Receiver::careful(answer).await;
    let emulator = Emulator::builder()
        .application(application().callback_url(receiver.url()))
        .seed(7)
        .tamper_kit(Kit)
        .start()
        .await
        .unwrap();
    start(&emulator, "sms", NUMBER).await;
    receiver.wait(2).await;
    browser.open(&format!("{}/#/callbacks", emulator.url())).await;
    browser.sees("SmsDelivered").await;
    let url = format!(
        "document.querySelector('[name=url]').value === '{}'",
        receiver.url()
    );
    browser.wait(&url).await;

    // The question once more: as it was, then with a signature that must be refused.
    browser.click(".rows li:last-child .row").await;
    browser.sees("It did its job").await;
    browser.press("Post it").await;
    browser
        .wait("document.querySelectorAll('.replayed .ok').length > 0")
        .await;
    receiver.wait(3).await;
    assert_eq!(receiver.names()[2], "VerificationRequestEvent");
    browser.choose("[name=as]", "forged").await;
    browser.sees(r#"{"as":"forged"}"#).await;
    browser.press("Post it").await;
    browser
        .wait("document.querySelector('.replayed').innerText.includes('401')")
        .await;
    browser.keep("replay").await;
    browser
        .wait("document.querySelectorAll('.callbacks .row').length === 4")
        .await;
    let newest = &emulator.deliveries()[0];
    assert_eq!(
        (newest.variant.as_deref(), newest.status, newest.ok),
        (Some("forged"), Some(401), true)
    );

    // The whole test: what is spoilt is refused, and a check that fails is told from the others.
    browser.press("Callbacks").await;
    browser.press("Run the checks").await;
    browser.sees("7 of 8 as they should be").await;
    let wrong = "return [...document.querySelectorAll('.report tr')]
        .filter((row) => row.textContent.endsWith('wrong'))
        .map((row) => row.cells[0].firstChild.textContent)";
    assert_eq!(browser.run(wrong).await, json!(["nothing"]));
    browser.keep("conformance").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
