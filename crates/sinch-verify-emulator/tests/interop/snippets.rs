//! The code that the page shows for official clients. Here it runs as it stands, and the emulator must show the same
//! code for the request that it makes.

use crate::fixtures::{KEY, SECRET};
use crate::support::{emulator, get, json, plain, send};
use crate::{PATIENCE, Sdk};

const PATH: &str = "/verification/v1/verifications";

/// Requests: verb, path below [`PATH`] and body.
const REQUESTS: [(&str, &str, &str); 13] = [
    (
        "POST",
        "",
        r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms","reference":"it's \"1\"","custom":"\\u0041\n","smsOptions":{"codeType":"Alphanumeric","expiry":"00:02:00","template":"{{CODE}} é\u0001"}}"#,
    ),
    (
        "POST",
        "",
        r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"flashcall","flashCallOptions":{"dialTimeout":12,"interceptionTimeout":30}}"#,
    ),
    (
        "POST",
        "",
        r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"callout","calloutOptions":{"speech":{"locale":"sv-SE"}}}"#,
    ),
    (
        "POST",
        "",
        r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"whatsapp","whatsappOptions":{"codeType":"Alpha"}}"#,
    ),
    (
        "POST",
        "",
        r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"seamless"}"#,
    ),
    ("PUT", "/id/1", r#"{"method":"sms","sms":{"code":"1234"}}"#),
    (
        "PUT",
        "/id/1",
        r#"{"method":"flashcall","flashCall":{"cli":"+46700000099"}}"#,
    ),
    (
        "PUT",
        "/id/1",
        r#"{"method":"whatsapp","whatsapp":{"code":"1234"}}"#,
    ),
    (
        "PUT",
        "/number/+46700000001",
        r#"{"method":"callout","callout":{"code":"1234"}}"#,
    ),
    (
        "PUT",
        "/number/+46700000001",
        r#"{"method":"sms","sms":{"code":"1234"}}"#,
    ),
    ("GET", "/id/1", ""),
    ("GET", "/reference/order-1", ""),
    ("GET", "/flashcall/number/+46700000001", ""),
];

async fn snippets_make_the_same_requests(sdk: Sdk, language: &str, run: &[&str]) {
    let emulator = emulator().await;
    let mut checked = 0;
    for (verb, path, body) in REQUESTS {
        let mut request = plain(verb, &format!("{PATH}{path}"), body);
        if body.contains("smsOptions") {
            request
                .headers_mut()
                .insert("accept-language", "sv-SE".parse().unwrap());
        }
        send(&emulator, request).await;
        let latest = async || {
            let rows = json(&get(&emulator, "/_emu/requests?limit=1").await);
            json(
                &get(
                    &emulator,
                    &format!("/_emu/requests/{}", rows["requests"][0]["seq"]),
                )
                .await,
            )
        };
        let asked = latest().await;
        let Some(code) = asked[language].as_str() else {
            continue;
        };
        let Some(mut command) = sdk.command() else { return };
        let output = command
            .args(run)
            .arg(code)
            .env("SINCH_APPLICATION_KEY", KEY)
            .env("SINCH_APPLICATION_SECRET", SECRET)
            .output();
        let output = tokio::time::timeout(PATIENCE, output)
            .await
            .expect("it ends")
            .unwrap();
        let sent = latest().await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(sent["seq"], asked["seq"].as_u64().unwrap() + 1, "{code}\n{said}");
        // What the client does not send is named for the first request, and is not in the second.
        let made = sent[language].as_str().unwrap();
        assert_eq!(without_notes(made), without_notes(code), "{sent:#}\n{said}");
        assert_eq!(sent["authorization"], "signed");
        checked += 1;
    }
    assert!(checked >= 11, "{checked}");
}

fn without_notes(code: &str) -> String {
    let lines = code
        .lines()
        .filter(|line| !line.contains("The SDK does not send "));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_is_copied_as_node_makes_the_same_requests() {
    snippets_make_the_same_requests(Sdk::Node, "node", &["--input-type=module", "-e"]).await;
}

#[tokio::test]
async fn what_is_copied_as_python_makes_the_same_requests() {
    snippets_make_the_same_requests(Sdk::Python, "python", &["-c"]).await;
}
