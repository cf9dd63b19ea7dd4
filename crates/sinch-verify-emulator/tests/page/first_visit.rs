//! The first visit, by mouse and by keyboard.

use serde_json::json;
use sinch_verify_emulator::Emulator;
use sinch_verify_protocol::{Event, Method, Status, StatusByNumber};

use crate::browser::{Browser, key};
use crate::start::start;
use crate::support::{Receiver, basic, call, emulator, emulator_calling, number, reply};

/// The status of the sample number's verification, from the API.
async fn status(emulator: &Emulator) -> Status {
    let question = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    call(emulator, &basic(), &question).await.unwrap().status
}

const CODE: &str = "document.querySelector('.big-code output').textContent";

#[tokio::test(flavor = "multi_thread")]
async fn the_first_visit_ends_with_a_verified_number() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let receiver = Receiver::new(|event| match event {
        Event::Request(_) => reply(200, r#"{"action":"allow"}"#),
        _ => reply(200, ""),
    })
    .await;
    let emulator = emulator_calling(&receiver).await;
    browser.open(&emulator.url()).await;
    browser.sees("Verify your first number").await;
    browser.keep("first-visit").await;
    browser.press("Verify +46700000001 by SMS").await;
    let code = browser.wait(CODE).await;
    assert_eq!(
        emulator.inbox(&number())[0].code.as_ref().unwrap().expose(),
        code.as_str().unwrap()
    );
    browser.click("[name=code]").await;
    browser.keys(code.as_str().unwrap()).await;
    browser.keep("first-steps").await;
    browser.press("Report the code").await;
    browser.sees("+46700000001 is verified.").await;
    browser.keep("verified").await;
    browser.press("the verification").await;
    browser.wait("document.querySelector('.timeline .result')").await;
    browser.keep("timeline").await;
    assert_eq!(status(&emulator).await, Status::Successful);

    // The steps are shown only once.
    browser.open(&emulator.url()).await;
    browser.sees("+46700000001").await;
    assert_eq!(
        browser.run("return document.querySelector('.first-steps')").await,
        json!(null)
    );
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_is_enough() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.open(&emulator.url()).await;
    browser.sees("Verify your first number").await;
    let focused = "document.activeElement.textContent";
    let tab_until = async |there: &str| {
        for _ in 0..60 {
            browser.keys(key::TAB).await;
            if browser.run(&format!("return {there}")).await == true {
                return;
            }
        }
        panic!("Tab never comes to where {there}");
    };
    browser.keys(key::TAB).await;
    assert_eq!(
        browser.run(&format!("return {focused}")).await,
        "Skip to the content"
    );
    browser.keys(key::ENTER).await;
    tab_until(&format!("{focused} === 'Verify +46700000001 by SMS'")).await;
    browser.keys(key::ENTER).await;
    let code = browser.wait(CODE).await;

    // The form of the third step, then the report.
    tab_until("document.activeElement.name === 'code'").await;
    browser.keys(code.as_str().unwrap()).await;
    browser.keys(key::ENTER).await;
    browser.sees("+46700000001 is verified.").await;
    assert_eq!(status(&emulator).await, Status::Successful);

    // Single keys open the views and enter the list; arrow keys move in it.
    start(&emulator, "sms", "+46700000002").await;
    browser.run("document.activeElement.blur()").await;
    browser.keys("3").await;
    browser
        .wait("document.querySelectorAll('.verifications .row').length === 2")
        .await;
    browser.keys("/").await;
    assert_eq!(browser.run("return document.activeElement.name").await, "number");
    tab_until("document.activeElement.className === 'row'").await;
    browser.wait(&format!("{focused}.includes('+46700000002')")).await;
    browser.keys(key::DOWN).await;
    browser.wait(&format!("{focused}.includes('+46700000001')")).await;
    browser.keys(key::ENTER).await;
    browser
        .wait("document.querySelector('.timeline').children.length > 3")
        .await;

    // Letters typed into a field are no shortcuts.
    browser.keys("/7").await;
    assert_eq!(browser.run("return document.activeElement.value").await, "7");
    browser.run("document.activeElement.blur()").await;
    browser.keys("?").await;
    browser.sees("Copy the newest code on the phone").await;
    browser.keys(key::ESCAPE).await;
    browser.wait("!document.querySelector('dialog')").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
