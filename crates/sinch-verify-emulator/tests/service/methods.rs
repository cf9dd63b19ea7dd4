//! The methods: the answer to a start, the message on the handset, the reports that verify.

use std::time::Duration;

use sinch_verify_emulator::{Emulator, Settings};
use sinch_verify_protocol::call_outcome::{CallOutcome, FlashCallOutcome};
use sinch_verify_protocol::method::{Callout, FlashCall, Sms, WhatsApp};
use sinch_verify_protocol::start::{CalloutOptions, SmsOptions, Speech, WhatsAppOptions};
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{
    AcceptLanguage, Cli, CodeType, Method, Reason, Report, Source, Start, Status, StatusByNumber,
};

use crate::support::{
    basic, builder, call, code, emulator, get, json, newest, number, plain, public, send, status,
};

#[tokio::test]
async fn an_sms_verifies_by_its_code() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert_eq!(started.content_language.as_deref(), Some("en-US"));
    assert_eq!(started.details.code_type, Some(CodeType::Numeric));
    assert_eq!(started.links.as_ref().unwrap().len(), 2);

    let message = newest(&emulator);
    assert_eq!((message.seq, message.kind), (1, Method::Sms));
    assert_eq!(message.verification_id, started.id);
    let code = message.code.unwrap();
    assert_eq!(code.expose().len(), 4);
    assert!(code.expose().bytes().all(|digit| digit.is_ascii_digit()));
    // An app cuts the code out of the message by the template.
    let template = started.details.template().unwrap().unwrap();
    assert_eq!(template.extract(&message.text.unwrap()), Some(code.expose()));

    let report = Report::<Sms>::by_id(started.id.clone(), code).source(Source::Intercepted);
    call(&emulator, &basic(), &report).await.unwrap();
    let told = status(&emulator, Method::Sms).await;
    assert_eq!(told.source, Some(Source::Intercepted));
    assert_eq!((told.call_complete, told.call_result), (None, None));
}

#[tokio::test]
async fn an_sms_is_in_the_preferred_language() {
    let emulator = emulator().await;
    for (asked, chosen) in [
        ("sv-SE", "sv-SE"),
        ("de-AT", "de-DE"),
        ("xx-YY, fr;q=0.5", "fr-FR"),
        ("pl-PL;q=0.1, es-ES", "es-ES"),
        ("xx", "en-US"),
    ] {
        let languages: AcceptLanguage = asked.parse().unwrap();
        let start = Start::sms(number()).languages(languages);
        let started = call(&emulator, &basic(), &start).await.unwrap();
        assert_eq!(started.content_language.as_deref(), Some(chosen), "{asked}");
        let message = newest(&emulator);
        let template = started.details.template().unwrap().unwrap();
        assert_eq!(
            template.render(message.code.unwrap().expose()),
            message.text.unwrap()
        );
    }
}

#[tokio::test]
async fn an_sms_is_as_its_options_say() {
    let emulator = emulator().await;
    let mut options = SmsOptions::default();
    options.code_type = Some(CodeType::Alphanumeric);
    options.template = Some("{{CODE}} lets you in".to_owned());
    options.application_hash = Some("FA+9qCX9VSu".to_owned());
    let start = Start::sms(number()).options(options);
    let started = call(&emulator, &basic(), &start).await.unwrap();
    assert_eq!(started.details.code_type, Some(CodeType::Alphanumeric));
    assert_eq!(started.details.template.as_deref(), Some("{{CODE}} lets you in"));
    assert_eq!(
        started.content_language, None,
        "the language of the application's own text is unknown"
    );
    let message = newest(&emulator);
    let code = message.code.unwrap();
    let code = code.expose();
    assert!(code.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
    assert_eq!(message.text.unwrap(), format!("{code} lets you in\nFA+9qCX9VSu"));

    let mut options = SmsOptions::default();
    options.code_type = Some(CodeType::Alpha);
    call(&emulator, &basic(), &Start::sms(number()).options(options))
        .await
        .unwrap();
    let code = newest(&emulator).code.unwrap();
    assert!(code.expose().bytes().all(|c| c.is_ascii_uppercase()));
}

#[tokio::test]
async fn code_length_is_a_setting() {
    let mut settings = Settings::default();
    settings.code_length = 6;
    let emulator = builder().settings(settings).start().await.unwrap();
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert_eq!(newest(&emulator).code.unwrap().expose().len(), 6);
}

#[tokio::test]
async fn a_flash_call_verifies_in_every_form_of_its_caller_id() {
    let emulator = emulator().await;
    for form in ["plus", "bare", "00", "spaced"] {
        let started = call(&emulator, &basic(), &Start::flash_call(number()))
            .await
            .unwrap();
        let message = newest(&emulator);
        assert_eq!(message.kind, Method::FlashCall);
        assert_eq!((message.text, message.code), (None, None));
        let cli = message.cli.unwrap();
        let digits = cli.expose().strip_prefix('+').unwrap().to_owned();
        let filter = started.cli_filter().unwrap();
        assert!(filter.matches(cli.expose()) && filter.matches(&digits));
        // British numbers are shown with a 0 at home.
        assert!(filter.matches(&digits.replacen("44", "0", 1)));
        assert!(!filter.matches("+447700900999") || cli.expose() == "+447700900999");
        assert_eq!(
            status(&emulator, Method::FlashCall).await.call_complete,
            Some(false)
        );

        let seen = match form {
            "plus" => format!("+{digits}"),
            "bare" => digits,
            "00" => format!("00{digits}"),
            _ => format!("+{} {}", &digits[..2], &digits[2..]),
        };
        let report = Report::<FlashCall>::by_number(number(), Cli::as_seen(&seen).unwrap());
        let verified = call(&emulator, &public(), &report).await.unwrap();
        assert!(verified.is_successful(), "{form}");
        let told = status(&emulator, Method::FlashCall).await;
        assert_eq!(told.call_complete, Some(true));
        assert_eq!(told.call_result, Some(CallResult::Cancel));
    }
}

#[tokio::test]
async fn the_end_of_a_caller_id_is_not_enough() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let cli = newest(&emulator).cli.unwrap();
    let end = Cli::as_seen(&cli.expose()[3..]).unwrap();
    let report = Report::<FlashCall>::by_number(number(), end);
    assert_eq!(code(call(&emulator, &basic(), &report).await), 40003);
}

#[tokio::test]
async fn a_flash_call_stops_ringing() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    emulator.advance(Duration::from_secs(30));
    let told = status(&emulator, Method::FlashCall).await;
    assert_eq!(told.status, Status::Pending);
    assert_eq!(told.call_complete, Some(true));
    assert_eq!(told.call_result, Some(CallResult::Cancel));
}

#[tokio::test]
async fn an_outcome_reports_a_missing_flash_call() {
    let emulator = emulator().await;
    let outcome = FlashCallOutcome::new(number(), CallOutcome::None);
    assert_eq!(code(call(&emulator, &public(), &outcome).await), 40400);
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    call(&emulator, &public(), &outcome).await.unwrap();
    let told = status(&emulator, Method::FlashCall).await;
    assert_eq!(told.call_result, Some(CallResult::NoAnswer));
}

#[tokio::test]
async fn a_callout_ends_by_the_reported_code() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    assert_eq!(started.details.schedule().unwrap().count(), 10);
    let message = newest(&emulator);
    let code = message.code.unwrap();
    let spoken: Vec<_> = code.expose().chars().map(String::from).collect();
    let text = message.text.unwrap();
    assert!(text.contains(&spoken.join(", ")), "{text}");
    let report = Report::<Callout>::by_id(started.id.clone(), code);
    let verified = call(&emulator, &basic(), &report).await.unwrap();
    assert!(verified.is_successful());
    assert_eq!(verified.call_complete, Some(true));
    let told = status(&emulator, Method::Callout).await;
    assert_eq!(told.call_result, Some(CallResult::Answered));
}

#[tokio::test]
async fn a_callout_ends_by_the_keypad() {
    let emulator = emulator().await;
    for by_code in [true, false] {
        call(&emulator, &basic(), &Start::callout(number()))
            .await
            .unwrap();
        assert_eq!(
            status(&emulator, Method::Callout).await.call_complete,
            Some(false)
        );
        let code = newest(&emulator).code.unwrap();
        let keys = if by_code { code.expose() } else { "1" };
        let verified = emulator.press_keypad(&number(), keys).unwrap();
        assert!(verified.is_successful());
        let told = status(&emulator, Method::Callout).await;
        assert_eq!(
            (told.status, told.call_complete),
            (Status::Successful, Some(true))
        );
        // The call is over.
        emulator.press_keypad(&number(), "1").unwrap_err();
    }
}

/// Method, status and call result of the number's latest verification that tries `method`.
async fn call_of(emulator: &Emulator, method: Method) -> (Option<Method>, Status, Option<CallResult>) {
    let told = status(emulator, method).await;
    (told.method, told.status, told.call_result)
}

#[tokio::test]
async fn an_outcome_is_of_the_latest_call_and_leaves_one_that_is_over_alone() {
    let emulator = emulator().await;
    let no_call = async || {
        let outcome = FlashCallOutcome::new(number(), CallOutcome::None);
        call(&emulator, &public(), &outcome).await.unwrap();
    };
    let started = call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let right = Report::<FlashCall>::by_id(started.id.clone(), newest(&emulator).cli.unwrap());
    call(&emulator, &basic(), &right).await.unwrap();
    no_call().await;
    let seen = (
        Some(Method::FlashCall),
        Status::Successful,
        Some(CallResult::Cancel),
    );
    assert_eq!(call_of(&emulator, Method::FlashCall).await, seen);

    // The flash call is one of several methods of this start.
    call(&emulator, &basic(), &Start::auto(number())).await.unwrap();
    let rings = (Some(Method::Auto), Status::Pending, None);
    assert_eq!(call_of(&emulator, Method::FlashCall).await, rings);
    no_call().await;
    let over = (Some(Method::Auto), Status::Pending, Some(CallResult::NoAnswer));
    for method in [Method::FlashCall, Method::Sms, Method::Seamless, Method::Auto] {
        assert_eq!(call_of(&emulator, method).await, over);
    }
    let clock = json(&get(&emulator, "/_emu/clock").await);
    assert_eq!(
        clock["nextDeadline"], clock["nextExpiry"],
        "the call stopped ringing"
    );
    let not_tried = StatusByNumber {
        method: Method::Callout,
        number: number(),
    };
    assert_eq!(code(call(&emulator, &basic(), &not_tried).await), 40400);

    // A later verification by one of the methods is found by that method, the earlier by the others.
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert_eq!(call_of(&emulator, Method::Sms).await.0, Some(Method::Sms));
    let aborted = (Some(Method::Auto), Status::Aborted, Some(CallResult::NoAnswer));
    assert_eq!(call_of(&emulator, Method::FlashCall).await, aborted);
}

#[tokio::test]
async fn wrong_keys_are_attempts() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    for _ in 0..2 {
        let pending = emulator.press_keypad(&number(), "##").unwrap();
        assert_eq!(pending.status, Status::Pending);
    }
    let ended = emulator.press_keypad(&number(), "##").unwrap();
    assert_eq!(
        (ended.status, ended.reason),
        (Status::Fail, Some(Reason::InvalidCode))
    );
}

#[tokio::test]
async fn a_callout_without_keys_expires() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    emulator.advance(Duration::from_secs(300));
    let told = status(&emulator, Method::Callout).await;
    assert_eq!((told.status, told.reason), (Status::Fail, Some(Reason::Expired)));
    assert_eq!(told.call_result, Some(CallResult::NoAnswer));
}

#[tokio::test]
async fn calls_may_cost_by_the_second() {
    let mut settings = Settings::default();
    settings.termination_price = settings.price.clone();
    let emulator = builder().settings(settings).start().await.unwrap();
    emulator.pause_clock();
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    assert_eq!(status(&emulator, Method::Callout).await.price, None, "later");
    emulator.advance(Duration::from_millis(4_200));
    emulator.press_keypad(&number(), "1").unwrap();
    let price = status(&emulator, Method::Callout).await.price.unwrap();
    assert_eq!(price.termination, price.verification);
    assert_eq!(price.billable_duration, Some(5), "begun seconds count");

    // A flash call is not answered, and an SMS is no call.
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    emulator.advance(Duration::from_secs(300));
    let price = status(&emulator, Method::FlashCall).await.price.unwrap();
    assert_eq!(price.billable_duration, Some(0));
    let price = status(&emulator, Method::Sms).await.price.unwrap();
    assert_eq!((price.termination, price.billable_duration), (None, None));
}

#[tokio::test]
async fn a_callout_in_the_language_asked_for() {
    let emulator = emulator().await;
    let mut options = CalloutOptions::default();
    options.speech = Some(Speech::new(&"sv-SE".parse().unwrap()));
    let start = Start::callout(number()).options(options);
    call(&emulator, &basic(), &start).await.unwrap();
    assert!(newest(&emulator).text.unwrap().starts_with("Din verifieringskod"));
}

#[tokio::test]
async fn a_whatsapp_message_verifies_by_its_code() {
    let emulator = emulator().await;
    let mut options = WhatsAppOptions::default();
    options.code_type = Some(CodeType::Alpha);
    let start = Start::whatsapp(number()).options(options);
    let started = call(&emulator, &basic(), &start).await.unwrap();
    assert_eq!(started.details.code_type, Some(CodeType::Alpha));
    let message = newest(&emulator);
    assert_eq!(message.kind, Method::WhatsApp);
    let report = Report::<WhatsApp>::by_id(started.id.clone(), message.code.unwrap());
    assert!(call(&emulator, &basic(), &report).await.unwrap().is_successful());
}

#[tokio::test]
async fn a_data_verification_ends_by_its_address_once() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::seamless(number()))
        .await
        .unwrap();
    let target = started.details.target_uri.unwrap();
    assert_eq!(newest(&emulator).target_uri.as_deref(), Some(target.as_str()));
    let path = target.as_str().strip_prefix(&emulator.url()).unwrap();
    // A guessed address is not found.
    let guess = format!("{}0", &path[..path.len() - 1]);
    if guess != path {
        assert_eq!(get(&emulator, &guess).await.status(), 404);
    }
    assert_eq!(get(&emulator, "/_emu/seamless/nonsense").await.status(), 404);
    // The HEAD of a link checker does not verify.
    assert_eq!(send(&emulator, plain("HEAD", path, "")).await.status(), 405);
    assert!(!status(&emulator, Method::Seamless).await.is_successful());
    let answer = get(&emulator, path).await;
    assert_eq!(answer.status(), 200);
    let body = json(&answer);
    assert_eq!(
        (&body["status"], &body["method"]),
        (&"SUCCESSFUL".into(), &"seamless".into())
    );
    assert!(status(&emulator, Method::Seamless).await.is_successful());
    assert_eq!(json(&get(&emulator, path).await)["errorCode"], 40003);

    let started = call(&emulator, &basic(), &Start::seamless(number()))
        .await
        .unwrap();
    let target = started.details.target_uri.unwrap();
    emulator.advance(Duration::from_secs(300));
    let late = json(&get(&emulator, target.as_str().strip_prefix(&emulator.url()).unwrap()).await);
    assert_eq!(
        (&late["status"], &late["reason"]),
        (&"FAIL".into(), &"Expired".into())
    );
}
