//! The plain calls of the public guide, byte for byte as `curl` sends them.

use crate::support::{emulator, newest};
use serde_json::Value;
use sinch_verify_emulator::Emulator;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const USER: &str =
    "Basic MTExMTExMTEtMjIyMi0zMzMzLTQ0NDQtNTU1NTU1NTU1NTU1OkJlSXVrcWwzcFRLSjhSR0w1em8wREE9PQ==";
const PATH: &str = "/verification/v1/verifications";

async fn curl(emulator: &Emulator, verb: &str, path: &str, data: Option<&str>) -> (u16, Value) {
    let mut stream = TcpStream::connect(emulator.addr()).await.unwrap();
    let mut request = format!(
        "{verb} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {USER}\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\nConnection: close\r\n",
        emulator.addr()
    );
    if let Some(data) = data {
        request += &format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{data}",
            data.len()
        );
    } else {
        request += "\r\n";
    }
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.to_lowercase()
            .contains("content-type: application/json; charset=utf-8")
    );
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn sms_as_the_guide_has_it() {
    let emulator = emulator().await;
    let data = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms"}"#;
    let (status, started) = curl(&emulator, "POST", PATH, Some(data)).await;
    assert_eq!((status, &started["method"]), (200, &"sms".into()));
    assert!(started["sms"]["template"].as_str().unwrap().contains("{{CODE}}"));
    assert_eq!(started["sms"]["interceptionTimeout"], 120);
    let id = started["id"].as_str().unwrap();
    for (link, (rel, verb)) in [("status", "GET"), ("report", "PUT")].into_iter().enumerate() {
        let link = &started["_links"][link];
        assert_eq!((&link["rel"], &link["method"]), (&rel.into(), &verb.into()));
        assert_eq!(link["href"], format!("{}{PATH}/id/{id}", emulator.url()));
    }

    let code = newest(&emulator).code.unwrap();
    let data = format!(r#"{{"method":"sms","sms":{{"code":"{}"}}}}"#, code.expose());
    let (status, reported) = curl(
        &emulator,
        "PUT",
        &format!("{PATH}/number/+46700000001"),
        Some(&data),
    )
    .await;
    assert_eq!((status, &reported["status"]), (200, &"SUCCESSFUL".into()));
    assert_eq!(reported["method"], "sms");

    for path in [
        format!("{PATH}/id/{id}"),
        format!("{PATH}/sms/number/+46700000001"),
        format!("{PATH}/sms/number/%2B46700000001"),
        // The original guide's form.
        format!("{PATH}/number/+46700000001"),
    ] {
        let (status, answer) = curl(&emulator, "GET", &path, None).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(answer["id"], id);
        assert_eq!(answer["status"], "SUCCESSFUL");
        assert_eq!(answer["countryId"], "SE");
        assert_eq!(answer["identity"]["endpoint"], "+46700000001");
        assert_eq!(answer["price"]["verificationPrice"]["currencyId"], "EUR");
        let timestamp = answer["verificationTimestamp"].as_str().unwrap();
        assert_eq!(
            timestamp.len(),
            "2024-05-22T09:38:59.5590437".len(),
            "{timestamp}"
        );
    }
}

#[tokio::test]
async fn flash_call_with_the_keys_that_old_documents_print() {
    let emulator = emulator().await;
    let data = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"flashCall"}"#;
    let (status, started) = curl(&emulator, "POST", PATH, Some(data)).await;
    assert_eq!((status, &started["method"]), (200, &"flashcall".into()));
    assert_eq!(started["flashCall"]["interceptionTimeout"], 45);
    assert_eq!(started["flashCall"]["reportTimeout"], 75);
    assert_eq!(started["flashCall"]["denyCallAfter"], 0);

    let cli = newest(&emulator).cli.unwrap();
    let data = format!(
        r#"{{"method":"flashCall","flashcall":{{"cli":"{}"}}}}"#,
        cli.expose()
    );
    let path = format!("{PATH}/number/+46700000001");
    let (status, reported) = curl(&emulator, "PUT", &path, Some(&data)).await;
    assert_eq!((status, &reported["status"]), (200, &"SUCCESSFUL".into()));
    assert_eq!(reported["callComplete"], true);
}

#[tokio::test]
async fn callout_polls_by_default() {
    let emulator = emulator().await;
    let data = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"callout"}"#;
    let (status, started) = curl(&emulator, "POST", PATH, Some(data)).await;
    assert_eq!(status, 200);
    assert_eq!(
        started["callout"],
        serde_json::json!({"startPollingAfter":3,"stopPollingAfter":30,"pollingInterval":3})
    );
}
