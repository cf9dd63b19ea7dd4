//! More than one application: lists of one of them, and one that takes no report from a device.

use sinch_verify_emulator::{Application, AuthorizationLevel};
use sinch_verify_protocol::callback::Decision;

use crate::browser::Browser;
use crate::start::start_for;
use crate::support::{
    KEY, NUMBER, OTHER_KEY, builder, deciding, emulator, get, json, number, secret, settled,
};

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_of_one_application_and_a_strict_one_is_reported_to() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let receiver = deciding(Decision::Allow).await;
    let strict = Application::new(OTHER_KEY.parse().unwrap(), secret())
        .minimum_authorization(AuthorizationLevel::Signed);
    let emulator = builder().application(strict).start().await.unwrap();
    emulator
        .set_callback_url(&KEY.parse().unwrap(), Some(receiver.url()))
        .unwrap();
    start_for(&emulator, KEY, "sms", "+46700000002").await;
    start_for(&emulator, OTHER_KEY, "sms", NUMBER).await;
    settled(&emulator).await;

    let lists = [
        ("verifications", 2, 1, 1),
        ("requests", 2, 1, 1),
        ("callbacks", 2, 2, 0),
    ];
    for (place, all, own, others) in lists {
        browser.open(&format!("{}/#/{place}", emulator.url())).await;
        for (key, rows) in [("", all), (KEY, own), (OTHER_KEY, others)] {
            browser.choose(".filters [name=application]", key).await;
            let shown = format!("document.querySelectorAll('.{place} .row').length === {rows}");
            browser.wait(&shown).await;
        }
    }
    browser.sees("Nothing here fits.").await;

    // A device of the strict one may not report; its backend may.
    browser
        .open(&format!("{}/#/phones/{NUMBER}", emulator.url()))
        .await;
    browser.sees("takes no report with its key alone").await;
    browser.keep("strict").await;
    browser.press("Have the backend report it").await;
    browser.wait("document.querySelector('.sms .pill.ok')").await;
    let report = &json(&get(&emulator, "/_emu/requests?limit=1").await)["requests"][0];
    assert_eq!(
        (
            &report["operation"],
            &report["authorization"],
            &report["application"]
        ),
        (&"report".into(), &"signed".into(), &OTHER_KEY.into())
    );
    start_for(&emulator, OTHER_KEY, "flashcall", NUMBER).await;
    browser.press("Report").await;
    browser.sees("SUCCESSFUL").await;
    browser.wait("!document.querySelector('.ringing')").await;

    // The first steps go the same way, and tell what the backend was answered.
    start_for(&emulator, OTHER_KEY, "sms", NUMBER).await;
    let code = emulator.inbox(&number())[0].code.clone().unwrap();
    for (typed, said) in [("wrong", "400: "), (code.expose(), "+46700000001 is verified.")] {
        browser.click("[name=code]").await;
        browser
            .run("document.querySelector('[name=code]').value = ''")
            .await;
        browser.keys(typed).await;
        browser.press("Report the code").await;
        browser.sees(said).await;
    }
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_application_is_nothing_to_choose() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    for place in ["verifications", "requests", "callbacks", "try"] {
        browser.open(&format!("{}/#/{place}", emulator.url())).await;
        browser.sees("Live").await;
        browser
            .wait(
                "[...document.querySelectorAll('[name=application]')].every((one) => !one.checkVisibility())",
            )
            .await;
        browser.wait("document.querySelector('[name=application]')").await;
    }
    assert_eq!(browser.complaints().await, [""; 0]);
}
