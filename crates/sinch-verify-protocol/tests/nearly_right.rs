//! JSON that is nearly right: what is read from it, and what is said about it.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use proptest::prelude::*;
use serde_json::{Value, json};
use sinch_verify_protocol::callback::{Decision, DecisionBody, Event, RequestEvent};
use sinch_verify_protocol::endpoint::Endpoint as _;
use sinch_verify_protocol::report::{Proof, ReportRequest};
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::wire::WireObject;
use sinch_verify_protocol::{Code, Method, Start, Status, Verification};

/// The object as this version writes it, and what is said about it.
fn read<T: WireObject>(body: &[u8]) -> (Value, Vec<String>) {
    let received = T::receive(body).unwrap_or_else(|error| panic!("{}: {error}", body.escape_ascii()));
    let anomalies = received.anomalies.iter().map(ToString::to_string).collect();
    (
        serde_json::from_str(&received.value.to_json()).unwrap(),
        anomalies,
    )
}

const WRONG_TYPE: &str = "of another JSON type than documented";
const UNREADABLE: &str = "unreadable, left out";
const SPELLING: &str = "value in another spelling";
const BROKEN_TEXT: &str = "not valid Unicode, read with U+FFFD in its place";

fn event(fields: &str) -> String {
    format!(
        r#"{{"event":"VerificationRequestEvent","id":"1","method":"sms","identity":{{"type":"number","endpoint":"+46700000001"}}{fields}}}"#
    )
}

fn start(fields: &str) -> String {
    format!(r#"{{"identity":{{"type":"number","endpoint":"+46700000001"}},"method":"sms"{fields}}}"#)
}

#[test]
fn a_code_that_is_a_number_is_its_digits_and_named() {
    for (key, method) in [("sms", Method::Sms), ("callout", Method::Callout)] {
        let body = format!(r#"{{"action":"allow","{key}":{{"code":4821}}}}"#);
        let decision = DecisionBody::receive(body.as_bytes()).unwrap();
        assert_eq!(
            decision.value.decision(&method),
            Decision::with_code(&method, Code::new("4821").unwrap())
        );
        let said: Vec<_> = decision.anomalies.iter().map(ToString::to_string).collect();
        assert_eq!(said, [format!("{key}.code: {WRONG_TYPE}")]);
    }
    let report = ReportRequest::receive(br#"{"method":"sms","sms":{"code":6695}}"#).unwrap();
    let proof = report.value.require_proof().map(Proof::from);
    assert_eq!(proof, Ok(Proof::Code(Code::new("6695").unwrap())));
    assert_eq!(report.anomalies[0].to_string(), format!("sms.code: {WRONG_TYPE}"));
}

#[test]
fn a_code_whose_digits_are_not_known_is_refused() {
    for code in [
        "-4821",
        "48.21",
        "4821.0",
        "4e3",
        "null",
        "true",
        "[4821]",
        "99999999999",
        "123456789012345678901",
    ] {
        let body = format!(r#"{{"method":"sms","sms":{{"code":{code}}}}}"#);
        let error = ReportRequest::decode(body.as_bytes()).unwrap_err();
        assert!(error.path.starts_with("sms.code"), "{code}: {error}");
        let body = format!(r#"{{"action":"allow","sms":{{"code":{code}}}}}"#);
        assert_eq!(
            DecisionBody::decode(body.as_bytes()).is_ok(),
            code == "null",
            "{code}"
        );
    }
}

#[test]
fn a_side_field_never_sinks_an_event() {
    for (fields, said, left) in [
        (
            r#","price":{"amount":"0.005","currencyId":"EUR"}"#,
            format!("price.amount: {WRONG_TYPE}"),
            json!({"price": {"amount": 0.005, "currencyId": "EUR"}}),
        ),
        (
            r#","price":{"amount":"cheap"}"#,
            format!("price.amount: {UNREADABLE}"),
            json!({"price": {}}),
        ),
        (r#","price":0.005"#, format!("price: {UNREADABLE}"), json!({})),
        (
            r#","rate":[{"amount":1}]"#,
            format!("rate: {UNREADABLE}"),
            json!({}),
        ),
        (
            r#","acceptLanguage":"sv-SE""#,
            format!("acceptLanguage: {WRONG_TYPE}"),
            json!({"acceptLanguage": ["sv-SE"]}),
        ),
        (
            r#","acceptLanguage":["sv-SE",{"a":[1]},null]"#,
            format!("acceptLanguage: {UNREADABLE}"),
            json!({"acceptLanguage": ["sv-SE"]}),
        ),
        (
            r#","reference":4821"#,
            format!("reference: {WRONG_TYPE}"),
            json!({"reference": "4821"}),
        ),
        (r#","custom":{"a":1}"#, format!("custom: {UNREADABLE}"), json!({})),
        (
            r#","custom":"\ud83d!""#,
            format!("custom: {BROKEN_TEXT}"),
            json!({"custom": "\u{fffd}!"}),
        ),
    ] {
        let body = event(fields);
        let (mut written, anomalies) = read::<RequestEvent>(body.as_bytes());
        assert_eq!(anomalies, [&*said], "{fields}");
        for key in ["event", "id", "method", "identity"] {
            written.as_object_mut().unwrap().remove(key);
        }
        assert_eq!(written, left, "{fields}");
        let received = Event::receive(body.as_bytes()).unwrap();
        assert_eq!(received.anomalies[0].to_string(), said);
    }
}

#[test]
fn an_id_that_is_a_number_is_its_digits_and_named() {
    let body = event("").replace(r#""id":"1""#, r#""id":1234567890"#);
    let received = Event::receive(body.as_bytes()).unwrap();
    assert_eq!(received.value.id().unwrap().as_str(), "1234567890");
    assert_eq!(received.anomalies[0].to_string(), format!("id: {WRONG_TYPE}"));
    for id in ["-1", "1.0", "1e9", "true", "null", "{}"] {
        let body = event("").replace(r#""id":"1""#, &format!(r#""id":{id}"#));
        assert_eq!(Event::decode(body.as_bytes()).unwrap_err().path, "id", "{id}");
    }
}

#[test]
fn a_status_keeps_its_verdict_whatever_its_side_fields_are() {
    let duration = |text: &str| {
        (
            format!(r#""price":{{"billableDuration":{text}}}"#),
            "price.billableDuration",
        )
    };
    let stamp = |text: &str| {
        (
            format!(r#""verificationTimestamp":{text}"#),
            "verificationTimestamp",
        )
    };
    for ((field, path), said, kept) in [
        (duration("34.0"), WRONG_TYPE, json!(34)),
        (duration(r#""34""#), WRONG_TYPE, json!(34)),
        (duration("34.5"), UNREADABLE, json!(null)),
        (duration("-1"), UNREADABLE, json!(null)),
        (
            stamp(r#""2026-01-02T03:04:05.067+0000""#),
            SPELLING,
            json!("2026-01-02T03:04:05.067+0000"),
        ),
        (stamp(r#""yesterday""#), UNREADABLE, json!(null)),
        (stamp("1767322000"), UNREADABLE, json!(null)),
        (
            (r#""callComplete":"true""#.to_owned(), "callComplete"),
            WRONG_TYPE,
            json!(true),
        ),
        (
            (r#""callResult":7"#.to_owned(), "callResult"),
            UNREADABLE,
            json!(null),
        ),
        ((r#""reason":{}"#.to_owned(), "reason"), UNREADABLE, json!(null)),
    ] {
        let body = format!(r#"{{"id":"1","status":"SUCCESSFUL",{field}}}"#);
        let (written, anomalies) = read::<Verification>(body.as_bytes());
        assert_eq!(anomalies, [format!("{path}: {said}")], "{field}");
        let pointer = format!("/{}", path.replace('.', "/"));
        assert_eq!(
            written.pointer(&pointer).unwrap_or(&Value::Null),
            &kept,
            "{field}"
        );

        let answer = Verification::from_http(&Response::new(Bytes::from(body))).unwrap();
        assert!(answer.is_successful(), "{field}");
    }
    for strict in [
        r#"{"id":"1","status":1}"#,
        r#"{"id":"1","status":["SUCCESSFUL"]}"#,
        r#"{"id":"1","status":null}"#,
        r#"{"id":"1","status":"SUCCESSFUL","method":1}"#,
        r#"{"id":"1","status":"SUCCESSFUL","identity":"+46700000001"}"#,
        r#"{"id":"1","status":"SUCCESSFUL","status":"FAIL"}"#,
    ] {
        assert!(Verification::decode(strict.as_bytes()).is_err(), "{strict}");
    }
}

#[test]
fn a_start_answer_is_kept_whatever_its_side_fields_are() {
    let number = "+46700000001".parse().unwrap();
    for (sms, said, seconds) in [
        (r#"{"interceptionTimeout":120.0}"#, WRONG_TYPE, Some(120)),
        (r#"{"interceptionTimeout":"120"}"#, WRONG_TYPE, Some(120)),
        (r#"{"interceptionTimeout":"2 min"}"#, UNREADABLE, None),
        (r#"{"interceptionTimeout":{"s":120}}"#, UNREADABLE, None),
    ] {
        let body = format!(r#"{{"id":"1","method":"sms","sms":{sms}}}"#);
        let (_, anomalies) = read::<StartResponse>(body.as_bytes());
        assert_eq!(anomalies, [format!("sms.interceptionTimeout: {said}")]);
        let started = Start::sms(number)
            .from_http(&Response::new(Bytes::from(body)))
            .unwrap();
        assert_eq!(started.details.interception_timeout, seconds, "{sms}");
    }
    for links in [
        r#"[{"rel":"status","href":5}]"#,
        "{}",
        r#"[null]"#,
        r#"[{"rel":[]},7]"#,
    ] {
        let body = format!(r#"{{"id":"1","method":"sms","_links":{links}}}"#);
        Start::sms(number)
            .from_http(&Response::new(Bytes::from(body)))
            .unwrap();
    }
}

#[test]
fn one_byte_order_mark_is_skipped_and_named() {
    let mark = "\u{feff}";
    let said = ".: byte order mark, skipped";
    let decision = format!(r#"{mark}{{"action":"allow"}}"#);
    assert_eq!(read::<DecisionBody>(decision.as_bytes()).1, [said]);
    let start = format!("{mark}{}", start(""));
    assert_eq!(read::<StartRequest>(start.as_bytes()).1, [said]);
    let event = Event::receive(format!("{mark}{}", event("")).as_bytes()).unwrap();
    assert_eq!(event.anomalies[0].to_string(), said);
    let error = DecisionBody::decode(format!("{mark}{decision}").as_bytes()).unwrap_err();
    assert_eq!(error.path, ".");
}

#[test]
fn a_body_in_utf_16_is_called_that() {
    let utf16 = |mark: &str, little: bool| -> Vec<u8> {
        let text = format!("{mark}{}", r#"{"action":"allow"}"#);
        let bytes = |unit: u16| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        };
        text.encode_utf16().flat_map(bytes).collect()
    };
    for (mark, little) in [("\u{feff}", true), ("\u{feff}", false), ("", true), ("", false)] {
        let error = DecisionBody::decode(&utf16(mark, little)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "JSON at `.`: the body is UTF-16; send it as UTF-8"
        );
    }
}

#[test]
fn languages_that_cannot_be_used_leave_the_decision() {
    for (languages, said, left) in [
        (r#"["sv_SE"]"#, SPELLING, json!(["sv-SE"])),
        (r#"["*"]"#, UNREADABLE, json!(null)),
        (r#"["sv-SE","*"]"#, UNREADABLE, json!(["sv-SE"])),
        (r#""sv-SE""#, WRONG_TYPE, json!(["sv-SE"])),
        ("5", UNREADABLE, json!(null)),
    ] {
        let body = format!(r#"{{"action":"allow","sms":{{"code":"4821","acceptLanguage":{languages}}}}}"#);
        let (written, anomalies) = read::<DecisionBody>(body.as_bytes());
        assert_eq!(anomalies, [format!("sms.acceptLanguage: {said}")], "{languages}");
        assert_eq!(written["sms"]["code"], "4821");
        assert_eq!(written["sms"]["acceptLanguage"], left, "{languages}");
    }
}

#[test]
fn broken_text_is_taken_where_no_verdict_depends_on_it() {
    let latin1 = |text: &str| -> Vec<u8> {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    };
    for (fields, path) in [
        (
            r#","metadata":{"sim":{"operator":"Télé","n":"\u00e9"}}"#,
            "metadata",
        ),
        (r#","custom":"Télé""#, "custom"),
        (r#","custom":"\uD83D","reference":"order-1""#, "custom"),
        (r#","custom":"\\\udc00\ud83d\udcde""#, "custom"),
    ] {
        let body = latin1(&start(fields));
        let (written, anomalies) = read::<StartRequest>(&body);
        assert_eq!(anomalies, [format!("{path}: {BROKEN_TEXT}")], "{fields}");
        assert!(written[path].to_string().contains('\u{fffd}'), "{written}");
    }
    let whole_pair = start(r#","custom":"\ud83d\udcde""#);
    assert_eq!(read::<StartRequest>(whole_pair.as_bytes()).1, [""; 0]);

    for fields in [
        r#","reference":"Télé""#,
        r#","reference":"\ud83d""#,
        r#","smsOptions":{"template":"é"}"#,
    ] {
        assert!(StartRequest::decode(&latin1(&start(fields))).is_err(), "{fields}");
    }
    // Beside broken text, a broken verdict stays one.
    assert!(StartRequest::decode(&latin1(&start(r#","custom":"é","reference":"é""#))).is_err());
    let id = event(r#","custom":"\ud83d""#).replace(r#""id":"1""#, r#""id":"\ud83d""#);
    assert!(Event::decode(id.as_bytes()).is_err());
}

#[test]
fn fields_that_the_schema_allows_are_not_odd() {
    let body = |options: &str, method: &str| start(&format!(",{options}")).replace(r#""sms""#, method);
    for (options, method) in [
        (r#""whatsappOptions":{"foo":1}"#, r#""whatsapp""#),
        (r#""calloutOptions":{"speech":{}}"#, r#""callout""#),
        (r#""smsOptions":{"foo":1}"#, r#""sms""#),
        (r#""flashCallOptions":{"foo":1}"#, r#""flashcall""#),
    ] {
        let body = body(options, method);
        let (written, anomalies) = read::<StartRequest>(body.as_bytes());
        assert_eq!(anomalies, [""; 0], "{body}");
        assert_eq!(written, serde_json::from_str::<Value>(&body).unwrap());
    }
}

#[test]
fn a_zone_without_a_colon_is_a_zone() {
    use sinch_verify_protocol::timestamp::parse;
    assert_eq!(
        parse("2026-01-02T03:04:05.067+0000"),
        parse("2026-01-02T03:04:05.067Z")
    );
    assert_eq!(parse("2026-01-02T03:04:05-0130"), parse("2026-01-02T04:34:05Z"));
    for text in [
        "2026-01-02T03:04:05+2400",
        "2026-01-02T03:04:05+0060",
        "2026-01-02T03:04:05+00000",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_number_of_an_option_may_be_spelt_otherwise_and_must_be_in_range() {
    let body = |seconds: &str| {
        start(&format!(r#","flashCallOptions":{{"dialTimeout":{seconds}}}"#))
            .replace(r#""sms""#, r#""flashcall""#)
    };
    for seconds in ["12.0", r#""12""#] {
        let (written, anomalies) = read::<StartRequest>(body(seconds).as_bytes());
        assert_eq!(written["flashCallOptions"]["dialTimeout"], 12);
        assert_eq!(anomalies, [format!("flashCallOptions.dialTimeout: {WRONG_TYPE}")]);
    }
    for seconds in ["3", "12.5", r#""soon""#, "[]"] {
        let error = StartRequest::decode(body(seconds).as_bytes()).unwrap_err();
        assert_eq!(error.path, "flashCallOptions.dialTimeout", "{seconds}");
    }
}

proptest! {
    #[test]
    fn no_value_of_a_side_field_sinks_a_verdict(value in json(), key in 0..9_usize) {
        let key = ["reason", "reference", "countryId", "verificationTimestamp", "price", "source",
            "callComplete", "callResult", "unknown"][key];
        let body = format!(r#"{{"{key}":{value},"id":"1","status":"SUCCESSFUL"}}"#);
        let read = Verification::decode(body.as_bytes()).unwrap();
        prop_assert_eq!(&read.status, &Status::Successful);
        let again = Verification::decode(read.to_json().as_bytes()).unwrap();
        prop_assert_eq!(again.to_json(), read.to_json());
    }
}

/// Any JSON, as text.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        (-1e9..1e9).prop_map(|value: f64| value.to_string()),
        any::<String>().prop_map(|value| serde_json::to_string(&value).unwrap()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![
            "[a-z]{1,5}",
            Just("amount".to_owned()),
            Just("verificationPrice".to_owned())
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|fields| {
                let mut text = "{".to_owned();
                for (i, (key, value)) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(text, r#"{comma}"{key}":{value}"#).unwrap();
                }
                text + "}"
            }),
        ]
    })
}
