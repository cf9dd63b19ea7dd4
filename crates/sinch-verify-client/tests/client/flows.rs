//! Whole verifications, method by method and with fallback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use sinch_verify_client::flow::{Seen, Step};
use sinch_verify_client::protocol::session::{Failure, MAX_REDIRECTS, PlanError, Progress, TargetError};
use sinch_verify_client::protocol::{Code, Decision, Method, Start, Status};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_client::{CodeSource, FlowError};
use sinch_verify_emulator::{Emulator, Message};
use tokio::sync::mpsc;

use crate::fault_server::{Fault, FaultServer, refusing};
use crate::script::{seamless, seen, server, verification};
use crate::support::{KEY, PATIENT, Service, Skipping, hasty, number};

/// Reads the handset, and makes something of each message.
struct Handset {
    emulator: Arc<Emulator>,
    after: u64,
    read: fn(Message) -> Seen,
}

impl Handset {
    fn new(service: &Service, read: fn(Message) -> Seen) -> Self {
        Self {
            emulator: Arc::clone(&service.emulator),
            after: 0,
            read,
        }
    }
}

impl CodeSource for Handset {
    async fn next(&mut self) -> Option<Seen> {
        let message = self.emulator.wait_message(&number(), self.after, PATIENT).await?;
        self.after = message.seq;
        Some((self.read)(message))
    }
}

fn code(text: &str) -> Seen {
    Seen::Code(Code::new(text).unwrap())
}

fn channel(seen: impl IntoIterator<Item = Seen>) -> mpsc::Receiver<Seen> {
    let (tell, source) = mpsc::channel(16);
    for seen in seen {
        tell.try_send(seen).unwrap();
    }
    source
}

#[tokio::test]
async fn each_method_is_verified_by_what_the_handset_gets() {
    let typed: fn(Message) -> Seen = |message| Seen::Code(message.code.unwrap());
    let read: fn(Message) -> Seen = |message| Seen::sms(&message.text.unwrap());
    let heard: fn(Message) -> Seen = |message| Seen::call(message.cli.unwrap().expose());
    let nothing: fn(Message) -> Seen = |_| Seen::call("");
    for (method, read) in [
        (Method::Sms, typed),
        (Method::Sms, read),
        (Method::FlashCall, heard),
        (Method::Callout, typed),
        (Method::WhatsApp, typed),
        (Method::Seamless, nothing),
    ] {
        for public in [false, true] {
            let service = Service::allowing().await;
            let mut builder = service.builder();
            if public {
                builder = builder.public(KEY);
            }
            let flow = builder
                .build()
                .unwrap()
                .verify(number())
                .methods([method.clone()]);
            let verification = flow
                .run(Handset::new(&service, read))
                .await
                .unwrap_or_else(|error| panic!("{method}, public {public}: {error:#}"));
            assert_eq!(verification.status, Status::Successful, "{method}");
        }
    }
}

#[tokio::test]
async fn the_next_method_follows_when_asked_for() {
    let service = Service::without_backend().await;
    // "Call me instead", and then the spoken code.
    let read = |message: Message| match message.kind {
        Method::Sms => Seen::NextMethod,
        _ => Seen::Code(message.code.unwrap()),
    };
    let client = service.client();
    let running = client
        .verify(number())
        .methods([Method::Sms, Method::Callout])
        .deadline(PATIENT)
        .begin(Handset::new(&service, read))
        .unwrap();
    let steps: Vec<_> = running.into_stream().collect().await;
    let fell_back = steps.iter().any(|step| {
        matches!(
            step,
            Step::Progress(Progress::FallingBack {
                from: Method::Sms,
                to: Method::Callout,
                ..
            })
        )
    });
    assert!(fell_back, "{steps:?}");
    assert!(matches!(steps.last(), Some(Step::Verified(_))), "{steps:?}");
    let verified = steps
        .iter()
        .filter(|step| matches!(step, Step::Verified(_)))
        .count();
    assert_eq!(verified, 1);
}

#[tokio::test]
async fn wrong_codes_end_it_without_fallback() {
    let service = Service::without_backend().await;
    let client = service.client();
    let flow = client
        .verify(number())
        .methods([Method::Sms, Method::Callout])
        .attempts(2);
    // Never the code: the emulator's are of four digits.
    let error = flow
        .run(channel([code("11111"), code("22222")]))
        .await
        .unwrap_err();
    // Both may be typed before the first is answered, so the session may wait for more.
    let failure = error.failure().unwrap();
    assert!(matches!(failure, Failure::AttemptsUsedUp), "{error:#}");
    assert_eq!(
        service.emulator.inbox(&number()).len(),
        1,
        "a denied guess led to another method"
    );
}

#[tokio::test]
async fn a_denial_ends_it_without_fallback() {
    let service = Service::deciding(&Decision::Deny).await;
    let client = service.client();
    let flow = client.verify(number()).methods([Method::Sms, Method::Callout]);
    let error = flow.run(channel([])).await.unwrap_err();
    assert!(
        matches!(error.failure(), Some(Failure::Denied { .. })),
        "{error:#}"
    );
    assert!(
        format!("{error:#}").starts_with("verify the number: verification was denied"),
        "{error:#}"
    );
}

#[tokio::test]
async fn what_cannot_be_planned_is_told_before_anything_is_sent() {
    let server = FaultServer::start(Fault::Close).await;
    let flow = || hasty(&server.base_url).build().unwrap().verify(number());
    let other = "+46700000002".parse().unwrap();
    for (flow, expected) in [
        (flow().attempts(0), PlanError::NoAttempts),
        (flow().deadline(Duration::ZERO), PlanError::ZeroDeadline),
        (
            flow().then(Start::sms(number())).then(Start::sms(other)),
            PlanError::NumbersDiffer,
        ),
    ] {
        let error = flow.run(channel([])).await.unwrap_err();
        assert!(
            matches!(error, FlowError::Plan(plan) if plan == expected),
            "{error:#}"
        );
    }
    let error = flow()
        .methods(["pigeon".into()])
        .run(channel([]))
        .await
        .unwrap_err();
    assert!(matches!(error, FlowError::Method(_)), "{error:#}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_lost_start_and_a_lost_report_are_settled() {
    let reports = AtomicUsize::new(0);
    let server = FaultServer::scripted(move |request| {
        let pending = Fault::answer("200 OK", r#"{"id":"1","method":"sms","status":"PENDING"}"#);
        let done = Fault::answer("200 OK", r#"{"id":"1","method":"sms","status":"SUCCESSFUL"}"#);
        let report = request.starts_with("PUT");
        let first_report = report && reports.fetch_add(1, Ordering::SeqCst) == 0;
        if request.starts_with("POST") || first_report {
            Fault::Close
        } else if report {
            done
        } else {
            pending
        }
    })
    .await;
    let client = hasty(&server.base_url).build().unwrap();
    let (tell, source) = mpsc::channel(1);
    tell.try_send(code("4821")).unwrap();
    let verification = client.verify(number()).run(source).await.unwrap();
    assert!(verification.is_successful());
    let seen = server.seen();
    assert_eq!((seen.starts, seen.reports), (1, 2), "{seen:?}");
}

#[tokio::test]
async fn dropping_a_flow_sends_nothing_more() {
    let server = FaultServer::scripted(|request| match request.starts_with("POST") {
        true => Fault::answer("200 OK", r#"{"id":"1","method":"sms"}"#),
        false => Fault::Stall,
    })
    .await;
    // Nothing but dropping ends the report while the test runs.
    let hour = Duration::from_secs(3600);
    let builder = hasty(&server.base_url).attempt_timeout(hour).total_timeout(hour);
    let client = builder.build().unwrap();
    let (tell, source) = mpsc::channel(1);
    tell.try_send(code("4821")).unwrap();
    let mut running = client.verify(number()).begin(source).unwrap();
    let reported = async {
        while let Some(step) = running.next().await {
            assert!(matches!(step, Step::Progress(_)), "{step:?}");
        }
    };
    tokio::select! {
        () = reported => panic!("ended without an answer"),
        () = server.stalling() => {}
    }
    drop(running);
    assert!(tell.is_closed(), "the source is still asked");
    let hung_up = tokio::time::timeout(PATIENT, server.hung_up()).await;
    hung_up.expect("the request that was given up is still waited for");
    // The report that had left, and nothing after it.
    assert_eq!(server.seen(), seen(1, 1, 0));
}

#[tokio::test]
async fn dropping_a_call_closes_its_connection() {
    let server = FaultServer::start(Fault::Stall).await;
    let hour = Duration::from_secs(3600);
    for builder in [
        hasty(&server.base_url),
        hasty(&server.base_url).transport(HyperTransport::default()),
    ] {
        let builder = builder.attempt_timeout(hour).total_timeout(hour);
        let client = builder.build().unwrap();
        tokio::select! {
            answer = client.start(Start::sms(number())) => panic!("{answer:?}"),
            () = server.stalling() => {}
        }
        let hung_up = tokio::time::timeout(PATIENT, server.hung_up()).await;
        hung_up.expect("the connection of a call that was given up is kept");
    }
    assert_eq!(server.seen(), seen(2, 0, 0));
}

#[tokio::test]
async fn a_key_pressed_in_the_call_is_found_by_polling() {
    let service = Service::without_backend().await;
    // Sleeps for no poll, and for ever until the deadline.
    let clock = Skipping::up_to(Duration::from_secs(60)).beginning(SystemTime::now());
    let client = service.builder().clock(clock).build().unwrap();
    let flow = client.verify(number()).methods([Method::Callout]);
    let mut running = flow.begin(channel([])).unwrap();
    let mut last = None;
    while let Some(step) = running.next().await {
        if let Step::Progress(Progress::Waiting { .. }) = step {
            service.emulator.press_keypad(&number(), "1").unwrap();
        }
        last = Some(step);
    }
    assert!(matches!(last, Some(Step::Verified(_))), "{last:?}");
    assert!(running.next().await.is_none());
}

/// With public authorization the status is asked for by number, and tells the latest verification. Who
/// began one for a number that is not his must not live off the owner's own.
#[tokio::test]
async fn the_success_of_somebody_else_with_the_same_number_is_not_ours() {
    let service = Service::allowing().await;
    let client = || {
        let builder = service.builder().public(KEY);
        let clock = Skipping::up_to(Duration::from_secs(60));
        builder.clock(clock).build().unwrap()
    };
    let flow = client().verify(number()).methods([Method::Callout]);
    let mut running = flow.begin(channel([])).unwrap();
    let mut last = None;
    while let Some(step) = running.next().await {
        if let Step::Progress(Progress::Waiting { .. }) = step {
            let owner = client().start(Start::callout(number())).await.unwrap();
            service.emulator.press_keypad(&number(), "1").unwrap();
            assert!(owner.status().await.unwrap().is_successful());
        }
        last = Some(step);
    }
    assert!(matches!(last, Some(Step::Failed(Failure::TimedOut))), "{last:?}");
}

#[tokio::test]
async fn the_deadline_ends_it() {
    let server = FaultServer::start(Fault::Stall).await;
    let client = hasty(&server.base_url).build().unwrap();
    let flow = client.verify(number()).deadline(Duration::from_millis(100));
    let error = flow.run(channel([])).await.unwrap_err();
    assert!(matches!(error.failure(), Some(Failure::TimedOut)), "{error:#}");
    assert_eq!(server.seen().starts, 1);
}

/// Has always heard of some other message.
struct Chatter;

impl CodeSource for Chatter {
    async fn next(&mut self) -> Option<Seen> {
        Some(Seen::sms("see you at eight"))
    }
}

#[tokio::test]
async fn a_source_that_never_rests_keeps_neither_answers_nor_the_deadline_away() {
    let client = |server: &FaultServer| hasty(&server.base_url).build().unwrap();
    let stalled = FaultServer::start(Fault::Stall).await;
    let answering = FaultServer::start(Fault::answer("200 OK", r#"{"id":"1","method":"sms"}"#)).await;
    for server in [stalled, answering] {
        let flow = client(&server).verify(number());
        let flow = flow.deadline(Duration::from_millis(100));
        let error = tokio::time::timeout(PATIENT, flow.run(Chatter)).await.unwrap();
        let error = error.unwrap_err();
        assert!(matches!(error.failure(), Some(Failure::TimedOut)), "{error:#}");
    }

    let denying = FaultServer::start(Fault::answer(
        "403 Forbidden",
        r#"{"errorCode":40303,"message":"Forbidden"}"#,
    ))
    .await;
    let flow = client(&denying).verify(number());
    let error = tokio::time::timeout(PATIENT, flow.run(Chatter)).await.unwrap();
    let error = error.unwrap_err();
    assert!(
        matches!(error.failure(), Some(Failure::Denied { .. })),
        "{error:#}"
    );
}

#[tokio::test]
async fn who_typed_too_early_may_still_give_up() {
    let server = FaultServer::start(Fault::Stall).await;
    let client = hasty(&server.base_url).build().unwrap();
    let flow = client.verify(number()).run(channel([code("4821"), Seen::Cancel]));
    let error = tokio::time::timeout(PATIENT, flow).await.unwrap().unwrap_err();
    assert!(matches!(error.failure(), Some(Failure::Cancelled)), "{error:#}");
}

/// A data verification whose address is `target`, as a flow.
async fn follow(server: &FaultServer, clock: Skipping) -> Result<Status, Failure> {
    let client = hasty(&server.base_url).clock(clock).build().unwrap();
    let flow = client.verify(number()).methods([Method::Seamless]);
    match flow.run(channel([])).await {
        Ok(verification) => Ok(verification.status),
        Err(error) => Err(error.failure().unwrap().clone()),
    }
}

fn patient() -> Skipping {
    Skipping::up_to(Duration::from_secs(60))
}

/// The address is an operator's, and may tell of any verification: of an old success, say.
#[tokio::test]
async fn what_a_target_says_of_another_verification_verifies_nobody() {
    for (status, verified) in [("PENDING", false), ("SUCCESSFUL", true)] {
        let target = FaultServer::start(Fault::answer(
            "200 OK",
            r#"{"id":"another","status":"SUCCESSFUL"}"#,
        ))
        .await;
        let server = server(seamless(&target.base_url), verification(status)).await;
        let answer = follow(&server, patient()).await;
        assert_eq!(answer.is_ok(), verified, "{answer:?}");
        assert_eq!((target.requests().len(), server.seen().queries), (1, 1));
    }
}

#[tokio::test]
async fn a_target_that_must_not_be_followed_is_named_and_not_tried_again() {
    let redirect = |location: &str| {
        let head = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        Fault::Say(head.into_bytes())
    };
    for (location, hops, expected) in [
        ("http://192.0.2.1/secret", 1, TargetError::PlainHttp),
        (
            "/again",
            1 + usize::from(MAX_REDIRECTS),
            TargetError::TooManyRedirects,
        ),
        ("ftp://127.0.0.1/", 1, TargetError::Scheme),
    ] {
        let target = FaultServer::start(redirect(location)).await;
        let server = FaultServer::start(seamless(&target.base_url)).await;
        let failure = follow(&server, patient()).await.unwrap_err();
        assert_eq!(failure, Failure::Target(expected));
        assert_eq!(target.requests().len(), hops, "{location}");
        assert_eq!(server.seen().queries, 0);
    }
    // At once where the start's answer has it; and the reason names the way out.
    let server = FaultServer::start(seamless("http://192.0.2.1/")).await;
    let failure = follow(&server, patient()).await.unwrap_err();
    assert!(failure.to_string().contains("plain_http_targets"), "{failure}");
}

#[tokio::test]
async fn plain_http_targets_may_be_allowed_to_a_flow() {
    // `.invalid` is not found, so the fetch fails; but it was tried.
    let server = server(seamless("http://operator.invalid/"), verification("PENDING")).await;
    for (allowed, tried) in [(false, false), (true, true)] {
        let builder = hasty(&server.base_url)
            .plain_http_targets(allowed)
            .clock(patient());
        let flow = builder.build().unwrap().verify(number());
        let error = flow
            .methods([Method::Seamless])
            .run(channel([]))
            .await
            .unwrap_err();
        let refused = matches!(error.failure(), Some(Failure::Target(TargetError::PlainHttp)));
        assert_eq!(!refused, tried, "{error:#}");
    }
}

/// The first address has been fetched, so the outcome may be there although the next is not.
#[tokio::test]
async fn a_target_whose_redirect_leads_nowhere_is_asked_for_before_it_is_fetched_again() {
    let nowhere = refusing();
    let head = format!("HTTP/1.1 302 Found\r\nlocation: {nowhere}\r\ncontent-length: 0\r\n\r\n");
    let target = FaultServer::start(Fault::Say(head.into_bytes())).await;
    let server = server(seamless(&target.base_url), verification("SUCCESSFUL")).await;
    assert_eq!(follow(&server, patient()).await, Ok(Status::Successful));
    assert_eq!((target.requests().len(), server.seen().queries), (1, 1));
}
