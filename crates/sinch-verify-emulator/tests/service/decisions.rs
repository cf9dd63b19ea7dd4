//! Request events to the application, and its decisions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use sinch_verify_emulator::{Delivery, Emulator, Settings};
use sinch_verify_protocol::callback::{CalloutDecision, Decision, Event, FlashCallDecision, SmsDecision};
use sinch_verify_protocol::method::{FlashCall, Sms};
use sinch_verify_protocol::start::Speech;
use sinch_verify_protocol::{
    Code, Credentials, Method, Reason, Reference, Report, Start, Status, StatusByReference,
};
use tokio::task::JoinSet;

use crate::support::{
    DECISION, Receiver, SHORT, answering, application, basic, builder, call, code, deciding,
    emulator_calling, emulator_calling_with, get, key, newest, number, public, reply, settled, signed,
    status,
};

#[tokio::test]
async fn a_denied_start_is_an_error_and_found_as_denied() {
    let receiver = deciding(Decision::Deny).await;
    let emulator = emulator_calling(&receiver).await;
    for (nr, credentials) in [public(), basic(), signed()].iter().enumerate() {
        let reference = Reference::new(&format!("denied-{nr}")).unwrap();
        let start = Start::sms(number()).reference(reference.clone());
        assert_eq!(code(call(&emulator, credentials, &start).await), 40303);
        let found = call(&emulator, &basic(), &StatusByReference { reference })
            .await
            .unwrap();
        assert_eq!(found.status, Status::Denied);
        assert_eq!(found.reason, Some(Reason::DeniedByCallback));
        assert_eq!(status(&emulator, Method::Sms).await.id, found.id);
        // Nothing was sent, so nothing can be reported.
        let report = Report::<Sms>::by_id(found.id, Code::new("1234").unwrap());
        assert_eq!(code(call(&emulator, &basic(), &report).await), 40003);
    }
    settled(&emulator).await;
    assert!(emulator.inbox(&number()).is_empty());
    let results = receiver.results();
    assert_eq!(results.len(), 3);
    assert!(
        results
            .iter()
            .all(|result| result.reason == Some(Reason::DeniedByCallback))
    );
}

async fn invalid(receiver: &Receiver, change: impl FnOnce(&mut Settings)) -> Delivery {
    let mut settings = Settings::default();
    settings.event_tries = 1;
    settings.event_timeout = Duration::from_millis(50);
    change(&mut settings);
    let emulator = Emulator::builder()
        .application(application().callback_url(receiver.url()))
        .settings(settings)
        .start()
        .await
        .unwrap();
    for credentials in [public(), signed()] {
        assert_eq!(
            code(call(&emulator, &credentials, &Start::sms(number())).await),
            40303
        );
        let denied = status(&emulator, Method::Sms).await;
        assert_eq!(denied.status, Status::Denied);
        assert_eq!(denied.reason, Some(Reason::InvalidCallback));
    }
    settled(&emulator).await;
    let mut tries = emulator.deliveries();
    tries.retain(|delivery| delivery.event == DECISION);
    assert_eq!(tries.len(), 2, "a question is put once");
    tries.remove(0)
}

#[tokio::test]
async fn unusable_answers_deny_the_verification() {
    let too_much = format!(r#"{{"action":"allow","filler":"{}"}}"#, "x".repeat(70_000));
    for (status, body, verdict) in [
        (200, "", "JSON at `.`"),
        (200, "allow", "JSON at `.`"),
        (200, "{}", "`action`"),
        (200, r#"{"action":"maybe"}"#, "`action`"),
        (
            200,
            r#"{"action":"allow","sms":{"code":"not a code"}}"#,
            "`sms.code`",
        ),
        (200, r#"{"action":"allow","sms":{"codeType":"Runes"}}"#, ""),
        (200, &*too_much, "body"),
        (201, r#"{"action":"allow"}"#, "must be 200"),
        (302, r#"{"action":"allow"}"#, "must be 200"),
        (500, r#"{"action":"allow"}"#, "must be 200"),
    ] {
        let body = body.to_owned();
        let answer = body.clone();
        let receiver = Receiver::new(move |_| {
            let mut response = reply(status, &answer);
            // Redirects are not followed.
            let elsewhere = "http://127.0.0.1:1/".parse().unwrap();
            response.headers_mut().insert("location", elsewhere);
            response
        })
        .await;
        let delivery = invalid(&receiver, |_| {}).await;
        let told = delivery.verdict.unwrap_or_default();
        assert!(told.contains(verdict), "{body}: {told}");
    }
}

#[tokio::test]
async fn a_receiver_that_stalls_denies() {
    let receiver = Receiver::holding(answering(Decision::Allow)).await;
    let delivery = invalid(&receiver, |settings| {
        settings.decision_timeout = Duration::from_millis(50);
    })
    .await;
    assert!(delivery.verdict.unwrap().contains("no answer within 50 ms"));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_denies() {
    let receiver = deciding(Decision::Allow).await;
    let url = receiver.url();
    drop(receiver);
    let emulator = Emulator::builder()
        .application(application().callback_url(url))
        .start()
        .await
        .unwrap();
    assert_eq!(
        code(call(&emulator, &public(), &Start::sms(number())).await),
        40303
    );
    let denied = status(&emulator, Method::Sms).await;
    assert_eq!(denied.reason, Some(Reason::InvalidCallback));
}

#[tokio::test]
async fn trusted_starts_may_continue_without_a_decision() {
    let receiver = Receiver::new(|_| reply(500, "")).await;
    let emulator = emulator_calling_with(&receiver, |settings| settings.trust_without_answer = true).await;
    assert_eq!(
        code(call(&emulator, &public(), &Start::sms(number())).await),
        40303
    );
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert_eq!(emulator.inbox(&number()).len(), 1);
}

#[tokio::test]
async fn an_sms_with_the_code_of_the_decision() {
    let mut sms = SmsDecision::default();
    sms.code = Some(Code::new("Z-42").unwrap());
    sms.expiry = Some("00:00:10".parse().unwrap());
    sms.accept_language = Some(vec!["de-DE".parse().unwrap()]);
    let receiver = deciding(Decision::AllowSms(sms)).await;
    let emulator = emulator_calling(&receiver).await;
    let started = call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    assert_eq!(started.content_language.as_deref(), Some("de-DE"));
    assert_eq!(newest(&emulator).code.unwrap().expose(), "Z-42");
    emulator.advance(Duration::from_secs(10));
    assert_eq!(status(&emulator, Method::Sms).await.reason, Some(Reason::Expired));
}

#[tokio::test]
async fn a_flash_call_from_the_number_of_the_decision() {
    let mut flash_call = FlashCallDecision::default();
    flash_call.cli = Some("+4670123123".parse().unwrap());
    flash_call.dial_timeout = Some(17.try_into().unwrap());
    flash_call.interception_timeout = Some(20.try_into().unwrap());
    let receiver = deciding(Decision::AllowFlashCall(flash_call)).await;
    let emulator = emulator_calling(&receiver).await;
    emulator.pause_clock();
    let started = call(&emulator, &public(), &Start::flash_call(number()))
        .await
        .unwrap();
    assert_eq!(started.details.interception_timeout, Some(20));
    assert_eq!(started.details.report_timeout, Some(50));
    assert!(started.cli_filter().unwrap().matches("+4670123123"));
    let cli = newest(&emulator).cli.unwrap();
    assert_eq!(cli.expose(), "+4670123123");
    emulator.advance(Duration::from_secs(16));
    assert_eq!(
        status(&emulator, Method::FlashCall).await.call_complete,
        Some(false)
    );
    emulator.advance(Duration::from_secs(1));
    assert_eq!(
        status(&emulator, Method::FlashCall).await.call_complete,
        Some(true)
    );
    let report = Report::<FlashCall>::by_number(number(), cli);
    assert!(call(&emulator, &public(), &report).await.unwrap().is_successful());
}

#[tokio::test]
async fn a_callout_rings_as_decided() {
    let mut callout = CalloutDecision::default();
    callout.code = Some(Code::new("908").unwrap());
    callout.speech = Some(Speech::new(&"fr-FR".parse().unwrap()));
    let receiver = deciding(Decision::AllowCallout(callout)).await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    let message = newest(&emulator);
    assert!(
        message
            .text
            .unwrap()
            .starts_with("Votre code de vérification est 9, 0, 8.")
    );
    assert!(emulator.press_keypad(&number(), "908").unwrap().is_successful());
}

#[tokio::test]
async fn a_callout_in_its_older_form() {
    let receiver = Receiver::new(|event| match event {
        Event::Request(_) => reply(
            200,
            r#"{"action":"allow","callout":{"pin":4,"ttsMenu":"Press {pin} please","locale":"en-US","timeout":20}}"#,
        ),
        _ => reply(200, ""),
    })
    .await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    let message = newest(&emulator);
    assert_eq!(
        (message.text.as_deref(), message.code),
        (Some("Press 4 please"), None)
    );
    assert_eq!(
        emulator.press_keypad(&number(), "1").unwrap().status,
        Status::Pending
    );
    assert!(emulator.press_keypad(&number(), "4").unwrap().is_successful());

    // No key is pressed.
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    emulator.advance(Duration::from_secs(20));
    let told = status(&emulator, Method::Callout).await;
    assert_eq!((told.status, told.reason), (Status::Fail, Some(Reason::HungUp)));
}

#[tokio::test]
async fn answers_with_anomalies_are_accepted_and_recorded() {
    let receiver = Receiver::new(|event| match event {
        Event::Request(_) => reply(200, r#"{"action":"Deny","because":"I can"}"#),
        _ => reply(200, ""),
    })
    .await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &public(), &Start::sms(number()))
        .await
        .unwrap_err();
    let deliveries = emulator.deliveries();
    let question = deliveries
        .iter()
        .find(|delivery| delivery.event == DECISION)
        .unwrap();
    assert!(question.ok);
    let verdict = question.verdict.as_deref().unwrap();
    assert!(
        verdict.contains("because") && verdict.contains("action"),
        "{verdict}"
    );
}

#[tokio::test]
async fn starts_wait_for_their_decision_side_by_side() {
    let receiver = Receiver::holding(answering(Decision::Allow)).await;
    let emulator = Arc::new(emulator_calling(&receiver).await);
    let mut starts = JoinSet::new();
    for n in 0..20 {
        let emulator = Arc::clone(&emulator);
        let number = format!("+467000001{n:02}").parse().unwrap();
        starts.spawn(async move {
            call(&emulator, &public(), &Start::callout(number)).await.unwrap();
        });
    }
    // All request events were posted, and none was answered.
    receiver.wait(20).await;
    // Other requests are answered meanwhile.
    assert_eq!(get(&emulator, "/readyz").await.status(), 200);
    receiver.release();
    starts.join_all().await;
}

#[tokio::test]
async fn a_start_that_is_aborted_while_it_waits_is_denied() {
    let receiver = Receiver::holding(answering(Decision::Allow)).await;
    let emulator = emulator_calling(&receiver).await;
    let start = async || match call(&emulator, &public(), &Start::sms(number())).await {
        Ok(_) => None,
        Err(error) => Some(code::<()>(Err(error))),
    };
    let (first, second, ()) = tokio::join!(
        start(),
        async {
            receiver.wait(1).await;
            start().await
        },
        async {
            receiver.wait(2).await;
            receiver.release();
        }
    );
    assert_eq!((first, second), (Some(40003), None));
    settled(&emulator).await;
    assert_eq!(emulator.inbox(&number()).len(), 1);
    let ends: Vec<_> = receiver
        .results()
        .into_iter()
        .map(|result| result.status)
        .collect();
    assert_eq!(ends, [Status::Aborted]);
}

#[tokio::test]
async fn a_decision_counts_even_if_the_start_connection_is_closed() {
    let receiver = Receiver::holding(answering(Decision::Allow)).await;
    let emulator = emulator_calling(&receiver).await;
    // The connection closes after the request event and before the decision.
    let (caller, start) = (public(), Start::sms(number()));
    tokio::select! {
        answer = call(&emulator, &caller, &start) => panic!("too early: {answer:?}"),
        () = receiver.wait(1) => {}
    }
    receiver.release();
    let message = emulator.wait_message(&number(), 0, SHORT).await.unwrap();
    assert_eq!(message.kind, Method::Sms);
}

#[tokio::test]
async fn the_callback_url_may_come_later() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = builder().start().await.unwrap();
    assert_eq!(
        code(call(&emulator, &public(), &Start::sms(number())).await),
        40303
    );
    emulator.set_callback_url(&key(), receiver.url()).unwrap();
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    emulator.set_callback_url(&key(), None).unwrap();
    assert_eq!(
        code(call(&emulator, &public(), &Start::sms(number())).await),
        40303
    );

    emulator
        .set_callback_url(
            &key(),
            "http://192.0.2.1/callback"
                .parse::<sinch_verify_emulator::CallbackUrl>()
                .unwrap(),
        )
        .unwrap_err();
    emulator
        .set_callback_url(&"unknown".parse().unwrap(), None)
        .unwrap_err();
}

#[tokio::test]
async fn every_application_has_its_own_receiver() {
    let (ours, theirs) = (
        deciding(Decision::Allow).await,
        Receiver::new(|_| Response::new(Bytes::new())).await,
    );
    let other_key: sinch_verify_protocol::ApplicationKey = crate::support::OTHER_KEY.parse().unwrap();
    let emulator = Emulator::builder()
        .application(application().callback_url(ours.url()))
        .application(sinch_verify_emulator::Application::new(
            other_key.clone(),
            crate::support::secret(),
        ))
        .start()
        .await
        .unwrap();
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    let other = Credentials::basic(other_key, crate::support::secret());
    call(&emulator, &other, &Start::callout(number())).await.unwrap();
    settled(&emulator).await;
    assert_eq!(ours.names(), [DECISION]);
    assert!(theirs.posts().is_empty());
}
