//! Counters for Prometheus.

use std::collections::BTreeMap;
use std::time::Duration;

use sinch_verify_emulator::{Emulator, Fault, FaultRule};
use sinch_verify_protocol::Start;
use sinch_verify_protocol::callback::Decision;

use crate::support::{
    KEY, NUMBER, basic, call, deciding, emulator, emulator_calling, get, number, plain, send, settled,
};

/// The value of each series.
async fn counters(emulator: &Emulator) -> BTreeMap<String, u64> {
    let answer = get(emulator, "/metrics").await;
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = std::str::from_utf8(answer.body()).unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = series.map(|line| line.rsplit_once(' ').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_scrape_counts_what_happened() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    emulator.advance(Duration::from_secs(300));
    settled(&emulator).await;
    emulator
        .add_fault(FaultRule::api(Fault::Status { status: 503 }))
        .unwrap();
    call(&emulator, &basic(), &Start::sms(number()))
        .await
        .unwrap_err();
    send(
        &emulator,
        plain("GET", &format!("/verification/{NUMBER}/nothing"), ""),
    )
    .await;

    let counters = counters(&emulator).await;
    for (series, value) in [
        (r#"requests_total{operation="start",status="200"}"#, 1),
        (r#"requests_total{operation="start",status="503"}"#, 1),
        (r#"requests_total{operation="none",status="404"}"#, 1),
        (r#"verifications_started_total{method="sms"}"#, 1),
        (
            r#"verifications_ended_total{method="sms",status="FAIL",reason="Expired"}"#,
            1,
        ),
        ("messages_total", 1),
        (
            r#"deliveries_total{event="VerificationRequestEvent",ok="true"}"#,
            1,
        ),
        (
            r#"deliveries_total{event="VerificationResultEvent",ok="true"}"#,
            1,
        ),
        (r#"faults_total{kind="status"}"#, 1),
        (r#"verifications{state="pending"}"#, 0),
        (r#"verifications{state="ended"}"#, 1),
        ("events_undelivered", 0),
        ("applications", 1),
    ] {
        let found = counters.get(&format!("sinch_emulator_{series}")).copied();
        assert_eq!(found.unwrap_or_default(), value, "{series} in {counters:#?}");
    }
    let all = format!("{counters:?}");
    assert!(
        !all.contains(NUMBER.trim_start_matches('+')) && !all.contains(KEY),
        "{all}"
    );
}

#[tokio::test]
async fn two_emulators_of_one_process_count_apart() {
    let (first, second) = (emulator().await, emulator().await);
    call(&first, &basic(), &Start::sms(number())).await.unwrap();
    assert_eq!(counters(&first).await["sinch_emulator_messages_total"], 1);
    assert_eq!(counters(&second).await["sinch_emulator_messages_total"], 0);
}
