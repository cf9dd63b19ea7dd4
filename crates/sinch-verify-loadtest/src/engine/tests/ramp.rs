//! Whole runs of users who come one after the other.

use std::time::Duration;

use crate::engine::Options;
use crate::model::{Load, TransportName};
use crate::recorder::{Phase, Recorder};
use crate::runfile::RunFile;

use super::hung::{frozen, run_with};
use super::world::{GOOSE, wait_while, workload};

/// Runs users who come over `ramp` and never get an answer to their first flow, until `all` of them
/// are under way.
async fn run(transport: TransportName, users: usize, ramp: Duration, all: u64) -> RunFile {
    let emulator = frozen().await;
    let mut options = Options::new(workload("sms"), 2 * ramp + Duration::from_secs(600));
    options.transport = transport;
    options.load = Load::Closed {
        users,
        ramp_seconds: ramp.as_secs_f64(),
    };
    let meanwhile = move |recorder: &Recorder| {
        wait_while(|| recorder.in_flight() < all && recorder.phase() == Phase::Running);
        recorder.interrupt();
        recorder.interrupt();
    };
    run_with(options, &emulator, meanwhile).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_come_one_after_the_other() {
    let _goose = GOOSE.lock().await;
    for transport in [TransportName::Goose, TransportName::Direct] {
        // At 0, 0.5, 1 and 1.5 s, or later where the machine is busy, but never earlier.
        let file = run(transport, 4, Duration::from_secs(2), 4).await;
        let mut started = 0;
        for (second, counted) in (1..).zip(&file.series) {
            started += counted.started;
            assert!(started <= 2 * second, "{transport}: {started} in {second} s");
        }
        assert_eq!(started, 4, "{transport}");

        // A user who is not there yet when the run is ended is not waited for.
        let file = run(transport, 2, Duration::from_secs(3600), 1).await;
        assert_eq!(
            (file.warm_up.started, file.warm_up.aborted),
            (1, 1),
            "{transport}"
        );
        assert_eq!(
            file.counters.started, 0,
            "{transport}: nothing counts in the ramp"
        );
    }
}
