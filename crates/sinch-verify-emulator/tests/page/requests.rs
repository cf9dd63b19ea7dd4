//! The inspector explains a signature that does not match.

use std::time::SystemTime;

use http::header::{CONTENT_TYPE, HeaderValue};
use sinch_verify_protocol::{Endpoint as _, Start};

use crate::browser::Browser;
use crate::support::{emulator, number, send, signed};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_explained() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    browser.open(&format!("{}/#/requests", emulator.url())).await;
    browser.sees("No requests yet").await;
    // Signed with one content type and sent with another, as when an HTTP client adds a charset.
    let mut request = Start::sms(number()).to_http(&emulator.base_url()).unwrap();
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    signed().authorize(&mut request, SystemTime::now()).unwrap();
    request.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=UTF-8"),
    );
    assert_eq!(send(&emulator, request).await.status(), 401);

    browser.sees("401").await;
    browser.click(".row").await;
    browser.sees("Refused").await;
    let row = "document.querySelector('.signed .differs')";
    let shown = browser.wait(&format!("{row}.innerText")).await;
    let shown = shown.as_str().unwrap();
    assert!(
        shown.contains("application/json; charset=UTF-8") && shown.contains("differs"),
        "{shown}"
    );
    let theirs = browser
        .run(&format!("return {row}.querySelectorAll('code')[1].textContent"))
        .await;
    assert_eq!(theirs, "application/json");
    assert_eq!(
        browser
            .run("return document.querySelectorAll('.signed .differs').length")
            .await,
        1
    );
    browser.keep("wrong-signature").await;
    browser.prefers("dark").await;
    browser.keep("wrong-signature-dark").await;

    // The same request as curl and as Rust, and the page does not contain the secret.
    for (language, shown) in [("curl", "curl 'http"), ("rust", "Start::sms")] {
        browser.choose("[name=language]", language).await;
        let source = "document.querySelector('.source pre').textContent";
        browser.wait(&format!("{source}.includes({shown:?})")).await;
    }
    let page = browser.run("return document.body.textContent").await;
    assert!(!page.as_str().unwrap().contains(crate::support::SECRET));
    assert_eq!(browser.complaints().await, [""; 0]);
}
