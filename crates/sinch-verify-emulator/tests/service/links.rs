//! The addresses in answers, as a device that is not on this machine needs them.

use http::Request;
use serde_json::Value;
use sinch_verify_emulator::{Builder, Emulator};
use sinch_verify_protocol::callback::Decision;

use crate::support::{NUMBER, builder, builder_calling, deciding, json, newest, plain, send};

const PATH: &str = "/verification/v1/verifications";

async fn start_at(emulator: &Emulator, host: &str) -> Value {
    let body = format!(r#"{{"identity":{{"type":"number","endpoint":"{NUMBER}"}},"method":"seamless"}}"#);
    let mut request = plain("POST", PATH, &body);
    request.headers_mut().insert("host", host.parse().unwrap());
    let answer = send(emulator, request).await;
    assert_eq!(answer.status(), 200, "{host}");
    json(&answer)
}

/// Checks that all addresses in an answer to a start are below `base`.
fn check(emulator: &Emulator, answer: &Value, base: &str) {
    let target = answer["seamless"]["targetUri"].as_str().unwrap();
    assert!(target.starts_with(&format!("{base}/_emu/seamless/")), "{target}");
    assert_eq!(newest(emulator).target_uri.as_deref(), Some(target));
    let links = answer["_links"].as_array().unwrap();
    assert_eq!(links.len(), 2);
    for link in links {
        let href = link["href"].as_str().unwrap();
        assert!(href.starts_with(&format!("{base}{PATH}/id/")), "{href}");
    }
}

fn for_devices() -> Builder {
    let names = ["10.0.2.2", "sinch.localhost"].map(|name| name.parse().unwrap());
    names.into_iter().fold(builder(), Builder::allow_host)
}

#[tokio::test]
async fn links_use_the_host_that_the_request_came_to_if_it_is_allowed() {
    let emulator = for_devices().start().await.unwrap();
    let first_name = format!("http://10.0.2.2:{}", emulator.addr().port());
    for (host, base) in [
        ("10.0.2.2:9901", "http://10.0.2.2:9901"),
        ("sinch.localhost", "http://sinch.localhost"),
        ("localhost:81", "http://localhost:81"),
        ("127.0.0.1:81", "http://127.0.0.1:81"),
        // What is not allowed, or is no host, is not repeated.
        ("evil.example", &first_name),
        ("evil@10.0.2.2", &first_name),
        ("10.0.2.2/evil", &first_name),
        ("localhost?evil", &first_name),
    ] {
        check(&emulator, &start_at(&emulator, host).await, base);
    }
    let plain = builder().start().await.unwrap();
    for host in ["evil.example", "10.0.2.2:9901"] {
        check(&plain, &start_at(&plain, host).await, &plain.url());
    }
}

#[tokio::test]
async fn links_keep_their_host_while_the_callback_decides() {
    let receiver = deciding(Decision::Allow).await;
    let builder = builder_calling(&receiver, |_| {});
    let emulator = builder
        .allow_host("10.0.2.2".parse().unwrap())
        .start()
        .await
        .unwrap();
    check(
        &emulator,
        &start_at(&emulator, "10.0.2.2:9901").await,
        "http://10.0.2.2:9901",
    );
}

#[tokio::test]
async fn links_use_the_public_url_if_there_is_one() {
    let public = "https://emulator.example:444/sinch";
    let emulator = for_devices().public_url(public.parse().unwrap());
    let emulator = emulator.start().await.unwrap();
    for host in ["10.0.2.2:9901", "localhost", "evil.example"] {
        check(&emulator, &start_at(&emulator, host).await, public);
    }
    assert!(
        emulator.url().starts_with("http://127.0.0.1:"),
        "{}",
        emulator.url()
    );
}

#[tokio::test]
async fn a_start_from_the_page_has_links_to_the_host_of_the_page() {
    let emulator = for_devices().start().await.unwrap();
    let body = format!(r#"{{"method":"seamless","number":"{NUMBER}"}}"#);
    let request = Request::post("/_emu/try").header("host", "10.0.2.2:9901");
    let tried = json(&send(&emulator, request.body(body.into()).unwrap()).await);
    check(&emulator, &tried["response"], "http://10.0.2.2:9901");
}
