//! The daily work on the page, at every size and in light and dark.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use serde_json::json as value;
use sinch_verify_emulator::{Emulator, TamperKit};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

use crate::looks::{in_every_look, is_legible, set, shows, texts};
use crate::start::start;
use crate::support::{
    NUMBER, Receiver, answering, application, deciding, emulator, emulator_calling, get, json, number, post,
    settled,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_call_that_sets_a_callback_url_has_the_typed_url() {
    in_every_look("endpoint", async |browser, _| {
        let emulator = emulator().await;
        browser
            .open(&format!("{}/#/callbacks/receiver", emulator.url()))
            .await;
        let url = "http://127.0.0.1:4711/sinch";
        set(browser, ".endpoint [name=url]", url).await;
        let call = format!(r#""url":"{url}""#);
        browser
            .wait(&format!(
                "document.querySelector('#calls').innerText.includes({})",
                value!(call)
            ))
            .await;
        browser.press("Set").await;
        browser.sees("Callback URL set").await;
        let info = json(&get(&emulator, "/_emu/info").await);
        assert_eq!(info["applications"][0]["callbackUrl"], url);
        // A URL that is none is named beside its field.
        set(browser, ".endpoint [name=url]", "no url").await;
        browser.press("Set").await;
        browser.wait("document.querySelector('.endpoint .wrong')").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_number_is_named_beside_its_field_until_it_is_right() {
    in_every_look("wrong-number", async |browser, look| {
        let emulator = emulator().await;
        browser.open(&format!("{}/#/try", emulator.url())).await;
        browser.press("Start the verification").await;
        browser.sees("Started").await;
        shows(browser, ".detail h2").await;

        set(browser, "[name=number]", "0701234567").await;
        browser.press("Start the verification").await;
        browser.wait("document.querySelector('.field .wrong')").await;
        assert_eq!(
            texts(browser, ".wrong").await,
            value!(["phone number lacks the leading +; write + and the country code before it"])
        );
        for part in [".field:has(.wrong)", "[name=number]", ".wrong"] {
            shows(browser, part).await;
        }
        let page = texts(browser, "main").await.to_string();
        assert!(!page.contains("Started") && !page.contains("JSON"), "{page}");
        set(browser, "[name=custom]", "something else").await;
        assert_eq!(
            browser
                .run("return document.querySelectorAll('.wrong').length")
                .await,
            1
        );
        is_legible(browser, "the error").await;
        browser.keep(&format!("error-{look}")).await;

        set(browser, "[name=number]", "+46700000002").await;
        browser.press("Start the verification").await;
        browser.sees("Started").await;
        shows(browser, ".detail h2").await;
        assert_eq!(
            browser
                .run("return document.querySelectorAll('.wrong').length")
                .await,
            0
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_and_its_buttons_fit_the_window() {
    in_every_look("phone", async |browser, look| {
        let emulator = emulator().await;
        start(&emulator, "callout", NUMBER).await;
        browser
            .open(&format!("{}/#/phones/{NUMBER}", emulator.url()))
            .await;
        browser.press("Answer").await;
        browser.sees("Send keys").await;
        let bottom = "return document.querySelector('.handset').getBoundingClientRect().bottom
            - document.querySelector('#calls').getBoundingClientRect().top";
        let below = browser.run(bottom).await;
        assert!(below.as_f64().unwrap() <= 0.0, "{below} px below at {look}");
        for button in ["#calls", ".keys button:last-child", ".round.ok"] {
            shows(browser, button).await;
        }
        assert_eq!(
            browser
                .run(
                    "return document.querySelector('.call').scrollHeight
                <= document.querySelector('.call').clientHeight"
                )
                .await,
            true,
            "the keypad needs no scrolling at {look}"
        );
    })
    .await;
}

/// A kit whose changes a receiver must refuse.
struct Kit;

impl TamperKit for Kit {
    fn names(&self) -> Vec<&'static str> {
        vec!["body", "nothing"]
    }

    fn spoil(
        &self,
        name: &str,
        _: &ApplicationKey,
        _: &ApplicationSecret,
        request: &mut Request<Bytes>,
        _: SystemTime,
    ) {
        if name == "body" {
            *request.body_mut() = Bytes::from_static(b"{}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conformance_shows_its_verdicts_and_is_one_item_of_the_callbacks() {
    in_every_look("conformance-run", async |browser, look| {
        let receiver = Receiver::careful(answering(Decision::Allow)).await;
        let emulator = Emulator::builder()
            .application(application().callback_url(receiver.url()))
            .tamper_kit(Kit)
            .start()
            .await
            .unwrap();
        browser.open(&format!("{}/#/callbacks", emulator.url())).await;
        browser
            .press("Receiver: URLs, undelivered events, conformance")
            .await;
        browser.press("Run the checks").await;
        browser.sees("7 of 8 checks passed").await;
        shows(browser, ".report .verdict").await;
        shows(browser, ".checks .pill").await;
        browser.keep(&format!("conformance-report-{look}")).await;
        assert_eq!(
            texts(browser, ".checks .pill").await,
            value!([
                "passed", "passed", "passed", "passed", "passed", "passed", "passed", "failed"
            ])
        );
        is_legible(browser, "the report").await;

        if !look.is_wide() {
            browser.click(".back").await;
        }
        start(&emulator, "sms", NUMBER).await;
        settled(&emulator).await;
        browser
            .wait("document.querySelectorAll('.rows .row').length === 3")
            .await;
        let runs = texts(browser, ".row[href*=run]").await.to_string();
        assert!(runs.contains("7 of 8 passed"), "{runs}");
        browser.click(".row[href*=run]").await;
        browser
            .wait("document.querySelectorAll('.check-row').length === 8")
            .await;
        // A callback of the run leads back to it.
        browser.click(".detail li:last-child .row").await;
        browser.press("check 8 of the run").await;
        browser.sees("Conformance run").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_phones_are_read_and_take_the_place_of_the_first_steps() {
    in_every_look("earlier-phones", async |browser, look| {
        let emulator = emulator().await;
        browser.open(&emulator.url()).await;
        browser.sees("Verify your first number").await;
        let first = start(&emulator, "sms", "+46700000002").await;
        browser
            .wait("document.querySelectorAll('.phone-row').length === 1 && !document.querySelector('.first-steps')")
            .await;

        // A browser that opens the page later.
        browser.run("localStorage.clear(); location.reload()").await;
        browser
            .wait("document.querySelector('.connection')?.dataset.state === 'live' && document.querySelectorAll('.phone-row').length === 1")
            .await;
        assert_eq!(browser.run("return document.querySelectorAll('[data-unread], .first-steps').length").await, 0);
        start(&emulator, "sms", "+46700000003").await;
        browser
            .wait("document.querySelectorAll('[data-unread]').length === 1")
            .await;
        // The latest phone was opened where there is room, and stays open.
        let open = browser.run("return document.querySelector('.owner')?.innerText ?? ''").await;
        assert_eq!(open == "+46700000002", look.is_wide(), "{open} at {look}, {first}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_show_code_and_status_and_are_searched() {
    in_every_look("phone-list", async |browser, _| {
        let emulator = emulator().await;
        start(&emulator, "sms", "+46700000002").await;
        start(&emulator, "flashcall", "+447700900901").await;
        start(&emulator, "sms", NUMBER).await;
        let code = emulator.inbox(&number())[0].code.clone().unwrap();
        browser.open(&format!("{}/#/phones", emulator.url())).await;
        browser
            .wait("document.querySelectorAll('.phone-row').length === 3")
            .await;
        browser
            .wait(&format!(
                "document.querySelector('[data-number=\"{NUMBER}\"] .code').innerText === '{}'",
                code.expose()
            ))
            .await;
        emulator.advance(Duration::from_secs(301));
        browser
            .wait(&format!(
                "document.querySelector('[data-number=\"{NUMBER}\"] .pill').innerText === 'FAIL'"
            ))
            .await;
        for (text, rows) in [
            ("4477", 1),
            ("+4670000000", 2),
            (code.expose(), 1),
            ("999999", 0),
            ("", 3),
        ] {
            set(browser, ".filters [name=text]", text).await;
            browser
                .wait(&format!(
                    "document.querySelectorAll('.phone-row').length === {rows}"
                ))
                .await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_show_number_method_and_decision() {
    in_every_look("callback-list", async |browser, _| {
        let receiver = deciding(Decision::Deny).await;
        let emulator = emulator_calling(&receiver).await;
        let wanted = value!({"method": "sms", "number": NUMBER}).to_string();
        post(&emulator, "/_emu/try", &wanted).await;
        settled(&emulator).await;
        browser.open(&format!("{}/#/callbacks", emulator.url())).await;
        browser
            .wait("document.querySelectorAll('.rows .row').length === 2")
            .await;
        assert_eq!(texts(browser, ".rows .who").await, value!([NUMBER, NUMBER]));
        assert_eq!(
            texts(browser, ".rows .what").await,
            value!(["Result · sms · DENIED", "Request · sms · deny"])
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_filtered() {
    in_every_look("request-list", async |browser, _| {
        let emulator = emulator().await;
        start(&emulator, "sms", NUMBER).await;
        start(&emulator, "callout", "+46700000002").await;
        let id = start(&emulator, "flashcall", "+46700000003").await;
        let report = value!({"method": "flashcall", "flashCall": {"cli": "+46700000099"}}).to_string();
        post(&emulator, &format!("/_emu/verifications/{id}/report"), &report).await;
        browser.open(&format!("{}/#/requests", emulator.url())).await;
        let rows = async |count: usize| {
            browser
                .wait(&format!(
                    "document.querySelectorAll('.rows .row').length === {count}"
                ))
                .await;
        };
        rows(4).await;
        for (filter, value, count) in [
            ("verificationMethod", "flashcall", 2),
            ("operation", "start", 3),
            ("status", "400", 1),
            // The number of a report by id is that of its verification.
            ("text", "+46700000003", 2),
            ("text", "IDENTITY", 4),
            ("text", "0099", 1),
        ] {
            let control = format!(".filters [name={filter}]");
            set(browser, &control, value).await;
            rows(count).await;
            set(browser, &control, "").await;
            rows(4).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_is_reset_after_a_confirmation() {
    in_every_look("reset", async |browser, look| {
        let emulator = emulator().await;
        start(&emulator, "sms", NUMBER).await;
        browser.open(&format!("{}/#/verifications", emulator.url())).await;
        browser
            .wait("document.querySelectorAll('.row').length === 1")
            .await;
        browser.click("[aria-label='Reset the emulator']").await;
        browser.press("Cancel").await;
        assert_eq!(emulator.inbox(&number()).len(), 1);
        browser.click("[aria-label='Reset the emulator']").await;
        is_legible(browser, "the confirmation").await;
        browser.keep(&format!("confirmation-{look}")).await;
        browser.press("Reset").await;
        browser.sees("No verification yet").await;
        assert!(emulator.inbox(&number()).is_empty());
        browser.wait("!document.querySelector('dialog')").await;
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_api_call_is_in_one_place() {
    in_every_look("calls", async |browser, _| {
        let emulator = emulator().await;
        start(&emulator, "sms", NUMBER).await;
        browser.open(&emulator.url()).await;
        browser.click("#calls > button").await;
        for (place, call) in [
            ("phones", "/_emu/phones"),
            (&*format!("phones/{NUMBER}"), "/_emu/behaviors"),
            ("try", "/_emu/try"),
            ("verifications", "/_emu/verifications"),
            ("requests/1", "/_emu/requests/1"),
            ("callbacks/receiver", "/_emu/conformance"),
            ("faults", "/_emu/faults"),
            ("numbers", "/_emu/numbers"),
            ("reference", "/_emu/openapi.json"),
        ] {
            browser.open(&format!("{}/#/{place}", emulator.url())).await;
            browser.sees("Live").await;
            browser
                .wait(&format!("document.querySelector('.calls').innerText.includes('{call}')"))
                .await;
            let twice = "const shown = [...document.querySelectorAll('.calls li')]
                    .map((one) => ['.verb', 'code'].map((part) => one.querySelector(part).innerText).join(' '));
                const calls = /(GET|POST|PUT|DELETE) \\//;
                const outside = [...document.querySelectorAll('header *, main *')]
                    .filter((one) => calls.test(one.title) || one.children.length === 0 && calls.test(one.innerText));
                return [shown.length - new Set(shown).size, outside.length]";
            assert_eq!(browser.run(twice).await, value!([0, 0]), "{place}");
        }
        shows(browser, ".calls .copy").await;
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn details_open_the_latest_item() {
    in_every_look("latest", async |browser, look| {
        let emulator = emulator().await;
        start(&emulator, "sms", "+46700000002").await;
        let id = start(&emulator, "sms", NUMBER).await;
        for (place, latest) in [
            ("phones", NUMBER),
            ("verifications", &id),
            ("requests", "2"),
            ("callbacks", "receiver"),
        ] {
            browser.open(&format!("{}/#/{place}", emulator.url())).await;
            browser
                .wait("document.querySelector('.row, .pinned')?.checkVisibility()")
                .await;
            if look.is_wide() {
                browser
                    .wait(&format!("location.hash === '#/{place}/{latest}'"))
                    .await;
                browser
                    .wait("document.querySelector('.detail').innerText.length > 20")
                    .await;
                shows(browser, "[aria-current=true]").await;
            } else {
                assert_eq!(browser.run("return location.hash").await, format!("#/{place}"));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_fault_is_seen() {
    in_every_look("fault", async |browser, _| {
        let emulator = emulator().await;
        browser.open(&format!("{}/#/faults", emulator.url())).await;
        set(browser, "[name=kind]", "status").await;
        browser.press("Add fault").await;
        browser.sees("triggered by 0 of 0").await;
        shows(browser, ".fault").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_read_offline() {
    in_every_look("reference", async |browser, look| {
        let emulator = emulator().await;
        browser.open(&format!("{}/#/reference", emulator.url())).await;
        let count = json(&get(&emulator, "/_emu/openapi.json").await)["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|verbs| verbs.as_object().unwrap().len())
            .sum::<usize>();
        browser
            .wait(&format!(
                "document.querySelectorAll('.operation').length === {count}"
            ))
            .await;
        set(browser, "[type=search]", "/_emu/try").await;
        browser
            .wait("[...document.querySelectorAll('.operation')].filter((one) => !one.hidden).length === 1")
            .await;
        browser.click(".operation:not([hidden]) summary").await;
        browser.sees("curl 'http").await;
        browser.sees("502").await;
        browser.click(".operation:not([hidden]) details summary").await;
        browser.sees("acceptLanguage").await;
        is_legible(browser, &format!("an operation at {look}")).await;
    })
    .await;
}
