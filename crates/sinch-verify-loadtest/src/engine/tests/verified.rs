//! Flows that verify.

use std::time::Duration;

use sinch_verify_client::transport::HyperTransport;
use sinch_verify_protocol::Code;
use sinch_verify_protocol::method::{Form, MethodInfo, ProofKind};

use super::world::{World, one, workload};
use crate::callbacks::Codes;
use crate::engine::prepare::prepare;
use crate::model::{FlowTally, Numbers, Setting, Shard, StepName};
use crate::phone::{ControlPhone, FixedPhone};

fn every_method() -> impl Iterator<Item = &'static MethodInfo> {
    MethodInfo::single()
}

fn assert_all_succeeded(scenario: &str, tally: &FlowTally, count: u64) {
    assert_eq!(tally.succeeded, count, "{scenario}: {:?}", tally.failures);
    assert_eq!((tally.failed, tally.aborted), (0, 0));
}

fn steps(tally: &FlowTally) -> Vec<&'static str> {
    tally.times.keys().map(|step| step.as_str()).collect()
}

#[tokio::test]
async fn every_method_verifies_for_a_backend_without_callbacks() {
    let world = World::alone().await;
    for info in every_method() {
        let context = world.context(Setting::Backend, world.inbox());
        let tally = world.carry_out(info.name, 5, context).await;
        assert_all_succeeded(info.name, &tally, 5);
        let expected = match info.form {
            Form::Address => "e2e e2e-send start status fetch",
            _ => "e2e e2e-send start phone report status",
        };
        assert_eq!(steps(&tally).join(" "), expected, "{}", info.name);
    }
}

#[tokio::test]
async fn every_method_verifies_for_a_backend_that_hears_its_callbacks() {
    let world = World::with_callbacks(Codes::Theirs).await;
    for info in every_method() {
        let context = world.context(Setting::Backend, world.inbox());
        let tally = world.carry_out(info.name, 5, context).await;
        assert_all_succeeded(info.name, &tally, 5);
        for step in [
            StepName::CALLBACK_IN,
            StepName::CALLBACK_SERVED,
            StepName::CALLBACK_OUT,
            StepName::RESULT,
        ] {
            assert_eq!(tally.time(step).unwrap().count(), 5, "{} {step}", info.name);
        }
    }
    assert!(world.emulator.wait_delivered(Duration::from_secs(5)).await);
    let counters = world.counters();
    // A request and a result for each, and the delivery of each text message.
    let verifications = every_method().count() as u64 * 5;
    assert_eq!(counters.callbacks, verifications * 2 + 5);
    assert_eq!(
        (counters.duplicates, counters.orphans, counters.refused),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn the_callback_sets_the_code_that_is_reported() {
    for setting in [Setting::Backend, Setting::Device] {
        let world = World::with_callbacks(Codes::Ours(3)).await;
        for info in every_method().filter(|info| info.decided.is_some()) {
            let context = world.context(setting, world.heard());
            let tally = world.carry_out(info.name, 5, context).await;
            assert_all_succeeded(info.name, &tally, 5);
        }
    }
}

#[tokio::test]
async fn a_fixed_code_is_set_and_reported() {
    let code = Code::new("246801").unwrap();
    let world = World::with_callbacks(Codes::Fixed(code.clone())).await;
    for info in every_method().filter(|info| info.decided == Some(ProofKind::Code)) {
        let phone = FixedPhone::new(code.clone());
        let tally = world
            .carry_out(info.name, 3, world.context(Setting::Backend, phone))
            .await;
        assert_all_succeeded(info.name, &tally, 3);
    }
}

#[tokio::test]
async fn a_device_verifies_by_what_its_inbox_shows() {
    let world = World::with_callbacks(Codes::Theirs).await;
    for info in every_method() {
        let context = world.context(Setting::Device, world.inbox());
        let tally = world.carry_out(info.name, 3, context).await;
        assert_all_succeeded(info.name, &tally, 3);
        assert!(
            tally.time(StepName::STATUS).is_none(),
            "a device cannot ask by id"
        );
        assert!(tally.time(StepName::STATUS_BY_NUMBER).is_some());
    }
}

#[tokio::test]
async fn handsets_elsewhere_are_seen_by_a_long_poll() {
    let world = World::alone().await;
    for info in every_method().filter(|info| info.proof.is_some()) {
        let phone = ControlPhone::new(world.emulator.base_url(), HyperTransport::default());
        let tally = world
            .carry_out(info.name, 3, world.context(Setting::Backend, phone))
            .await;
        assert_all_succeeded(info.name, &tally, 3);
    }
}

#[tokio::test]
async fn messages_of_older_verifications_are_passed_over() {
    let world = World::alone().await;
    let phone = ControlPhone::new(world.emulator.base_url(), HyperTransport::default());
    // Twice the same numbers.
    for _ in 0..2 {
        let context = world.context(Setting::Backend, phone.clone());
        world.carry_out("sms", 3, context).await;
    }
    let tally = world.recorder.counted().flows.total();
    // References repeat, too, which the emulator refuses: so these are of the first round.
    assert_eq!(
        tally
            .failures
            .values()
            .map(|failures| failures.count)
            .sum::<u64>(),
        3
    );
    let mut context = world.context(Setting::Backend, phone);
    context.run = "fedcba9876543210".parse().unwrap();
    one(&workload("sms"), &context).await.0.unwrap();
}

#[tokio::test]
async fn parts_of_a_flow_add_up_to_it() {
    let world = World::with_callbacks(Codes::Theirs).await;
    let context = world.context(Setting::Backend, world.inbox());
    let begun = std::time::Instant::now();
    let (done, times) = one(&workload("sms"), &context).await;
    done.unwrap();
    let whole = begun.elapsed();
    let sum = |steps: &[StepName]| -> Duration {
        let parts = times.iter().filter(|time| steps.contains(&time.step));
        parts.map(|time| time.took).sum()
    };
    let steps = sum(&[
        StepName::START,
        StepName::PHONE,
        StepName::REPORT,
        StepName::RESULT,
        StepName::STATUS,
    ]);
    assert!(steps <= whole, "{steps:?} of {whole:?}");
    // What is between the steps is our own work, which is little; this machine may be busy.
    assert!(
        whole - steps < Duration::from_millis(500),
        "{steps:?} of {whole:?}"
    );
    let callback = sum(&[
        StepName::CALLBACK_IN,
        StepName::CALLBACK_SERVED,
        StepName::CALLBACK_OUT,
    ]);
    // The start's time begins when its request is made, and that of the callback just before.
    let start = sum(&[StepName::START]);
    assert!(
        callback.abs_diff(start) < Duration::from_millis(500),
        "{callback:?} of {start:?}"
    );
}

#[tokio::test]
async fn queries_ask_in_every_way_that_is_open() {
    let world = World::alone().await;
    let query = workload("query-only");
    let backend = world.context(Setting::Backend, world.inbox());
    let numbers = Numbers::made_up(0);
    prepare(&query, &backend, &numbers, Shard::WHOLE).await.unwrap();
    for (setting, ways) in [
        (
            Setting::Backend,
            vec![
                StepName::STATUS,
                StepName::STATUS_BY_REFERENCE,
                StepName::STATUS_BY_NUMBER,
            ],
        ),
        (Setting::Device, vec![StepName::STATUS_BY_NUMBER]),
    ] {
        let context = world.context(setting, world.inbox());
        let (done, times) = one(&query, &context).await;
        done.unwrap();
        let asked: Vec<_> = times.iter().map(|time| time.step).collect();
        assert_eq!(asked, ways);
    }
}
