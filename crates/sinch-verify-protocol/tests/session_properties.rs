//! Any sequence of inputs, at any times, keeps a session's invariants.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use sinch_verify_protocol::method::MethodInfo;
use sinch_verify_protocol::session::{
    Answer, AskBy, CallKind, Ignored, Input, LoggedCall, Output, Plan, Request, RequestFailure, RequestId,
    Session, TargetError,
};
use sinch_verify_protocol::{Cli, Code, Method, PhoneNumber, Start, Verification, VerificationId};

/// One input, before it is known which requests there are.
#[derive(Clone, Debug)]
enum Act {
    Begin,
    Tick,
    /// Wake up exactly when asked to.
    Wake,
    /// Answer an open request with something that the service does answer.
    Reply(prop::sample::Index, prop::sample::Index, Option<u16>),
    /// Answer one of the requests sent so far, open or not, with anything.
    Answer(prop::sample::Index, u16, &'static str, Option<u16>),
    Break(prop::sample::Index, u8),
    /// Hand this verification in for a start that is open.
    Found(&'static str),
    Ring(&'static str),
    Log(Vec<(&'static str, u8, u32)>),
    Sms(&'static str),
    Code(&'static str),
    Cli(&'static str),
    Next,
    Cancel,
}

const BODIES: &[&str] = &[
    r#"{"id":"1","method":"sms","sms":{"template":"Code {{CODE}}","interceptionTimeout":20}}"#,
    r#"{"id":"2","method":"flashcall","flashCall":{"cliFilter":"(.*)70123(.*)","interceptionTimeout":10,"reportTimeout":20}}"#,
    r#"{"id":"2","method":"flashcall","flashCall":{"cliFilter":"((1)2)"}}"#,
    r#"{"id":"3","method":"callout","callout":{"startPollingAfter":3,"stopPollingAfter":30,"pollingInterval":3}}"#,
    r#"{"id":"3","method":"callout","callout":{"startPollingAfter":-3,"stopPollingAfter":9223372036854775807,"pollingInterval":0}}"#,
    r#"{"id":"4","method":"seamless","seamless":{"targetUri":"https://operator.example/"}}"#,
    r#"{"id":"5","method":"auto","auto":{"methodsOrder":["seamless","flashcall","sms"]},"flashCall":{"cliFilter":"(.*)70123(.*)"},"sms":{"template":"Code {{CODE}}"},"seamless":{"targetUri":"https://operator.example/"}}"#,
    r#"{"id":"6"}"#,
    r#"{"id":"6","status":"PENDING"}"#,
    r#"{"id":"6","status":"SUCCESSFUL"}"#,
    r#"{"id":"6","status":"FAIL","reason":"Expired"}"#,
    r#"{"id":"6","status":"FAIL","reason":"Invalid code","price":{"currencyId":"USD","amount":0.0123}}"#,
    r#"{"id":"6","status":"ABORTED","new":{"field":1}}"#,
    r#"{"id":"6","status":"THINKING"}"#,
    r#"{"id":"4","status":"SUCCESSFUL"}"#,
    r#"{"id":"5","status":"SUCCESSFUL"}"#,
    r#"{"errorCode":40003,"message":"no"}"#,
    r#"{"errorCode":40303,"message":"no"}"#,
    "",
    "<html>",
];

/// What a query for a lost start finds: its own verification, or another.
const FOUND: &[&str] = &[
    r#"{"id":"6","status":"SUCCESSFUL"}"#,
    r#"{"id":"6","status":"PENDING"}"#,
    r#"{"id":"6","status":"SUCCESSFUL","method":"callout","identity":{"type":"number","endpoint":"+46700000002"}}"#,
    r#"{"id":"6","status":"SUCCESSFUL","method":"sms"}"#,
    r#"{"id":"6","status":"DENIED"}"#,
];

fn act() -> impl Strategy<Value = Act> {
    use prop::sample::{Index, select};
    let numbers = || select(vec!["+46701230001", "0701230002", "+4999", "", "anonymous"]);
    let codes = || select(vec!["1111", "2222", "3333"]);
    let status = select(vec![
        200_u16, 200, 200, 204, 302, 400, 400, 401, 404, 422, 429, 500, 503,
    ]);
    let log = prop::collection::vec((numbers(), 0_u8..4, 0_u32..60_000), 0..4);
    prop_oneof![
        1 => Just(Act::Begin),
        3 => Just(Act::Tick),
        6 => Just(Act::Wake),
        24 => (any::<Index>(), any::<Index>(), prop::option::of(0_u16..20))
            .prop_map(|(which, what, after)| Act::Reply(which, what, after)),
        2 => (any::<Index>(), status, select(BODIES.to_vec()), prop::option::of(0_u16..90))
            .prop_map(|(which, status, body, after)| Act::Answer(which, status, body, after)),
        4 => select(FOUND.to_vec()).prop_map(Act::Found),
        2 => (any::<Index>(), 0_u8..4).prop_map(|(which, how)| Act::Break(which, how)),
        2 => numbers().prop_map(Act::Ring),
        2 => log.prop_map(Act::Log),
        3 => select(vec!["Code 1111", "Code 4444", "hello", ""]).prop_map(Act::Sms),
        8 => codes().prop_map(Act::Code),
        3 => select(vec!["+46701230001", "+46709999999"]).prop_map(Act::Cli),
        1 => Just(Act::Next),
        1 => select(vec![Act::Tick, Act::Tick, Act::Tick, Act::Cancel]),
    ]
}

/// Milliseconds until the next input.
fn passing() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0_u64..2_000, 1 => 0_u64..30_000]
}

fn plan() -> impl Strategy<Value = Plan> {
    let number: PhoneNumber = "+46700000001".parse().unwrap();
    let all: Vec<Start> = MethodInfo::ALL
        .iter()
        .map(|info| Start::by(info, number))
        .collect();
    let start = prop::sample::select(all);
    let starts = prop::collection::vec(start, 1..4);
    (
        starts,
        1_u32..6,
        1_u64..900,
        any::<bool>(),
        any::<bool>(),
        0_u64..90,
    )
        .prop_map(|(starts, attempts, deadline, by_number, wait, patience)| {
            let mut starts = starts.into_iter();
            let first = Plan::new(starts.next().unwrap());
            starts
                .fold(first, Plan::then)
                .attempts(attempts)
                .deadline(Duration::from_secs(deadline))
                .patience(Duration::from_secs(patience))
                .ask_by(if by_number { AskBy::Number } else { AskBy::Id })
                .wait_after_polling(wait)
        })
}

/// What the service does answer to this request, with a body of [`BODIES`]; the
/// everyday answers more often.
fn fitting(request: &Request) -> &'static [(u16, usize)] {
    match request {
        Request::Start(start) => match start.method() {
            Method::Sms => &[(200, 0), (200, 0), (200, 0), (500, 18)],
            Method::FlashCall => &[(200, 1), (200, 1), (200, 1), (200, 2), (400, 16)],
            Method::Callout => &[(200, 3), (200, 3), (200, 4), (200, 7), (422, 18)],
            Method::Seamless => &[(200, 5), (200, 5), (200, 5), (503, 18)],
            Method::Auto => &[(200, 6), (200, 6), (200, 6), (503, 18)],
            _ => &[(200, 7), (200, 7), (200, 8), (503, 18)],
        },
        Request::Status(_) => &[
            (200, 8),
            (200, 8),
            (200, 8),
            (200, 8),
            (200, 9),
            (200, 10),
            (404, 18),
            (429, 18),
            (503, 18),
        ],
        Request::FetchTarget(_) => &[
            (400, 16),
            (200, 8),
            (200, 9),
            (200, 14),
            (200, 15),
            (204, 18),
            (503, 18),
        ],
        _ => &[
            (400, 16),
            (400, 16),
            (400, 16),
            (200, 8),
            (200, 9),
            (200, 10),
            (204, 18),
            (429, 18),
            (503, 18),
        ],
    }
}

fn answered(id: RequestId, request: &Request, status: u16, body: &'static str, after: Option<u16>) -> Input {
    let mut response = http::Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    if let Some(seconds) = after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    match request.read(&response) {
        Ok(answer) => Input::Answered { request: id, answer },
        Err(failure) => Input::RequestFailed { request: id, failure },
    }
}

fn input(act: &Act, sent: &[(RequestId, Request)], in_flight: &[RequestId]) -> Option<Input> {
    Some(match act {
        Act::Reply(which, what, after) => {
            if in_flight.is_empty() {
                return None;
            }
            let open = *which.get(in_flight);
            let (_, request) = sent.iter().find(|(id, _)| *id == open)?;
            let (status, body) = *what.get(fitting(request));
            answered(open, request, status, BODIES[body], *after)
        }
        Act::Begin => Input::Begin,
        Act::Tick | Act::Wake => Input::Tick,
        Act::Answer(which, status, body, after) => {
            let (id, request) = which.get(last(sent)?);
            answered(*id, request, *status, body, *after)
        }
        Act::Break(which, how) => {
            let (request, _) = which.get(last(sent)?);
            let failure = match how {
                0 => RequestFailure::Lost,
                1 => RequestFailure::NotSent,
                2 => RequestFailure::Target(TargetError::PlainHttp),
                _ => RequestFailure::Unreadable,
            };
            Input::RequestFailed {
                request: *request,
                failure,
            }
        }
        Act::Found(body) => {
            let is_open = |sent: &&(RequestId, Request)| in_flight.contains(&sent.0);
            let (request, _) = sent
                .iter()
                .filter(is_open)
                .find(|(_, request)| matches!(request, Request::Start(_)))?;
            Input::Answered {
                request: *request,
                answer: serde_json::from_str::<Verification>(body).unwrap().into(),
            }
        }
        Act::Ring(number) => Input::ringing(number),
        Act::Log(entries) => {
            let kinds = [
                CallKind::Missed,
                CallKind::Incoming,
                CallKind::Outgoing,
                CallKind::Other,
            ];
            let entry = |(number, kind, age): &(&str, u8, u32)| {
                let age = Duration::from_millis(u64::from(*age));
                LoggedCall::new(number, kinds[usize::from(*kind)], age)
            };
            Input::CallLog(entries.iter().map(entry).collect())
        }
        Act::Sms(text) => Input::sms(text),
        Act::Code(code) => Input::CodeTyped(Code::new(code).unwrap()),
        Act::Cli(cli) => Input::CliTyped(Cli::as_seen(cli).unwrap()),
        Act::Next => Input::NextMethod,
        Act::Cancel => Input::Cancel,
    })
}

/// Mostly the requests that were sent last, so that answers hit.
fn last(sent: &[(RequestId, Request)]) -> Option<&[(RequestId, Request)]> {
    let from = sent.len().saturating_sub(3);
    sent.get(from..).filter(|rest| !rest.is_empty())
}

/// Whether this answer may verify the number: a target's only if it tells of the verification `at_work`,
/// and one in place of a lost start only if it may be this number's callout.
fn may_prove(input: &Input, sent: &[(RequestId, Request)], at_work: Option<&VerificationId>) -> bool {
    let Input::Answered {
        request,
        answer: Answer::Verification(told),
    } = input
    else {
        return false;
    };
    let request = sent.iter().find(|(id, _)| id == request);
    match request.map(|(_, request)| request) {
        Some(Request::Start(start)) => {
            let other = told.identity.as_ref().map(|identity| identity.endpoint.as_str());
            *start.method() == Method::Callout
                && told
                    .method
                    .as_ref()
                    .is_none_or(|method| *method == Method::Callout)
                && other.is_none_or(|number| number == "+46700000001")
        }
        Some(Request::FetchTarget(_)) => at_work == Some(&told.id),
        Some(_) => true,
        None => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_end_once_and_restore_alike(plan in plan(), acts in prop::collection::vec((act(), passing()), 1..80), begin in 0_u8..8) {
        let mut session = Session::new(plan).unwrap();
        let mut sent: Vec<(RequestId, Request)> = Vec::new();
        let mut open: HashMap<RequestId, &'static str> = HashMap::new();
        let mut now = Duration::ZERO;
        let mut ended = None;
        // Most runs begin at once, so that the rest has something to meet.
        let first = if begin == 0 { Act::Tick } else { Act::Begin };
        for (act, pass) in std::iter::once((first, 0)).chain(acts) {
            now = match (&act, session.next_deadline()) {
                (Act::Wake, Some(at)) => at,
                // Time may also seem to go back.
                _ if pass < 500 => now.saturating_sub(Duration::from_millis(pass)),
                _ => now + Duration::from_millis(pass),
            };
            let Some(input) = input(&act, &sent, &session.in_flight()) else { continue };
            if let Input::Answered { request, .. } | Input::RequestFailed { request, .. } = &input {
                open.remove(request);
            }

            // Carried elsewhere or not, the same happens.
            let saved = serde_json::to_string(&session).unwrap();
            let mut twin: Session = serde_json::from_str(&saved).unwrap();
            prop_assert_eq!(&twin, &session);
            let at_work = session.verification_id().cloned();
            let outputs = session.handle(now, input.clone());
            prop_assert_eq!(&twin.handle(now, input.clone()), &outputs);
            prop_assert_eq!(&twin, &session);
            prop_assert_eq!(twin.next_deadline(), session.next_deadline());

            for output in &outputs {
                prop_assert!(ended.is_none() || matches!(output, Output::Ignored(Ignored::Over)));
                match output {
                    Output::Send { id, request } => {
                        prop_assert!(sent.iter().all(|(known, _)| known != id), "an id used twice");
                        let name = request.name();
                        if matches!(request, Request::Report(_) | Request::FetchTarget(_) | Request::Start(_)) {
                            let busy = open.values().any(|other| *other == name);
                            prop_assert!(!busy, "two of {} in flight", name);
                        }
                        if matches!(request, Request::Report(_)) {
                            let start = open.values().any(|other| *other == "start_verification");
                            prop_assert!(!start, "a report beside a start");
                        }
                        open.insert(*id, name);
                        sent.push((*id, request.clone()));
                        // Whatever is asked for can be put on the wire.
                        prop_assert!(request.to_http(&Default::default()).is_ok());
                    }
                    Output::Ended(ending) => {
                        prop_assert!(ended.is_none(), "ended twice");
                        ended = Some(ending.clone());
                        if ending.is_verified() {
                            let proof = may_prove(&input, &sent, at_work.as_ref());
                            prop_assert!(proof, "verified by {:?} at {:?}", input, at_work);
                        }
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(session.ending(), ended.as_ref());
            if let Some(at) = session.next_deadline() {
                prop_assert!(at > now, "deadline {:?} at {:?}", at, now);
            }
            prop_assert_eq!(ended.is_some() && session.next_deadline().is_some(), false);
            prop_assert!(session.in_flight().len() <= 2);
        }

        // Whatever happened, time alone ends it.
        let mut wakes = 0;
        while let Some(at) = session.next_deadline() {
            for output in session.handle(at, Input::Tick) {
                if let Output::Ended(_) = output {
                    prop_assert!(ended.is_none());
                    ended = session.ending().cloned();
                }
            }
            wakes += 1;
            prop_assert!(wakes < 1_000, "no end");
        }
    }

    #[test]
    fn restoring_anything_never_panics(text in ".*", at in any::<prop::sample::Index>(), with in any::<char>()) {
        let _ = serde_json::from_str::<Session>(&text);
        let number = "+46700000001".parse().unwrap();
        let session = Session::new(Plan::new(Start::sms(number))).unwrap();
        let saved = serde_json::to_string(&session).unwrap();
        let mut broken: Vec<char> = saved.chars().collect();
        let at = at.index(broken.len());
        broken[at] = with;
        if let Ok(mut session) = serde_json::from_str::<Session>(&broken.into_iter().collect::<String>()) {
            session.handle(Duration::MAX, Input::Begin);
            session.handle(Duration::ZERO, Input::Tick);
        }
    }
}
