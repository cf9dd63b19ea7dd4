//! With ten thousand messages the page stays fast and the document small.

use std::ops::Range;
use std::time::SystemTime;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use sinch_verify_emulator::Emulator;
use sinch_verify_protocol::{Endpoint as _, Start};
use tokio::net::TcpStream;

use crate::browser::Browser;
use crate::support::{NUMBER, basic, call, emulator};

const MESSAGES: u32 = 10_000;

/// How many of them arrive while the page is open.
const LIVE: u32 = 2_000;

/// The most elements in the document.
const MOST: u64 = 2_500;

/// Every second message goes to one busy phone, each of the others to its own phone.
fn number(n: u32) -> String {
    if n.is_multiple_of(2) {
        NUMBER.to_owned()
    } else {
        format!("+4670{n:07}")
    }
}

/// Starts verifications one after the other, on one connection.
async fn start(emulator: &Emulator, which: Range<u32>) {
    let stream = TcpStream::connect(emulator.addr()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    for n in which {
        let start = Start::sms(number(n).parse().unwrap());
        let mut request = start.to_http(&emulator.base_url()).unwrap();
        basic().authorize(&mut request, SystemTime::now()).unwrap();
        let host = emulator.addr().to_string().parse().unwrap();
        request.headers_mut().insert(http::header::HOST, host);
        sender.ready().await.unwrap();
        let response = sender.send_request(request.map(Full::new)).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
    }
    connection.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_stay_usable() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let emulator = emulator().await;
    start(&emulator, 0..MESSAGES - LIVE).await;
    browser.open(&emulator.url()).await;
    browser.sees("Live").await;
    start(&emulator, MESSAGES - LIVE..MESSAGES).await;
    let top = "document.querySelector('[data-number]')?.dataset.number";
    browser
        .wait(&format!("{top} === '{}'", number(MESSAGES - 1)))
        .await;
    let within = async |place: &str| {
        let size = "return document.querySelectorAll('*').length";
        let elements = browser.run(size).await.as_u64().unwrap();
        assert!(elements < MOST, "{place}: {elements}");
    };
    within("the list of phones").await;

    // Every page can be reached, and the document does not grow. The busy phone is on the first page.
    let page_begins_with = |page: u32| {
        let n = if page == 0 {
            MESSAGES - 1
        } else {
            MESSAGES + 1 - 100 * page
        };
        format!("{top} === '{}'", number(n))
    };
    for page in 1..=5 {
        browser.press("Older").await;
        browser.wait(&page_begins_with(page)).await;
        within("an older page").await;
    }
    for page in (0..5).rev() {
        browser.press("Newer").await;
        browser.wait(&page_begins_with(page)).await;
    }

    browser
        .open(&format!("{}/#/phones/{NUMBER}", emulator.url()))
        .await;
    let newest = emulator.inbox(&NUMBER.parse().unwrap());
    let shows = async |at: usize| {
        let code = newest[at].code.as_ref().unwrap().expose();
        browser
            .wait(&format!(
                "document.querySelectorAll('.big-code').length === 30 \
                 && document.querySelector('.thread').lastChild.querySelector('output').textContent === '{code}'"
            ))
            .await;
        within("a phone").await;
    };
    shows(0).await;
    browser.press("Earlier").await;
    shows(30).await;
    browser.press("Earlier").await;
    shows(60).await;
    browser.press("Latest").await;
    shows(0).await;
    browser.press("Verifications").await;
    browser
        .wait("document.querySelectorAll('.verifications .row').length === 50")
        .await;
    within("verifications").await;
    browser.press("Requests").await;
    browser
        .wait("document.querySelectorAll('.requests .row').length === 50")
        .await;
    within("requests").await;

    // A new message still appears.
    browser.press("Phones").await;
    call(&emulator, &basic(), &Start::sms("+46709999999".parse().unwrap()))
        .await
        .unwrap();
    browser.sees("+46709999999").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
