//! The guide about a stateless backend: its code is compiled as it stands and run against the emulator.

#[rustfmt::skip]
mod flow;
#[rustfmt::skip]
mod guide;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sinch_verify_client::Client;
use sinch_verify_client::flow::{FlowState, SavedFlow, Seen};
use sinch_verify_client::protocol::session::Failure;
use sinch_verify_client::protocol::{Code, Method};
use sinch_verify_emulator::Emulator;

use crate::support::{KEY, SECRET, Service, Skipping, child, is_child, number};

const GUIDE: &str = include_str!("../../../../docs/guides/stateless-backend.md");
const CODES: [&str; 2] = [
    include_str!("stateless/guide.rs"),
    include_str!("stateless/flow.rs"),
];

/// The code that reached the phone last.
fn code(emulator: &Emulator) -> String {
    let message = emulator.inbox(&number()).remove(0);
    message.code.unwrap().expose().to_owned()
}

async fn finish(client: &Client, session: &mut Option<String>, typed: &str) -> bool {
    guide::finish(client, session, typed).await.unwrap()
}

#[test]
fn the_guide_shows_this_code() {
    for code in CODES {
        let (_, code) = code.split_once("\n\n").unwrap();
        let code = code.replace("pub(super) ", "");
        assert!(
            GUIDE.contains(&format!("```rust\n{code}")),
            "the guide differs from {code}"
        );
    }
}

#[tokio::test]
async fn only_the_right_code_is_a_yes_and_only_once() {
    let service = Service::without_backend().await;
    let client = service.client();
    let begun = guide::begin(&client, number()).await.unwrap();
    let code = code(&service.emulator);
    let mut session = Some(begun.clone());
    assert!(!finish(&client, &mut session, "wrong").await);
    assert!(!finish(&client, &mut session, "no code at all").await);
    assert!(session.is_some(), "a wrong code may be tried again");
    assert!(finish(&client, &mut session, &format!(" {code} ")).await);
    assert_eq!(session, None, "a handle that has served stays");

    // A session that was read before the handle was deleted, in another request or another tab.
    for typed in ["wrong", &code] {
        assert!(!finish(&client, &mut Some(begun.clone()), typed).await, "{typed}");
    }
    assert!(!finish(&client, &mut None, &code).await);
}

/// One request of a backend that runs as a process for each: `STEP` is what came, `SESSION` the store.
#[expect(clippy::print_stdout, reason = "the test reads what a user would be shown")]
async fn serve_one_request() -> Result<(), Box<dyn Error>> {
    let client = Client::from_env()?;
    let store = PathBuf::from(std::env::var_os("SESSION").unwrap());
    let step = std::env::var("STEP")?;
    let session = || std::fs::read_to_string(&store);
    let (text, kept) = match &*step {
        "begin" => flow::begin(&client, number()).await?,
        "call me" => flow::go_on(&client, &session()?, Seen::NextMethod).await?,
        code => flow::go_on(&client, &session()?, Seen::Code(Code::new(code)?)).await?,
    };
    match kept {
        Some(kept) => std::fs::write(&store, kept)?,
        None => std::fs::remove_file(&store)?,
    }
    println!("{text}.");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_with_fallback_goes_through_three_processes() {
    if is_child() {
        return serve_one_request().await.unwrap();
    }
    let service = Service::without_backend().await;
    let url = service.emulator.url();
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("flow-{}", std::process::id()));
    let session = store.to_str().unwrap();
    let request = |step: &str| {
        let variables = [
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", SECRET),
            ("SINCH_VERIFICATION_URL", &*url),
            ("SESSION", session),
            ("STEP", step),
        ];
        let test = "stateless::a_flow_with_fallback_goes_through_three_processes";
        let output = tokio::task::block_in_place(|| child(test, &variables));
        assert!(output.status.success(), "{step}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = request("begin");
    assert!(told.contains("attempts left: 3."), "{told}");
    let told = request("call me");
    assert!(told.contains("attempts left: 3."), "{told}");
    let messages = service.emulator.inbox(&number());
    let methods: Vec<_> = messages.iter().map(|message| message.kind.clone()).collect();
    assert_eq!(methods, [Method::Callout, Method::Sms], "latest first");
    let told = request(&code(&service.emulator));
    assert!(told.contains("verified."), "{told}");
    assert!(!store.exists(), "a flow that has ended stays");
}

/// A client whose day began `later`.
fn client_at(service: &Service, later: Duration) -> Client {
    let clock = Skipping::up_to(Duration::from_secs(2)).beginning(SystemTime::now() + later);
    service.builder().clock(clock).build().unwrap()
}

async fn begun(service: &Service) -> String {
    let flow = client_at(service, Duration::ZERO).verify(number());
    let flow = flow.methods([Method::Sms, Method::Callout]);
    match flow.begin(None).unwrap().until_idle().await {
        FlowState::Waiting(saved) => serde_json::to_string(&saved).unwrap(),
        ended => panic!("{ended:?}"),
    }
}

async fn resumed(service: &Service, saved: &str, later: Duration, seen: Option<Seen>) -> FlowState {
    let saved: SavedFlow = serde_json::from_str(saved).unwrap();
    let client = client_at(service, later);
    client.resume_flow(saved, seen).until_idle().await
}

#[tokio::test]
async fn a_flow_ends_at_its_deadline_however_long_it_was_carried() {
    let service = Service::without_backend().await;
    let saved = begun(&service).await;
    let typed = Seen::Code(Code::new(&code(&service.emulator)).unwrap());
    let late = Duration::from_secs(601);
    let state = resumed(&service, &saved, late, Some(typed)).await;
    assert!(matches!(state, FlowState::Failed(Failure::TimedOut)), "{state:?}");
    assert_eq!(service.emulator.inbox(&number()).len(), 1);
}

#[tokio::test]
async fn the_next_method_follows_when_the_time_of_the_first_is_over() {
    let service = Service::without_backend().await;
    let saved = begun(&service).await;
    let state = resumed(&service, &saved, Duration::from_secs(10), None).await;
    assert!(matches!(state, FlowState::Waiting(_)), "{state:?}");
    assert_eq!(service.emulator.inbox(&number()).len(), 1, "too early");
    let state = resumed(&service, &saved, Duration::from_secs(200), None).await;
    let FlowState::Waiting(saved) = state else {
        panic!("{state:?}")
    };
    assert_eq!(saved.session().method(), Some(Method::Callout));
    assert_eq!(service.emulator.inbox(&number()).len(), 2);
}

#[tokio::test]
async fn a_code_that_comes_after_the_time_of_its_method_is_reported_first() {
    let service = Service::without_backend().await;
    let saved = begun(&service).await;
    let typed = Seen::Code(Code::new(&code(&service.emulator)).unwrap());
    let state = resumed(&service, &saved, Duration::from_secs(200), Some(typed)).await;
    assert!(matches!(state, FlowState::Verified(_)), "{state:?}");
    assert_eq!(service.emulator.inbox(&number()).len(), 1, "no call is made");
}

#[tokio::test]
async fn a_wrong_code_leaves_the_flow_waiting_with_one_attempt_less() {
    let service = Service::without_backend().await;
    let saved = begun(&service).await;
    // Never the code: the emulator's are of four digits.
    let typed = Seen::Code(Code::new("11111").unwrap());
    let state = resumed(&service, &saved, Duration::from_secs(10), Some(typed.clone())).await;
    let FlowState::Waiting(saved) = state else {
        panic!("{state:?}")
    };
    assert_eq!(saved.session().attempts_left(), 2);
    let saved = serde_json::to_string(&saved).unwrap();
    assert!(!saved.contains("11111"), "{saved}");

    let other = saved.replacen(r#""v":1"#, r#""v":2"#, 1);
    let error = serde_json::from_str::<SavedFlow>(&other).unwrap_err().to_string();
    assert!(error.contains("saved flow has version 2"), "{error}");
}

#[tokio::test]
async fn a_flash_call_that_was_missed_makes_room_for_the_next_method() {
    let service = Service::without_backend().await;
    let flow = client_at(&service, Duration::ZERO).verify(number());
    let flow = flow.methods([Method::FlashCall, Method::Sms]);
    let FlowState::Waiting(saved) = flow.begin(None).unwrap().until_idle().await else {
        panic!("it waits for the call")
    };
    let saved = serde_json::to_string(&saved).unwrap();
    let state = resumed(&service, &saved, Duration::from_secs(100), None).await;
    let FlowState::Waiting(saved) = state else {
        panic!("{state:?}")
    };
    assert_eq!(saved.session().method(), Some(Method::Sms));
}
