//! What `build()` refuses, and what a client shows of itself.

use std::time::Duration;

use sinch_verify_client::protocol::{BaseUrl, Credentials, Method, Start};
use sinch_verify_client::{Client, ClientBuilder, RetryPolicy};

use crate::support::{self, KEY, SECRET, number};

fn builder() -> ClientBuilder {
    support::builder("http://127.0.0.1:1")
}

#[test]
fn bad_settings_are_named() {
    for (builder, field) in [
        (Client::builder().base_url("http://127.0.0.1:1"), "credentials"),
        (builder().public(""), "application key"),
        (builder().basic("a:b", SECRET), "application key"),
        (builder().application_signed(KEY, ""), "application secret"),
        (
            builder().application_signed(KEY, "not base64!"),
            "application secret",
        ),
        (builder().base_url("http://127.0.0.1:1/?a=b"), "base URL"),
        (builder().base_url("127.0.0.1"), "base URL"),
        (builder().base_url(String::new()), "base URL"),
        (builder().attempt_timeout(Duration::ZERO), "attempt timeout"),
        (builder().total_timeout(Duration::ZERO), "total timeout"),
        (
            builder().retry(RetryPolicy::default().attempts(0)),
            "retry attempts",
        ),
        (builder().user_agent("a\nb"), "user agent"),
        (builder().user_agent(""), "user agent"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.field(), field);
        let text = format!("{error:#}");
        assert!(text.starts_with("use ") || text.starts_with("build "), "{text}");
        assert!(text.contains(field), "{text}");
        assert!(!format!("{text} {error:?}").contains("not base64!"), "{text}");
    }
}

#[test]
fn the_last_setting_counts() {
    let client = builder().public("a b").public(KEY).build().unwrap();
    assert!(format!("{client:?}").contains("Public"));
}

#[test]
fn extreme_timeouts_are_taken() {
    for timeout in [Duration::from_nanos(1), Duration::MAX] {
        builder()
            .attempt_timeout(timeout)
            .total_timeout(timeout)
            .build()
            .unwrap();
    }
}

#[test]
fn base_urls_come_as_text_and_as_values() {
    let base: BaseUrl = "http://127.0.0.1:9901".parse().unwrap();
    for builder in [
        builder().base_url(base.clone()),
        builder().base_url("http://127.0.0.1:9901/"),
        builder().base_url(String::from("http://127.0.0.1:9901")),
    ] {
        assert_eq!(builder.build().unwrap().base_url(), &base);
    }
}

#[test]
fn a_client_shows_no_secret() {
    let credentials = Credentials::basic(KEY.parse().unwrap(), SECRET.parse().unwrap());
    for client in [
        builder().build().unwrap(),
        builder().basic(KEY, SECRET).build().unwrap(),
        builder().credentials(credentials).build().unwrap(),
    ] {
        let text = format!("{client:?}");
        assert!(!text.contains(SECRET), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
    }
    assert!(!format!("{:?}", builder().basic(KEY, SECRET)).contains(SECRET));
}

#[test]
fn clients_and_their_calls_cross_threads() {
    fn send<T: Send>(_: T) {}
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let client = builder().build().unwrap();
    shared(&client);
    send(client.start(Start::sms(number())));
    send(client.status_by_number(Method::Sms, number()));
}
