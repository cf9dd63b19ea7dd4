//! Flows that fail, each with its kind of failure.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::callbacks::{Codes, Token};
use crate::model::{Delivered, Failure, FailureKind, Numbers, ScenarioName, Setting, StepName};
use crate::phone::{Phone, Wanted};
use crate::recorder::Phase;
use crate::scenario::FlowContext;
use crate::wire::{BoxFuture, DirectWire, Wire as _};
use http::StatusCode;
use sinch_verify_callback::testing::{CallbackSigner, result_event};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::Settings;
use sinch_verify_protocol::{
    ApplicationSecret, Cli, Code, Credentials, Method, PhoneNumber, Reason, Status, WireObject as _,
};
use tokio::sync::Notify;

use super::world::{World, key};

/// Well-formed, and not the secret of any emulator here.
const OTHER_SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

/// A phone that shows something else than what reached it.
struct Liar(Delivered);

impl Phone for Liar {
    fn delivered<'a>(
        &'a self,
        _: &'a PhoneNumber,
        _: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// Carries one flow out and gives its failure.
async fn failure(world: &World, scenario: &'static str, context: FlowContext) -> (FailureKind, String) {
    let tally = world.carry_out(scenario, 1, context).await;
    assert_eq!(tally.failed, 1);
    assert_eq!(tally.time(StepName::FAILED_END_TO_END).unwrap().count(), 1);
    assert!(
        tally.time(StepName::END_TO_END).is_none(),
        "no failure is in the figures of success"
    );
    let (kind, failures) = tally.failures.into_iter().next().unwrap();
    (kind, failures.example)
}

#[tokio::test]
async fn wrong_proof_is_a_mismatch() {
    // Codes have four digits here, so this one is never right.
    let code = || Delivered::code(Code::new("00000").unwrap());
    let cli = || Delivered::cli(Cli::as_seen("+46000000000").unwrap());
    for (flow, shown) in [
        ("sms", code()),
        ("flashcall", cli()),
        ("callout", code()),
        ("whatsapp", code()),
    ] {
        let world = World::alone().await;
        let (kind, detail) = failure(&world, flow, world.context(Setting::Backend, Liar(shown))).await;
        assert_eq!(kind, FailureKind::OutcomeMismatch, "{flow}");
        assert_eq!(
            detail,
            "expected SUCCESSFUL, the status is PENDING and the report was refused"
        );
    }
}

#[tokio::test]
async fn silent_phone_is_a_missing_code() {
    let (world, elsewhere) = (World::alone().await, World::alone().await);
    let phone = elsewhere.inbox().patience(Duration::from_millis(20));
    let (kind, _) = failure(&world, "sms", world.context(Setting::Backend, phone)).await;
    assert_eq!(kind, FailureKind::CodeMissing);
}

#[tokio::test]
async fn what_proves_nothing_is_a_missing_code() {
    let world = World::alone().await;
    let context = world.context(Setting::Backend, Liar(Delivered::default()));
    assert_eq!(failure(&world, "sms", context).await.0, FailureKind::CodeMissing);
}

#[tokio::test]
async fn refusals_keep_their_error_code() {
    let world = World::alone().await;
    let mut context = world.context(Setting::Backend, world.inbox());
    context.target.credentials = Credentials::signed(key(), ApplicationSecret::new(OTHER_SECRET).unwrap());
    assert_eq!(failure(&world, "sms", context).await.0, FailureKind::Api(40102));
}

#[tokio::test]
async fn a_device_without_a_callback_is_refused() {
    let world = World::alone().await;
    let context = world.context(Setting::Device, world.inbox());
    assert_eq!(failure(&world, "sms", context).await.0, FailureKind::Api(40303));
}

#[tokio::test]
async fn absent_target_is_unreachable() {
    let world = World::alone().await;
    let mut context = world.context(Setting::Backend, world.inbox());
    // Nothing listens there, and no system hands this port out by itself.
    context.target.base = "http://127.0.0.1:1".parse().unwrap();
    let (kind, _) = failure(&world, "sms", context).await;
    assert_eq!(kind, FailureKind::Connect);
    assert!(kind.is_unreachable());
}

#[tokio::test]
async fn nothing_to_ask_for_is_our_own_failure() {
    let world = World::alone().await;
    let context = world.context(Setting::Backend, world.inbox());
    assert_eq!(
        failure(&world, "query-only", context).await.0,
        FailureKind::Request
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_never_comes_is_missing() {
    let world = World::alone().await;
    let silent = World::with_callbacks(Codes::Theirs).await;
    // A receiver that the target does not know.
    let mut context = world.context(Setting::Backend, world.inbox());
    context.receiver = silent.receiver();
    let (kind, detail) = failure(&world, "sms", context).await;
    assert_eq!(kind, FailureKind::CallbackMissing);
    assert_eq!(detail, "no result event within 10 s");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_after_its_flow_gave_up_is_late() {
    let world = World::alone().await;
    let receiver = World::with_callbacks(Codes::Theirs).await;
    let mut context = world.context(Setting::Backend, world.inbox());
    context.receiver = receiver.receiver();
    let link = context.receiver.clone().unwrap();
    let token = Token {
        run: context.run.clone(),
        scenario: ScenarioName::new("sms").unwrap(),
        index: 0,
    };
    assert_eq!(
        failure(&world, "sms", context).await.0,
        FailureKind::CallbackMissing
    );
    // The service finds its receiver at last.
    let number = Numbers::made_up(0).of(0).unwrap();
    let id = world.emulator.inbox(&number)[0].verification_id.clone();
    let mut event = result_event(id, Method::Sms, number, Status::Successful);
    event.custom = Some(token.to_string().into());
    for _ in 0..2 {
        let request = link
            .signer
            .post(link.url.clone(), event.to_json(), SystemTime::now());
        let mut wire = DirectWire::new(HyperTransport::default());
        let answer = wire.send(StepName::CALLBACK_REFUSED, request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        // The same bytes within one millisecond would be a replay, which is refused.
        event.reason = Some(Reason::Expired);
    }
    let counters = receiver.counters();
    assert_eq!(
        (counters.callbacks, counters.overdue, counters.duplicates),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn a_receiver_that_refuses_what_is_authentic_is_a_failure() {
    let world = World::with_callbacks(Codes::Theirs).await;
    let mut context = world.context(Setting::Backend, world.inbox());
    let link = context.receiver.as_mut().unwrap();
    // What is authentic with this secret is not with the receiver's.
    link.signer = CallbackSigner::new(key(), &ApplicationSecret::new(OTHER_SECRET).unwrap());
    let (kind, detail) = failure(&world, "replay", context).await;
    assert_eq!(kind, FailureKind::Signature);
    assert_eq!(detail, "an authentic callback was answered 401");
}

#[tokio::test]
async fn events_of_other_runs_are_orphans_and_denied() {
    let world = World::with_callbacks(Codes::Theirs).await;
    let mut context = world.context(Setting::Backend, world.inbox());
    context.run = "fedcba9876543210".parse().unwrap();
    assert_eq!(failure(&world, "sms", context).await.0, FailureKind::Api(40303));
    assert!(world.emulator.wait_delivered(Duration::from_secs(5)).await);
    let counters = world.counters();
    assert_eq!((counters.callbacks, counters.orphans), (2, 2));
}

/// An application's one callback URL is the receiver of one shard: what comes there of another shard's
/// flows is not to be taken for its own.
#[tokio::test]
async fn events_of_other_shards_are_orphans_and_denied() {
    let world = World::build_receiver(Some(Codes::Theirs), Settings::default(), |receiver| {
        receiver.shard = "1/2".parse().unwrap();
    })
    .await;
    // The flow has index 0, which is one of the other shard.
    let context = world.context(Setting::Backend, world.inbox());
    assert_eq!(failure(&world, "sms", context).await.0, FailureKind::Api(40303));
    assert!(world.emulator.wait_delivered(Duration::from_secs(5)).await);
    let counters = world.counters();
    assert_eq!((counters.callbacks, counters.orphans), (2, 2));
}

/// A phone that nothing ever reaches.
#[derive(Default)]
struct Never {
    asked: Arc<Notify>,
}

impl Phone for Never {
    fn delivered<'a>(
        &'a self,
        _: &'a PhoneNumber,
        _: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        self.asked.notify_one();
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn the_end_of_the_run_cuts_flows_off() {
    let world = World::alone().await;
    let never = Never::default();
    let asked = Arc::clone(&never.asked);
    let users = world.users("sms", world.context(Setting::Backend, never));
    let arrival = users.next().await.unwrap();
    let user = {
        let users = Arc::clone(&users);
        tokio::spawn(async move {
            users
                .carry_out(arrival, &mut DirectWire::new(HyperTransport::default()))
                .await;
        })
    };
    world.recorder.close();
    assert_eq!(users.next().await, None, "nothing new begins");
    // The phone is asked once the start was answered.
    asked.notified().await;
    assert_eq!(world.recorder.in_flight(), 1, "what is under way goes on");
    world.recorder.stop();
    user.await.unwrap();
    assert_eq!(world.recorder.phase(), Phase::Stopped);
    let counted = world.recorder.counted();
    assert_eq!((counted.counters.started, counted.counters.aborted), (1, 1));
    let tally = counted.flows.total();
    assert_eq!((tally.aborted, tally.failed), (1, 0));
    assert_eq!(tally.requests, 1, "the steps it went through count");
}

#[tokio::test]
async fn a_user_who_vanishes_leaves_no_flow_behind() {
    let world = World::alone().await;
    let users = world.users("sms", world.context(Setting::Backend, Never::default()));
    let arrival = users.next().await.unwrap();
    let user = tokio::spawn(async move {
        users
            .carry_out(arrival, &mut DirectWire::new(HyperTransport::default()))
            .await;
    });
    while world.recorder.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    user.abort();
    assert!(user.await.unwrap_err().is_cancelled());
    let counters = world.counters();
    assert_eq!(
        (counters.started, counters.failed),
        (1, 1),
        "the user did not end the run"
    );
    assert_eq!(world.recorder.in_flight(), 0);
}
