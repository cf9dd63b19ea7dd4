//! Every sample body reads, and writes back what it said.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use serde_json::{Value, json};
use sinch_verify_protocol::body_kind::BodyKind;
use sinch_verify_protocol::call_outcome::OutcomeRequest;
use sinch_verify_protocol::callback::{DecisionBody, Event, RequestEvent, ResultEvent, SmsDeliveredEvent};
use sinch_verify_protocol::error::JsonError;
use sinch_verify_protocol::method::{Auto, Callout, FlashCall, Seamless, Sms, WhatsApp};
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::start::{StartRequest, StartResponse, VerifyMethod};
use sinch_verify_protocol::wire::WireObject;
use sinch_verify_protocol::{ApiError, DecodeError, Method, Started, Status, Verification};

fn samples() -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors/sample-payloads.json")).unwrap();
    all["samples"].as_array().unwrap().clone()
}

/// Reads `body` as `T` and writes it back; lists its anomalies.
fn round_trip<T: WireObject>(body: &[u8]) -> (Value, Vec<String>) {
    let received =
        T::receive(body).unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(body)));
    let written: Value = serde_json::from_str(&received.value.to_json()).unwrap();
    let again: T = T::decode(received.value.to_json().as_bytes()).unwrap();
    assert_eq!(again.to_json(), received.value.to_json());
    (
        written,
        received.anomalies.iter().map(ToString::to_string).collect(),
    )
}

fn round_trip_of(kind: &str, body: &[u8]) -> Option<(Value, Vec<String>)> {
    Some(match kind {
        "StartRequest" => round_trip::<StartRequest>(body),
        "StartResponse" => round_trip::<StartResponse>(body),
        "ReportByIdentityRequest" | "ReportByIdRequest" => round_trip::<ReportRequest>(body),
        "FlashCallAnalytics" => round_trip::<OutcomeRequest>(body),
        "ReportResponse" | "StatusResponse" => round_trip::<Verification>(body),
        "VerificationRequestEvent" => round_trip::<RequestEvent>(body),
        "VerificationResultEvent" => round_trip::<ResultEvent>(body),
        "VerificationSmsDeliveredEvent" => round_trip::<SmsDeliveredEvent>(body),
        "VerificationRequestEventResponse" => round_trip::<DecisionBody>(body),
        "Error" => round_trip::<ApiError>(body),
        _ => return None,
    })
}

/// The answer read for method `M`, and back.
fn through_typed<M: VerifyMethod>(answer: &StartResponse) -> Result<StartResponse, DecodeError> {
    let started: Started<M> = Started::read(&M::METHOD, answer.clone(), None)?;
    let any: Started = started.clone().into();
    let answer = StartResponse::from(started);
    assert_eq!(StartResponse::from(any), answer);
    Ok(answer)
}

#[test]
fn start_answers_lose_nothing_in_the_typed_form() {
    let mut seen = 0;
    for sample in samples()
        .iter()
        .filter(|sample| sample["type"] == "StartResponse")
    {
        let body = sample["payload"].to_string();
        let mut answer = StartResponse::decode(body.as_bytes()).unwrap();
        // Old answers name no method.
        let of_sample = || sample["method"].as_str().map(Method::from);
        let method = answer.method.clone().or_else(of_sample).unwrap();
        let typed = match method {
            Method::Sms => through_typed::<Sms>(&answer),
            Method::FlashCall => through_typed::<FlashCall>(&answer),
            Method::Callout => through_typed::<Callout>(&answer),
            Method::Seamless => through_typed::<Seamless>(&answer),
            Method::WhatsApp => through_typed::<WhatsApp>(&answer),
            _ => through_typed::<Auto>(&answer),
        };
        answer.method = Some(method);
        assert_eq!(typed, Ok(answer), "{body}");
        seen += 1;
    }
    assert!(seen > 5, "only {seen} samples");
}

#[test]
fn every_sample_is_recognised_by_its_fields() {
    let mut recognised = 0;
    for sample in samples() {
        let kind = match sample["type"].as_str().unwrap() {
            "StartRequest" => BodyKind::StartRequest,
            "StartResponse" => BodyKind::StartResponse,
            "ReportByIdentityRequest" | "ReportByIdRequest" => BodyKind::ReportRequest,
            "FlashCallAnalytics" => BodyKind::CallOutcome,
            "ReportResponse" | "StatusResponse" => BodyKind::Verification,
            "VerificationRequestEventResponse" => BodyKind::Decision,
            "Error" => BodyKind::ApiError,
            event if event.ends_with("Event") => BodyKind::Event,
            // The answers to the other events are empty.
            _ => continue,
        };
        let body = sample["payload"].to_string();
        assert_eq!(BodyKind::of(body.as_bytes()).unwrap(), Some(kind), "{body}");
        recognised += 1;
    }
    assert!(recognised > 70, "only {recognised} samples");
    for unknown in ["{}", r#"{"code":"4821"}"#, r#"{"status":"PENDING"}"#] {
        assert_eq!(BodyKind::of(unknown.as_bytes()).unwrap(), None, "{unknown}");
    }
    for no_object in ["", "[]", "4821", r#"{"event""#] {
        assert!(BodyKind::of(no_object.as_bytes()).is_err(), "{no_object}");
    }
}

/// The sample as its canonical form: no nulls, no empty options, canonical keys.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| {
                let key = if key == "flashcall" { "flashCall" } else { key };
                (key.to_owned(), canonical(value))
            })
            .filter(|(_, value)| *value != json!({}))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_sample_reads_and_writes_back_the_same() {
    let mut read = 0;
    for sample in samples() {
        let payload = &sample["payload"];
        let kind = sample["type"].as_str().unwrap();
        if payload.is_null() {
            continue;
        }
        let body = serde_json::to_vec(payload).unwrap();
        let (written, anomalies) =
            round_trip_of(kind, &body).unwrap_or_else(|| panic!("no reading for {kind}"));
        let mut expected = canonical(payload);
        if expected["method"] == "flashCall" {
            expected["method"] = json!("flashcall");
        }
        if kind == "Error" && expected["errorCode"].is_string() {
            expected["errorCode"] = json!(40400);
        }
        // A metadata object is kept as it is; nulls in it are data.
        if let Some(metadata) = payload.get("metadata") {
            expected["metadata"] = metadata.clone();
        }
        if expected.get("source").is_some_and(|source| source == "log") {
            assert!(anomalies.is_empty());
        }
        assert_eq!(written, expected, "{kind}: {payload}");
        read += 1;
    }
    assert!(read > 60, "only {read} samples");
}

#[test]
fn well_formed_samples_have_no_anomalies() {
    for (kind, body) in [
        (
            "StartRequest",
            r#"{"identity":{"type":"number","endpoint":"+12025550134"},"method":"sms","smsOptions":{"codeType":"Alpha"}}"#,
        ),
        (
            "ReportByIdRequest",
            r#"{"method":"flashcall","flashCall":{"cli":"+14155570123"}}"#,
        ),
        (
            "VerificationRequestEventResponse",
            r#"{"action":"allow","callout":{"code":"4821","speech":{"locale":"en-US"}}}"#,
        ),
    ] {
        assert_eq!(
            round_trip_of(kind, body.as_bytes()).unwrap().1,
            Vec::<String>::new(),
            "{body}"
        );
    }
}

/// What official SDKs send wrongly: the sender, the body, what is said of it,
/// and what is kept.
#[test]
fn anomalies_of_official_sdks_are_read_and_named() {
    let number = r#""identity":{"type":"number","endpoint":"+12025550134"}"#;
    let start = |rest: &str| format!("{{{number},{rest}}}");
    let cases: [(&str, &str, String, &[&str], Value); 15] = [
        (
            "Python, JVM: method in camel case",
            "StartRequest",
            start(r#""method":"flashCall""#),
            &["method: value in another spelling"],
            json!({"method": "flashcall"}),
        ),
        (
            "Python: empty smsOptions",
            "StartRequest",
            start(r#""method":"sms","smsOptions":{}"#),
            &["smsOptions: empty object, read as absent"],
            json!({"method": "sms"}),
        ),
        (
            "Python: expiry and template at the top level",
            "StartRequest",
            start(
                r#""method":"sms","smsOptions":{"codeType":"Alpha"},"expiry":"00:01:00","template":"{{CODE}}""#,
            ),
            &[
                "expiry: ignored here, belongs into `smsOptions.expiry`",
                "template: ignored here, belongs into `smsOptions.template`",
            ],
            json!({"method": "sms", "smsOptions": {"codeType": "Alpha"}}),
        ),
        (
            ".NET: an unset dial timeout as zero",
            "StartRequest",
            start(r#""method":"flashcall","flashCallOptions":{"dialTimeout":0}"#),
            &[
                "flashCallOptions.dialTimeout: zero, read as not set",
                "flashCallOptions: empty object, read as absent",
            ],
            json!({"method": "flashcall"}),
        ),
        (
            ".NET: an empty speech object",
            "StartRequest",
            start(r#""method":"callout","calloutOptions":{"speech":{}}"#),
            &[],
            json!({"method": "callout", "calloutOptions": {"speech": {}}}),
        ),
        (
            "Android: explicit nulls",
            "StartRequest",
            start(
                r#""method":"sms","honourEarlyReject":true,"custom":null,"smsOptions":{"applicationHash":null}"#,
            ),
            &[
                "smsOptions.applicationHash: explicit null, read as absent",
                "smsOptions: empty object, read as absent",
                "custom: explicit null, read as absent",
            ],
            json!({"method": "sms", "honourEarlyReject": true}),
        ),
        (
            "options of another method",
            "StartRequest",
            start(r#""method":"sms","flashCallOptions":{"dialTimeout":12}"#),
            &["flashCallOptions: ignored, belongs to another method"],
            json!({"method": "sms", "flashCallOptions": {"dialTimeout": 12}}),
        ),
        (
            "an unknown field is kept",
            "StartRequest",
            start(r#""method":"sms","colour":{"b": 1.50}"#),
            &["colour: unknown field, kept"],
            json!({"method": "sms", "colour": {"b": 1.50}}),
        ),
        (
            "iOS, JVM, old curl: lower-case inner key",
            "ReportByIdRequest",
            r#"{"method":"flashcall","flashcall":{"cli":"+14155570123"}}"#.to_owned(),
            &["flashCall: key in another spelling"],
            json!({"method": "flashcall", "flashCall": {"cli": "+14155570123"}}),
        ),
        (
            "Android: unused methods as null",
            "ReportByIdRequest",
            r#"{"method":"sms","source":"intercept","sms":{"code":"1"},"flashcall":null,"seamless":null}"#
                .to_owned(),
            &[
                "flashCall: key in another spelling",
                "flashCall: explicit null, read as absent",
                "seamless: explicit null, read as absent",
            ],
            json!({"method": "sms", "source": "intercept", "sms": {"code": "1"}}),
        ),
        (
            "a key that is a number in a decision",
            "VerificationRequestEventResponse",
            r#"{"action":"ALLOW","callout":{"pin":1}}"#.to_owned(),
            &[
                "callout.pin: of another JSON type than documented",
                "action: value in another spelling",
            ],
            json!({"action": "allow", "callout": {"pin": "1"}}),
        ),
        (
            "an unknown field in a deny",
            "VerificationRequestEventResponse",
            r#"{"action":"deny","why":"no"}"#.to_owned(),
            &["why: unknown field, kept"],
            json!({"action": "deny", "why": "no"}),
        ),
        (
            "a method of the future",
            "StartRequest",
            start(r#""method":"pigeon""#),
            &["method: unknown value, kept"],
            json!({"method": "pigeon"}),
        ),
        (
            "errorCode as a string",
            "Error",
            r#"{"errorCode":"40003","message":"x"}"#.to_owned(),
            &["errorCode: of another JSON type than documented"],
            json!({"errorCode": 40003, "message": "x"}),
        ),
        (
            "iOS: FAILED for FAIL",
            "StatusResponse",
            r#"{"id":"1","status":"failed"}"#.to_owned(),
            &["status: value in another spelling"],
            json!({"id": "1", "status": "FAIL"}),
        ),
    ];
    for (name, kind, body, anomalies, mut expected) in cases {
        let (written, said) = round_trip_of(kind, body.as_bytes()).unwrap();
        if kind == "StartRequest" {
            expected["identity"] = json!({"type": "number", "endpoint": "+12025550134"});
        }
        assert_eq!(said, anomalies, "{name}");
        assert_eq!(written, expected, "{name}");
    }
}

#[test]
fn a_bad_body_names_the_field() {
    let identity = r#""identity":{"type":"number","endpoint":"+12025550134"}"#;
    for (body, path, words) in [
        ("".to_owned(), ".", "empty"),
        ("[1]".to_owned(), ".", "expected a JSON object"),
        ("{".to_owned(), ".", "EOF"),
        (format!("{{{identity}}}"), "method", "missing field"),
        (r#"{"method":"sms"}"#.to_owned(), "identity", "missing field"),
        (
            r#"{"method":"sms","identity":{"type":"number"}}"#.to_owned(),
            "identity.endpoint",
            "missing field",
        ),
        (
            r#"{"method":"sms","identity":null}"#.to_owned(),
            "identity",
            "null",
        ),
        (
            format!(r#"{{{identity},"method":"sms","method":"sms"}}"#),
            ".",
            "duplicate field `method`",
        ),
        (
            format!(r#"{{{identity},"method":"flashcall","flashCallOptions":{{"dialTimeout":3}}}}"#),
            "flashCallOptions.dialTimeout",
            "from 5 to 120",
        ),
        (
            format!(r#"{{{identity},"method":"sms","smsOptions":{{"expiry":"5 minutes"}}}}"#),
            "smsOptions.expiry",
            "HH:MM:SS",
        ),
        (format!(r#"{{{identity},"method":5}}"#), "method", "invalid type"),
    ] {
        match StartRequest::decode(body.as_bytes()) {
            Err(JsonError {
                path: at, message, ..
            }) => {
                assert_eq!(at, path, "{body}");
                assert!(message.contains(words), "{body}: {message}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    for code in ["", "12345678901", "12 34"] {
        let body = json!({"method": "sms", "sms": {"code": code}}).to_string();
        match ReportRequest::decode(body.as_bytes()) {
            Err(JsonError { path, .. }) => assert_eq!(path, "sms.code"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nothing_personal_is_shown_by_errors_or_debug() {
    let body = br#"{"method":"sms","identity":{"type":"number","endpoint":"+12025550134"},"reference":4821}"#;
    let error = StartRequest::decode(body).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("2025550134") && !shown.contains("4821"),
        "{shown}"
    );

    let body =
        br#"{"method":"sms","custom":"secret word","identity":{"type":"number","endpoint":"+12025550134"}}"#;
    let shown = format!("{:?}", StartRequest::decode(body).unwrap());
    assert!(
        !shown.contains("2025550134") && !shown.contains("secret word"),
        "{shown}"
    );
}

#[test]
fn unknown_values_are_data() {
    let body =
        br#"{"id":"1","method":"pigeon","status":"PAUSED","reason":"Lost feather","callResult":"ECHO"}"#;
    let verification = Verification::decode(body).unwrap();
    assert_eq!(verification.method, Some(Method::Unknown("pigeon".into())));
    assert!(!verification.status.is_final());
    assert_eq!(verification.to_json().as_bytes(), body);
}

#[test]
fn an_amount_and_a_timestamp_keep_their_text() {
    let body = concat!(
        r#"{"id":"1","method":"sms","status":"SUCCESSFUL","verificationTimestamp":"2024-05-22T09:38:59.5590437","#,
        r#""price":{"verificationPrice":{"currencyId":"EUR","amount":0.04530}}}"#
    );
    assert_eq!(Verification::decode(body.as_bytes()).unwrap().to_json(), body);
}

#[test]
fn a_price_may_be_flat_or_nested() {
    let flat = br#"{"id":"1","status":"FAIL","price":{"currencyId":"EUR","amount":0}}"#;
    let price = Verification::decode(flat).unwrap().price.unwrap();
    let money = price.verification.unwrap();
    assert_eq!(
        (money.currency.as_deref(), money.amount.unwrap().as_str()),
        (Some("EUR"), "0")
    );
    assert!(price.extra.is_empty());
}

#[test]
fn events_are_told_apart_and_unknown_ones_are_kept() {
    for sample in samples() {
        let kind = sample["type"].as_str().unwrap();
        if !kind.ends_with("Event") {
            continue;
        }
        let event = Event::decode(&serde_json::to_vec(&sample["payload"]).unwrap()).unwrap();
        assert_eq!(event.name(), kind);
        let payload = &sample["payload"];
        assert_eq!(event.id().unwrap().as_str(), payload["id"]);
        let method = payload["method"].as_str().map(Method::from);
        assert_eq!(event.method(), method.as_ref());
        let number = event.identity().unwrap().phone_number().unwrap();
        assert_eq!(number.as_str(), payload["identity"]["endpoint"]);
    }
    let body = br#"{"event":"VerificationDreamtEvent","id":"1","x":[1, 2]}"#;
    match Event::decode(body).unwrap() {
        Event::Unknown(unknown) => {
            assert_eq!(unknown.event, "VerificationDreamtEvent");
            assert_eq!(unknown.raw.get().as_bytes(), body);
        }
        other => panic!("{other:?}"),
    }
    assert!(Event::decode(b"{}").is_err());
    assert!(Event::decode(br#"{"event":"VerificationResultEvent","id":"1"}"#).is_err());
}

#[test]
fn final_states_are_the_six_of_the_wire_less_pending() {
    let last: Vec<_> = Status::KNOWN
        .iter()
        .filter(|text| Status::from(**text).is_final())
        .collect();
    assert_eq!(last, [&"SUCCESSFUL", &"FAIL", &"DENIED", &"ABORTED", &"ERROR"]);
}
