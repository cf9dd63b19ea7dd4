//! The phones view: messages, calls, reports and handset behaviors.

use std::time::Duration;

use serde_json::json;
use sinch_verify_emulator::Emulator;
use sinch_verify_protocol::start::SmsOptions;
use sinch_verify_protocol::{Method, Start, Status, StatusByNumber};

use crate::browser::{Browser, key};
use crate::start::start;
use crate::support::{NUMBER, basic, call, emulator, emulator_with, number};

async fn status(emulator: &Emulator, method: Method) -> Status {
    let question = StatusByNumber {
        method,
        number: number(),
    };
    call(emulator, &basic(), &question).await.unwrap().status
}

async fn look(browser: &Browser, emulator: &Emulator) {
    browser
        .open(&format!("{}/#/phones/%2B46700000001", emulator.url()))
        .await;
    browser.sees("Handset behavior").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callout_is_completed_on_the_keypad() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    look(&browser, &emulator).await;
    start(&emulator, "callout", NUMBER).await;
    browser.press("Answer").await;
    browser.keep("keypad").await;
    // A wrong key first, by mouse: the call continues.
    browser.press("9").await;
    browser.press("Send keys").await;
    // The foot of the page shows the API call once it is answered.
    browser
        .wait(r#"document.querySelector('#calls').textContent.includes('"digits":"9"')"#)
        .await;
    assert_eq!(status(&emulator, Method::Callout).await, Status::Pending);
    browser.press("1").await;
    browser.press("Send keys").await;
    browser.sees("SUCCESSFUL").await;
    browser.wait("!document.querySelector('.call')").await;
    assert_eq!(status(&emulator, Method::Callout).await, Status::Successful);

    // The code verifies too, typed on the keyboard.
    start(&emulator, "callout", NUMBER).await;
    browser.press("Answer").await;
    let code = emulator.inbox(&number())[0].code.clone().unwrap();
    browser.keys(code.expose()).await;
    browser.keys(key::ENTER).await;
    browser.wait("!document.querySelector('.call')").await;
    assert_eq!(status(&emulator, Method::Callout).await, Status::Successful);
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_hung_up_or_stops_ringing() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator_with(|settings| settings.flash_call_ring = Duration::from_secs(110)).await;
    emulator.pause_clock();
    look(&browser, &emulator).await;
    for answered in [false, true] {
        start(&emulator, "callout", NUMBER).await;
        if answered {
            browser.press("Answer").await;
            browser.press("Hang up").await;
        } else {
            browser.press("Decline").await;
        }
        browser.sees("Hung up without entering valid code").await;
        browser.wait("!document.querySelector('.call')").await;
        assert_eq!(status(&emulator, Method::Callout).await, Status::Fail);
    }

    // The caller id of a flash call can be reported however the call ends.
    start(&emulator, "flashcall", NUMBER).await;
    browser.wait("document.querySelector('.ringing')").await;
    browser.press("Hang up").await;
    browser.wait("!document.querySelector('.ringing')").await;
    assert_eq!(status(&emulator, Method::FlashCall).await, Status::Pending);

    // It rings for the set duration and then stops by itself.
    start(&emulator, "flashcall", NUMBER).await;
    browser.wait("document.querySelector('.ringing')").await;
    emulator.advance(Duration::from_secs(109));
    browser.sees("109 s ago").await;
    browser.wait("document.querySelector('.ringing')").await;
    emulator.advance(Duration::from_secs(1));
    browser.sees("Missed call from").await;
    browser.wait("!document.querySelector('.ringing')").await;
    assert_eq!(status(&emulator, Method::FlashCall).await, Status::Pending);
    browser.keep("missed-call").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flash_call_stops_ringing_on_the_open_phone() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    // The end of the call is the only event.
    let emulator = emulator_with(|settings| settings.flash_call_ring = Duration::from_millis(1500)).await;
    look(&browser, &emulator).await;
    start(&emulator, "flashcall", NUMBER).await;
    browser.sees("Missed call from").await;
    browser.wait("!document.querySelector('.ringing')").await;
    assert_eq!(status(&emulator, Method::FlashCall).await, Status::Pending);
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_proof_is_reported_from_the_phone() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    for (method, number) in [
        ("whatsapp", "+46700000002"),
        ("callout", "+46700000003"),
        ("seamless", "+46700000004"),
        ("sms", "+447700900901"),
    ] {
        start(&emulator, method, number).await;
    }
    look(&browser, &emulator).await;
    start(&emulator, "flashcall", NUMBER).await;
    browser.wait("document.querySelector('.ringing')").await;
    let cli = emulator.inbox(&number())[0].cli.clone().unwrap();
    browser.sees(&cli.expose()[cli.expose().len() - 4..]).await;
    browser.keep("flash-call").await;
    browser.press("Report").await;
    browser.wait("!document.querySelector('.ringing')").await;
    assert_eq!(status(&emulator, Method::FlashCall).await, Status::Successful);

    start(&emulator, "whatsapp", NUMBER).await;
    browser
        .wait("document.querySelector('.whatsapp .big-code')")
        .await;
    browser.press("Report this code").await;
    browser.wait("document.querySelector('.whatsapp .pill.ok')").await;
    assert_eq!(status(&emulator, Method::WhatsApp).await, Status::Successful);

    start(&emulator, "seamless", NUMBER).await;
    browser.press("Open the address on the phone").await;
    browser.wait("document.querySelector('.seamless .pill.ok')").await;
    assert_eq!(status(&emulator, Method::Seamless).await, Status::Successful);

    start(&emulator, "sms", NUMBER).await;
    browser.wait("document.querySelector('.sms .big-code')").await;
    browser.keep("phone").await;
    browser.click(".sms .big-code button").await;
    browser.sees("Copied the code").await;

    // A behavior reports the next code.
    browser.choose("[name=do]", "report").await;
    browser
        .run("document.querySelector('[name=after]').value = '0s'")
        .await;
    browser.press("Set").await;
    browser.sees("Handset behavior set").await;
    browser.sees("set for this number").await;
    start(&emulator, "sms", NUMBER).await;
    browser
        .wait("document.querySelector('.thread').lastChild.querySelector('.pill.ok')")
        .await;
    assert_eq!(status(&emulator, Method::Sms).await, Status::Successful);
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_a_message_is_never_markup() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    let hostile = "<img src=x onerror=\"window.caught='img'\"><script>window.caught='script'</script>\
                   </li><a href=\"javascript:window.caught='link'\">{{CODE}}</a>\u{202e}&lt;b&gt;";
    let mut options = SmsOptions::default();
    options.template = Some(hostile.to_owned());
    call(&emulator, &basic(), &Start::sms(number()).options(options))
        .await
        .unwrap();
    look(&browser, &emulator).await;
    let code = browser
        .wait("document.querySelector('.big-code output').textContent")
        .await;
    let shown = browser
        .run("return document.querySelector('.bubble .text').textContent")
        .await;
    assert_eq!(shown, hostile.replace("{{CODE}}", code.as_str().unwrap()));
    for place in ["phones", "verifications", "requests/1", "requests", "try"] {
        browser.open(&format!("{}/#/{place}", emulator.url())).await;
        browser.sees("Live").await;
        browser
            .wait("document.querySelector('main').innerText.length > 20")
            .await;
        let made =
            "return [window.caught ?? 'nothing', document.querySelectorAll('main img, main script').length]";
        assert_eq!(browser.run(made).await, json!(["nothing", 0]), "{place}");
    }
    assert_eq!(browser.complaints().await, [""; 0]);
}
