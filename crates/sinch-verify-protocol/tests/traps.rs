//! The traps of this API that other tests do not name: each is something a
//! sender really does, or a reader really got wrong.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use sinch_verify_protocol::callback::{Event, SmsDeliveredEvent};
use sinch_verify_protocol::error::JsonError;
use sinch_verify_protocol::method::{Callout, FlashCall, Sms};
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::{
    AcceptLanguage, DecodeError, Endpoint, Expiry, Method, PhoneNumber, Start, Started, Status, Verification,
    VerificationId, WireObject,
};

fn answer<M: sinch_verify_protocol::start::VerifyMethod>(
    status: u16,
    body: &str,
) -> Result<Started<M>, DecodeError> {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let number: PhoneNumber = "+46700000001".parse().unwrap();
    Start::<M>::new(number).from_http(&response)
}

#[test]
fn dotnet_escapes_the_plus_and_python_puts_spaces() {
    let dotnet = br#"{"identity":{"type":"number","endpoint":"\u002B12025550134"},"method":"sms"}"#;
    let python = br#"{"identity": {"type": "number", "endpoint": "+12025550134"}, "method": "sms"}"#;
    let read = |body: &[u8]| StartRequest::decode(body).unwrap();
    assert_eq!(read(dotnet), read(python));
    assert_eq!(
        read(dotnet).identity.phone_number().unwrap().as_str(),
        "+12025550134"
    );
}

#[test]
fn old_answers_have_no_method_and_no_links() {
    let started = answer::<Callout>(
        200,
        r#"{"id":"1234567890","callout":{"startPollingAfter":3,"stopPollingAfter":30,"pollingInterval":3}}"#,
    );
    let started = started.unwrap();
    let slots: Vec<_> = started
        .details
        .schedule()
        .unwrap()
        .slots()
        .map(|slot| slot.as_secs())
        .collect();
    assert_eq!(slots, [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
    assert_eq!(started.links, None);
    // Newer servers leave the schedule out.
    assert_eq!(
        answer::<Callout>(200, r#"{"id":"1","method":"callout"}"#)
            .unwrap()
            .details
            .schedule(),
        None
    );
}

#[test]
fn an_answer_about_another_method_is_an_error() {
    let error = answer::<Sms>(
        200,
        r#"{"id":"1","method":"flashcall","flashCall":{"cliFilter":"(.*)1(.*)"}}"#,
    );
    assert!(matches!(error, Err(DecodeError::WrongMethod { .. })), "{error:?}");
}

#[test]
fn links_are_an_array_and_point_to_another_host() {
    let body = r#"{"id":"1","method":"sms","_links":[{"rel":"status","href":"https://dc-euc1-std.example/1","method":"GET"}]}"#;
    let started = answer::<Sms>(200, body).unwrap();
    assert_eq!(
        started.links.as_ref().unwrap()[0].href.as_deref(),
        Some("https://dc-euc1-std.example/1")
    );
}

#[test]
fn a_start_answer_without_timeouts_and_with_extra_keys_decodes() {
    let body =
        r#"{"id":"1","method":"flashcall","flashCall":{"cliFilter":"(.*)70123(.*)","new":1},"newer":[]}"#;
    let started = answer::<FlashCall>(200, body).unwrap();
    assert!(started.cli_filter().unwrap().matches("+4670123"));
    assert_eq!(started.details.interception_timeout, None);
    assert_eq!(
        (started.extra.get("newer"), started.details.extra.get("new")),
        (Some("[]"), Some("1"))
    );
    // A missing filter is what a flash call cannot do without.
    let error = answer::<FlashCall>(200, r#"{"id":"1","method":"flashcall","flashCall":{}}"#).unwrap_err();
    assert!(
        matches!(&error, DecodeError::Json(JsonError { path, .. }) if path == "flashCall.cliFilter"),
        "{error:?}"
    );
    let error = answer::<FlashCall>(200, r#"{"id":"1","method":"flashcall"}"#).unwrap_err();
    assert!(
        matches!(&error, DecodeError::Json(JsonError { path, .. }) if path == "flashCall"),
        "{error:?}"
    );
}

#[test]
fn a_success_without_a_body_is_an_error_and_40005_hints_at_the_plus() {
    for status in [200, 204] {
        assert!(
            matches!(answer::<Sms>(status, ""), Err(DecodeError::EmptyBody { .. })),
            "{status}"
        );
    }
    let error = answer::<Sms>(400, r#"{"errorCode":"40005","message":"Missing leading plus."}"#).unwrap_err();
    assert!(error.to_string().contains("starts with +"), "{error}");
}

#[test]
fn an_error_that_is_no_object_keeps_the_status() {
    for body in ["", "<html>Bad gateway</html>", "{}", "null"] {
        match answer::<Sms>(502, body) {
            Err(DecodeError::Status { status, sample }) => {
                assert_eq!((status.as_u16(), sample.as_str()), (502, body));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_auto_start_names_its_methods_and_their_parts() {
    let body = br#"{"id":"1","method":"auto","auto":{"subVerificationId":null,"methodsOrder":["seamless","flashcall","sms"]},
        "sms":{"template":"{{CODE}}","interceptionTimeout":120,"subVerificationId":"sub-1"},
        "flashCall":{"cliFilter":"(.*)70123(.*)","subVerificationId":"sub-2"},"seamless":{"targetUri":"https://mno.example/v"}}"#;
    let started =
        answer::<sinch_verify_protocol::method::Auto>(200, std::str::from_utf8(body).unwrap()).unwrap();
    let order = started.details.methods_order.clone().unwrap();
    assert_eq!(order, [Method::Seamless, Method::FlashCall, Method::Sms]);
    assert_eq!(
        started.sms.as_ref().unwrap().sub_verification_id,
        VerificationId::new("sub-1").ok()
    );
    // And back again, without loss.
    let again = StartResponse::from(started);
    assert_eq!(again, StartResponse::decode(body).unwrap());
}

#[test]
fn status_and_method_are_read_in_any_spelling() {
    for (text, status) in [
        ("FAIL", Status::Fail),
        ("FAILED", Status::Fail),
        ("successful", Status::Successful),
    ] {
        assert_eq!(Status::from(text), status);
    }
    let read = Verification::decode(br#"{"id":"1","method":"flashCall","status":"Failed"}"#).unwrap();
    assert_eq!(
        (read.method, read.status),
        (Some(Method::FlashCall), Status::Fail)
    );
}

#[test]
fn a_delivered_event_may_lack_its_method() {
    let body = br#"{"event":"VerificationSmsDeliveredEvent","id":"1","identity":{"type":"number","endpoint":"+1"},"smsResult":"Failed"}"#;
    assert!(matches!(Event::decode(body), Ok(Event::SmsDelivered(event)) if event.method.is_none()));
    assert!(SmsDeliveredEvent::receive(body).unwrap().anomalies.is_empty());
}

#[test]
fn the_name_of_an_event_in_another_field_does_not_mislead() {
    let body = br#"{"event":"VerificationResultEvent","id":"1","method":"sms","status":"FAIL",
        "identity":{"type":"number","endpoint":"+1"},"custom":"VerificationRequestEvent"}"#;
    assert!(matches!(Event::decode(body), Ok(Event::Result(_))));
    let body = br#"{"custom":"VerificationRequestEvent","event":"VerificationDreamtEvent"}"#;
    assert!(matches!(Event::decode(body), Ok(Event::Unknown(_))));
}

#[test]
fn an_expiry_is_a_duration_and_not_a_time_of_day() {
    assert_eq!(
        "01:00:00".parse::<Expiry>().unwrap().duration(),
        Duration::from_secs(3600)
    );
    for text in [
        "24:00:00",
        "00:00:00",
        "1:00:00",
        "00:60:00",
        "00:00",
        "00:00:01:00",
        "+1:00:00",
        "١٢:٠٠:٠٠",
    ] {
        assert!(text.parse::<Expiry>().is_err(), "{text}");
    }
}

#[test]
fn weights_have_at_most_three_decimals() {
    let tag = || "pl".parse().unwrap();
    for (weight, written) in [
        (0.2335, "pl;q=0.234"),
        (1.0, "pl;q=1"),
        (0.0, "pl;q=0"),
        (0.3333, "pl;q=0.333"),
        (0.5, "pl;q=0.5"),
    ] {
        assert_eq!(
            AcceptLanguage::new()
                .then_weighted(tag(), weight)
                .unwrap()
                .to_string(),
            written
        );
    }
    for weight in [1.1, -0.1, f64::NAN, f64::INFINITY] {
        assert!(
            AcceptLanguage::new().then_weighted(tag(), weight).is_err(),
            "{weight}"
        );
    }
    let list: AcceptLanguage = "pl-PL, fr-CA;q=0.5 ,is-IS,pl".parse().unwrap();
    assert_eq!(list.to_string(), "pl-PL,fr-CA;q=0.5,is-IS,pl");
    let preferred: Vec<_> = list.preferred().map(ToString::to_string).collect();
    assert_eq!(preferred, ["pl-PL", "is-IS", "pl", "fr-CA"]);
}

#[test]
fn content_language_is_kept_as_text() {
    for language in ["es-ES", "pl", "zh-Hans-CN", ""] {
        let mut response = Response::new(Bytes::from_static(br#"{"id":"1","method":"sms","sms":{}}"#));
        response
            .headers_mut()
            .insert("content-language", language.parse().unwrap());
        assert_eq!(
            Start::sms("+46700000001".parse().unwrap())
                .from_http(&response)
                .unwrap()
                .content_language
                .as_deref(),
            Some(language)
        );
    }
}

#[test]
fn an_error_that_repeats_the_number_does_not_show_it() {
    let error = answer::<Sms>(
        400,
        r#"{"errorCode":40001,"message":"Number +12025550134 is invalid. Too short."}"#,
    )
    .unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("2025550134") && shown.contains("40001"),
        "{shown}"
    );
    match &error {
        DecodeError::Api { error, .. } => assert!(error.message.as_deref().unwrap().contains("+12025550134")),
        other => panic!("{other:?}"),
    }
    // The hint is for numbers only.
    let other = answer::<Sms>(
        400,
        r#"{"errorCode":40001,"message":"dialTimeout must be from 5 to 120."}"#,
    )
    .unwrap_err();
    assert!(!other.to_string().contains("starts with +"), "{other}");
}

#[test]
fn a_sample_of_a_body_shows_its_shape_and_no_value() {
    let body = r#"{"method":"sms","sms":{"code":"abcd"},"custom":"Jo Smith","identity":5}"#;
    let error = format!("{:?}", StartRequest::decode(body.as_bytes()).unwrap_err());
    assert!(
        error.contains("custom") && !error.contains("abcd") && !error.contains("Smith"),
        "{error}"
    );
}

#[test]
fn text_of_the_service_is_shown_masked_and_on_one_line() {
    let body = r#"{"errorCode":40001,"message":"no +46 700 012 345\u001b[2J\r\n","reference":"+46-700-012-345\u009b"}"#;
    let error = answer::<Sms>(400, body).unwrap_err();
    let api = "no +***\\u001b[2J\\r\\n (errorCode 40001)";
    assert_eq!(error.to_string(), format!("400 Bad Request: {api}"));
    let DecodeError::Api { error: held, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(format!("{held:?}").contains("+***\\\\u009b"), "{held:?}");
    // What was read is kept as it came.
    assert_eq!(held.reference.as_deref(), Some("+46-700-012-345\u{9b}"));

    let body = r#"{"id":"a\u009bb","status":"FAIL\u001b[2J","reason":"\u202eno"}"#;
    let verification = Verification::decode(body.as_bytes()).unwrap();
    let reason = verification.reason.as_ref().unwrap();
    assert_eq!(
        format!("{} {} {reason}", verification.id, verification.status),
        "a\\u009bb FAIL\\u001b[2J \\u202eno"
    );
    assert_eq!(verification.status.as_str(), "FAIL\u{1b}[2J");

    let error = answer::<Sms>(200, r#"{"id":"1","method":"+46 700 012 345\n"}"#).unwrap_err();
    assert!(error.to_string().ends_with("is about +***\\n"), "{error}");
    let text = format!(
        "{:?}",
        answer::<Sms>(502, "<p>call +46700012345\u{9b}</p>").unwrap_err()
    );
    assert!(text.contains("call +########### </p>"), "{text}");
}

#[test]
fn credentials_know_their_own_secret_in_a_text() {
    use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials};

    let secret = "ABEiRFVmd_aImaq7zN3u-w";
    let key = || ApplicationKey::new("key").unwrap();
    let lenient = || ApplicationSecret::lenient(secret).unwrap();
    for credentials in [
        Credentials::basic(key(), lenient()),
        Credentials::signed(key(), lenient()),
    ] {
        let text = format!("no `{secret}`, secret=ABEiRFVmd/aImaq7zN3u+w==. Wrong secret for key.");
        assert_eq!(
            credentials.redact(&text),
            "no `[redacted]`, secret=[redacted]. Wrong secret for key."
        );
    }
    assert_eq!(Credentials::public(key()).redact("key"), "key");
}

#[test]
fn an_auto_start_keeps_its_whatsapp_part() {
    let body = r#"{"id":"1","method":"auto","auto":{"methodsOrder":["whatsapp"]},"whatsapp":{"codeType":"Numeric"}}"#;
    let started = answer::<sinch_verify_protocol::method::Auto>(200, body).unwrap();
    assert!(started.whatsapp.is_some());
    assert_eq!(
        StartResponse::from(started).to_json(),
        StartResponse::decode(body.as_bytes()).unwrap().to_json()
    );
}

#[test]
fn a_flat_price_is_named_and_a_null_in_it_is_absent() {
    let read = |price: &str| {
        Verification::receive(format!(r#"{{"id":"1","status":"FAIL","price":{price}}}"#).as_bytes()).unwrap()
    };
    let flat = read(r#"{"amount":0.05,"currencyId":null}"#);
    let said: Vec<_> = flat.anomalies.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "price.verificationPrice.currencyId: explicit null, read as absent",
            "price: flat price, read as the price of the verification"
        ]
    );
    assert_eq!(
        flat.value
            .price
            .unwrap()
            .verification
            .unwrap()
            .amount
            .unwrap()
            .as_str(),
        "0.05"
    );
    // Beside a nested price, flat fields are kept as what they are: unknown.
    let both = read(r#"{"verificationPrice":{"amount":1},"amount":2}"#)
        .value
        .price
        .unwrap();
    assert_eq!(
        (
            both.verification.unwrap().amount.unwrap().as_str(),
            both.extra.get("amount")
        ),
        ("1", Some("2"))
    );
}

#[test]
fn the_source_is_echoed_as_the_client_wrote_it() {
    for source in ["MANUAL", "manual", "intercept", "INTERCEPTION", "seamless???"] {
        let body = format!(r#"{{"id":"1","status":"PENDING","source":"{source}"}}"#);
        assert_eq!(Verification::decode(body.as_bytes()).unwrap().to_json(), body);
    }
}

#[test]
fn a_method_that_no_path_can_carry_is_refused() {
    use sinch_verify_protocol::{BaseUrl, StatusByNumber};
    let number = "+12025550134".parse().unwrap();
    for method in ["", ".", ".."] {
        let status = StatusByNumber {
            method: Method::from(method),
            number,
        };
        assert!(status.to_http(&BaseUrl::default()).is_err(), "{method:?}");
    }
}

#[test]
fn an_amount_of_absurd_scale_is_not_scaled() {
    for text in ["1e-2000000000", "1e2000000000", "1e39", "1e-39"] {
        assert_eq!(
            text.parse::<sinch_verify_protocol::Amount>().unwrap().scaled(),
            None,
            "{text}"
        );
    }
}
