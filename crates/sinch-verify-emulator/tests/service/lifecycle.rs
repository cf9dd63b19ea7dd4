//! The lifecycle of a verification without callbacks: attempts, expiry, aborts, limits.

use std::time::Duration;

use sinch_verify_emulator::{Emulator, ReportAnswer, Settings};
use sinch_verify_protocol::method::{Callout, FlashCall, Sms};
use sinch_verify_protocol::{
    Cli, Code, Method, Reason, Reference, Report, Start, Status, StatusById, StatusByNumber, Verification,
    VerificationId,
};

use crate::support::{
    application, basic, call, code, emulator, emulator_with, eventually, get, json, newest, noon, number,
    plain, send, status_by_id,
};

async fn start(emulator: &Emulator) -> VerificationId {
    call(emulator, &basic(), &Start::sms(number()))
        .await
        .unwrap()
        .id
        .clone()
}

async fn report(emulator: &Emulator, id: &VerificationId, text: &str) -> Result<Verification, u32> {
    let report = Report::<Sms>::by_id(id.clone(), Code::new(text).unwrap());
    match call(emulator, &basic(), &report).await {
        Ok(verification) => Ok(verification),
        Err(error) => Err(code::<()>(Err(error))),
    }
}

fn right(emulator: &Emulator) -> String {
    newest(emulator).code.unwrap().expose().to_owned()
}

#[tokio::test]
async fn three_wrong_codes_end_it() {
    let emulator = emulator().await;
    let id = start(&emulator).await;
    for _ in 0..2 {
        assert_eq!(report(&emulator, &id, "wrong").await.unwrap_err(), 40003);
        let pending = status_by_id(&emulator, &id).await;
        assert_eq!((pending.status, pending.price), (Status::Pending, None));
    }
    let ended = report(&emulator, &id, "wrong").await.unwrap();
    assert_eq!(ended.status, Status::Fail);
    assert_eq!(ended.reason, Some(Reason::InvalidCode));
    assert_eq!(ended.method, Some(Method::Sms));
    // Even the right code is too late now.
    assert_eq!(
        report(&emulator, &id, &right(&emulator)).await.unwrap_err(),
        40003
    );
    let told = status_by_id(&emulator, &id).await;
    assert_eq!(
        (told.status, told.reason),
        (Status::Fail, Some(Reason::InvalidCode))
    );
    assert!(told.price.is_some());
}

#[tokio::test]
async fn the_right_code_counts_after_wrong_ones() {
    let emulator = emulator().await;
    let id = start(&emulator).await;
    for _ in 0..2 {
        report(&emulator, &id, "wrong").await.unwrap_err();
    }
    let verified = report(&emulator, &id, &right(&emulator)).await.unwrap();
    assert!(verified.is_successful());
    // A code works once.
    assert_eq!(
        report(&emulator, &id, &right(&emulator)).await.unwrap_err(),
        40003
    );
    assert!(status_by_id(&emulator, &id).await.is_successful());
}

#[tokio::test]
async fn three_wrong_caller_ids_end_it() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let wrong = Report::<FlashCall>::by_number(number(), Cli::as_seen("+46700000009").unwrap());
    for _ in 0..2 {
        assert_eq!(code(call(&emulator, &basic(), &wrong).await), 40003);
    }
    let ended = call(&emulator, &basic(), &wrong).await.unwrap();
    assert_eq!(ended.reason, Some(Reason::InvalidCli));
    assert_eq!(ended.call_complete, Some(true));
}

#[tokio::test]
async fn answers_and_attempts_are_settings() {
    let emulator = emulator_with(|settings| {
        settings.attempts = 2;
        settings.wrong_report = ReportAnswer::Verification;
        settings.last_wrong_report = ReportAnswer::Refusal;
        settings.report_after_success = ReportAnswer::Verification;
        settings.report_after_expiry = ReportAnswer::Refusal;
        settings.other_method_is_attempt = true;
    })
    .await;
    let id = start(&emulator).await;
    assert_eq!(
        report(&emulator, &id, "wrong").await.unwrap().status,
        Status::Pending
    );
    assert_eq!(report(&emulator, &id, "wrong").await.unwrap_err(), 40003);
    assert_eq!(status_by_id(&emulator, &id).await.status, Status::Fail);

    let id = start(&emulator).await;
    let code = right(&emulator);
    report(&emulator, &id, &code).await.unwrap();
    assert!(report(&emulator, &id, &code).await.unwrap().is_successful());

    let id = start(&emulator).await;
    emulator.advance(Duration::from_secs(300));
    assert_eq!(report(&emulator, &id, "wrong").await.unwrap_err(), 40003);

    let id = start(&emulator).await;
    let other = Report::<Callout>::by_id(id.clone(), Code::new("1").unwrap());
    for _ in 0..2 {
        call(&emulator, &basic(), &other).await.unwrap_err();
    }
    assert_eq!(status_by_id(&emulator, &id).await.status, Status::Fail);
}

#[tokio::test]
async fn it_expires_after_five_minutes() {
    let emulator = emulator().await;
    let id = start(&emulator).await;
    emulator.advance(Duration::from_secs(290));
    assert_eq!(status_by_id(&emulator, &id).await.status, Status::Pending);
    emulator.advance(Duration::from_secs(10));
    let expired = status_by_id(&emulator, &id).await;
    assert_eq!(
        (expired.status, expired.reason),
        (Status::Fail, Some(Reason::Expired))
    );
    let late = report(&emulator, &id, &right(&emulator)).await.unwrap();
    assert_eq!((late.status, late.reason), (Status::Fail, Some(Reason::Expired)));
}

#[tokio::test]
async fn it_expires_by_itself() {
    let emulator = emulator_with(|settings| settings.expiry = Duration::from_millis(20)).await;
    let id = start(&emulator).await;
    let ended = eventually(async || {
        let found = status_by_id(&emulator, &id).await;
        (found.status != Status::Pending).then_some(found)
    });
    assert_eq!(ended.await.reason, Some(Reason::Expired));
}

#[tokio::test]
async fn a_start_may_say_when_it_expires() {
    let emulator = emulator().await;
    let body = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms","smsOptions":{"expiry":"00:00:30"}}"#;
    let answer = send(&emulator, plain("POST", "/verification/v1/verifications", body)).await;
    assert_eq!(answer.status(), 200);
    let by_number = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    emulator.advance(Duration::from_secs(30));
    let expired = call(&emulator, &basic(), &by_number).await.unwrap();
    assert_eq!(expired.reason, Some(Reason::Expired));
}

#[tokio::test]
async fn a_report_by_another_method_is_no_attempt() {
    let emulator = emulator().await;
    let id = start(&emulator).await;
    let callout = Report::<Callout>::by_id(id.clone(), newest(&emulator).code.unwrap());
    for _ in 0..4 {
        assert_eq!(code(call(&emulator, &basic(), &callout).await), 40003);
    }
    assert!(
        report(&emulator, &id, &right(&emulator))
            .await
            .unwrap()
            .is_successful()
    );
}

#[tokio::test]
async fn a_new_start_aborts_the_old_one_of_any_method() {
    let emulator = emulator().await;
    let sms = start(&emulator).await;
    let first = right(&emulator);
    let callout = call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    assert_eq!(status_by_id(&emulator, &sms).await.status, Status::Aborted);
    assert_eq!(report(&emulator, &sms, &first).await.unwrap_err(), 40003);
    // The latest verification of a method is found although one by another method is later.
    let by_number = |method| StatusByNumber {
        method,
        number: number(),
    };
    let found = call(&emulator, &basic(), &by_number(Method::Sms)).await.unwrap();
    assert_eq!(found.id, sms);
    let found = call(&emulator, &basic(), &by_number(Method::Callout))
        .await
        .unwrap();
    assert_eq!((found.id, found.status), (callout.id.clone(), Status::Pending));
    // A verification of another number is not affected.
    let other = "+46700000002".parse().unwrap();
    call(&emulator, &basic(), &Start::sms(other)).await.unwrap();
    let found = call(&emulator, &basic(), &by_number(Method::Callout))
        .await
        .unwrap();
    assert_eq!(found.status, Status::Pending);
}

#[tokio::test]
async fn a_setting_keeps_earlier_verifications_pending() {
    let emulator = emulator_with(|settings| settings.abort_predecessor = false).await;
    let first = start(&emulator).await;
    let code = right(&emulator);
    start(&emulator).await;
    assert!(report(&emulator, &first, &code).await.unwrap().is_successful());
}

#[tokio::test]
async fn one_that_is_pending_is_found_when_a_later_one_is_forgotten() {
    let emulator = emulator_with(|settings| {
        settings.abort_predecessor = false;
        settings.verifications_kept = 1;
    })
    .await;
    let first = start(&emulator).await;
    let second = start(&emulator).await;
    let code = right(&emulator);
    report(&emulator, &second, &code).await.unwrap();
    let other = "+46700000002".parse().unwrap();
    call(&emulator, &basic(), &Start::sms(other)).await.unwrap();
    let report = Report::<Sms>::by_number(other, emulator.inbox(&other)[0].code.clone().unwrap());
    call(&emulator, &basic(), &report).await.unwrap();
    let query = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    let found = call(&emulator, &basic(), &query).await.unwrap();
    assert_eq!((found.id, found.status), (first, Status::Pending));
}

#[tokio::test]
async fn a_reference_is_used_once() {
    let emulator = emulator().await;
    let start = Start::sms(number()).reference(Reference::new("order-7781").unwrap());
    let started = call(&emulator, &basic(), &start).await.unwrap();
    assert_eq!(code(call(&emulator, &basic(), &start).await), 40900);
    // The refused start left the first one as it was.
    let pending = status_by_id(&emulator, &started.id).await;
    assert_eq!(pending.status, Status::Pending);
    assert_eq!(pending.reference.as_deref(), Some("order-7781"));
    emulator.advance(Duration::from_secs(300));
    assert_eq!(
        code(call(&emulator, &basic(), &start).await),
        40900,
        "not even once it ended"
    );
}

#[tokio::test]
async fn velocity_is_off_until_switched_on() {
    let emulator = emulator_with(|settings| settings.velocity = Some(Duration::from_millis(30_500))).await;
    emulator.pause_clock();
    start(&emulator).await;
    let body = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"callout"}"#;
    let request = || plain("POST", "/verification/v1/verifications", body);
    let answer = send(&emulator, request()).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(json(&answer)["errorCode"], 42901);
    let after: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!(after, 31);
    emulator.advance(Duration::from_secs(after));
    assert_eq!(send(&emulator, request()).await.status(), 200);
}

/// Very large settings do not overflow.
#[tokio::test]
async fn very_large_settings_have_no_end() {
    let mut settings = Settings::default();
    settings.velocity = Some(Duration::MAX);
    settings.expiry = Duration::MAX;
    let emulator = Emulator::builder()
        .application(application())
        .settings(settings)
        .manual_clock(noon())
        .start()
        .await
        .unwrap();
    let id = start(&emulator).await;
    let body = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms"}"#;
    let again = || plain("POST", "/verification/v1/verifications", body);
    assert_eq!(send(&emulator, again()).await.status(), 429);
    emulator.advance(Duration::from_secs(3650 * 86_400));
    assert_eq!(send(&emulator, again()).await.status(), 429);
    let seen = json(&get(&emulator, &format!("/_emu/verifications/{id}")).await);
    assert_eq!(
        (seen["status"].as_str(), seen.get("expiresAt")),
        (Some("PENDING"), None)
    );
    let clock = json(&get(&emulator, "/_emu/clock").await);
    assert_eq!((clock.get("nextDeadline"), clock.get("nextExpiry")), (None, None));
}

#[tokio::test]
async fn capacity_is_off_until_switched_on() {
    let mut settings = Settings::default();
    settings.capacity = Some(2);
    let emulator = Emulator::builder()
        .application(application())
        .settings(settings)
        .manual_clock(noon())
        .start()
        .await
        .unwrap();
    start(&emulator).await;
    start(&emulator).await;
    let refused = call(&emulator, &basic(), &Start::sms(number())).await;
    assert_eq!(code(refused), 42900);
    emulator.advance(Duration::from_secs(1));
    start(&emulator).await;
}

#[tokio::test]
async fn starts_are_refused_while_pending_verifications_take_all_their_bytes() {
    let emulator = emulator_with(|settings| settings.pending_bytes = 5_000).await;
    let start = |n: u32| {
        let body = format!(
            r#"{{"identity":{{"type":"number","endpoint":"+4670000000{n}"}},"method":"sms","custom":"{}"}}"#,
            "x".repeat(4_000)
        );
        send(&emulator, plain("POST", "/verification/v1/verifications", &body))
    };
    assert_eq!(start(1).await.status(), 200);
    let refused = start(2).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(json(&refused)["errorCode"], 42900);
    // Ended verifications do not count.
    emulator.advance(Duration::from_secs(300));
    assert_eq!(start(2).await.status(), 200);
    emulator.reset();
    assert_eq!(start(3).await.status(), 200);
}

#[tokio::test]
async fn ended_verifications_are_kept_for_a_while() {
    let emulator = emulator_with(|settings| settings.verifications_kept = 2).await;
    let first = start(&emulator).await;
    for _ in 0..3 {
        start(&emulator).await;
    }
    let gone = call(&emulator, &basic(), &StatusById { id: first }).await;
    assert_eq!(code(gone), 40400);
    assert_eq!(
        emulator.inbox(&number()).len(),
        3,
        "messages go with their verifications"
    );
}
