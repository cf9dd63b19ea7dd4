//! Every operation against the emulator, with every authorization that the operation takes.

use std::time::{Duration, SystemTime};

use sinch_verify_client::flow::Step;
use sinch_verify_client::protocol::call_outcome::{CallOutcome, FlashCallOutcome};
use sinch_verify_client::protocol::method::{Callout, FlashCall, Sms};
use sinch_verify_client::protocol::session::Progress;
use sinch_verify_client::protocol::verification::Source;
use sinch_verify_client::protocol::{
    AcceptLanguage, ApiError, Cli, Code, Decision, Method, PhoneNumber, Reason, Reference, Report, Start,
    Status, VerificationId,
};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_client::{Client, Clock, Error, ReportOutcome, RetryPolicy};
use sinch_verify_emulator::{Message, Settings};

use crate::support::{KEY, PATIENT, SECRET, Service};

const OTHER_SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

impl Service {
    /// A client of each kind, and whether it may ask by id and by reference.
    fn clients(&self) -> Vec<(&'static str, Client, bool)> {
        let hyper = || self.builder().transport(HyperTransport::default());
        vec![
            ("public", self.builder().public(KEY).build().unwrap(), false),
            ("basic", self.builder().basic(KEY, SECRET).build().unwrap(), true),
            ("signed", self.client(), true),
            ("public over hyper", hyper().public(KEY).build().unwrap(), false),
            (
                "basic over hyper",
                hyper().basic(KEY, SECRET).build().unwrap(),
                true,
            ),
            ("signed over hyper", hyper().build().unwrap(), true),
        ]
    }

    /// What the handset of `number` got, newest.
    async fn message(&self, number: &PhoneNumber, id: &VerificationId) -> Message {
        let mut after = 0;
        loop {
            let message = self.emulator.wait_message(number, after, PATIENT).await.unwrap();
            if message.verification_id == *id {
                return message;
            }
            after = message.seq;
        }
    }
}

fn number(last: usize) -> PhoneNumber {
    format!("+4670000{last:04}").parse().unwrap()
}

fn code(error: &Error) -> Option<u32> {
    error.as_api_error().map(|error| error.code)
}

#[tokio::test]
async fn sms_is_started_reported_and_queried() {
    let service = Service::allowing().await;
    for (at, (name, client, by_id)) in service.clients().into_iter().enumerate() {
        let number = number(at);
        let reference = Reference::new(&format!("order-{at}")).unwrap();
        let start = Start::sms(number).reference(reference.clone());
        let started = client
            .start(start)
            .await
            .unwrap_or_else(|e| panic!("{name}: {e:#}"));
        assert!(started.details.template().unwrap().is_some(), "{name}");

        let pending = client.status_by_number(Method::Sms, number).await.unwrap();
        assert_eq!(
            (pending.id, pending.status),
            (started.id.clone(), Status::Pending),
            "{name}"
        );

        let code = service.message(&number, &started.id).await.code.unwrap();
        let report = Report::<Sms>::by_id(started.id.clone(), code).source(Source::Manual);
        assert!(client.report(report).await.unwrap().is_verified(), "{name}");

        let by_number = client.status_by_number(Method::Sms, number).await.unwrap();
        assert_eq!(by_number.status, Status::Successful, "{name}");
        let answers = [
            client.status_by_id(started.id.clone()).await,
            client.status_by_reference(reference).await,
        ];
        for answer in answers {
            if by_id {
                let verification = answer.unwrap();
                assert_eq!(verification.id, started.id, "{name}");
                assert_eq!(verification.status, Status::Successful, "{name}");
                assert_eq!(verification.source, Some(Source::Manual), "{name}");
            } else {
                let error = answer.unwrap_err();
                assert_eq!(self::code(&error), Some(ApiError::SCHEME), "{name}: {error:#}");
                assert!(!error.is_denied(), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn flash_call_is_reported_by_number() {
    let service = Service::allowing().await;
    for (at, (name, client, _)) in service.clients().into_iter().enumerate() {
        let number = number(at);
        let started = client.start(Start::flash_call(number)).await.unwrap();
        let cli: Cli = service.message(&number, &started.id).await.cli.unwrap();
        assert!(started.cli_filter().unwrap().matches(cli.expose()), "{name}");

        let report = Report::<FlashCall>::by_number(number, cli).source(Source::Intercepted);
        let outcome = client.report(report).await;
        let outcome = outcome.unwrap_or_else(|e| panic!("{name}: {e:#}"));
        assert!(outcome.is_verified(), "{name}");

        let outcome = FlashCallOutcome::new(number, CallOutcome::Normal);
        client
            .flash_call_outcome(outcome)
            .await
            .unwrap_or_else(|e| panic!("{name}: {e:#}"));
    }
}

#[tokio::test]
async fn callout_ends_by_code_or_by_key() {
    let service = Service::allowing().await;
    for (at, (name, client, _)) in service.clients().into_iter().enumerate() {
        let spoken = number(at);
        let started = client.start(Start::callout(spoken)).await.unwrap();
        assert!(started.details.schedule().is_some(), "{name}");
        let code = service.message(&spoken, &started.id).await.code.unwrap();
        let report = Report::<Callout>::by_number(spoken, code);
        assert!(client.report(report).await.unwrap().is_verified(), "{name}");

        let pressed = number(100 + at);
        let started = client.start(Start::callout(pressed)).await.unwrap();
        let poll = || client.status_by_number(Method::Callout, pressed);
        assert_eq!(poll().await.unwrap().status, Status::Pending, "{name}");
        service.message(&pressed, &started.id).await;
        service.emulator.press_keypad(&pressed, "1").unwrap();
        assert_eq!(poll().await.unwrap().status, Status::Successful, "{name}");
    }
}

#[tokio::test]
async fn a_language_is_asked_for_and_the_one_chosen_is_told() {
    let languages = |tag: &str| AcceptLanguage::new().then(tag.parse().unwrap());
    let service = Service::without_backend().await;
    for builder in [
        service.builder(),
        service.builder().transport(HyperTransport::default()),
    ] {
        let client = builder.languages(languages("de-DE")).build().unwrap();
        // The client's, the start's own instead, and one that the service lacks.
        for (at, start, chosen) in [
            (1, Start::sms(number(1)), "de-DE"),
            (2, Start::sms(number(2)).languages(languages("es-ES")), "es-ES"),
            (3, Start::sms(number(3)).languages(languages("tlh")), "en-US"),
        ] {
            let handle = client.start(start).await.unwrap();
            assert_eq!(handle.content_language.as_deref(), Some(chosen));
            let text = service.message(&number(at), &handle.id).await.text.unwrap();
            assert_eq!(text.starts_with("Ihr"), chosen == "de-DE", "{text}");
        }

        let (_tell, source) = tokio::sync::mpsc::channel(1);
        let mut running = client.verify(number(4)).begin(source).unwrap();
        let told = loop {
            match running.next().await.unwrap() {
                Step::Progress(Progress::Waiting { content_language, .. }) => break content_language,
                Step::Progress(_) => {}
                end => panic!("{end:?}"),
            }
        };
        assert_eq!(told.as_deref(), Some("de-DE"));
    }
}

#[tokio::test]
async fn a_denied_start_is_an_error_and_is_found_as_denied() {
    let service = Service::deciding(&Decision::Deny).await;
    for (at, (name, client, by_reference)) in service.clients().into_iter().enumerate() {
        let reference = Reference::new(&format!("denied-{at}")).unwrap();
        let start = Start::sms(number(at)).reference(reference.clone());
        let error = client.start(start).await.unwrap_err();
        assert!(error.is_denied(), "{name}: {error:#}");
        assert!(error.may_have_been_sent(), "{name}");

        let found = client.status_by_number(Method::Sms, number(at)).await.unwrap();
        assert_eq!(found.status, Status::Denied, "{name}");
        if by_reference {
            let found = client.status_by_reference(reference).await.unwrap();
            assert_eq!(found.reason, Some(Reason::DeniedByCallback), "{name}");
        }
    }
}

#[tokio::test]
async fn public_starts_need_a_backend() {
    let service = Service::allowing().await;
    service
        .emulator
        .set_callback_url(&KEY.parse().unwrap(), None)
        .unwrap();
    let public = service.builder().public(KEY).build().unwrap();
    let error = public.start(Start::sms(number(1))).await.unwrap_err();
    // On the wire this is what a denial looks like.
    assert!(error.is_denied(), "{error:#}");
    service.client().start(Start::sms(number(1))).await.unwrap();
}

#[tokio::test]
async fn wrong_codes_are_refused_until_the_last() {
    let service = Service::deciding(&Decision::sms_code("4821".parse().unwrap())).await;
    let client = service.client();
    let started = client.start(Start::sms(number(1))).await.unwrap();
    let report = || Report::<Sms>::by_id(started.id.clone(), Code::new("0000").unwrap());
    for _ in 0..2 {
        let outcome = client.report(report()).await.unwrap();
        let ReportOutcome::Refused { error, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(error.unwrap().code, ApiError::NOT_PROCESSABLE);
    }
    let outcome = client.report(report()).await.unwrap();
    let ReportOutcome::Ended(failed) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (failed.status(), failed.reason()),
        (&Status::Fail, Some(&Reason::InvalidCode))
    );
}

#[tokio::test]
async fn ends_without_a_report_are_found_by_status() {
    let service = Service::allowing().await;
    let client = service.client();
    let aborted = client.start(Start::sms(number(1))).await.unwrap();
    let expired = client.start(Start::sms(number(1))).await.unwrap();
    service.emulator.advance(Duration::from_secs(301));

    let found = aborted.status().await.unwrap();
    assert_eq!(found.status, Status::Aborted);
    let found = expired.status().await.unwrap();
    assert_eq!(
        (found.status, found.reason),
        (Status::Fail, Some(Reason::Expired))
    );
}

#[tokio::test]
async fn unknown_names_are_not_found() {
    let service = Service::allowing().await;
    let client = service.client();
    let id = VerificationId::new("0198a1b2-0000-7000-8000-000000000000").unwrap();
    let report = Report::<Sms>::by_id(id.clone(), Code::new("4821").unwrap());
    for error in [
        client.status_by_id(id).await.unwrap_err(),
        client
            .status_by_reference(Reference::new("unknown").unwrap())
            .await
            .unwrap_err(),
        client.status_by_number(Method::Sms, number(1)).await.unwrap_err(),
        client.report(report).await.unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error:#}");
        assert_eq!(code(&error), Some(ApiError::NOT_FOUND), "{error:#}");
    }
}

#[tokio::test]
async fn a_reference_is_used_once() {
    let service = Service::allowing().await;
    let client = service.client();
    let start = || Start::sms(number(1)).reference(Reference::new("order-7781").unwrap());
    client.start(start()).await.unwrap();
    let error = client.start(start()).await.unwrap_err();
    assert_eq!(code(&error), Some(ApiError::REFERENCE_USED), "{error:#}");
}

#[tokio::test]
async fn starts_that_follow_too_quickly_are_rate_limited() {
    let mut settings = Settings::default();
    settings.velocity = Some(Duration::from_secs(60));
    let service = Service::start(Some(&Decision::Allow), settings).await;
    let client = service.client();
    client.start(Start::sms(number(1))).await.unwrap();
    let error = client.start(Start::sms(number(1))).await.unwrap_err();
    assert!(error.is_rate_limited(), "{error:#}");
    assert_eq!(code(&error), Some(ApiError::VELOCITY));
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    /// A host whose clock stopped long ago.
    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    let service = Service::allowing().await;
    for (builder, expected) in [
        (
            service.builder().application_signed(KEY, OTHER_SECRET),
            ApiError::SIGNATURE,
        ),
        (service.builder().basic(KEY, OTHER_SECRET), ApiError::CREDENTIALS),
        (service.builder().public("an-unknown-key"), ApiError::CREDENTIALS),
        (
            service.builder().clock(Stopped).retry(RetryPolicy::never()),
            ApiError::TIMESTAMP,
        ),
    ] {
        let error = builder
            .build()
            .unwrap()
            .start(Start::sms(number(1)))
            .await
            .unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), 401, "{error:#}");
        assert_eq!(code(&error), Some(expected), "{error:#}");
    }
    assert!(service.emulator.inbox(&number(1)).is_empty());
}

#[tokio::test]
async fn a_day_ahead_requests_still_verify() {
    let service = Service::allowing().await;
    service.emulator.advance(Duration::from_secs(24 * 60 * 60));
    service.client().start(Start::sms(number(1))).await.unwrap();
}

#[tokio::test]
async fn nothing_answers_once_the_service_has_stopped() {
    let service = Service::allowing().await;
    let client = service.client();
    client.start(Start::sms(number(1))).await.unwrap();
    let emulator = std::sync::Arc::into_inner(service.emulator).unwrap();
    emulator.shutdown().await;
    let error = client.start(Start::sms(number(1))).await.unwrap_err();
    assert!(error.is_connect(), "{error:#}");
    assert!(!error.may_have_been_sent());
}
