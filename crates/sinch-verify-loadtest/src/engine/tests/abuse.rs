//! Flows whose refusal is a success, and how they end where the target does not refuse.

use std::time::Duration;

use crate::callbacks::Codes;
use crate::model::{FailureKind, FlowTally, Setting, StepName};
use sinch_verify_callback::policy::{FraudPolicy, Per, PolicyRules, Velocity};
use sinch_verify_callback::{CallbackBuilder, Decision, KeyRing, RequestEvent};
use sinch_verify_emulator::Settings;
use tokio::net::TcpListener;

use super::world::{PATIENCE, World, key, secret};

/// Carries a scenario out in both settings.
async fn in_both_settings(scenario: &'static str, count: usize) -> [FlowTally; 2] {
    let mut tallies = [FlowTally::default(), FlowTally::default()];
    for (setting, tally) in [Setting::Backend, Setting::Device].into_iter().zip(&mut tallies) {
        let world = World::with_callbacks(Codes::Theirs).await;
        let context = world.context(setting, world.inbox());
        *tally = world.carry_out(scenario, count, context).await;
        assert_eq!(
            tally.succeeded, count as u64,
            "{scenario} {setting}: {:?}",
            tally.failures
        );
    }
    tallies
}

fn only_failure(tally: &FlowTally) -> (FailureKind, &str) {
    assert_eq!(tally.failures.len(), 1, "{:?}", tally.failures);
    let (kind, failures) = tally.failures.iter().next().unwrap();
    (*kind, &failures.example)
}

#[tokio::test]
async fn wrong_codes_are_refused_until_the_last_ends_it() {
    for tally in in_both_settings("wrong-code", 6).await {
        assert_eq!(
            tally.time(StepName::REPORT).unwrap().count(),
            18,
            "three for each"
        );
    }
}

#[tokio::test]
async fn a_target_that_accepts_fewer_wrong_codes_is_a_mismatch() {
    let mut settings = Settings::default();
    settings.attempts = 2;
    let world = World::build(None, settings).await;
    let context = world.context(Setting::Backend, world.inbox());
    let tally = world.carry_out("wrong-code", 2, context).await;
    let (kind, detail) = only_failure(&tally);
    assert_eq!(kind, FailureKind::OutcomeMismatch);
    assert_eq!(detail, "a wrong code with attempts left was answered FAIL");
}

#[tokio::test]
async fn each_start_of_a_storm_replaces_the_one_before() {
    for tally in in_both_settings("resend-storm", 4).await {
        assert_eq!(tally.time(StepName::START).unwrap().count(), 20, "five for each");
    }
}

#[tokio::test]
async fn a_storm_may_be_limited() {
    let mut settings = Settings::default();
    settings.velocity = Some(Duration::from_secs(60));
    let world = World::build(Some(Codes::Theirs), settings).await;
    let context = world.context(Setting::Backend, world.inbox());
    let tally = world.carry_out("resend-storm", 3, context).await;
    assert_eq!(tally.succeeded, 3, "{:?}", tally.failures);
}

#[tokio::test]
async fn a_target_that_replaces_nothing_is_a_mismatch() {
    let mut settings = Settings::default();
    settings.abort_predecessor = false;
    let world = World::build(None, settings).await;
    let context = world.context(Setting::Backend, world.inbox());
    let tally = world.carry_out("resend-storm", 1, context).await;
    assert_eq!(
        only_failure(&tally),
        (
            FailureKind::OutcomeMismatch,
            "expected ABORTED, the status is PENDING"
        )
    );
}

#[tokio::test]
async fn verifications_without_a_report_expire() {
    for tally in in_both_settings("expire", 4).await {
        let whole = tally.time(StepName::END_TO_END).unwrap();
        assert!(whole.min() >= Duration::from_secs(1), "{:?}", whole.min());
    }
}

#[tokio::test]
async fn what_the_callback_denies_is_denied() {
    for tally in in_both_settings("deny", 4).await {
        assert_eq!(tally.time(StepName::CALLBACK_SERVED).unwrap().count(), 4);
        assert!(tally.time(StepName::PHONE).is_none(), "nothing reaches the phone");
    }
}

#[tokio::test]
async fn receivers_that_misbehave_deny_all_but_the_slow() {
    for tally in in_both_settings("bad-callback", 10).await {
        assert_eq!(tally.time(StepName::START).unwrap().count(), 10);
        // One in five is only slow, and goes on.
        assert_eq!(tally.time(StepName::REPORT).unwrap().count(), 2);
        let slow = tally.time(StepName::CALLBACK_SERVED).unwrap();
        assert!(
            slow.min() >= Duration::from_millis(200),
            "its slowness is the handler's: {slow:?}"
        );
        let slowest = tally.time(StepName::START).unwrap().max();
        assert!(slowest >= PATIENCE, "one never answers: {slowest:?}");
    }
}

#[tokio::test]
async fn a_target_that_trusts_without_an_answer_is_a_mismatch() {
    let mut settings = Settings::default();
    settings.trust_without_answer = true;
    settings.decision_timeout = Duration::from_millis(300);
    let world = World::build(Some(Codes::Theirs), settings).await;
    let context = world.context(Setting::Backend, world.inbox());
    let tally = world.carry_out("bad-callback", 5, context).await;
    assert_eq!((tally.succeeded, tally.failed), (1, 4));
    assert_eq!(
        only_failure(&tally),
        (
            FailureKind::OutcomeMismatch,
            "the start was to be refused, and was taken"
        )
    );
}

#[tokio::test]
async fn replayed_and_forged_callbacks_are_refused_and_harm_nothing() {
    for setting in [Setting::Backend, Setting::Device] {
        let world = World::with_callbacks(Codes::Theirs).await;
        let context = world.context(setting, world.inbox());
        let tally = world.carry_out("replay", 4, context).await;
        assert_eq!(tally.succeeded, 4, "{:?}", tally.failures);
        assert_eq!(tally.time(StepName::CALLBACK_REFUSED).unwrap().count(), 16);
        assert_eq!(world.counters().refused, 12, "three for each");
    }
}

#[tokio::test]
async fn bots_are_paid_for_until_a_policy_denies_them() {
    let steps = ["paid", "denied"].map(|step| StepName::new(step).unwrap());
    let counts =
        |tally: &FlowTally| steps.map(|step| tally.time(step).map_or(0, crate::model::Latency::count));
    for tally in in_both_settings("pumping", 6).await {
        assert_eq!(counts(&tally), [6, 0]);
        assert!(tally.time(StepName::REPORT).is_none(), "bots type no code");
    }
    let hour = Duration::from_secs(3600);
    let rules = PolicyRules::new().velocity(Velocity::new(Per::Range, 2, hour));
    let policy = FraudPolicy::builder(rules).build().unwrap();
    let service = CallbackBuilder::new(KeyRing::new(key(), &secret()))
        .policy(&policy)
        .handler(|_: RequestEvent| async { Decision::Allow })
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/callback", listener.local_addr().unwrap());
    tokio::spawn(service.serve(listener, std::future::pending()));
    let world = World::posting_to(&url).await;
    let context = world.context(Setting::Backend, world.inbox());
    let tally = world.carry_out("pumping", 6, context).await;
    assert_eq!(
        (tally.succeeded, counts(&tally)),
        (6, [2, 4]),
        "{:?}",
        tally.failures
    );
}
