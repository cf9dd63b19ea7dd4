//! The page follows the emulator, also after the connection breaks.

use crate::browser::Browser;
use crate::proxy::Gate;
use crate::start::start;
use crate::support::{builder, emulator};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_shows_without_a_reload() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.open(&emulator.url()).await;
    browser.sees("Live").await;
    browser.run("window.same = true").await;
    // The first phone opens by itself.
    start(&emulator, "sms", "+46700000005").await;
    browser.wait("document.querySelector('.big-code')").await;

    // A second one is unread until it is opened.
    start(&emulator, "sms", "+46700000006").await;
    browser
        .wait("document.querySelector('[data-number=\"+46700000006\"][data-unread]')")
        .await;
    browser.click("[data-number='+46700000006']").await;
    browser.wait("!document.querySelector('[data-unread]')").await;
    browser.click("[data-number='+46700000005']").await;
    start(&emulator, "sms", "+46700000006").await;
    browser
        .wait("document.querySelectorAll('[data-unread]').length === 1")
        .await;
    start(&emulator, "sms", "+46700000005").await;
    browser
        .wait("document.querySelectorAll('.big-code').length === 2")
        .await;
    browser
        .wait("document.querySelectorAll('[data-unread]').length === 1")
        .await;
    // The earlier one was aborted by the later one.
    browser.sees("ABORTED").await;

    browser.press("Verifications").await;
    browser
        .wait("document.querySelectorAll('.verifications .row').length === 4")
        .await;
    emulator.advance(std::time::Duration::from_secs(301));
    browser.wait("[...document.querySelectorAll('.rows .pill')].filter((one) => one.textContent === 'FAIL').length === 2").await;
    assert_eq!(browser.run("return window.same").await, true);
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_is_resumed_where_it_broke() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    let gate = Gate::to(emulator.addr()).await;
    browser.open(&format!("http://{}", gate.address)).await;
    browser.sees("Live").await;
    start(&emulator, "sms", "+46700000005").await;
    browser.sees("+46700000005").await;
    gate.shut();
    browser.sees("Reconnecting").await;
    start(&emulator, "sms", "+46700000006").await;
    gate.open();
    browser.sees("Live").await;
    browser.sees("+46700000006").await;
    let resumed = gate.last("GET /_emu/events").unwrap();
    assert!(
        resumed.to_lowercase().contains("\r\nlast-event-id: "),
        "{resumed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_emulator_is_followed_anew() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let first = emulator().await;
    let address = first.addr();
    browser.open(&first.url()).await;
    browser.sees("Live").await;
    for _ in 0..3 {
        start(&first, "sms", "+46700000005").await;
    }
    browser.wait("document.querySelector('.big-code')").await;
    first.shutdown().await;
    browser.sees("Reconnecting").await;
    let second = builder().bind(address).start().await.unwrap();
    browser.sees("Live").await;
    browser
        .wait("!document.body.innerText.includes('+46700000005')")
        .await;
    // Its message numbers are lower than before, and its messages are shown all the same.
    start(&second, "sms", "+46700000005").await;
    browser
        .wait("document.querySelector('[data-number=\"+46700000005\"][data-unread]')")
        .await;
}
