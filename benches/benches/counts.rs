//! The rows of `cargo xtask bench gate`, which runs each of them under callgrind.
//!
//! Without arguments, this program prints each row as a line of JSON: its name, the function below which
//! instructions are counted, and how often the row does its work there. With the name of a row, it runs that row and
//! prints the number of allocations.
#![forbid(unsafe_code)]

use std::alloc::System;
use std::env;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sinch_verify_benches::fixture::{self, CALLBACK_PATH, KEY, SECRET, key, number, secret, signer};
use sinch_verify_benches::samples::{
    ANSWER, CALLER, EVENT, FILTER, JSON, MESSAGE, RULES, START, START_PATH, SignedEvent, TEMPLATE, now,
};
use sinch_verify_callback::policy::{FraudPolicy, PolicyRules};
use sinch_verify_callback::replay::{EventDigest, Inserted, MemoryStore, ReplayStore as _, SignatureDigest};
use sinch_verify_callback::{CallbackService, Context, RequestEvent};
use sinch_verify_client::Client;
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_protocol::auth::{Signature, Signer};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::cli_filter::CliFilter;
use sinch_verify_protocol::session::{Input, Output, Plan, Session};
use sinch_verify_protocol::sms_template::SmsTemplate;
use sinch_verify_protocol::start::{SmsOptions, StartResponse};
use sinch_verify_protocol::{CodeType, Event, Reference, Start, WireObject as _};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often a row does its work while instructions are counted.
const CALLS: usize = 1000;
/// How often a row does its work before: tables are filled, and what is made once is made.
const WARM_UP: usize = 2000;

/// A row: its name, the pattern of the function below which instructions are counted, and its work.
type Row = (&'static str, &'static str, fn() -> Result<Allocations>);

/// The allocations of all calls. `None` if they are not counted.
type Allocations = Option<usize>;

const ROWS: &[Row] = &[
    ("sign", COUNTED, sign),
    ("verify", COUNTED, verify),
    ("verify-and-decode", COUNTED, verify_and_decode),
    ("encode-start", COUNTED, encode_start),
    ("decode-answer", COUNTED, decode_answer),
    ("filter", COUNTED, filter),
    ("template", COUNTED, template),
    ("session", COUNTED, session),
    ("guard", COUNTED, guard),
    ("policy", COUNTED, policy),
    ("callback", COUNTED, callback),
    // The engine is private, so a whole emulator runs; only its engine is counted.
    ("engine", "*::engine::Engine::handle", engine),
];

#[expect(clippy::print_stdout, reason = "the program that counts reads it from there")]
fn main() -> Result<()> {
    // `cargo bench` adds an argument of its own.
    let Some(name) = env::args().skip(1).find(|arg| arg != "--bench") else {
        for (name, function, _) in ROWS {
            println!("{}", json!({ "row": name, "function": function, "calls": CALLS }));
        }
        return Ok(());
    };
    let row = ROWS.iter().find(|(row, ..)| *row == name);
    let (.., work) = row.with_context(|| format!("no row is named {name:?}"))?;
    println!("{}", json!({ "allocations": work()? }));
    Ok(())
}

/// The pattern of [`counted`]. Its name may end in type parameters.
const COUNTED: &str = "*counts::counted*";

/// Does the work with inputs that `input` makes, which is not counted. Its argument is another number each time.
fn count<I, T>(
    input: impl FnMut(u64) -> Result<I>,
    mut work: impl FnMut(I) -> Result<T>,
) -> Result<Allocations> {
    let inputs: Result<Vec<I>> = (0..).take(WARM_UP + CALLS).map(input).collect();
    let mut warm_up = inputs?;
    let inputs = warm_up.split_off(WARM_UP);
    for input in warm_up {
        black_box(work(input)?);
    }
    let region = Region::new(ALLOCATOR);
    counted(inputs, work)?;
    let change = region.change();
    Ok(Some(change.allocations + change.reallocations))
}

#[inline(never)]
fn counted<I, T>(inputs: Vec<I>, mut work: impl FnMut(I) -> Result<T>) -> Result<()> {
    for input in inputs {
        black_box(work(input)?);
    }
    Ok(())
}

/// Does the work with the same input each time.
fn count_with<I: Copy, T>(input: I, mut work: impl FnMut(I) -> Result<T>) -> Result<Allocations> {
    count(|_| Ok(()), |()| work(black_box(input)))
}

fn sign() -> Result<Allocations> {
    let signer = Signer::new(key()?, &secret()?);
    let mut buffer = [0; Signer::MAX_AUTHORIZATION];
    count_with(START, |body| {
        let signed = signer.sign("POST", START_PATH, JSON.as_bytes(), body, now());
        black_box(signer.write_authorization(&signed, &mut buffer));
        Ok(signed.timestamp)
    })
}

fn verify() -> Result<Allocations> {
    let callback = SignedEvent::new()?;
    count_with(EVENT, |body| callback.check(body))
}

fn verify_and_decode() -> Result<Allocations> {
    let callback = SignedEvent::new()?;
    count_with(EVENT, |body| {
        callback.check(body)?;
        Ok(Event::decode(body)?)
    })
}

fn encode_start() -> Result<Allocations> {
    let mut options = SmsOptions::default();
    options.code_type = Some(CodeType::Numeric);
    let start = Start::sms("+46700000001".parse()?)
        .reference(Reference::new("order-7781")?)
        .options(options);
    count_with(&start, |start| Ok(start.body().to_json()))
}

fn decode_answer() -> Result<Allocations> {
    count_with(ANSWER, |answer| Ok(StartResponse::decode(answer)?))
}

/// Compiles a filter and matches a caller id.
fn filter() -> Result<Allocations> {
    count_with((FILTER, CALLER), |(filter, caller)| {
        ensure!(CliFilter::compile(filter)?.matches(caller));
        Ok(())
    })
}

/// Finds the code in a message.
fn template() -> Result<Allocations> {
    let template = SmsTemplate::parse(TEMPLATE)?;
    count_with(MESSAGE, |message| {
        template.extract(message).context("no code is found")?;
        Ok(())
    })
}

/// All steps of a verification by SMS: begin, the start is answered, the message comes, the report is answered.
fn session() -> Result<Allocations> {
    let plan = Plan::new(Start::sms("+46700000001".parse()?));
    let steps = [
        br#"{"id":"7","method":"sms","sms":{"template":"Your verification code is {{CODE}}. Verified by Sinch"}}"#.as_slice(),
        br#"{"id":"7","status":"SUCCESSFUL","method":"sms"}"#,
    ];
    // The answers are read once: rows of their own are about decoding.
    let mut recorded = vec![Input::Begin];
    let mut session = Session::new(plan.clone())?;
    let mut outputs = session.handle(Duration::ZERO, Input::Begin);
    for body in steps {
        let sent = outputs.into_iter().find_map(|output| match output {
            Output::Send { id, request } => Some((id, request)),
            _ => None,
        });
        let (request, sent) = sent.context("the session sends nothing")?;
        let answer = sent.read(&http::Response::new(Bytes::from_static(body)));
        let Ok(answer) = answer else {
            bail!("the session cannot read an answer");
        };
        let mut inputs = vec![Input::Answered { request, answer }];
        if session.verification_id().is_none() {
            inputs.push(Input::sms(MESSAGE));
        }
        outputs = Vec::new();
        for input in inputs {
            outputs.extend(session.handle(Duration::ZERO, input.clone()));
            recorded.push(input);
        }
    }
    count(
        |_| Ok((plan.clone(), recorded.clone())),
        |(plan, inputs)| {
            let mut session = Session::new(plan)?;
            for input in inputs {
                black_box(session.handle(Duration::ZERO, input));
            }
            ensure!(session.ending().is_some_and(|ending| ending.is_verified()));
            Ok(())
        },
    )
}

/// Remembers the signature of a request event, looks for an earlier decision, and remembers the new one.
fn guard() -> Result<Allocations> {
    const LIFETIME: Duration = Duration::from_secs(420);
    let start = Instant::now();
    let store = MemoryStore::default().with_clock(move || start);
    let answer = Bytes::from_static(br#"{"action":"allow"}"#);
    count(
        |n| {
            let signature = STANDARD.encode(Sha256::digest(n.to_be_bytes()));
            let signature = Signature::parse(signature.as_bytes()).context("no signature")?;
            let id = request_event(n)?.id;
            Ok((
                signature,
                EventDigest::of(&key()?, "VerificationRequestEvent", &id),
            ))
        },
        |(signature, event)| {
            let digest = SignatureDigest::of(&signature);
            let inserted = at_once(store.insert_signature(digest, now(), LIFETIME))??;
            ensure!(inserted == Inserted::New);
            ensure!(at_once(store.decision(event))??.is_none());
            Ok(at_once(store.insert_decision(event, answer.clone(), LIFETIME))??)
        },
    )
}

/// Checks a request event of a new number by all rules.
fn policy() -> Result<Allocations> {
    let policy = FraudPolicy::builder(RULES.parse::<PolicyRules>()?).build()?;
    let context = Context::new(key()?, now());
    count(request_event, |event| {
        let verdict = at_once(policy.check(&event, &context))??;
        ensure!(verdict.is_allowed());
        Ok(event)
    })
}

/// Answers a callback: signature, guard, event, handler.
fn callback() -> Result<Allocations> {
    let service = CallbackService::builder(KEY, SECRET)
        .clock(now)
        .handler(|_: RequestEvent| async { Decision::Allow })
        .build()?;
    let signer = signer()?;
    let runtime = runtime()?;
    count(
        |n| {
            Ok(signer
                .post(CALLBACK_PATH.parse()?, fixture::event(n)?, now())
                .into_parts())
        },
        |(head, body)| {
            let response = runtime.block_on(service.respond(&head, Full::new(body)));
            ensure!(response.status() == 200);
            Ok(response)
        },
    )
}

/// Starts, and reports the right code. Allocations are not counted, because those of the server would be among them.
fn engine() -> Result<Allocations> {
    runtime()?.block_on(async {
        let application = Application::new(key()?, secret()?);
        let emulator = Emulator::builder()
            .application(application)
            .seed(1)
            .manual_clock(now());
        let emulator = emulator.start().await?;
        let client = Client::builder()
            .application_signed(KEY, SECRET)
            .base_url(emulator.url().as_str())
            .transport(HyperTransport::new(Duration::from_secs(5)))
            .build()?;
        for n in (0..).take(CALLS) {
            let number = number(10, n).parse()?;
            let handle = client.start(Start::sms(number)).await?;
            let messages = emulator.inbox(&number);
            let code = messages.first().and_then(|message| message.code.clone());
            let outcome = handle.report(code.context("no message came")?).await?;
            ensure!(outcome.is_verified());
        }
        emulator.shutdown().await;
        Ok(None)
    })
}

/// One thread, so that the same happens in each run.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// What a store in memory gives.
fn at_once<F: Future>(future: F) -> Result<F::Output> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => bail!("a store in memory waits"),
    }
}

/// The `n`th request event of the fixture.
fn request_event(n: u64) -> Result<Box<RequestEvent>> {
    match Event::decode(fixture::event(n)?.as_bytes())? {
        Event::Request(event) => Ok(event),
        _ => bail!("the fixture makes no request event"),
    }
}
