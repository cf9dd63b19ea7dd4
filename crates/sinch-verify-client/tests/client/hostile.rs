//! A service that repeats what it was sent, or steers terminals: what an error shows of it.

use std::time::SystemTime;

use http::Request;
use http::header::AUTHORIZATION;
use sinch_verify_client::protocol::untrusted::is_control;
use sinch_verify_client::protocol::{Credentials, Start};
use sinch_verify_client::{Client, Error, RetryPolicy};

use crate::fault_server::{Fault, FaultServer, answer};
use crate::support::{KEY, SECRET, number};

/// Clients that are authorized in every way that needs a secret.
fn clients(base_url: &str) -> [Client; 2] {
    let client = || Client::builder().base_url(base_url).retry(RetryPolicy::never());
    [
        client().application_signed(KEY, SECRET),
        client().basic(KEY, SECRET),
    ]
    .map(|client| client.build().unwrap())
}

/// All that a caller may print of an error.
fn shown(error: &Error) -> String {
    format!("{error} | {error:#} | {error:?}")
}

/// What a `Basic` header of the application holds.
fn basic() -> String {
    let mut request = Request::default();
    let credentials = Credentials::basic(KEY.parse().unwrap(), SECRET.parse().unwrap());
    credentials.authorize(&mut request, SystemTime::now()).unwrap();
    let value = request.headers()[AUTHORIZATION].to_str().unwrap();
    value.trim_start_matches("Basic ").to_owned()
}

/// The `Authorization` header of a request that came.
fn authorization(request: &str) -> &str {
    let line = request.lines().find(|line| line.starts_with("authorization: "));
    line.unwrap().trim_start_matches("authorization: ")
}

#[tokio::test]
async fn a_refusal_that_repeats_credentials_and_numbers_shows_none_of_them() {
    let basic = basic();
    let known = basic.clone();
    let server = FaultServer::scripted(move |request| {
        let sent = authorization(request);
        let all = format!("no {sent}, Basic {known}, `{SECRET}`, +46 700 012 345, 46-70-001-23-45 nor 4821");
        // A slash may be escaped in JSON.
        let (all, secret) = (all.replace('/', "\\/"), SECRET.replace('/', "\\/"));
        let body = format!(r#"{{"errorCode":40001,"message":"{all}","reference":"+46700012345 {secret}"}}"#);
        Fault::answer("400 Bad Request", &body)
    })
    .await;
    for client in clients(&server.base_url) {
        let error = client.start(Start::sms(number())).await.unwrap_err();
        let shown = shown(&error);
        assert!(shown.contains("no ") && shown.contains("nor ***"), "{shown}");
        let request = server.requests().pop().unwrap();
        let sent = authorization(&request)
            .rsplit([' ', ':'])
            .next()
            .unwrap()
            .to_owned();
        for private in [SECRET, &basic, &sent, "700 012", "70-001", "4821", "46700012345"] {
            assert!(
                !shown.contains(private.trim_end_matches('=')),
                "{private}: {shown}"
            );
        }
        // The secret is not in what the error holds either.
        let api = error.as_api_error().unwrap();
        let held = [&api.message, &api.reference].map(|text| text.as_deref().unwrap());
        assert!(
            held.iter()
                .all(|text| text.contains("[redacted]") && !text.contains(SECRET)),
            "{held:?}"
        );
    }
}

#[tokio::test]
async fn a_page_that_repeats_credentials_shows_none_of_them() {
    // Where the sample of the page ends, a secret begins.
    for padding in [0, 100, 110, 118] {
        let server = FaultServer::scripted(move |request| {
            let sent = authorization(request).to_owned();
            let page = format!("<p>{}</p><i>{SECRET}</i><i>{sent}</i>", "- ".repeat(padding / 2));
            Fault::Say(answer("502 Bad Gateway", &page))
        })
        .await;
        for client in clients(&server.base_url) {
            let shown = shown(&client.start(Start::sms(number())).await.unwrap_err());
            assert!(shown.contains("body starts \"<p>"), "{shown}");
            let request = server.requests().pop().unwrap();
            let sent = authorization(&request).rsplit([' ', ':']).next().unwrap();
            for private in [&SECRET[..4], &sent[..6]] {
                assert!(!shown.contains(private), "{private}: {shown}");
            }
        }
    }
}

#[tokio::test]
async fn text_of_the_service_steers_no_terminal() {
    let hostile = r"\u001b]0;owned\u0007\u001b[2J\r\nverified: yes \u009b2J\u202etxt\u2028";
    let refusal = format!(r#"{{"errorCode":40001,"message":"{hostile}","reference":"{hostile}"}}"#);
    let pages = [
        ("400 Bad Request", refusal),
        (
            "502 Bad Gateway",
            "<p>\u{1b}[2J\r\n\u{9b}2J\u{202e}</p>".to_owned(),
        ),
        (
            "200 OK",
            r#"{"id":"1","method":"HOSTILE"}"#.replace("HOSTILE", hostile),
        ),
    ];
    for (status, body) in pages {
        let server = FaultServer::start(Fault::answer(status, &body)).await;
        for client in clients(&server.base_url) {
            let shown = shown(&client.start(Start::sms(number())).await.unwrap_err());
            // Lines of our own: each cause is indented.
            let ours = shown.replace("\n\n", ": ").replace("\n    ", ": ");
            assert!(!ours.contains(is_control), "{shown:?}");
        }
    }
}
