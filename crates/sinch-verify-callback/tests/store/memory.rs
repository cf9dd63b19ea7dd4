use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sinch_verify_callback::replay::{Inserted, MemoryStore, ReplayStore as _, StoreError};

use crate::{LIFE, event, keeps_its_word, now, signature};

fn room(for_: usize) -> MemoryStore {
    MemoryStore::new(NonZeroUsize::new(for_).unwrap())
}

/// A store whose clock is set by hand, in seconds.
fn timed(for_: usize) -> (MemoryStore, Arc<AtomicU64>) {
    let (start, seconds) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let shown = Arc::clone(&seconds);
    let clock = move || start + Duration::from_secs(shown.load(Ordering::Relaxed));
    (room(for_).with_clock(clock), seconds)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_store_keeps_the_contract_of_stores() {
    keeps_its_word(MemoryStore::default()).await;
}

#[tokio::test]
async fn a_decision_is_forgotten_when_its_lifetime_ends() {
    let (store, clock) = timed(10);
    let first = Bytes::from_static(b"a");
    store
        .insert_decision(event("1"), first.clone(), LIFE)
        .await
        .unwrap();
    clock.store(60, Ordering::Relaxed);
    assert_eq!(store.decision(event("1")).await, Ok(Some(first)));
    // Time is kept in whole seconds, rounded to the safe side.
    clock.store(62, Ordering::Relaxed);
    assert_eq!(store.decision(event("1")).await, Ok(None));
    let second = Bytes::from_static(b"b");
    let stands = store.insert_decision(event("1"), second.clone(), LIFE).await;
    assert_eq!(stands, Ok(second.clone()));
    assert_eq!(store.decision(event("1")).await, Ok(Some(second)));
}

#[tokio::test]
async fn a_signature_is_never_new_twice() {
    let (store, clock) = timed(10);
    let signed = |seconds| now() + Duration::from_secs(seconds);
    let insert = async |n, seconds| store.insert_signature(signature(n), signed(seconds), LIFE).await;
    assert_eq!(insert(1, 0).await, Ok(Inserted::New));
    // Expired or not, swept or not: `2` to `11` leave no room for what has expired.
    for at in [0, 60, 62] {
        clock.store(at, Ordering::Relaxed);
        assert_eq!(insert(1, 0).await, Ok(Inserted::Present), "{at}");
    }
    for n in 2..=11 {
        assert_eq!(insert(n, 62).await, Ok(Inserted::New), "{n}");
    }
    assert_eq!(store.signatures(), 10);
    assert_eq!(insert(1, 0).await, Ok(Inserted::Present));
    // Nor is what is not newer than the newest that was forgotten: it may have been.
    clock.store(200, Ordering::Relaxed);
    assert_eq!(insert(12, 63).await, Ok(Inserted::New));
    assert_eq!(store.signatures(), 1);
    assert_eq!(insert(13, 62).await, Ok(Inserted::Present));
    assert_eq!(insert(14, 63).await, Ok(Inserted::New));
}

#[tokio::test]
async fn a_full_store_says_so_and_forgets_nothing_that_counts() {
    let store = room(1000);
    let insert = async |n| store.insert_signature(signature(n), now(), LIFE).await;
    for n in 0..1000 {
        assert_eq!(insert(n).await, Ok(Inserted::New), "{n}");
    }
    for n in 1000..3000 {
        assert_eq!(insert(n).await, Err(StoreError::Full));
    }
    for n in 0..1000 {
        assert_eq!(insert(n).await, Ok(Inserted::Present), "{n}");
    }
    assert_eq!(store.signatures(), 1000);

    for n in 0..1000 {
        let id = n.to_string();
        store
            .insert_decision(event(&id), Bytes::from_static(b"a"), LIFE)
            .await
            .unwrap();
    }
    let more = store.insert_decision(event("more"), Bytes::from_static(b"b"), LIFE);
    assert_eq!(more.await, Err(StoreError::Full));
    let there = store.insert_decision(event("7"), Bytes::from_static(b"b"), LIFE);
    assert_eq!(there.await, Ok(Bytes::from_static(b"a")));
}

#[tokio::test]
async fn what_expires_makes_room_for_exactly_as_many() {
    let (store, clock) = timed(1000);
    for n in 0..1000 {
        // Half of them for a minute, half for two.
        let life = LIFE * (1 + n % 2);
        let inserted = store.insert_signature(signature(n.into()), now(), life);
        assert_eq!(inserted.await, Ok(Inserted::New));
    }
    clock.store(70, Ordering::Relaxed);
    let signed = now() + Duration::from_secs(70);
    let mut taken = 0;
    for n in 1000..3000 {
        match store.insert_signature(signature(n), signed, LIFE).await {
            Ok(Inserted::New) => taken += 1,
            other => assert_eq!(other, Err(StoreError::Full)),
        }
    }
    assert_eq!((taken, store.signatures()), (500, 1000));
}

/// Many threads fill a store far beyond its room, over a time in which much expires.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_never_take_more_than_there_is_room_for() {
    let (store, clock) = timed(5000);
    let store = Arc::new(store);
    let mut tasks = Vec::new();
    for task in 0..4_u64 {
        let (store, clock) = (Arc::clone(&store), Arc::clone(&clock));
        tasks.push(tokio::spawn(async move {
            for n in 0..20_000_u64 {
                let at = clock.fetch_max(n / 1000, Ordering::Relaxed);
                let signed = now() + Duration::from_secs(at);
                let life = Duration::from_secs(3);
                let _ = store
                    .insert_signature(signature(task << 32 | n), signed, life)
                    .await;
                assert!(store.signatures() <= 5000);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // All of it expires, and all of the room comes back.
    clock.store(3600, Ordering::Relaxed);
    let signed = now() + Duration::from_secs(3600);
    for n in 0..5000 {
        let inserted = store.insert_signature(signature(1 << 40 | n), signed, LIFE).await;
        assert_eq!(inserted, Ok(Inserted::New), "{n}");
    }
}
