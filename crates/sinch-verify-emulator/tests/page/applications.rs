//! Several applications: filtered lists, and an application that accepts no report from a device.

use sinch_verify_emulator::{Application, AuthorizationLevel, Emulator};
use sinch_verify_protocol::callback::Decision;

use crate::browser::Browser;
use crate::start::start_for;
use crate::support::{
    KEY, NUMBER, OTHER_KEY, application, builder, deciding, emulator, get, json, number, secret, settled,
};

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_by_application_and_the_backend_reports_for_a_strict_one() {
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
    browser.sees("Nothing matches the filter.").await;

    // A device of the strict application cannot report; its backend can.
    browser
        .open(&format!("{}/#/phones/{NUMBER}", emulator.url()))
        .await;
    browser.sees("does not accept reports from a phone").await;
    browser.keep("strict").await;
    browser.press("Report as the backend").await;
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

    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_steps_report_as_the_backend_of_a_strict_application() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let strict = application().minimum_authorization(AuthorizationLevel::Signed);
    let emulator = Emulator::builder().application(strict).start().await.unwrap();
    browser.open(&emulator.url()).await;
    browser.press("Verify +46700000001 by SMS").await;
    browser.wait("document.querySelector('.big-code')").await;
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
async fn one_application_shows_no_choice() {
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

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_added_is_known_to_the_open_page() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser
        .open(&format!("{}/#/phones/{NUMBER}", emulator.url()))
        .await;
    browser.sees("Live").await;
    let added = emulator.application();
    start_for(&emulator, added.key(), "sms", NUMBER).await;
    browser.press("Report this code").await;
    browser.wait("document.querySelector('.sms .pill.ok')").await;
    browser.press("Verifications").await;
    browser.choose(".filters [name=application]", added.key()).await;
    browser
        .wait("document.querySelectorAll('.verifications .row').length === 1")
        .await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
