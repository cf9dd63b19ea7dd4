//! Ten thousand starts by the client, against a service with faults of every kind.

mod faults;
mod service;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sinch_verify_benches::fixture::{self, KEY, SECRET};
use sinch_verify_benches::process;
use sinch_verify_client::protocol::{PhoneNumber, Reference, Start};
use sinch_verify_client::{Client, RetryPolicy};
use sinch_verify_emulator::{Application, Emulator};
use tokio::time::timeout;

use crate::Scale;
use crate::row::Row;
use crate::traffic::in_parallel;
use service::FaultyService;

const STARTS: u64 = 10_000;

/// The time limit for a start. A longer one counts as endless.
const ENDLESS: Duration = Duration::from_secs(60);

pub(crate) async fn run(scale: Scale) -> Result<()> {
    let application = Application::new(fixture::key()?, fixture::secret()?);
    let emulator = Arc::new(Emulator::builder().application(application).start().await?);
    let service = FaultyService::start(emulator.addr()).await?;
    let client = Client::builder()
        .application_signed(KEY, SECRET)
        .base_url(service.url())
        .retry(RetryPolicy::default().backoff(Duration::from_millis(5), Duration::from_millis(50)))
        .attempt_timeout(Duration::from_secs(2))
        .total_timeout(Duration::from_secs(4))
        .build()?;
    // Each kind of fault is triggered, even if some starts do not arrive in time on a busy machine.
    let count = scale.of(STARTS, 4 * service.kinds());
    let attack = Arc::new((client, AtomicU64::new(0)));
    let begun = Instant::now();
    in_parallel(count, 256, &attack, |attack, n| async move {
        let (client, no_end) = &*attack;
        let start = Start::sms(number(n)?).reference(Reference::new(&service::reference(n))?);
        let client = client.clone();
        // In a separate task, so that a panic is counted and does not end the attack.
        let call = tokio::spawn(async move { drop(client.start(start).await) });
        if !matches!(timeout(ENDLESS, call).await, Ok(Ok(()))) {
            no_end.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
    .await?;
    let mut twice = 0;
    for n in 0..count {
        let messages = emulator.inbox(&number(n)?).len();
        twice += u64::from(messages > 1 || service.carried_out(n) > 1);
    }
    let mut row = Row {
        attack: "starts: against a service that breaks in every way",
        sent: count,
        counted: "starts carried out twice",
        count: twice,
        goal: Some(0),
        took: begun.elapsed(),
        // This process is both client and service.
        memory: process::peak(std::process::id()),
    };
    row.print()?;
    row.counted = "panics, and starts without an end";
    row.count = attack.1.load(Ordering::Relaxed);
    row.print()?;
    row.sent = service.kinds();
    row.counted = "kinds of fault that did not strike";
    row.count = service.idle_kinds();
    row.print()
}

fn number(n: u64) -> Result<PhoneNumber> {
    let number = fixture::number(0, n);
    number.parse().context("not a number")
}
