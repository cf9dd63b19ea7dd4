//! Whole runs against a target that takes every report and answers none.

use std::time::Duration;

use crate::destination::MockUrl;
use crate::engine::{Against, Options, Receiving, Run};
use crate::model::{FailureKind, Load, StepName, TransportName};
use crate::recorder::{Phase, Recorder};
use crate::runfile::RunFile;
use crate::target::Elsewhere;
use crate::verdict::{Exit, Thresholds, Verdict};
use sinch_verify_emulator::{Application, Emulator, Fault, FaultRule, Operation};

use super::world::{key, secret, wait_while, workload};

const USERS: u64 = 3;

pub(crate) async fn frozen() -> Emulator {
    let emulator = Emulator::builder()
        .application(Application::new(key(), secret()))
        .start()
        .await
        .unwrap();
    let mut rule = FaultRule::api(Fault::Stall);
    rule.operation = Some(Operation::Report);
    emulator.add_fault(rule).unwrap();
    emulator
}

/// Runs against `emulator`, while `meanwhile` looks on.
async fn run(
    emulator: &Emulator,
    duration: Duration,
    grace: Duration,
    meanwhile: impl FnOnce(&Recorder) + Send + 'static,
) -> RunFile {
    let mut options = Options::new(workload("sms"), duration);
    options.load = Load::closed(USERS as usize);
    options.transport = TransportName::Direct;
    options.grace = grace;
    run_with(options, emulator, meanwhile).await
}

/// The same with these options.
pub(crate) async fn run_with(
    mut options: Options,
    emulator: &Emulator,
    meanwhile: impl FnOnce(&Recorder) + Send + 'static,
) -> RunFile {
    options.callbacks = Receiving::Off;
    options.against = Against::Mock(Elsewhere {
        url: MockUrl::new(emulator.base_url(), None).unwrap(),
        pin: None,
        key: key(),
        secret: secret(),
    });
    let ran = tokio::task::spawn_blocking(move || {
        let run = Run::prepare(options).unwrap();
        let recorder = run.recorder();
        let looking = std::thread::spawn(move || meanwhile(&recorder));
        let file = run.execute().unwrap();
        looking.join().unwrap();
        file
    });
    ran.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_without_an_end_fail_the_run() {
    let emulator = frozen().await;
    let grace = Duration::from_millis(200);
    // Asking once for the end of a run that is finishing changes nothing.
    let file = run(&emulator, Duration::from_secs(1), grace, |recorder| {
        wait_while(|| recorder.phase() == Phase::Running);
        recorder.interrupt();
    });
    let mut file = file.await;
    assert_eq!(file.stopped, None);
    let counters = file.counters;
    assert_eq!((counters.started, counters.finished), (USERS, USERS));
    assert_eq!((counters.failed, counters.aborted), (USERS, 0));
    let total = file.flows.total();
    assert_eq!(total.requests, 2 * USERS, "a request without an answer is one");
    let failures = &total.failures[&FailureKind::Unfinished];
    assert_eq!(failures.count, USERS);
    assert!(failures.example.starts_with("waiting for `report` when"));
    let waited = total.time(StepName::FAILED_END_TO_END).unwrap();
    assert_eq!(waited.count(), USERS);
    assert!(waited.min() >= grace, "{:?}", waited.min());

    // How busy this machine is is not what is asked here.
    file.generator.cpu = None;
    for thresholds in ["", "dropped = '= 0'"] {
        let thresholds: Thresholds = thresholds.parse().unwrap();
        let verdict = Verdict::judge(&file, &thresholds);
        assert_eq!(verdict.exit, Exit::Failed);
        assert_eq!(verdict.reasons, ["3 of 3 flows failed: unfinished"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_cut_off_by_the_user_are_no_failures() {
    let emulator = frozen().await;
    let long = Duration::from_secs(600);
    let file = run(&emulator, long, long, |recorder| {
        wait_while(|| recorder.in_flight() < USERS);
        recorder.close();
        assert!(!recorder.interrupt());
        assert!(recorder.interrupt(), "the second time they are cut off");
    });
    let file = file.await;
    let counters = file.counters;
    assert_eq!((counters.failed, counters.aborted), (0, USERS));
    assert_eq!(file.stopped.as_ref().unwrap().reason, "interrupted");
    let verdict = Verdict::judge(&file, &Thresholds::default());
    assert_eq!(verdict.exit, Exit::Stopped);
}
