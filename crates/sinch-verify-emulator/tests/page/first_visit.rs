//! The first visit, by mouse, by keyboard, and on a narrow screen in the dark.

use std::time::Duration;

use serde_json::json;
use sinch_verify_emulator::Emulator;
use sinch_verify_protocol::{Event, Method, Status, StatusByNumber};

use crate::browser::{Browser, key};
use crate::start::start;
use crate::support::{Receiver, basic, call, emulator, emulator_calling, number, post, reply};

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

/// Whether any element is wider than the window.
const FITS: &str = "return document.documentElement.scrollWidth <= window.innerWidth
    && [...document.querySelectorAll('main *')].every((one) => !one.offsetParent
        || one.closest('pre, .scroll, .tabs')
        || one.getBoundingClientRect().right <= window.innerWidth + 1)";

/// Whether the tab of the current view is visible.
const TAB_SHOWS: &str = "const [tabs, tab] = ['#tabs', '#tabs [aria-current]']
        .map((one) => document.querySelector(one).getBoundingClientRect());
    return tab.left >= tabs.left - 1 && tab.right <= tabs.right + 1";

/// The number of lines of the clock and its buttons.
const STRIP_LINES: &str = "return new Set([...document.querySelectorAll('#strip > *')]
    .filter((one) => one.offsetParent)
    .map(({ offsetTop, offsetHeight }) => Math.round((offsetTop + offsetHeight / 2) / 10))).size";

/// The texts whose contrast with the background is lower than WCAG AA requires.
const PALE: &str = r"
    const number = (color) => {
        const canvas = new OffscreenCanvas(1, 1).getContext('2d');
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (one) => {
        for (; one; one = one.parentElement) {
            const { backgroundColor, backgroundImage } = getComputedStyle(one);
            if (backgroundImage !== 'none') return null;
            const found = number(backgroundColor);
            if (found[3] === 255) return found;
        }
        return number('white');
    };
    const pale = [];
    for (const one of document.querySelectorAll('body *')) {
        const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const behind = own && one.checkVisibility() && !one.disabled && ground(one);
        if (!behind) continue;
        const [a, b] = [light(number(getComputedStyle(one).color)), light(behind)].sort((a, b) => b - a);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) pale.push(`${ratio.toFixed(2)}: ${one.className || one.tagName}: ${one.textContent.slice(0, 40)}`);
    }
    return pale";

/// The controls without a name for screen readers.
const NAMELESS: &str = "return [...document.querySelectorAll('button, a[href], input, select, [role=group]')]
    .filter((one) => !one.getAttribute('aria-label') && !one.labels?.length
        && (one.matches('select, [role=group]') || !one.textContent.trim()))
    .map((one) => one.outerHTML)";

#[tokio::test(flavor = "multi_thread")]
async fn every_view_fits_a_narrow_screen_and_reads_well_in_light_and_dark() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    // One item of every kind, with long texts, and a receiver that refuses results.
    let receiver = Receiver::new(|event| match event {
        Event::Request(_) => reply(200, r#"{"action":"allow"}"#),
        _ => reply(500, "no"),
    })
    .await;
    let emulator = emulator_calling(&receiver).await;
    for method in ["whatsapp", "callout", "flashcall", "seamless", "sms"] {
        let reference = format!("a-reference-as-long-as-they-may-be-and-longer-than-a-row-{method}");
        let wanted = json!({"method": method, "number": "+46700000001", "reference": reference}).to_string();
        assert_eq!(post(&emulator, "/_emu/try", &wanted).await.status(), 200);
    }
    post(
        &emulator,
        "/_emu/faults",
        r#"{"on":"callback","operation":"result","every":3,"fault":{"kind":"status","status":503}}"#,
    )
    .await;
    browser.size(400, 800).await;
    for scheme in ["light", "dark"] {
        browser.prefers(scheme).await;
        for (place, there) in [
            ("phones", "+46700000001"),
            ("phones/%2B46700000001", "Handset behavior"),
            ("try", "Start the verification"),
            ("verifications", "+46700000001"),
            ("requests", "POST"),
            ("requests/1", "As curl"),
            ("callbacks", "Undelivered events"),
            ("callbacks/1", "Post this event again"),
            ("faults", "Active faults"),
            ("numbers", "second-try"),
        ] {
            browser.open(&format!("{}/#/{place}", emulator.url())).await;
            browser.sees(there).await;
            browser.sees("Live").await;
            browser
                .keep(&format!("narrow-{scheme}-{}", place.replace(['/', '%'], "-")))
                .await;
            assert_eq!(browser.run(FITS).await, true, "{place} sticks out");
            assert_eq!(browser.run(TAB_SHOWS).await, true, "the tab of {place}");
            assert_eq!(browser.run(NAMELESS).await, json!([]), "{place}");
            assert_eq!(browser.run(PALE).await, json!([]), "{place} in {scheme}");
        }
    }
    // The longest text of the clock fits beside its buttons.
    emulator.advance(Duration::from_secs(119 * 60));
    browser.sees("+119 min").await;
    browser.keep("narrow-ahead").await;
    assert_eq!(browser.run(FITS).await, true);
    assert_eq!(browser.run(STRIP_LINES).await, 1);
    assert_eq!(
        browser.run("return document.documentElement.dataset.theme").await,
        "dark"
    );
    browser.click("[aria-label='Light colours']").await;
    browser.open(&emulator.url()).await;
    browser
        .wait("document.documentElement.dataset.theme === 'light'")
        .await;
}
