//! Invalid requests to the API.

use sinch_verify_emulator::{Settings, Strictness};
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::{Code, Report, Start, VerificationId};

use crate::support::{basic, builder, call, code, emulator, json, newest, number, plain, send};

const START: &str = "/verification/v1/verifications";

#[tokio::test]
async fn bad_starts_name_the_field() {
    let emulator = emulator().await;
    let identity = r#""identity":{"type":"number","endpoint":"+46700000001"}"#;
    let cases = [
        (String::new(), ""),
        ("{".to_owned(), ""),
        ("[]".to_owned(), ""),
        (r#"{"method":"sms"}"#.to_owned(), "identity"),
        (format!("{{{identity}}}"), "method"),
        (
            r#"{"identity":{"type":"number"},"method":"sms"}"#.to_owned(),
            "identity.endpoint",
        ),
        (
            r#"{"identity":{"type":"number","endpoint":"46700000001"},"method":"sms"}"#.to_owned(),
            "identity.endpoint",
        ),
        (
            r#"{"identity":{"type":"number","endpoint":"+4813"},"method":"sms"}"#.to_owned(),
            "identity.endpoint",
        ),
        (
            r#"{"identity":{"type":"username","endpoint":"+46700000001"},"method":"sms"}"#.to_owned(),
            "identity.type",
        ),
        (format!(r#"{{{identity},"method":"pigeon"}}"#), "method"),
        (format!(r#"{{{identity},"method":7}}"#), "method"),
        (
            format!(r#"{{{identity},"method":"sms","reference":""}}"#),
            "reference",
        ),
        (
            format!(
                r#"{{{identity},"method":"sms","reference":"{}"}}"#,
                "x".repeat(257)
            ),
            "reference",
        ),
        (
            format!(r#"{{{identity},"method":"sms","custom":"{}"}}"#, "x".repeat(4097)),
            "custom",
        ),
        (
            format!(r#"{{{identity},"method":"sms","smsOptions":{{"expiry":"5m"}}}}"#),
            "smsOptions.expiry",
        ),
        (
            format!(r#"{{{identity},"method":"sms","smsOptions":{{"codeType":"Runes"}}}}"#),
            "smsOptions.codeType",
        ),
        (
            format!(r#"{{{identity},"method":"sms","smsOptions":{{"template":"no code"}}}}"#),
            "smsOptions.template",
        ),
        (
            format!(r#"{{{identity},"method":"flashcall","flashCallOptions":{{"dialTimeout":121}}}}"#),
            "flashCallOptions.dialTimeout",
        ),
        (
            format!(r#"{{{identity},"method":"whatsapp","whatsappOptions":{{"codeType":"x"}}}}"#),
            "whatsappOptions.codeType",
        ),
    ];
    for (body, field) in cases {
        let answer = send(&emulator, plain("POST", START, &body)).await;
        assert_eq!(answer.status(), 400, "{body}");
        let error = json(&answer);
        assert_eq!(error["errorCode"], 40001, "{body}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(field), "{body}: {message}");
        assert!(!message.contains("46700000001"), "{message}");
    }
    assert!(emulator.inbox(&number()).is_empty());
}

#[tokio::test]
async fn bad_reports_name_the_field_and_are_no_attempts() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let path = format!("{START}/number/+46700000001");
    for (body, field) in [
        ("", ""),
        (r#"{"sms":{"code":"1234"}}"#, "method"),
        (r#"{"method":"sms"}"#, "sms.code"),
        (r#"{"method":"sms","sms":{}}"#, "sms.code"),
        (r#"{"method":"sms","sms":{"code":"has space"}}"#, "sms.code"),
        (r#"{"method":"sms","sms":{"code":"12345678901"}}"#, "sms.code"),
        (r#"{"method":"flashcall","sms":{"code":"1234"}}"#, "flashCall.cli"),
        (r#"{"method":"seamless"}"#, "method"),
        (r#"{"method":"pigeon"}"#, "method"),
    ] {
        let answer = send(&emulator, plain("PUT", &path, body)).await;
        assert_eq!(answer.status(), 400, "{body}");
        let error = json(&answer);
        assert_eq!(error["errorCode"], 40001, "{body}");
        assert!(
            error["message"].as_str().unwrap().contains(field),
            "{body}: {error}"
        );
    }
    // None of them counted as an attempt.
    let report = Report::<Sms>::by_number(number(), newest(&emulator).code.unwrap());
    assert!(call(&emulator, &basic(), &report).await.unwrap().is_successful());
}

#[tokio::test]
async fn a_report_to_nothing_is_not_found() {
    let emulator = emulator().await;
    let code_ = Code::new("1234").unwrap();
    let by_number = Report::<Sms>::by_number(number(), code_.clone());
    assert_eq!(code(call(&emulator, &basic(), &by_number).await), 40400);
    let by_id = Report::<Sms>::by_id(VerificationId::new("1").unwrap(), code_);
    assert_eq!(code(call(&emulator, &basic(), &by_id).await), 40400);
}

#[tokio::test]
async fn unknown_paths_and_verbs_are_refused() {
    let emulator = emulator().await;
    for (verb, path, status, number) in [
        ("GET", "/verification/v2/verifications", 404, 40400),
        ("GET", "/verification/v1/nothing", 404, 40400),
        ("GET", "/nothing", 404, 40400),
        ("DELETE", "/verification/v1/verifications", 405, 40500),
        ("POST", "/verification/v1/verifications/id/1", 405, 40500),
        (
            "GET",
            "/verification/v1/verifications/sms/number/4670",
            400,
            40001,
        ),
        ("GET", "/verification/v1/verifications/reference/none", 404, 40400),
    ] {
        let answer = send(&emulator, plain(verb, path, "")).await;
        assert_eq!(answer.status(), status, "{verb} {path}");
        let error = json(&answer);
        assert_eq!(error["errorCode"], number, "{verb} {path}");
        assert!(error["reference"].is_string());
        assert_eq!(answer.headers().contains_key("allow"), status == 405);
    }
}

#[tokio::test]
async fn bodies_over_64_kib_are_refused() {
    let emulator = emulator().await;
    let body = |len: usize| format!(r#"{{"custom":"{}"}}"#, "x".repeat(len - 13));
    let fits = send(&emulator, plain("POST", START, &body(64 * 1024))).await;
    assert_eq!(fits.status(), 400);
    for len in [64 * 1024 + 1, 900 * 1024] {
        let answer = send(&emulator, plain("POST", START, &body(len))).await;
        assert_eq!(answer.status(), 413);
        assert_eq!(json(&answer)["errorCode"], 41300);
    }
}

const PYTHON: &str = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"flashCall","expiry":"00:05:00","smsOptions":{},"metadata":{"a":1},"honourEarlyReject":false,"custom":null}"#;

#[tokio::test]
async fn anomalies_of_sdks_are_taken_and_listed() {
    let emulator = emulator().await;
    let answer = send(&emulator, plain("POST", START, PYTHON)).await;
    assert_eq!(answer.status(), 200);
    let anomalies = answer.headers()["x-emulator-anomalies"].to_str().unwrap();
    for part in ["method:", "expiry:", "smsOptions:", "custom:"] {
        assert!(anomalies.contains(part), "{anomalies}");
    }
    let good = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms"}"#;
    let answer = send(&emulator, plain("POST", START, good)).await;
    assert!(!answer.headers().contains_key("x-emulator-anomalies"));
}

#[tokio::test]
async fn a_trunk_prefix_that_is_kept_after_the_calling_code_is_an_anomaly() {
    let emulator = emulator().await;
    let start = r#"{"identity":{"type":"number","endpoint":"+460700000001"},"method":"sms"}"#;
    let answer = send(&emulator, plain("POST", START, start)).await;
    assert_eq!(answer.status(), 200);
    let anomalies = answer.headers()["x-emulator-anomalies"].to_str().unwrap();
    assert!(
        anomalies.contains("identity.endpoint: trunk prefix"),
        "{anomalies}"
    );
}

#[tokio::test]
async fn strictness_decides_whether_anomalies_are_refused() {
    for (strictness, status) in [(Strictness::Lenient, 200), (Strictness::Strict, 400)] {
        let mut settings = Settings::default();
        settings.strictness = strictness;
        let emulator = builder().settings(settings).start().await.unwrap();
        let answer = send(&emulator, plain("POST", START, PYTHON)).await;
        assert_eq!(answer.status(), status);
        if strictness == Strictness::Lenient {
            assert!(!answer.headers().contains_key("x-emulator-anomalies"));
        } else {
            assert_eq!(json(&answer)["errorCode"], 40001);
        }
    }
}

#[tokio::test]
async fn field_names_that_fit_into_no_header() {
    let emulator = emulator().await;
    let body = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms","ключ\n":1}"#;
    let answer = send(&emulator, plain("POST", START, body)).await;
    assert_eq!(answer.status(), 200);
    assert!(
        answer.headers()["x-emulator-anomalies"]
            .to_str()
            .unwrap()
            .contains("????")
    );
}
