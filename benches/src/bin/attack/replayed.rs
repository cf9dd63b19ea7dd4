//! Sends authentic callbacks, each a hundred times at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Uri};
use sinch_verify_benches::fixture;

use crate::Scale;
use crate::receiver::{Receiver, Store, callback, to};
use crate::redis_server::{MISSING, Redis};
use crate::row::{Row, not_run};
use crate::traffic::{Sender, in_parallel};

const REPLAYS: u64 = 40_000;

/// How many times each callback is sent.
const TIMES: u64 = 100;

pub(crate) async fn run(scale: Scale) -> Result<()> {
    let mut alone = [Receiver::start(&Store::Memory)?];
    replay("replayed: to one receiver", &mut alone, scale).await?;

    let name = "replayed: to two receivers that share a Redis";
    let Some(redis) = Redis::start()? else {
        not_run(name, MISSING);
        return Ok(());
    };
    let store = Store::Redis {
        url: redis.url(),
        prefix: "replayed:".to_owned(),
        accepts: false,
        // A long limit, because this attack does not test slow machines.
        patience: Some(10_000),
    };
    let mut two = [Receiver::start(&store)?, Receiver::start(&store)?];
    replay(name, &mut two, scale).await
}

/// The callbacks, and how many times each was accepted.
struct Replays {
    callbacks: Vec<(Request<Bytes>, AtomicU64)>,
    urls: Vec<Uri>,
    sender: Sender,
}

async fn replay(attack: &str, receivers: &mut [Receiver], scale: Scale) -> Result<()> {
    let count = scale.of(REPLAYS / TIMES, 2);
    let signer = fixture::signer()?;
    let urls: Vec<Uri> = receivers.iter().map(|receiver| receiver.url().clone()).collect();
    let callbacks = (0..count).map(|n| Ok((callback(&signer, &urls[0], n)?, AtomicU64::new(0))));
    let replays = Arc::new(Replays {
        callbacks: callbacks.collect::<Result<_>>()?,
        urls,
        sender: Sender::new(),
    });
    let begun = Instant::now();
    in_parallel(count * TIMES, 64, &replays, |replays, n| async move {
        let (callback, taken) = &replays.callbacks[usize::try_from(n / TIMES)?];
        let url = &replays.urls[usize::try_from(n)? % replays.urls.len()];
        if replays.sender.is_taken(to(url, callback)).await {
            taken.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
    .await?;
    let mut row = Row {
        attack,
        sent: count * TIMES,
        counted: "callbacks not taken exactly once",
        count: 0,
        goal: Some(0),
        took: begun.elapsed(),
        memory: receivers.iter().map(Receiver::peak).sum(),
    };
    let not_once = |(_, taken): &&(_, AtomicU64)| taken.load(Ordering::Relaxed) != 1;
    row.count = replays.callbacks.iter().filter(not_once).count() as u64;
    row.print()?;
    let mut decided = 0;
    for receiver in receivers {
        decided += receiver.counts()?.decided;
    }
    row.counted = "decisions beside one for each";
    row.count = decided.abs_diff(count);
    row.print()
}
