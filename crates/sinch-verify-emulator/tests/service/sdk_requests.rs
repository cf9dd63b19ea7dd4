//! Requests as official SDKs send them, with each strictness.

use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use sinch_verify_emulator::{Emulator, Strictness};
use sinch_verify_protocol::auth::{ContentMd5, Signer, StringToSign};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{Method, Status};

use crate::support::{
    KEY, Receiver, SECRET, answering, emulator_calling_with, json, key, number, secret, send, signed, status,
};

const PATH: &str = "/verification/v1/verifications";

/// How an SDK writes `x-timestamp`.
#[derive(Clone, Copy)]
enum Stamp {
    Node,
    Java,
    Net,
    Python,
    Php,
}

impl Stamp {
    fn now(self) -> String {
        let now = XTimestamp::new(SystemTime::now());
        let (seconds, _) = now.as_str().split_at(19);
        match self {
            Self::Node => format!("{seconds}.067Z"),
            Self::Java => format!("{seconds}.067000001Z"),
            Self::Net => format!("{seconds}.0670000Z"),
            Self::Python => format!("{seconds}.067890+00:00"),
            Self::Php => format!("{seconds}+0000"),
        }
    }
}

/// A request as an SDK sends it.
struct Sdk {
    name: &'static str,
    verb: &'static str,
    sent: String,
    /// The signed path, if it differs.
    signs: Option<String>,
    content_type: Option<&'static str>,
    stamp: Stamp,
    body: String,
    /// The expected anomalies, in order.
    anomalies: &'static [&'static str],
}

impl Sdk {
    fn request(&self) -> Request<Bytes> {
        let timestamp = self.stamp.now();
        let signature = Signer::new(key(), &secret()).signature(&StringToSign {
            verb: self.verb,
            content_md5: &ContentMd5::of(self.body.as_bytes()),
            content_type: self.content_type.unwrap_or_default().as_bytes(),
            timestamp: timestamp.as_bytes(),
            path: self.signs.as_ref().unwrap_or(&self.sent).as_bytes(),
        });
        let authorization = format!("Application {KEY}:{}", signature.to_text().as_str());
        let mut request = with(self.verb, &self.sent, &self.body, &authorization);
        let headers = request.headers_mut();
        headers.insert("x-timestamp", timestamp.parse().unwrap());
        if let Some(content_type) = self.content_type {
            headers.insert("content-type", content_type.parse().unwrap());
        }
        request
    }
}

fn with(verb: &str, path: &str, body: &str, authorization: &str) -> Request<Bytes> {
    Request::builder()
        .method(verb)
        .uri(path)
        .header("authorization", authorization)
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

async fn emulators() -> Vec<(Strictness, Emulator, Receiver)> {
    let mut all = Vec::new();
    for strictness in [Strictness::Lenient, Strictness::Warn, Strictness::Strict] {
        let receiver = Receiver::new(answering(Decision::Allow)).await;
        let emulator = emulator_calling_with(&receiver, |settings| settings.strictness = strictness).await;
        all.push((strictness, emulator, receiver));
    }
    all
}

/// Sends a request, and checks that its anomalies are accepted, named or refused.
async fn check(
    name: &str,
    strictness: Strictness,
    emulator: &Emulator,
    request: Request<Bytes>,
    anomalies: &[&str],
) {
    let answer = send(emulator, request).await;
    let told = json(&answer);
    let refused = strictness == Strictness::Strict && !anomalies.is_empty();
    assert_eq!(
        answer.status(),
        if refused { 400 } else { 200 },
        "{name}, {strictness:?}: {told}"
    );
    let header = answer.headers().get("x-emulator-anomalies");
    let header = header.map(|header| header.to_str().unwrap()).unwrap_or_default();
    let named: Vec<_> = header
        .split("; ")
        .filter_map(|anomaly| anomaly.split_once(':').map(|(field, _)| field))
        .collect();
    match strictness {
        Strictness::Lenient => assert_eq!(header, "", "{name}"),
        _ => assert_eq!(named, anomalies, "{name}, {strictness:?}: {header}"),
    }
    if refused {
        let message = told["message"].as_str().unwrap();
        assert_eq!(told["errorCode"], 40001, "{name}");
        assert!(message.contains(anomalies[0]), "{name}: {message}");
    }
}

#[tokio::test]
async fn starts_of_official_sdks_are_accepted() {
    let all = emulators().await;
    let body = |rest: &str| format!(r#"{{"identity":{{"type":"number","endpoint":"+46700000001"}},{rest}}}"#);
    let start = |name, content_type, stamp, body: String, anomalies| Sdk {
        name,
        verb: "POST",
        sent: PATH.to_owned(),
        signs: None,
        content_type: Some(content_type),
        stamp,
        body,
        anomalies,
    };
    let (node, net, python) = (
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=UTF-8",
    );
    let spaced = r#"{"identity": {"type": "number", "endpoint": "+46700000001"}, "#;
    for sdk in [
        start(
            "Node",
            node,
            Stamp::Node,
            body(r#""method":"sms","smsOptions":{"codeType":"Alpha"}"#),
            &[],
        ),
        start("Java", node, Stamp::Java, body(r#""method":"seamless""#), &[]),
        start(
            ".NET escapes the plus",
            net,
            Stamp::Net,
            r#"{"identity":{"type":"number","endpoint":"\u002B46700000001"},"method":"whatsapp"}"#.to_owned(),
            &[],
        ),
        start(
            ".NET sends what is unset as 0",
            net,
            Stamp::Net,
            body(r#""method":"flashcall","flashCallOptions":{"dialTimeout":0}"#),
            &["flashCallOptions.dialTimeout", "flashCallOptions"],
        ),
        start(
            ".NET always sends speech",
            net,
            Stamp::Net,
            body(r#""method":"callout","calloutOptions":{"speech":{}}"#),
            &[],
        ),
        start(
            "PHP writes the zone without a colon",
            node,
            Stamp::Php,
            body(r#""method":"sms""#),
            &["x-timestamp"],
        ),
        start(
            "Python",
            python,
            Stamp::Python,
            format!(r#"{spaced}"method": "flashCall", "smsOptions": {{}}}}"#),
            &["smsOptions", "method"],
        ),
        start(
            "Python nests the first option only",
            python,
            Stamp::Python,
            format!(
                r#"{spaced}"method": "sms", "smsOptions": {{"codeType": "Numeric"}}, "expiry": "00:05:00", "template": "{{{{CODE}}}}"}}"#
            ),
            &["expiry", "template"],
        ),
    ] {
        for (strictness, emulator, _receiver) in &all {
            check(sdk.name, *strictness, emulator, sdk.request(), sdk.anomalies).await;
        }
    }
}

#[tokio::test]
async fn queries_of_official_sdks_are_accepted() {
    let all = emulators().await;
    let query = |name, sent: String, content_type, stamp, anomalies| Sdk {
        name,
        verb: "GET",
        sent,
        signs: None,
        content_type,
        stamp,
        body: String::new(),
        anomalies,
    };
    let escaped = format!("{PATH}/reference/a%20b");
    let raw = Some(format!("{PATH}/reference/a b"));
    for sdk in [
        query(
            "Node",
            format!("{PATH}/sms/number/+46700000001"),
            Some("application/json"),
            Stamp::Node,
            &[],
        ),
        query(
            "Java",
            format!("{PATH}/sms/number/+46700000001"),
            None,
            Stamp::Java,
            &[],
        ),
        query(
            "Python",
            format!("{PATH}/sms/number/+46700000001"),
            Some("application/json; charset=UTF-8"),
            Stamp::Python,
            &[],
        ),
        query(
            "an escaped plus",
            format!("{PATH}/sms/number/%2B46700000001"),
            None,
            Stamp::Node,
            &[],
        ),
        Sdk {
            signs: raw.clone(),
            ..query(
                "Node and Python sign before they escape",
                escaped.clone(),
                None,
                Stamp::Node,
                &["signature"],
            )
        },
        Sdk {
            signs: raw,
            ..query(
                "Java signs the decoded path",
                escaped.clone(),
                None,
                Stamp::Java,
                &["signature"],
            )
        },
        query(
            ".NET signs the escaped path",
            escaped.clone(),
            None,
            Stamp::Net,
            &[],
        ),
        query(
            ".NET signs the query",
            format!("{escaped}?page=1"),
            None,
            Stamp::Net,
            &["signature"],
        ),
    ] {
        for (strictness, emulator, _receiver) in &all {
            let start = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms","reference":"a b"}"#;
            // Once for each emulator, because a reference can be used once.
            let started = send(emulator, crate::support::plain("POST", PATH, start)).await;
            assert!([200, 409].contains(&started.status().as_u16()));
            check(sdk.name, *strictness, emulator, sdk.request(), sdk.anomalies).await;
        }
    }
}

#[tokio::test]
async fn starts_of_mobile_sdks_are_accepted() {
    let all = emulators().await;
    let public = format!("Application {KEY}");
    let json = |mut request: Request<Bytes>| {
        request
            .headers_mut()
            .insert("content-type", "application/json".parse().unwrap());
        request
    };
    for (name, method, rest, anomalies) in [
        (
            "Android",
            "sms",
            r#","honourEarlyReject":true,"metadata":{"os":"x"},"smsOptions":{"applicationHash":"FA+9qCX9VSu"},"custom":null,"reference":null"#,
            &["custom", "reference"][..],
        ),
        (
            "iOS",
            "flashcall",
            r#","honourEarlyReject":false,"metadata":{}"#,
            &[],
        ),
        ("JVM", "flashCall", r#","honourEarlyReject":true"#, &["method"]),
        ("Android tries what works", "auto", "", &[]),
    ] {
        let body = format!(
            r#"{{"identity":{{"type":"number","endpoint":"+46700000001"}},"method":"{method}"{rest}}}"#
        );
        for (strictness, emulator, _receiver) in &all {
            check(
                name,
                *strictness,
                emulator,
                json(with("POST", PATH, &body, &public)),
                anomalies,
            )
            .await;
        }
    }
    for (name, method, inner, source, nulls, anomalies) in [
        (
            "Node, Java and .NET",
            "flashcall",
            "flashCall",
            "intercepted",
            "",
            &[][..],
        ),
        (
            "Android",
            "flashcall",
            "flashcall",
            "intercept",
            r#","sms":null,"callout":null"#,
            &["flashCall", "sms", "callout"],
        ),
        (
            "iOS",
            "flashcall",
            "flashcall",
            "INTERCEPTION",
            "",
            &["flashCall"],
        ),
        (
            "JVM",
            "flashCall",
            "flashcall",
            "log",
            "",
            &["method", "flashCall"],
        ),
        ("Python", "flashCall", "flashCall", "manual", "", &["method"]),
    ] {
        for (strictness, emulator, _receiver) in &all {
            let start = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"flashcall"}"#;
            send(emulator, json(with("POST", PATH, start, &public))).await;
            let cli = emulator.inbox(&number())[0].cli.clone().unwrap();
            let body = format!(
                r#"{{"method":"{method}","source":"{source}","{inner}":{{"cli":"{}"}}{nulls}}}"#,
                cli.expose()
            );
            let path = format!("{PATH}/number/+46700000001");
            check(
                name,
                *strictness,
                emulator,
                json(with("PUT", &path, &body, &public)),
                anomalies,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_path_that_is_escaped_as_a_whole_reaches_its_operation() {
    let all = emulators().await;
    let (path, public) = (PATH.replace('/', "%2F"), format!("Application {KEY}"));
    let start = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"flashcall"}"#;
    let start = |authorization: &str| with("POST", &format!("/{path}"), start, authorization);
    let report = |cli: &str, source: &str| {
        let body = format!(r#"{{"method":"flashcall","source":"{source}","flashCall":{{"cli":"{cli}"}}}}"#);
        with(
            "PUT",
            &format!("/{path}%2Fnumber%2F%2B46700000001"),
            &body,
            &public,
        )
    };
    for (strictness, emulator, _receiver) in &all {
        let name = "Android 1.x";
        check(name, *strictness, emulator, start(&public), &["path"]).await;
        if *strictness == Strictness::Strict {
            assert!(emulator.inbox(&number()).is_empty());
            continue;
        }
        // It reports every call that comes in, also those that are not the one.
        let foreign = send(emulator, report("null", "no_match")).await;
        assert_eq!(
            (foreign.status().as_u16(), &json(&foreign)["errorCode"]),
            (400, &40003.into())
        );
        let cli = emulator.inbox(&number())[0].cli.clone().unwrap();
        let right = report(cli.expose(), "intercept");
        check(name, *strictness, emulator, right, &["path"]).await;
        assert_eq!(
            status(emulator, Method::FlashCall).await.status,
            Status::Successful
        );

        // A signature covers the path as it is sent.
        let mut signed_start = start("");
        signed().authorize(&mut signed_start, SystemTime::now()).unwrap();
        check(name, *strictness, emulator, signed_start, &["path"]).await;
    }
}

#[tokio::test]
async fn requests_of_helper_libraries_are_accepted() {
    use base64::Engine as _;
    let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let all = emulators().await;
    let body = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms"}"#;
    for (name, authorization, anomalies) in [
        (
            "samples",
            format!("basic {}", base64(format!("{KEY}:{SECRET}"))),
            &[][..],
        ),
        (
            "the oldest Node helper",
            format!("Basic {}", base64(format!("application\\{KEY}:{SECRET}"))),
            &["authorization"],
        ),
    ] {
        for (strictness, emulator, _receiver) in &all {
            let mut request = with("POST", PATH, body, &authorization);
            request
                .headers_mut()
                .insert("content-type", "application/json".parse().unwrap());
            check(name, *strictness, emulator, request, anomalies).await;
        }
    }
}

#[tokio::test]
async fn starts_that_are_nearly_right_are_taken_named_or_refused() {
    use base64::Engine as _;
    let authorization = base64::engine::general_purpose::STANDARD.encode(format!("{KEY}:{SECRET}"));
    let all = emulators().await;
    let start = |rest: &str| {
        format!(r#"{{"identity":{{"type":"number","endpoint":"+46700000001"}},"method":"sms"{rest}}}"#)
    };
    let (json, any) = ("application/json", "sv-SE, *;q=0.1");
    let cases: [(&str, &str, Vec<u8>, &[&str]); 9] = [
        ("text/plain", any, start("").into(), &["Content-Type"]),
        (
            "text/plain;charset=UTF-8",
            any,
            start("").into(),
            &["Content-Type"],
        ),
        (
            "application/x-www-form-urlencoded",
            any,
            start("").into(),
            &["Content-Type"],
        ),
        (
            "application/json; charset=ISO-8859-1",
            any,
            start("").into(),
            &["Content-Type"],
        ),
        ("Application/JSON;charset=\"utf-8\"", any, start("").into(), &[]),
        (json, "sv_SE", start("").into(), &["Accept-Language"]),
        (json, any, format!("\u{feff}{}", start("")).into(), &["."]),
        (
            json,
            any,
            [
                start(r#","metadata":{"operator":"Tel"#)
                    .trim_end_matches('}')
                    .as_bytes(),
                b"\xe9\"}}",
            ]
            .concat(),
            &["metadata"],
        ),
        (json, any, start(r#","custom":"\ud83d""#).into(), &["custom"]),
    ];
    for (content_type, languages, body, anomalies) in cases {
        for (strictness, emulator, _receiver) in &all {
            let mut request = with("POST", PATH, "", &format!("Basic {authorization}"));
            *request.body_mut() = Bytes::from(body.clone());
            let headers = request.headers_mut();
            headers.insert("content-type", content_type.parse().unwrap());
            headers.insert("accept-language", languages.parse().unwrap());
            let name = format!("{content_type}, {languages}, {}", body.escape_ascii());
            check(&name, *strictness, emulator, request, anomalies).await;
        }
    }
}
