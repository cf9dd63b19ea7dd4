//! Answers callbacks at `http://127.0.0.1:8000`, and denies what breaks a policy: `examples/policies/observe.toml`,
//! or the file that is given.
//!
//! Needs `SINCH_APPLICATION_KEY` and `SINCH_APPLICATION_SECRET`.
#![expect(clippy::print_stdout, reason = "it says when it is ready, and reports")]
use std::time::Duration;

use sinch_verify_callback::policy::{FraudPolicy, PolicyRules};
use sinch_verify_callback::{CallbackService, Decision, RequestEvent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let (key, secret) = (
        variable("SINCH_APPLICATION_KEY")?,
        variable("SINCH_APPLICATION_SECRET")?,
    );
    let rules: PolicyRules = match std::env::args().nth(1) {
        Some(file) => std::fs::read_to_string(file)?.parse()?,
        None => include_str!("policies/observe.toml").parse()?,
    };
    let policy = FraudPolicy::builder(rules).build()?;

    let decide = |_: RequestEvent| async { Decision::Allow };
    let service = CallbackService::builder(&key, &secret)
        .policy(&policy)
        .handler(decide)
        .build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    println!("Answering at http://127.0.0.1:8000 (Ctrl-C stops it).");

    let report_each_minute = async move {
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            let report = policy.report();
            println!("{} allowed, {} denied", report.all.allowed, report.all.denied);
            for (rule, tally) in &report.rules {
                println!(
                    "  {rule}: {} denied, {} would be denied",
                    tally.denied, tally.observed
                );
            }
            for (range, tally) in report.by_cost(3) {
                println!(
                    "  {range}: {}, {} of {} succeeded",
                    tally.cost(),
                    tally.succeeded,
                    tally.ended
                );
            }
        }
    };
    tokio::spawn(report_each_minute);
    service.serve(listener, std::future::pending()).await;
    Ok(())
}
