//! The controls of the page: clock, faults, interventions, and errors when the emulator does not answer.

use sinch_verify_emulator::Emulator;
use sinch_verify_protocol::{Method, Reason, StatusByNumber, Verification};

use crate::browser::Browser;
use crate::start::start;
use crate::support::{NUMBER, basic, call, emulator, number};

async fn ask(emulator: &Emulator) -> Verification {
    let question = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    call(emulator, &basic(), &question).await.unwrap()
}

/// Starts a verification and opens its timeline from the list.
async fn start_and_open(emulator: &Emulator, browser: &Browser, number: &str) {
    let id = start(emulator, "sms", number).await;
    browser.click(&format!(".row[href$='/{id}']")).await;
    browser
        .wait("document.querySelectorAll('.timeline .start').length === 1")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_moved_and_verifications_are_ended() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.open(&format!("{}/#/verifications", emulator.url())).await;
    browser.sees("No verification yet").await;
    let begin = emulator.now();
    browser.press("+5 m").await;
    browser.sees("+5 min").await;
    assert!(emulator.now().duration_since(begin).unwrap().as_secs() >= 300);
    browser.click("[aria-label='Pause the clock']").await;
    browser.sees("paused").await;
    let stands = emulator.now();
    browser.press("+1 m").await;
    browser
        .wait("document.querySelector('#calls').innerText.includes('\"1m\"')")
        .await;
    assert_eq!(emulator.now().duration_since(stands).unwrap().as_secs(), 60);
    browser.click("[aria-label='Resume the clock']").await;
    browser
        .wait("!document.querySelector('#strip').innerText.includes('paused')")
        .await;

    // To the next expiry, once there is one.
    browser
        .wait("[...document.querySelectorAll('#strip button')].at(-1).disabled")
        .await;
    start(&emulator, "sms", NUMBER).await;
    browser.press("Next expiry").await;
    browser.sees("Expired").await;
    assert_eq!(ask(&emulator).await.reason, Some(Reason::Expired));

    // Two more are ended from their timelines.
    for (label, reason) in [
        ("Expire now", Reason::Expired),
        ("Deny", Reason::DeniedByCallback),
    ] {
        start_and_open(&emulator, &browser, NUMBER).await;
        browser.press(label).await;
        browser.wait("document.querySelector('.timeline .ended')").await;
        assert_eq!(ask(&emulator).await.reason, Some(reason));
        browser.press("Verifications").await;
    }

    // Messages to this number are lost until they are delivered by the button.
    let lost = "+447700900915";
    start_and_open(&emulator, &browser, lost).await;
    assert!(emulator.inbox(&lost.parse().unwrap()).is_empty());
    browser.press("Deliver now").await;
    browser.wait("document.querySelector('.timeline .sent')").await;
    assert_eq!(emulator.inbox(&lost.parse().unwrap()).len(), 1);
    browser
        .wait("document.querySelector('[value=deliver]').disabled")
        .await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_triggered_and_removed() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.open(&format!("{}/#/faults", emulator.url())).await;
    browser.sees("No active faults").await;
    browser.choose("[name=kind]", "status").await;
    browser
        .sees(r#"{"on":"api","fault":{"kind":"status","status":503}}"#)
        .await;
    browser.press("Add fault").await;
    browser.sees("triggered by 0 of 0").await;
    browser
        .wait("document.querySelector('#tabs .pill').textContent === '1'")
        .await;

    // From a magic number to the form, and the start triggers the fault.
    browser.press("Numbers").await;
    browser.click("[aria-label='Try it: second-try']").await;
    browser
        .wait("document.querySelector('[name=number]').value === '+447700900902'")
        .await;
    browser.press("Start the verification").await;
    browser.sees("Refused").await;
    browser.press("Open the request").await;
    browser.sees("Fault triggered").await;
    browser.press("status").await;
    browser.sees("triggered by 1 of 1").await;
    browser.press("Remove").await;
    browser.sees("No active faults").await;
    assert!(emulator.faults().is_empty());
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_shown() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.open(&format!("{}/#/try", emulator.url())).await;
    browser.click("[name=number]").await;
    browser.keys("9").await;
    browser
        .run("document.querySelector('[name=number]').value = 'no number'")
        .await;
    browser.press("Start the verification").await;
    browser.sees("phone number lacks the leading +").await;
    browser
        .open(&format!("{}/#/verifications/unknown", emulator.url()))
        .await;
    browser.sees("This could not be shown").await;
    browser.open(&format!("{}/#/requests/4711", emulator.url())).await;
    browser.sees("This could not be shown").await;
    emulator.shutdown().await;
    browser.sees("Reconnecting").await;
    browser.press("+1 m").await;
    browser.sees("the emulator does not answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_address_shows_the_first_view() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.open(&format!("{}/#/phones/%", emulator.url())).await;
    browser.sees("Verify your first number").await;
    browser.press("Numbers").await;
    browser.sees("second-try").await;
    browser.run("location.hash = '#/%E0%A4%A'").await;
    browser.sees("Verify your first number").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
