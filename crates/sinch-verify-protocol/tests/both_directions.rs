//! What the client half writes, the service half reads, and a signature over
//! it holds exactly as long as no bit changes.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod fixtures;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fixtures::{key, secret};
use http::Request;
use proptest::prelude::*;
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, PathPolicy, SignedMessage, Verifier, VerifyError, Window, X_TIMESTAMP,
};
use sinch_verify_protocol::call_outcome::{CallOutcome, FlashCallOutcome, OutcomeRequest};
use sinch_verify_protocol::method::{Callout, FlashCall, Sms, WhatsApp};
use sinch_verify_protocol::report::{Proof, ReportRequest};
use sinch_verify_protocol::server::{Route, RouteError, path_anomaly};
use sinch_verify_protocol::start::{FlashCallOptions, SmsOptions, StartRequest};
use sinch_verify_protocol::wire::AnomalyKind;
use sinch_verify_protocol::{
    AcceptLanguage, BaseUrl, CallSeconds, Cli, Code, CodeType, Credentials, Custom, Endpoint, Expiry, Method,
    PhoneNumber, Reference, Report, Start, StatusById, StatusByNumber, StatusByReference, VerificationId,
    WireObject,
};

fn route(request: &Request<Bytes>) -> Route {
    Route::parse(request.method(), request.uri().path()).unwrap()
}

fn base() -> BaseUrl {
    "http://127.0.0.1:9901".parse().unwrap()
}

fn number() -> PhoneNumber {
    "+46700000001".parse().unwrap()
}

#[test]
fn a_start_arrives_as_it_was_built() {
    let mut options = SmsOptions::default();
    options.code_type = Some(CodeType::Alphanumeric);
    options.expiry = Some(Expiry::new(Duration::from_secs(90)).unwrap());
    let languages = AcceptLanguage::new().then("sv-SE".parse().unwrap());
    let start = Start::sms(number())
        .reference(Reference::new("order-1").unwrap())
        .custom(Custom::new("x").unwrap())
        .languages(languages.clone())
        .options(options);
    let request = start.to_http(&base()).unwrap();
    assert_eq!(route(&request), Route::Start);
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(StartRequest::languages(request.headers()).value, languages);
    let received = StartRequest::receive(request.body()).unwrap();
    assert_eq!(received.anomalies, []);
    assert_eq!(received.value, *start.body());
}

#[test]
fn what_cannot_be_read_of_a_language_header_is_passed_over() {
    let mut headers = http::HeaderMap::new();
    headers.append("accept-language", "en-US,*;q=0.5, sv-SE;Q=0.9".parse().unwrap());
    headers.append("accept-language", "pl;q=two,fi,nb_NO;q=0.1".parse().unwrap());
    let received = StartRequest::languages(&headers);
    assert_eq!(received.value.to_string(), "en-US,sv-SE;q=0.9,fi,nb-NO;q=0.1");
    let said: Vec<_> = received.anomalies.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "Accept-Language: unreadable, left out",
            "Accept-Language: value in another spelling"
        ]
    );
}

#[test]
fn each_method_starts_under_its_own_name() {
    let mut flash = FlashCallOptions::default();
    flash.dial_timeout = Some(CallSeconds::new(12).unwrap());
    for (body, method) in [
        (Start::sms(number()).body().to_json(), Method::Sms),
        (
            Start::flash_call(number()).options(flash).body().to_json(),
            Method::FlashCall,
        ),
        (Start::callout(number()).body().to_json(), Method::Callout),
        (Start::seamless(number()).body().to_json(), Method::Seamless),
        (Start::whatsapp(number()).body().to_json(), Method::WhatsApp),
        (Start::auto(number()).body().to_json(), Method::Auto),
    ] {
        let received = StartRequest::receive(body.as_bytes()).unwrap();
        assert_eq!((received.value.method, received.anomalies.len()), (method, 0));
    }
}

#[test]
fn reports_and_queries_arrive_where_they_were_sent() {
    let id = VerificationId::new("0198a1b2").unwrap();
    let code = Code::new("4821").unwrap();
    let cli = Cli::from(number());
    let by_id = Route::ReportById { id: id.clone() };
    let by_number = Route::ReportByNumber { number: number() };
    let reports = [
        (
            Report::<Sms>::by_id(id.clone(), code.clone()).to_http(&base()),
            &by_id,
            Method::Sms,
        ),
        (
            Report::<FlashCall>::by_number(number(), cli.clone()).to_http(&base()),
            &by_number,
            Method::FlashCall,
        ),
        (
            Report::<Callout>::by_number(number(), code.clone()).to_http(&base()),
            &by_number,
            Method::Callout,
        ),
        (
            Report::<WhatsApp>::by_id(id.clone(), code.clone()).to_http(&base()),
            &by_id,
            Method::WhatsApp,
        ),
    ];
    for (request, expected, method) in reports {
        let request = request.unwrap();
        assert_eq!(route(&request), *expected);
        let received = ReportRequest::receive(request.body()).unwrap();
        assert_eq!((&received.value.method, received.anomalies.len()), (&method, 0));
        let proof = if method == Method::FlashCall {
            Proof::from(cli.clone())
        } else {
            Proof::from(code.clone())
        };
        assert_eq!(received.value.require_proof().map(Proof::from), Ok(proof));
    }

    let outcome = FlashCallOutcome::new(number(), CallOutcome::None)
        .to_http(&base())
        .unwrap();
    assert_eq!(route(&outcome), Route::Outcome { number: number() });
    assert!(OutcomeRequest::decode(outcome.body()).unwrap().data.no_call);

    let reference = Reference::new("a-b.c_d~e").unwrap();
    let status = |request: Request<Bytes>, expected: Route| {
        assert_eq!(route(&request), expected);
        assert!(request.body().is_empty() && request.headers().is_empty());
    };
    status(
        StatusById { id: id.clone() }.to_http(&base()).unwrap(),
        Route::StatusById { id },
    );
    status(
        StatusByReference { reference }.to_http(&base()).unwrap(),
        Route::StatusByReference {
            reference: "a-b.c_d~e".into(),
        },
    );
    status(
        StatusByNumber {
            method: Method::FlashCall,
            number: number(),
        }
        .to_http(&base())
        .unwrap(),
        Route::StatusByNumber {
            method: Some(Method::FlashCall),
            number: number(),
        },
    );
}

#[test]
fn paths_of_other_senders_are_read_too() {
    let get = |path: &str| Route::parse(&http::Method::GET, path);
    let by_number = |method| {
        Ok(Route::StatusByNumber {
            method,
            number: number(),
        })
    };
    assert_eq!(
        get("/verification/v1/verifications/number/+46700000001"),
        by_number(None)
    );
    assert_eq!(
        get("/verification/v1/verifications/number/%2B46700000001"),
        by_number(None)
    );
    assert_eq!(
        get("/verification/v1/verifications/flashCall/number/+46700000001"),
        by_number(Some(Method::FlashCall))
    );
    assert_eq!(
        Route::parse(&http::Method::POST, "/verification/v1/verifications/"),
        Ok(Route::Start)
    );
    assert_eq!(
        get("/verification/v1/verifications/reference/a%20b"),
        Ok(Route::StatusByReference {
            reference: "a b".into()
        })
    );
    for path in [
        "/",
        "/verification/v1",
        "/verification/v1/verificationsx",
        "/verification/v1/verifications/email/x",
    ] {
        assert_eq!(get(path), Err(RouteError::NotFound), "{path}");
    }
    assert!(matches!(
        get("/verification/v1/verifications"),
        Err(RouteError::Verb { allowed: "POST" })
    ));
    for path in [
        "/verification/v1/verifications/number/12",
        "/verification/v1/verifications/id/%zz",
    ] {
        assert!(matches!(get(path), Err(RouteError::Segment { .. })), "{path}");
    }
}

#[test]
fn a_path_that_is_escaped_as_a_whole_is_decoded_once_and_named() {
    let start = "/%2Fverification%2Fv1%2Fverifications";
    let parse = |verb, path: &str| Route::parse(&verb, path);
    assert_eq!(parse(http::Method::POST, start), Ok(Route::Start));
    assert_eq!(
        parse(http::Method::POST, &start.replace("%2F", "%2f")),
        Ok(Route::Start)
    );
    let number = number();
    assert_eq!(
        parse(http::Method::PUT, &format!("{start}%2Fnumber%2F%2B46700000001")),
        Ok(Route::ReportByNumber { number })
    );
    // What is an escape after one decoding is text.
    assert_eq!(
        parse(http::Method::GET, &format!("{start}%2Freference%2Fa%252Fb")),
        Ok(Route::StatusByReference {
            reference: "a%2Fb".into()
        })
    );
    for (path, error) in [
        ("/%2F", RouteError::NotFound),
        ("/%2F_emu%2Finfo", RouteError::NotFound),
        (
            "/%252Fverification%252Fv1%252Fverifications",
            RouteError::NotFound,
        ),
        ("/%2", RouteError::NotFound),
        (
            "/%2Fverification%2Fv1%2Fverifications%2Freference%2Fa%2Fb%2Fc",
            RouteError::NotFound,
        ),
    ] {
        assert_eq!(parse(http::Method::GET, path), Err(error), "{path}");
    }
    let broken = parse(http::Method::GET, &format!("{start}%2Fid%2F%zz"));
    assert!(matches!(broken, Err(RouteError::Segment { .. })), "{broken:?}");

    let anomaly = path_anomaly(start).unwrap();
    assert_eq!(anomaly.what, AnomalyKind::EscapedPath);
    assert_eq!(
        path_anomaly("/verification/v1/verifications/number/%2B46700000001"),
        None
    );
}

#[test]
fn a_prefix_of_the_base_is_sent_and_signed() {
    let base: BaseUrl = "https://gateway.example/sinch/".parse().unwrap();
    let request = Start::sms(number()).to_http(&base).unwrap();
    assert_eq!(
        request.uri(),
        "https://gateway.example/sinch/verification/v1/verifications"
    );
}

#[test]
fn a_base_url_with_the_path_of_the_api_is_refused_with_the_right_one() {
    for (text, base) in [
        (
            "https://verification.api.sinch.com/verification/v1/verifications",
            "https://verification.api.sinch.com",
        ),
        ("https://host/verification/v1", "https://host"),
        ("https://host/verification/v1/", "https://host"),
        ("https://host/verification/v1/verifications/?a=b", "https://host"),
        ("https://host/verification/v1?a=b", "https://host"),
        (
            "http://host:81/sinch/verification/v1/verifications/",
            "http://host:81/sinch",
        ),
        (
            "http://host/verification/v1/verifications/number/+46700000001",
            "http://host",
        ),
    ] {
        let error = text.parse::<BaseUrl>().unwrap_err().to_string();
        let right = error.rsplit_once("; give ").map(|(_, right)| right);
        assert_eq!(right, Some(base), "{error}");
        assert!(base.parse::<BaseUrl>().is_ok(), "{base}");
    }
    for text in ["https://host/verification/v10", "https://host/verification"] {
        assert!(text.parse::<BaseUrl>().is_ok(), "{text}");
    }
}

#[test]
fn base_urls_that_cannot_work_are_refused() {
    for text in [
        "",
        "verification.api.sinch.com",
        "ftp://host",
        "https://",
        "https://user:word@host",
        "https://host:99999",
        "https://host/?a=b",
        "https://host/#x",
    ] {
        assert!(text.parse::<BaseUrl>().is_err(), "{text}");
    }
    for (text, loopback) in [
        ("http://localhost:1", true),
        ("http://127.9.9.9", true),
        ("http://[::1]:80", true),
        ("https://verification.api.sinch.com", false),
        ("http://127.0.0.1.example.com", false),
    ] {
        assert_eq!(text.parse::<BaseUrl>().unwrap().is_loopback(), loopback, "{text}");
    }
}

fn verify(request: &Request<Bytes>, now: SystemTime) -> Result<(), VerifyError> {
    let md5 = ContentMd5::of(request.body());
    let path = request.uri().path_and_query().unwrap().as_str();
    let (authorization, message) =
        SignedMessage::from_headers(request.method().as_str(), path, request.headers(), &md5)?;
    let Authorization::Signed { signature, .. } = authorization else {
        return Err(VerifyError::NotSigned);
    };
    let verifier = Verifier::new(key(), &secret());
    verifier
        .verify(
            &message,
            &signature,
            now,
            Window::default(),
            PathPolicy::any_sdk(),
        )
        .map(|_| ())
}

/// The text of a JSON value.
fn json_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("{\"a\": [1, 2.50, {}]}".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        "\\PC{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ]
}

proptest! {
    #[test]
    fn a_signed_request_verifies_and_a_changed_bit_does_not(
        verb in "GET|PUT|POST|PATCH",
        path in "/[a-z0-9+./%-]{0,30}",
        content_type in "[ -~]{0,30}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        seconds in 0u64..4_000_000_000,
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
        part in 0usize..5,
    ) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut request = Request::builder().method(&*verb).uri(&*path).body(Bytes::from(body));
        if let (Ok(request), false) = (&mut request, content_type.is_empty()) {
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
        }
        let Ok(mut request) = request else { return Ok(()) };
        Credentials::signed(key(), secret()).authorize(&mut request, now).unwrap();
        prop_assert_eq!(verify(&request, now), Ok(()));

        // Flip one bit of one signed part, where the result can still be sent.
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            if !bytes.is_empty() {
                let at = place.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            bytes
        };
        let mut changed = request.clone();
        match part {
            0 => *changed.body_mut() = Bytes::from(flip(request.body())),
            1 => {
                let path = flip(request.uri().path().as_bytes());
                match String::from_utf8(path).ok().filter(|path| path.starts_with('/')).and_then(|path| path.parse().ok()) {
                    Some(uri) => *changed.uri_mut() = uri,
                    None => return Ok(()),
                }
            }
            2 => match http::Method::from_bytes(&flip(verb.as_bytes())) {
                Ok(verb) => *changed.method_mut() = verb,
                Err(_) => return Ok(()),
            },
            3 | 4 => {
                let name = if part == 3 { http::header::CONTENT_TYPE } else { X_TIMESTAMP };
                let Some(value) = request.headers().get(&name) else { return Ok(()) };
                match http::HeaderValue::from_bytes(&flip(value.as_bytes())) {
                    Ok(value) => { changed.headers_mut().insert(name, value); }
                    Err(_) => return Ok(()),
                }
            }
            _ => unreachable!(),
        }
        // A path keeps what stands before `?`; other changes to it are none.
        let same = changed.body() == request.body()
            && changed.method() == request.method()
            && changed.uri() == request.uri()
            && changed.headers() == request.headers();
        if !same && changed.uri().path() == changed.uri().path_and_query().unwrap().as_str() {
            prop_assert!(verify(&changed, now).is_err());
        }
    }

    #[test]
    fn decoding_never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,200}") {
        for body in [&body[..], text.as_bytes()] {
            let _ = StartRequest::receive(body);
            let _ = ReportRequest::receive(body);
            let _ = sinch_verify_protocol::Event::decode(body);
            let _ = sinch_verify_protocol::Verification::decode(body);
            let _ = sinch_verify_protocol::callback::DecisionBody::receive(body);
            let _ = sinch_verify_protocol::ApiError::decode(body);
            let _ = Authorization::parse(body);
            let _ = Window::default().check(body, SystemTime::UNIX_EPOCH);
        }
        let _ = Route::parse(&http::Method::GET, &text);
        let _ = text.parse::<AcceptLanguage>();
        let _ = text.parse::<Expiry>();
        let _ = text.parse::<BaseUrl>();
        let _ = sinch_verify_protocol::timestamp::parse(&text);
    }

    #[test]
    fn what_is_not_known_is_kept(
        extra in proptest::collection::btree_map("x-[a-z\"\\\\é]{1,8}", json_value(), 0..6),
        inner in proptest::collection::btree_map("x-[a-z]{1,8}", json_value(), 0..3),
        known_first in any::<bool>(),
    ) {
        let fields = |map: &std::collections::BTreeMap<String, String>| {
            map.iter().map(|(key, value)| format!("{}: {value}", serde_json::to_string(key).unwrap())).collect::<Vec<_>>()
        };
        let mut identity = vec![r#""type":"number""#.to_owned(), r#""endpoint":"+46700000001""#.to_owned()];
        identity.extend(fields(&inner));
        let mut all = vec![format!(r#""identity":{{{}}}"#, identity.join(",")), r#""method":"sms""#.to_owned()];
        all.extend(fields(&extra));
        if !known_first {
            all.reverse();
        }
        let body = format!("{{{}}}", all.join(" , "));
        let received = StartRequest::receive(body.as_bytes()).unwrap();
        prop_assert_eq!(received.anomalies.len(), extra.len() + inner.len());
        for (key, value) in &extra {
            prop_assert_eq!(received.value.extra.get(key), Some(value.as_str()));
        }
        let json = received.value.to_json();
        let (written, original): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&json).unwrap(), serde_json::from_str(&body).unwrap());
        prop_assert_eq!(written, original);
        prop_assert_eq!(StartRequest::decode(json.as_bytes()).unwrap(), received.value);
    }

    #[test]
    fn any_start_and_report_reads_back_as_it_was_written(
        digits in "[1-9][0-9]{6,14}",
        reference in proptest::option::of("[A-Za-z0-9._~-]{1,40}"),
        custom in proptest::option::of("\\PC{0,60}"),
        expiry in proptest::option::of(1u64..86_400),
        code in "[A-Za-z0-9-]{1,10}",
        seconds in proptest::option::of(5i64..=120),
    ) {
        let number: PhoneNumber = format!("+{digits}").parse().unwrap();
        let mut options = SmsOptions::default();
        options.expiry = expiry.map(|seconds| Expiry::new(Duration::from_secs(seconds)).unwrap());
        let mut flash = FlashCallOptions::default();
        flash.dial_timeout = seconds.map(|seconds| CallSeconds::new(seconds).unwrap());
        let mut sms = Start::sms(number).options(options.clone());
        let mut flash_call = Start::flash_call(number).options(flash.clone());
        if let Some(reference) = reference.as_deref().and_then(|text| Reference::new(text).ok()) {
            sms = sms.reference(reference.clone());
            flash_call = flash_call.reference(reference);
        }
        if let Some(custom) = custom.as_deref().and_then(|text| Custom::new(text).ok()) {
            sms = sms.custom(custom);
        }
        for (request, body, has_options) in [
            (sms.to_http(&base()).unwrap(), sms.body(), options != SmsOptions::default()),
            (flash_call.to_http(&base()).unwrap(), flash_call.body(), flash != FlashCallOptions::default()),
        ] {
            let mut received = StartRequest::receive(request.body()).unwrap();
            if !has_options {
                // Options that say nothing are dropped, and said to be.
                prop_assert_eq!(received.anomalies.len(), 1);
                received.value.sms_options.clone_from(&body.sms_options);
                received.value.flash_call_options.clone_from(&body.flash_call_options);
            }
            prop_assert_eq!(&received.value, body);
        }
        let report = Report::<Sms>::by_number(number, Code::new(&code).unwrap());
        let request = report.to_http(&base()).unwrap();
        prop_assert_eq!(route(&request), Route::ReportByNumber { number });
        prop_assert_eq!(&ReportRequest::receive(request.body()).unwrap().value, report.body());
    }

    #[test]
    fn any_id_survives_the_path(id in "\\PC{1,40}") {
        let Ok(id) = VerificationId::new(&id) else { return Ok(()) };
        let request = StatusById { id: id.clone() }.to_http(&base()).unwrap();
        prop_assert_eq!(route(&request), Route::StatusById { id });
    }

    #[test]
    fn timestamps_of_any_precision_read_alike(seconds in 0i64..4_000_000_000, nanos in 0u32..1_000_000_000, digits in 0usize..=9) {
        let time = SystemTime::UNIX_EPOCH + Duration::new(seconds as u64, nanos);
        let stamp = sinch_verify_protocol::timestamp::XTimestamp::new(time);
        let whole = &stamp.as_str()[..19];
        let fraction = if digits == 0 { String::new() } else { format!(".{}", &format!("{nanos:09}")[..digits]) };
        let scale = 10u32.pow(9 - digits as u32);
        let expected = SystemTime::UNIX_EPOCH + Duration::new(seconds as u64, nanos / scale * scale);
        for zone in ["", "Z", "z", "+00:00"] {
            let text = format!("{whole}{fraction}{zone}");
            prop_assert_eq!(sinch_verify_protocol::timestamp::parse(&text), Ok(expected), "{}", text);
        }
    }
}
