//! Authorization: every error code that is about it, and the operations that each kind may call.

use std::time::{Duration, SystemTime};

use crate::support::{
    application, basic, builder, call, code, emulator, json, key, number, public, secret, send, signed,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use sinch_verify_emulator::{Application, AuthorizationLevel, Emulator};
use sinch_verify_protocol::Method;
use sinch_verify_protocol::{
    ApplicationSecret, Credentials, Endpoint as _, Reference, Start, StatusById, StatusByNumber,
    StatusByReference, VerificationId,
};

fn start(emulator: &Emulator) -> Request<Bytes> {
    Start::sms(number()).to_http(&emulator.base_url()).unwrap()
}

async fn error(emulator: &Emulator, request: Request<Bytes>) -> (u16, u64) {
    let answer = send(emulator, request).await;
    (answer.status().as_u16(), error_code(&answer))
}

fn error_code(answer: &Response<Bytes>) -> u64 {
    let body = json(answer);
    assert!(body["message"].is_string());
    assert_eq!(body["reference"].as_str().unwrap().len(), 16);
    body["errorCode"].as_u64().unwrap()
}

#[tokio::test]
async fn a_secret_starts_and_a_key_alone_needs_a_decision() {
    let emulator = emulator().await;
    for credentials in [basic(), signed()] {
        call(&emulator, &credentials, &Start::sms(number()))
            .await
            .unwrap();
    }
    // Without a callback URL there is no decision.
    assert_eq!(
        code(call(&emulator, &public(), &Start::sms(number())).await),
        40303
    );
}

#[tokio::test]
async fn a_missing_or_unreadable_header_is_refused() {
    let emulator = emulator().await;
    assert_eq!(error(&emulator, start(&emulator)).await, (401, 40104));
    for value in [
        "Application",
        "Bearer abc",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Application k:notbase64",
        "Instance a:b",
    ] {
        let mut request = start(&emulator);
        request
            .headers_mut()
            .insert("authorization", value.parse().unwrap());
        assert_eq!(error(&emulator, request).await, (401, 40100), "{value}");
    }
    let mut twice = start(&emulator);
    for _ in 0..2 {
        twice
            .headers_mut()
            .append("authorization", format!("Application {}", key()).parse().unwrap());
    }
    assert_eq!(error(&emulator, twice).await, (401, 40100));
}

#[tokio::test]
async fn an_unknown_key_or_a_wrong_secret_is_refused() {
    let emulator = emulator().await;
    let wrong = ApplicationSecret::new("AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
    let unknown = || "0000".parse().unwrap();
    for (credentials, expected) in [
        (Credentials::public(unknown()), 40107),
        (Credentials::basic(unknown(), secret()), 40107),
        (Credentials::signed(unknown(), secret()), 40107),
        (Credentials::basic(key(), wrong.clone()), 40107),
        (Credentials::signed(key(), wrong), 40102),
    ] {
        assert_eq!(
            code(call(&emulator, &credentials, &Start::sms(number())).await),
            expected
        );
    }
    assert!(emulator.inbox(&number()).is_empty(), "nothing was started");
}

#[tokio::test]
async fn a_missing_or_stale_timestamp_is_refused() {
    let emulator = emulator().await;
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let now = SystemTime::now();
    for (time, expected) in [
        (now - minutes(4), 200),
        (now - minutes(6), 401),
        (now + minutes(2), 401),
    ] {
        let mut request = start(&emulator);
        signed().authorize(&mut request, time).unwrap();
        let answer = send(&emulator, request).await;
        assert_eq!(answer.status(), expected);
        if expected == 401 {
            assert_eq!(error_code(&answer), 40101);
        }
    }
    for value in [None, Some("yesterday")] {
        let mut request = start(&emulator);
        signed().authorize(&mut request, now).unwrap();
        request.headers_mut().remove("x-timestamp");
        if let Some(value) = value {
            request
                .headers_mut()
                .insert("x-timestamp", HeaderValue::from_static(value));
        }
        assert_eq!(error(&emulator, request).await, (401, 40101));
    }
}

#[tokio::test]
async fn a_moved_clock_changes_nothing_for_signatures() {
    let emulator = emulator().await;
    emulator.advance(Duration::from_secs(24 * 3600));
    call(&emulator, &signed(), &Start::sms(number())).await.unwrap();
    let mut stale = start(&emulator);
    signed().authorize(&mut stale, emulator.now()).unwrap();
    assert_eq!(error(&emulator, stale).await, (401, 40101));
}

#[tokio::test]
async fn a_signature_covers_body_and_path() {
    let emulator = emulator().await;
    let mut request = start(&emulator);
    signed().authorize(&mut request, SystemTime::now()).unwrap();
    *request.body_mut() = Bytes::from(String::from_utf8(request.body().to_vec()).unwrap() + " ");
    assert_eq!(error(&emulator, request).await, (401, 40102));

    let mut request = start(&emulator);
    signed().authorize(&mut request, SystemTime::now()).unwrap();
    request.headers_mut().insert(
        "content-type",
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    assert_eq!(error(&emulator, request).await, (401, 40102));
}

#[tokio::test]
async fn signatures_of_the_decoded_path_are_accepted_as_an_anomaly() {
    let emulator = emulator().await;
    let base = emulator.base_url();
    let mut request = Request::builder()
        .uri(format!("{base}/verification/v1/verifications/reference/a%20b"))
        .body(Bytes::new())
        .unwrap();
    let Credentials::Signed(signer) = signed() else {
        unreachable!()
    };
    let path = "/verification/v1/verifications/reference/a b";
    let made = signer.sign("GET", path, b"", b"", SystemTime::now());
    let headers = request.headers_mut();
    headers.insert("authorization", made.authorization(&key()).parse().unwrap());
    headers.insert("x-timestamp", made.timestamp.as_str().parse().unwrap());
    let answer = send(&emulator, request).await;
    assert_eq!(error_code(&answer), 40400);
    let anomalies = answer.headers()["x-emulator-anomalies"].to_str().unwrap();
    assert!(anomalies.contains("decoded path"), "{anomalies}");
}

#[tokio::test]
async fn status_by_id_and_by_reference_need_a_secret() {
    let emulator = emulator().await;
    let reference = Reference::new("r1").unwrap();
    let started = call(
        &emulator,
        &basic(),
        &Start::sms(number()).reference(reference.clone()),
    )
    .await
    .unwrap();
    let by_id = StatusById {
        id: started.id.clone(),
    };
    let by_reference = StatusByReference { reference };
    let by_number = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    assert_eq!(code(call(&emulator, &public(), &by_id).await), 40301);
    assert_eq!(code(call(&emulator, &public(), &by_reference).await), 40301);
    call(&emulator, &public(), &by_number).await.unwrap();
    for credentials in [basic(), signed()] {
        call(&emulator, &credentials, &by_id).await.unwrap();
        call(&emulator, &credentials, &by_reference).await.unwrap();
        call(&emulator, &credentials, &by_number).await.unwrap();
    }
}

#[tokio::test]
async fn an_application_may_require_stronger_authorization() {
    let levels = [
        (AuthorizationLevel::Basic, [false, true, true]),
        (AuthorizationLevel::Signed, [false, false, true]),
    ];
    for (minimum, taken) in levels {
        let emulator = Emulator::builder()
            .application(application().minimum_authorization(minimum))
            .start()
            .await
            .unwrap();
        for (credentials, taken) in [public(), basic(), signed()].iter().zip(taken) {
            let answer = call(&emulator, credentials, &Start::sms(number())).await;
            if taken {
                answer.unwrap();
            } else {
                assert_eq!(code(answer), 40301);
            }
        }
    }
}

#[tokio::test]
async fn an_older_secret_is_accepted_during_rotation() {
    let older = || ApplicationSecret::new("AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
    let oldest = || ApplicationSecret::new("YSBzZWNyZXQgb2Ygb2xkIQ==").unwrap();
    let emulator = Emulator::builder()
        .application(application().also_secret(older()))
        .start()
        .await
        .unwrap();
    for (secret, known) in [(secret(), true), (older(), true), (oldest(), false)] {
        for credentials in [
            Credentials::basic(key(), secret.clone()),
            Credentials::signed(key(), secret.clone()),
        ] {
            let answer = call(&emulator, &credentials, &Start::sms(number())).await;
            assert_eq!(answer.is_ok(), known, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn an_unknown_caller_learns_nothing_about_the_path() {
    let emulator = emulator().await;
    let request = Request::builder()
        .uri("/verification/v1/verifications/number/46700000001")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(error(&emulator, request).await, (401, 40104));
}

#[tokio::test]
async fn applications_do_not_see_each_other() {
    let other = crate::support::OTHER_KEY
        .parse::<sinch_verify_protocol::ApplicationKey>()
        .unwrap();
    let emulator = builder()
        .application(Application::new(other.clone(), secret()))
        .start()
        .await
        .unwrap();
    let theirs = Credentials::basic(other, secret());
    let reference = Reference::new("same").unwrap();
    let start = Start::sms(number()).reference(reference.clone());
    let ours = call(&emulator, &basic(), &start).await.unwrap();
    let by_reference = StatusByReference { reference };
    let by_number = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    let by_id = StatusById { id: ours.id.clone() };
    assert_eq!(code(call(&emulator, &theirs, &by_id).await), 40400);
    assert_eq!(code(call(&emulator, &theirs, &by_reference).await), 40400);
    assert_eq!(code(call(&emulator, &theirs, &by_number).await), 40400);
    // The other application can use the same reference and number, without effect on the first.
    let second = call(&emulator, &theirs, &start).await.unwrap();
    assert_ne!(second.id, ours.id);
    assert_eq!(
        call(&emulator, &basic(), &by_id).await.unwrap().status.as_str(),
        "PENDING"
    );
    assert_eq!(call(&emulator, &theirs, &by_number).await.unwrap().id, second.id);
    let unknown = StatusById {
        id: VerificationId::new("1234567890").unwrap(),
    };
    assert_eq!(code(call(&emulator, &basic(), &unknown).await), 40400);
}
