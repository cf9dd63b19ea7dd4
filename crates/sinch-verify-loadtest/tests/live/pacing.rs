//! What a live run waits for by itself.

use std::time::Duration;

use serde_json::Value;

use crate::support::Service;

/// The statistic of a time of SMS flows, in milliseconds.
fn milliseconds(file: &Value, time: &str, statistic: &str) -> f64 {
    let value = &file["flows"]["sms"]["times"][time][statistic];
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no {statistic} of {time}"))
        / 1000.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_keep_their_distance_and_the_wait_is_not_the_services_time() {
    let service = Service::new().await;
    // Four users share five starts a second: each waits 800 ms for its turn.
    let run = service.run("paced").set("--max-rate", "5/s").set("--users", "4");
    let file = run
        .verifications(11)
        .stopped("--max-verifications is reached")
        .await;
    assert_eq!(service.starts(), 11);
    let seconds = file["seconds"].as_f64().unwrap();
    assert!(
        seconds >= 2.0,
        "eleven starts have ten pauses of 200 ms: {seconds} s"
    );
    let start = milliseconds(&file, "start", "p50Us");
    assert!(
        start < 400.0,
        "the wait for the pace is in the start's time: {start} ms"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_schedule_the_wait_for_the_pace_is_lag() {
    let service = Service::new().await;
    // The schedule has bursts: flows are due before the pace lets them begin.
    let run = service
        .run("lag")
        .set("--rate", "poisson:5/s")
        .set("--max-rate", "5/s")
        .set("--seed", "1")
        .set("--users", "16")
        .set("--duration", "5s");
    run.output().await;
    let file = run.file();
    assert!(service.starts() > 10, "{} starts", service.starts());
    assert!(milliseconds(&file, "lag", "maxUs") > 200.0);
    assert!(milliseconds(&file, "e2e", "maxUs") > 200.0);
    let start = milliseconds(&file, "start", "p50Us");
    assert!(start < 200.0, "{start} ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_starts_after_the_duration() {
    // The users of a closed model wait for the pace when the time is over.
    let service = Service::new().await;
    let run = service.run("closed").set("--max-rate", "2/s").set("--users", "4");
    let run = run.set("--duration", "3s");
    run.assert_passed(&run.output().await);
    assert!((1..=6).contains(&service.starts()), "{} starts", service.starts());
    let counters = &run.file()["counters"];
    assert_eq!(counters["finished"], service.starts());

    // Flows that are due wait for the only number, which a slow flow verifies.
    let service = Service::new().await;
    service.slow_flows(Duration::from_secs(2));
    let run = service
        .run("open")
        .numbers("+46700000001\n")
        .set("--rate", "2/s")
        .set("--duration", "3s")
        .set("--users", "16");
    run.output().await;
    assert!((1..=2).contains(&service.starts()), "{} starts", service.starts());
    let counters = &run.file()["counters"];
    assert_eq!(
        (&counters["scheduled"], &counters["started"]),
        (&6.into(), &6.into())
    );
    assert_eq!(counters["finished"], service.starts());
    assert_eq!(counters["aborted"], 6 - service.starts());
}
