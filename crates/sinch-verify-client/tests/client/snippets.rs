//! The Rust that the emulator gives to be copied. Here it is compiled as it stands and run, and the
//! emulator must print the same for the call that it made.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use sinch_verify_client::Transport as _;
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_emulator::Emulator;

use crate::copied;
use crate::support::{PATIENT, Service, builder};

const SOURCE: &str = include_str!("copied.rs");

/// The body of a function in `copied.rs`.
fn body(name: &str) -> String {
    let head = format!("async fn {name}(client: &Client) -> Sent {{\n");
    let (_, rest) = SOURCE.split_once(&head).unwrap();
    let (body, _) = rest.split_once("    Ok(())\n}").unwrap();
    let lines: Vec<_> = body
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    lines.join("\n")
}

async fn get(emulator: &Emulator, path: &str) -> Value {
    let request = Request::get(format!("{}{path}", emulator.url()));
    let request = request.body(Bytes::new()).unwrap();
    let answer = ReqwestTransport::plain(PATIENT)
        .unwrap()
        .send(request)
        .await
        .unwrap();
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn what_is_copied_as_rust_compiles_and_makes_the_same_call() {
    let service = Service::without_backend().await;
    let client = builder(&service.emulator.url()).build().unwrap();
    macro_rules! check {
        ($($name:ident)*) => {$(
            // Some of them ask for what is not there; what counts is what was sent.
            let _ = copied::$name(&client).await;
            let rows = get(&service.emulator, "/_emu/requests?limit=1").await;
            let detail = get(&service.emulator, &format!("/_emu/requests/{}", rows["requests"][0]["seq"])).await;
            assert_eq!(detail["rust"].as_str(), Some(&*body(stringify!($name))), "{detail:#}");
        )*};
    }
    check! {
        sms flash_call callout whatsapp seamless auto
        report_a_code report_a_caller
        no_call late_call call_in_time
        status_by_id status_by_reference status_by_number
    }
}
