//! What the receiver takes and what it refuses, with bytes and the time given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod basic;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod guard;
mod properties;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fixtures::{KEY, OTHER_SECRET, SECRET, builder, now, signer};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request};
use sinch_verify_callback::protocol::auth::{
    InvalidAuthorization, PathForm, PathPolicy, VerifyError, Window, X_TIMESTAMP,
};
use sinch_verify_callback::protocol::callback::{Event, RequestEvent};
use sinch_verify_callback::protocol::identity::Identity;
use sinch_verify_callback::protocol::{
    self, ApplicationKey, ApplicationSecret, VerificationId, WireObject as _,
};
use sinch_verify_callback::testing::CallbackSigner;
use sinch_verify_callback::{
    BuildError, Callback, CallbackBuilder, ExternalPath, Full, Head, InvalidExternalPath, KeyRing, Reason,
    Receiver, Rejection,
};

const OTHER_KEY: &str = "11111111-2222-3333-4444-555555555555";

fn key(text: &str) -> ApplicationKey {
    ApplicationKey::new(text).unwrap()
}

fn secret(text: &str) -> ApplicationSecret {
    ApplicationSecret::new(text).unwrap()
}

/// Without a guard, at `at`.
fn builder_at(at: SystemTime) -> CallbackBuilder {
    builder().without_guard().clock(move || at)
}

fn receiver() -> Receiver {
    builder_at(now()).build_receiver().unwrap()
}

/// Receives a callback whose body is complete, which needs no runtime.
fn receive<'a>(
    receiver: &Receiver,
    head: impl Into<Head<'a>>,
    body: impl Into<Bytes>,
) -> Result<Callback, Rejection> {
    let received = pin!(receiver.receive(head, Full::new(body.into())));
    match received.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(received) => received,
        Poll::Pending => panic!("it waits, though everything is there"),
    }
}

fn receive_whole(receiver: &Receiver, request: &Request<Bytes>) -> Result<Callback, Rejection> {
    receive(receiver, request, request.body().clone())
}

fn event() -> String {
    let identity = Identity::number("+46700000001".parse().unwrap());
    RequestEvent::new(
        VerificationId::new("1234").unwrap(),
        protocol::Method::Sms,
        identity,
    )
    .to_json()
}

fn signed(path: &str) -> Request<Bytes> {
    signer().post(path.parse().unwrap(), event(), now())
}

/// Expects `request`, changed by `change`, to be refused for `reason`.
fn check(name: &str, reason: &Reason, change: impl FnOnce(&mut Request<Bytes>)) {
    let mut request = signed("/callback");
    change(&mut request);
    let rejection = receive_whole(&receiver(), &request).expect_err(name);
    assert_eq!(rejection.reason(), reason, "{name}");
}

fn unauthorized(error: VerifyError) -> Reason {
    Reason::Unauthorized(error)
}

fn set(request: &mut Request<Bytes>, name: HeaderName, value: &str) {
    request
        .headers_mut()
        .insert(name, HeaderValue::from_str(value).unwrap());
}

#[test]
fn a_signed_callback_is_taken() {
    let request = signed("/callback");
    let callback = receive_whole(&receiver(), &request).unwrap();
    assert!(matches!(callback.event, Event::Request(_)));
    assert_eq!(callback.verified.application(), &key(KEY));
    assert_eq!(callback.verified.path_form(), Some(PathForm::AsReceived));
}

#[test]
fn a_key_or_a_secret_that_is_none_is_named_when_it_is_built() {
    let error = |key, secret| Receiver::builder(key, secret).build_receiver().unwrap_err();
    let bad_key = error("no spaces", SECRET);
    assert!(matches!(bad_key, BuildError::ApplicationKey(_)), "{bad_key}");
    assert!(bad_key.to_string().starts_with("application key "), "{bad_key}");
    let bad_secret = error(KEY, "no base64");
    assert!(
        matches!(bad_secret, BuildError::ApplicationSecret(_)),
        "{bad_secret}"
    );
    assert!(
        bad_secret.to_string().starts_with("application secret "),
        "{bad_secret}"
    );
}

#[test]
fn every_fault_has_its_reason() {
    let form = VerifyError::Authorization(InvalidAuthorization::Form);
    let scheme = VerifyError::Authorization(InvalidAuthorization::Scheme);
    let signature_form = VerifyError::Authorization(InvalidAuthorization::SignatureForm);

    check(
        "no authorization",
        &unauthorized(VerifyError::MissingAuthorization),
        |r| {
            r.headers_mut().remove(AUTHORIZATION);
        },
    );
    check(
        "no timestamp",
        &unauthorized(VerifyError::MissingTimestamp),
        |r| {
            r.headers_mut().remove(X_TIMESTAMP);
        },
    );
    for name in [AUTHORIZATION, X_TIMESTAMP, CONTENT_TYPE] {
        check(
            "doubled header",
            &unauthorized(VerifyError::RepeatedHeader),
            |r| {
                let value = r.headers()[&name].clone();
                r.headers_mut().append(name, value);
            },
        );
    }
    check("empty authorization", &unauthorized(form), |r| {
        set(r, AUTHORIZATION, "");
    });
    check("unknown scheme", &unauthorized(scheme), |r| {
        let value = r.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
        set(r, AUTHORIZATION, &value.replace("application", "Digest"));
    });
    // A scheme of the mobile SDKs: readable, but no signature of an application.
    check("instance", &unauthorized(VerifyError::NotSigned), |r| {
        let value = r.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
        set(r, AUTHORIZATION, &value.replace("application", "Instance"));
    });
    check("basic", &unauthorized(VerifyError::NotSigned), |r| {
        set(r, AUTHORIZATION, "Basic a2V5OnNlY3JldA==");
    });
    check("public", &unauthorized(VerifyError::NotSigned), |r| {
        set(r, AUTHORIZATION, &format!("application {KEY}"));
    });
    check("unknown key", &unauthorized(VerifyError::UnknownKey), |r| {
        CallbackSigner::new(key(OTHER_KEY), &secret(SECRET)).sign(r, now());
    });
    check(
        "key in other letters",
        &unauthorized(VerifyError::UnknownKey),
        |r| {
            CallbackSigner::new(key(&KEY.to_lowercase()), &secret(SECRET)).sign(r, now());
        },
    );
    check("other secret", &unauthorized(VerifyError::Mismatch), |r| {
        CallbackSigner::new(key(KEY), &secret(OTHER_SECRET)).sign(r, now());
    });
    check(
        "stale",
        &unauthorized(VerifyError::Stale {
            by: Duration::from_millis(1),
        }),
        |r| {
            signer().sign(r, now() - Duration::from_millis(300_001));
        },
    );
    check(
        "future",
        &unauthorized(VerifyError::Future {
            by: Duration::from_millis(1),
        }),
        |r| {
            signer().sign(r, now() + Duration::from_millis(60_001));
        },
    );
    check("no time", &unauthorized(VerifyError::BadTimestamp), |r| {
        set(r, X_TIMESTAMP, "yesterday");
    });
    check("signature too short", &unauthorized(signature_form), |r| {
        set(r, AUTHORIZATION, &format!("application {KEY}:AAAA"));
    });
    check("signature not canonical", &unauthorized(signature_form), |r| {
        // 32 bytes leave two bits of the last character unused; here they are set.
        set(
            r,
            AUTHORIZATION,
            &format!("application {KEY}:{}B=", "A".repeat(42)),
        );
    });
    check("url-safe signature", &unauthorized(signature_form), |r| {
        set(
            r,
            AUTHORIZATION,
            &format!("application {KEY}:{}-A=", "A".repeat(41)),
        );
    });
    check("other content type", &Reason::ContentType, |r| {
        set(r, CONTENT_TYPE, "text/plain");
        signer().sign(r, now());
    });
    check("no content type", &Reason::ContentType, |r| {
        r.headers_mut().remove(CONTENT_TYPE);
        signer().sign(r, now());
    });
    check("GET", &Reason::Method { method: Method::GET }, |r| {
        *r.method_mut() = Method::GET;
        signer().sign(r, now());
    });
    check("large", &Reason::TooLarge { limit: 65_536 }, |r| {
        *r.body_mut() = vec![b' '; 65_537].into();
        signer().sign(r, now());
    });
}

#[test]
fn the_edges_of_the_window_are_inside() {
    for at in [now() - Duration::from_secs(300), now() + Duration::from_secs(60)] {
        let request = signer().post("/callback".parse().unwrap(), event(), at);
        assert!(receive_whole(&receiver(), &request).is_ok());
    }
    let narrow = Window {
        past: Duration::from_secs(10),
        future: Duration::ZERO,
    };
    let request = signer().post(
        "/callback".parse().unwrap(),
        event(),
        now() - Duration::from_secs(11),
    );
    let narrow = builder_at(now()).window(narrow).build_receiver().unwrap();
    assert!(receive_whole(&narrow, &request).is_err());
}

#[test]
fn authorization_reasons_look_the_same_from_outside() {
    let mut seen = Vec::new();
    let mut answer = |change: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = signed("/callback");
        change(&mut request);
        let rejection = receive_whole(&receiver(), &request).unwrap_err();
        let response = rejection.to_http_response();
        assert_eq!(response.status(), 401);
        seen.push(format!("{response:?}"));
    };
    answer(&|r| drop(r.headers_mut().remove(AUTHORIZATION)));
    answer(&|r| drop(r.headers_mut().remove(X_TIMESTAMP)));
    answer(&|r| CallbackSigner::new(key(OTHER_KEY), &secret(SECRET)).sign(r, now()));
    answer(&|r| signer().sign(r, now() - Duration::from_secs(3600)));
    answer(&|r| *r.body_mut() = Bytes::from_static(b"{}"));
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn only_content_types_of_json_are_taken() {
    let cases = [
        ("application/json", true),
        ("application/json; charset=utf-8", true),
        ("Application/JSON;charset=UTF-8;x=y", true),
        ("application/json ; charset=utf-8", true),
        ("application/jsonp", false),
        ("application/json, text/html", false),
        ("text/json", false),
        ("charset=utf-8; application/json", false),
    ];
    for (content_type, taken) in cases {
        let mut request = signed("/callback");
        set(&mut request, CONTENT_TYPE, content_type);
        signer().sign(&mut request, now());
        let result = receive_whole(&receiver(), &request);
        assert_eq!(result.is_ok(), taken, "{content_type}");
    }
}

#[test]
fn json_that_is_no_event_is_refused_with_its_path() {
    let cases = [
        ("{", "."),
        ("[]", "."),
        (r#"{"id":"1"}"#, "event"),
        (
            r#"{"event":"VerificationRequestEvent","id":"1","method":"sms"}"#,
            "identity",
        ),
        (
            r#"{"event":"VerificationRequestEvent","id":"1","method":"sms","identity":{"type":"number"}}"#,
            "identity.endpoint",
        ),
    ];
    for (body, at) in cases {
        let request = signer().post("/callback".parse().unwrap(), body, now());
        let rejection = receive_whole(&receiver(), &request).unwrap_err();
        let Reason::Undecodable(error) = rejection.reason() else {
            panic!("{body}: {rejection}");
        };
        assert!(error.to_string().contains(&format!("`{at}`")), "{body}: {error}");
        assert_eq!(rejection.to_http_response().status(), 400);
    }
}

#[test]
fn an_authentic_event_that_is_nearly_right_is_taken_and_its_anomalies_are_named() {
    let body = concat!(
        "\u{feff}",
        r#"{"event":"VerificationRequestEvent","id":1234567890,"method":"sms","acceptLanguage":"sv-SE","#,
        r#""identity":{"type":"number","endpoint":"+46700000001"},"price":{"amount":"0.005"},"custom":"\ud83d"}"#
    );
    let request = signer().post("/callback".parse().unwrap(), body, now());
    let callback = receive_whole(&receiver(), &request).unwrap();
    assert_eq!(callback.event.id().unwrap().as_str(), "1234567890");
    let paths: Vec<_> = callback
        .anomalies
        .iter()
        .map(|anomaly| anomaly.path.as_str())
        .collect();
    assert_eq!(paths, ["price.amount", "id", "acceptLanguage", "custom", "."]);
}

#[test]
fn a_query_is_not_signed_unless_the_policy_says_so() {
    let request = signed("/callback?tenant=7");
    let callback = receive_whole(&receiver(), &request).unwrap();
    assert_eq!(callback.verified.path_form(), Some(PathForm::AsReceived));

    // A sender that signs the query: the signer signs paths only, so give it the query as one.
    let whole = signed("/callback%3Ftenant=7");
    let head = Head {
        method: whole.method(),
        path_and_query: "/callback%3Ftenant=7",
        headers: whole.headers(),
    };
    assert!(receive(&receiver(), head, whole.body().clone()).is_ok());
    let head = Head {
        path_and_query: "/callback?tenant=7",
        ..head
    };
    assert!(receive(&receiver(), head, whole.body().clone()).is_err());

    let policy = PathPolicy {
        with_query: true,
        ..PathPolicy::default()
    };
    let with_query = builder_at(now()).path_policy(policy).build_receiver().unwrap();
    assert!(receive_whole(&with_query, &request).is_ok());
}

#[test]
fn a_path_that_a_proxy_changed() {
    let request = signed("/api/callback");
    let at = |path: &'static str| Head {
        method: request.method(),
        path_and_query: path,
        headers: request.headers(),
    };
    let taken = |external: ExternalPath, path| {
        let receiver = builder_at(now()).external_path(external).build_receiver();
        receive(&receiver.unwrap(), at(path), request.body().clone()).is_ok()
    };
    let prefix = || ExternalPath::prefix("/api").unwrap();
    let fixed = || ExternalPath::fixed("/api/callback").unwrap();
    assert!(!taken(ExternalPath::default(), "/callback"));
    assert!(taken(prefix(), "/callback"));
    assert!(taken(prefix(), "/callback?a=b"));
    assert!(!taken(prefix(), "/api/callback"));
    assert!(taken(fixed(), "/"));
    assert!(taken(fixed(), "/internal/7?a=b"));

    assert_eq!(
        ExternalPath::prefix("api"),
        Err(InvalidExternalPath::NoLeadingSlash)
    );
    assert_eq!(
        ExternalPath::prefix("/api/"),
        Err(InvalidExternalPath::TrailingSlash)
    );
    assert_eq!(
        ExternalPath::fixed("/a?b"),
        Err(InvalidExternalPath::Character { at: 2 })
    );
    assert_eq!(
        ExternalPath::fixed("/å"),
        Err(InvalidExternalPath::Character { at: 1 })
    );
}

#[test]
fn each_application_is_checked_with_its_own_secrets() {
    let end = now() + Duration::from_secs(3600);
    let ring = KeyRing::new(key(KEY), &secret(SECRET))
        .with(key(OTHER_KEY), &secret(OTHER_SECRET))
        .with_retiring(key(OTHER_KEY), &secret(SECRET), end);
    let signed_by = |name, with, at| {
        let signer = CallbackSigner::new(key(name), &secret(with));
        let request = signer.post("/callback".parse().unwrap(), event(), at);
        let builder = CallbackBuilder::new(ring.clone()).without_guard();
        let receiver = builder.clock(move || at).build_receiver().unwrap();
        let result = receive_whole(&receiver, &request);
        result.map(|callback| callback.verified.application().clone())
    };
    assert_eq!(signed_by(KEY, SECRET, now()).unwrap(), key(KEY));
    assert_eq!(signed_by(OTHER_KEY, OTHER_SECRET, now()).unwrap(), key(OTHER_KEY));
    assert_eq!(signed_by(OTHER_KEY, SECRET, now()).unwrap(), key(OTHER_KEY));
    assert!(signed_by(KEY, OTHER_SECRET, now()).is_err());
    // The retiring secret counts to the end and not beyond; the others go on.
    assert!(signed_by(OTHER_KEY, SECRET, end).is_ok());
    assert!(signed_by(OTHER_KEY, SECRET, end + Duration::from_millis(1)).is_err());
    assert!(signed_by(OTHER_KEY, OTHER_SECRET, end + Duration::from_secs(9)).is_ok());
}

/// The published vector of a signed callback.
fn published() -> serde_json::Value {
    let vectors = include_str!("../../../sinch-verify-protocol/tests/vectors/signing-vectors.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let known = vectors["known_answer"].as_array().unwrap();
    known
        .iter()
        .find(|one| one["id"] == "docs-callback-ace")
        .unwrap()
        .clone()
}

#[test]
fn the_published_callback_verifies_at_its_own_time_only() {
    let vector = published();
    let text = |name: &str| vector[name].as_str().unwrap();
    let mut headers = HeaderMap::new();
    let authorization = format!("Application {}:{}", text("key"), text("expected_signature"));
    headers.insert(AUTHORIZATION, authorization.parse().unwrap());
    headers.insert(X_TIMESTAMP, text("x_timestamp").parse().unwrap());
    headers.insert(CONTENT_TYPE, text("content_type").parse().unwrap());
    let head = Head {
        method: &Method::POST,
        path_and_query: text("canonical_path"),
        headers: &headers,
    };
    let receiver_at = |at| {
        let builder = Receiver::builder(text("key"), text("secret_base64"));
        builder.clock(move || at).build_receiver().unwrap()
    };
    let then = protocol::timestamp::parse(text("x_timestamp")).unwrap();

    let callback = receive(&receiver_at(then), head, text("body").to_owned()).unwrap();
    let Event::Unknown(unknown) = callback.event else {
        panic!("{:?}", callback.event);
    };
    assert_eq!(unknown.event, "ace");
    assert_eq!(unknown.raw.get(), text("body"));

    let rejection = receive(&receiver_at(now()), head, text("body").to_owned()).unwrap_err();
    let stale = matches!(
        rejection.reason(),
        Reason::Unauthorized(VerifyError::Stale { .. })
    );
    assert!(stale, "{rejection}");
}
