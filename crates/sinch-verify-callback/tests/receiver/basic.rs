//! Callbacks with basic authorization: refused, unless the receiver is built to accept them.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use sinch_verify_callback::protocol::auth::VerifyError;
use sinch_verify_callback::protocol::{ApplicationSecret, Credentials};
use sinch_verify_callback::{
    AcceptedAuth, CallbackBuilder, CallbackService, Decision, Full, KeyRing, Reason, Receiver, RequestEvent,
};

use crate::{
    KEY, OTHER_KEY, OTHER_SECRET, SECRET, builder, builder_at, event, key, now, receive_whole, receiver,
    secret, set, signed, unauthorized,
};

fn credentials(name: &str, of: &ApplicationSecret) -> Credentials {
    Credentials::basic(key(name), of.clone())
}

/// A callback as an application with basic authorization gets it: without a timestamp.
fn posted(credentials: &Credentials) -> Request<Bytes> {
    let mut request = Request::post("/callback")
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(event().into())
        .unwrap();
    credentials.authorize(&mut request, now()).unwrap();
    request
}

fn basic() -> Request<Bytes> {
    posted(&credentials(KEY, &secret(SECRET)))
}

fn accepting() -> Receiver {
    let builder = builder_at(now()).accepted_auth(AcceptedAuth::SignedOrBasic);
    builder.build_receiver().unwrap()
}

#[test]
fn basic_authorization_is_refused_unless_it_is_accepted() {
    let rejection = receive_whole(&receiver(), &basic()).unwrap_err();
    assert_eq!(rejection.reason(), &unauthorized(VerifyError::NotSigned));

    let callback = receive_whole(&accepting(), &basic()).unwrap();
    assert_eq!(callback.event.name(), "VerificationRequestEvent");
    assert_eq!(callback.verified.application(), &key(KEY));
    assert_eq!(callback.verified.path_form(), None);
    // Signed callbacks are accepted as before.
    let callback = receive_whole(&accepting(), &signed("/callback")).unwrap();
    assert!(callback.verified.path_form().is_some());
}

#[test]
fn wrong_key_and_wrong_secret_are_refused_alike() {
    let pair = |text: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    for (authorization, reason) in [
        (pair(&format!("{KEY}:{OTHER_SECRET}")), VerifyError::WrongSecret),
        (pair(&format!("{KEY}:")), VerifyError::WrongSecret),
        (pair(&format!("{KEY}:{}", &SECRET[..8])), VerifyError::WrongSecret),
        (pair(&format!("{KEY}:not base64")), VerifyError::WrongSecret),
        (pair(&format!("{KEY}:{SECRET}:")), VerifyError::WrongSecret),
        (pair(&format!("{OTHER_KEY}:{SECRET}")), VerifyError::UnknownKey),
        (pair(&format!(":{SECRET}")), VerifyError::UnknownKey),
    ] {
        let mut request = basic();
        set(&mut request, AUTHORIZATION, &authorization);
        let rejection = receive_whole(&accepting(), &request).unwrap_err();
        assert_eq!(rejection.reason(), &unauthorized(reason), "{authorization}");
        assert_eq!(rejection.status(), 401);
        let shown = format!("{rejection} {rejection:?}");
        assert!(
            !shown.contains(SECRET) && !shown.contains(OTHER_SECRET),
            "{shown}"
        );
    }
    // A signature is no secret.
    let mut request = signed("/callback");
    let signature = request.headers()[AUTHORIZATION].to_str().unwrap();
    let signature = signature.split_once(' ').unwrap().1.to_owned();
    set(&mut request, AUTHORIZATION, &pair(&signature));
    assert!(receive_whole(&accepting(), &request).is_err());
    for header in [AUTHORIZATION, CONTENT_TYPE] {
        let mut request = basic();
        let value = request.headers()[&header].clone();
        request.headers_mut().append(header, value);
        let rejection = receive_whole(&accepting(), &request).unwrap_err();
        assert_eq!(rejection.reason(), &unauthorized(VerifyError::RepeatedHeader));
    }
    let mut request = basic();
    set(&mut request, CONTENT_TYPE, "text/plain");
    let rejection = receive_whole(&accepting(), &request).unwrap_err();
    assert_eq!(rejection.reason(), &Reason::ContentType);
}

#[test]
fn every_valid_secret_of_an_application_is_accepted() {
    let retired = now() - Duration::from_secs(1);
    let third = secret("c2VjcmV0");
    let keys = KeyRing::new(key(KEY), &secret(SECRET))
        .with(key(OTHER_KEY), &secret(OTHER_SECRET))
        .with_retiring(key(KEY), &third, retired);
    let receiver = CallbackBuilder::new(keys)
        .accepted_auth(AcceptedAuth::SignedOrBasic)
        .without_guard()
        .clock(now)
        .build_receiver()
        .unwrap();
    for (name, of, taken) in [
        (KEY, SECRET, true),
        (OTHER_KEY, OTHER_SECRET, true),
        (KEY, OTHER_SECRET, false),
        (OTHER_KEY, SECRET, false),
        (KEY, "c2VjcmV0", false),
    ] {
        let received = receive_whole(&receiver, &posted(&credentials(name, &secret(of))));
        assert_eq!(received.is_ok(), taken, "{name} {of}");
    }
}

#[tokio::test]
async fn a_repeated_request_event_gets_the_decision_of_before() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let service: CallbackService<_> = builder()
        .accepted_auth(AcceptedAuth::SignedOrBasic)
        .clock(SystemTime::now)
        .handler(move |_: RequestEvent| {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            async move { if first { Decision::Allow } else { Decision::Deny } }
        })
        .build()
        .unwrap();
    for _ in 0..3 {
        let (head, body) = basic().into_parts();
        let response = service.respond(&head, Full::new(body)).await;
        assert_eq!(response.body(), r#"{"action":"allow"}"#);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
