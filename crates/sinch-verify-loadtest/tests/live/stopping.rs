//! What ends a live run.

use std::time::Duration;

use sinch_verify_emulator::{Fault, MagicNumber, Operation, Settings};

use crate::support::{Service, output, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_refusals_stop() {
    // A 402 says that there is no credit, so the first one stops.
    for (status, starts, reason) in [
        (401, 3, "keeps answering 401"),
        (402, 1, "not enough credit"),
        (429, 3, "keeps answering 429"),
    ] {
        let service = Service::new().await;
        service.fault(Operation::Start, Fault::Status { status });
        let file = service.run(&format!("refused-{status}")).stopped(reason).await;
        assert_eq!(service.starts(), starts);
        assert_eq!(file["spending"]["spent"], "0.00", "what is refused costs nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_without_credit_stops() {
    let service = Service::new().await;
    let magic = MagicNumber::all();
    let broke = magic.iter().find(|magic| magic.outcome == "no-credit").unwrap();
    let run = service
        .run("credit")
        .numbers(&format!("{}\n+46700000001\n", broke.number));
    run.stopped("not enough credit").await;
    assert_eq!(service.starts(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_that_fail_stop() {
    let mut settings = Settings::default();
    settings.attempts = 1;
    let service = Service::with(settings).await;
    service
        .emulator
        .set_callback_url(&crate::support::KEY.parse().unwrap(), None)
        .unwrap();
    // Codes have four digits, so every report is wrong and ends the verification.
    let run = service
        .run("failing")
        .without("--callback-listen")
        .set("--phone", "fixed");
    let mut command = run.command();
    command.env("SINCH_LOAD_CODE", "00000");
    let output = output(command).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let file = run.file();
    let reason = file["stopped"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("5 of the last 5 flows failed"), "{reason}");
    assert_eq!(service.starts(), 5);
    assert_eq!(file["spending"]["spent"], "0.2265", "each of them is paid for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_whose_answer_is_lost_costs_the_worst_price() {
    let service = Service::new().await;
    service.fault(Operation::Start, Fault::Reset { handled: true });
    // The callback may tell the price, but no answer tells which start it belongs to.
    let file = service.run("lost").stopped("price is missing").await;
    assert_eq!(service.starts(), 1);
    assert_eq!(file["spending"]["spent"], "0.20");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_starts_nothing_more_and_finishes_what_it_started() {
    let service = Service::new().await;
    service.slow_flows(Duration::from_secs(3));
    let run = service.run("interrupted");
    let mut child = run.command().stdout(std::process::Stdio::null()).spawn().unwrap();
    while service.starts() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code());
    assert_eq!(code.await.unwrap(), Some(4));
    let file = run.file();
    assert_eq!(file["stopped"]["reason"], "interrupted");
    assert_eq!(service.starts(), 1);
    assert_eq!(
        (&file["counters"]["finished"], &file["counters"]["failed"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        file["spending"]["spent"], "0.0453",
        "the price of the flow under way is known"
    );
}
