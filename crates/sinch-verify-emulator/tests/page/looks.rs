//! What people see at the sizes of a phone, a tablet and a laptop, in light and in dark.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use sinch_verify_protocol::Event;

use crate::browser::Browser;
use crate::support::{Receiver, emulator, emulator_calling, post, reply};

/// A window of this width, in CSS pixels, and these colours.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    width: u32,
    scheme: &'static str,
}

impl Look {
    /// Whether details are beside their list.
    pub(crate) fn is_wide(self) -> bool {
        self.width > 760
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.width, self.scheme)
    }
}

/// Runs `check` in every look, and then checks that everything fits and is readable.
pub(crate) async fn in_every_look(name: &str, check: impl AsyncFn(&Browser, Look)) {
    let Some(browser) = Browser::start().await else {
        return;
    };
    for width in [400, 800, 1280] {
        for scheme in ["light", "dark"] {
            let look = Look { width, scheme };
            browser.size(width, 800).await;
            browser.prefers(scheme).await;
            // The page of the look before may have lost its emulator.
            browser.open("about:blank").await;
            browser.complaints().await;
            check(&browser, look).await;
            browser.keep(&format!("{name}-{look}")).await;
            is_legible(&browser, &format!("{name} at {look}")).await;
            // A refused request is an entry of the log, and so are those after the end of the emulator.
            let mut complaints = browser.complaints().await;
            complaints.retain(|complaint| !complaint.contains("Failed to load resource"));
            assert_eq!(complaints, [""; 0], "{name} at {look}");
        }
    }
}

pub(crate) async fn is_legible(browser: &Browser, place: &str) {
    assert_eq!(browser.run(FITS).await, true, "{place} sticks out");
    assert_eq!(browser.run(TAB_SHOWS).await, true, "the tab of {place}");
    assert_eq!(browser.run(NAMELESS).await, json!([]), "{place}");
    assert_eq!(browser.run(PALE).await, json!([]), "{place}");
}

/// Waits until the top of the element is in the window, and nothing covers it.
pub(crate) async fn shows(browser: &Browser, selector: &str) {
    let selector = json!(selector);
    browser
        .wait(&format!(
            "(() => {{
                const one = document.querySelector({selector});
                const {{ left, top, width, height }} = one.getBoundingClientRect();
                const there = document.elementFromPoint(left + width / 2, top + Math.min(height / 2, 12));
                return one.contains(there) || there?.contains(one);
            }})()"
        ))
        .await;
}

pub(crate) async fn set(browser: &Browser, selector: &str, text: &str) {
    let (selector, text) = (json!(selector), json!(text));
    browser.wait(&format!("document.querySelector({selector})")).await;
    browser
        .run(&format!(
            "const control = document.querySelector({selector});
             control.value = {text};
             control.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ))
        .await;
}

pub(crate) async fn texts(browser: &Browser, selector: &str) -> Value {
    browser
        .run(&format!(
            "return [...document.querySelectorAll({})].map((one) => one.innerText)",
            json!(selector)
        ))
        .await
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

/// Whether the clock and its buttons are on one line.
const STRIP_IS_LINE: &str = "const middles = [...document.querySelectorAll('#strip > *')]
        .filter((one) => one.offsetParent)
        .map(({ offsetTop, offsetHeight }) => offsetTop + offsetHeight / 2);
    return Math.max(...middles) - Math.min(...middles) < 10";

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
async fn every_view_fits_and_reads_well() {
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
    in_every_look("view", async |browser, look| {
        for (place, there) in [
            ("phones", "+46700000001"),
            ("phones/%2B46700000001", "Handset behavior"),
            ("try", "Start the verification"),
            ("verifications", "+46700000001"),
            ("requests", "POST"),
            ("requests/1", "As "),
            ("callbacks", "Receiver"),
            ("callbacks/receiver", "Undelivered events"),
            ("callbacks/1", "Post this event again"),
            ("faults", "Active faults"),
            ("numbers", "second-try"),
            ("reference", "/_emu/reset"),
        ] {
            browser.open(&format!("{}/#/{place}", emulator.url())).await;
            browser.sees(there).await;
            browser.sees("Live").await;
            browser
                .keep(&format!("{}-{look}", place.replace(['/', '%'], "-")))
                .await;
            is_legible(browser, &format!("{place} at {look}")).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_takes_one_line_of_a_narrow_screen() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.size(400, 800).await;
    browser.open(&emulator.url()).await;
    // The longest text of the clock.
    emulator.advance(Duration::from_secs(119 * 60));
    browser.sees("+119 min").await;
    browser.keep("narrow-ahead").await;
    assert_eq!(browser.run(FITS).await, true);
    assert_eq!(browser.run(STRIP_IS_LINE).await, true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_colours_are_kept() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    let theme = "document.documentElement.dataset.theme";
    browser.prefers("dark").await;
    browser.open(&emulator.url()).await;
    browser.wait(&format!("{theme} === 'dark'")).await;
    browser.click("[aria-label='Light colours']").await;
    browser.open(&emulator.url()).await;
    browser.wait(&format!("{theme} === 'light'")).await;
}
