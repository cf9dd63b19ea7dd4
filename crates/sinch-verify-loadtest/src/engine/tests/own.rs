//! Scenarios of a program's own.

use std::error::Error as _;
use std::time::Duration;

use super::world::{World, one};
use crate::engine::{Options, Run};
use crate::model::{Exit, Failure, FailureKind, Mix, Setting, StepKind};
use crate::scenario::{Flow, Registry, Scenario, Workload};

async fn visit(mut flow: Flow<'_>) -> Result<(), Failure> {
    flow.step("read", async { Ok(()) }).await?;
    flow.step("Pay now", async { Ok(()) }).await
}

async fn closed(_: Flow<'_>) -> Result<(), Failure> {
    Err(Failure::mismatch("the shop is closed"))
}

fn workload(scenario: Scenario) -> Workload {
    let registry = Registry::new([scenario]).unwrap();
    registry.workload("visit", &Mix::default()).unwrap()
}

#[test]
fn preparation_that_fails_ends_the_run_before_it_begins() {
    let scenario = Scenario::new("visit", visit).prepare(2, closed);
    let options = Options::new(workload(scenario), Duration::from_secs(1));
    let error = Run::prepare(options).unwrap_err();
    assert_eq!(error.to_string(), "prepare the scenario visit");
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "outcome.mismatch: the shop is closed");
    assert_eq!(error.exit(), Exit::Invalid);
}

#[tokio::test]
async fn steps_are_timed_under_their_names_and_bad_names_are_refused() {
    let world = World::alone().await;
    let context = world.context(Setting::Backend, world.inbox());
    let (done, times) = one(&workload(Scenario::new("visit", visit)), &context).await;
    let failure = done.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Request);
    let detail = failure.detail();
    assert!(
        detail.starts_with("the step `Pay now` cannot be timed: a name is"),
        "{detail}"
    );
    let [read] = times.as_slice() else {
        panic!("one step was timed: {times:?}");
    };
    assert_eq!(
        (read.step.as_str(), read.kind, read.answered),
        ("read", StepKind::Other, true)
    );
}
