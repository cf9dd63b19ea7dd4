use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sinch_verify_callback::replay::{Inserted, Lifetime, MemoryStore, ReplayStore as _, StoreError};

use crate::{event, keeps_its_word, now, seconds, signature};

fn room(for_: usize) -> MemoryStore {
    MemoryStore::new(NonZeroUsize::new(for_).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_store_keeps_the_contract_of_stores() {
    keeps_its_word(MemoryStore::default(), now()).await;
}

#[tokio::test]
async fn what_has_expired_is_new_again_and_nothing_before_is() {
    let store = room(10);
    let life = seconds(now(), 60);
    store.insert_signature(signature(1), life).await.unwrap();
    store
        .insert_decision(event("1"), Bytes::from_static(b"a"), life)
        .await
        .unwrap();

    let at = |seconds_later: u64| seconds(now() + Duration::from_secs(seconds_later), 60);
    assert_eq!(
        store.insert_signature(signature(1), at(60)).await,
        Ok(Inserted::Present)
    );
    assert!(store.decision(event("1"), at(60).now).await.unwrap().is_some());
    // Time is kept in whole seconds, rounded to the safe side.
    assert_eq!(store.decision(event("1"), at(62).now).await, Ok(None));
    assert_eq!(
        store.insert_signature(signature(1), at(62)).await,
        Ok(Inserted::New)
    );
    assert_eq!(
        store.insert_signature(signature(1), at(63)).await,
        Ok(Inserted::Present)
    );
    assert_eq!(store.signatures(), 1);
}

#[tokio::test]
async fn a_full_store_says_so_and_forgets_nothing_that_counts() {
    let store = room(1000);
    let life = seconds(now(), 60);
    for n in 0..1000 {
        assert_eq!(
            store.insert_signature(signature(n), life).await,
            Ok(Inserted::New),
            "{n}"
        );
    }
    for n in 1000..3000 {
        assert_eq!(
            store.insert_signature(signature(n), life).await,
            Err(StoreError::Full)
        );
    }
    for n in 0..1000 {
        assert_eq!(
            store.insert_signature(signature(n), life).await,
            Ok(Inserted::Present),
            "{n}"
        );
    }
    assert_eq!(store.signatures(), 1000);

    for n in 0..1000 {
        let id = n.to_string();
        store
            .insert_decision(event(&id), Bytes::from_static(b"a"), life)
            .await
            .unwrap();
    }
    let more = store.insert_decision(event("more"), Bytes::from_static(b"b"), life);
    assert_eq!(more.await, Err(StoreError::Full));
    let there = store.insert_decision(event("7"), Bytes::from_static(b"b"), life);
    assert_eq!(there.await, Ok(Bytes::from_static(b"a")));
}

#[tokio::test]
async fn what_expires_makes_room_for_exactly_as_many() {
    let store = room(1000);
    for n in 0..1000 {
        // Half of them for a minute, half for two.
        let life = seconds(now(), 60 * (1 + n % 2));
        store.insert_signature(signature(n), life).await.unwrap();
    }
    let later = seconds(now() + Duration::from_secs(70), 60);
    let mut taken = 0;
    for n in 1000..3000 {
        match store.insert_signature(signature(n), later).await {
            Ok(Inserted::New) => taken += 1,
            other => assert_eq!(other, Err(StoreError::Full)),
        }
    }
    assert_eq!((taken, store.signatures()), (500, 1000));
}

/// Many threads fill a store far beyond its room, over a time in which much expires.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_never_take_more_than_there_is_room_for() {
    let store = Arc::new(room(5000));
    let mut tasks = Vec::new();
    for task in 0..4_u64 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            for n in 0..20_000_u64 {
                let start = now() + Duration::from_secs(n / 1000);
                let life = Lifetime {
                    now: start,
                    until: start + Duration::from_secs(3),
                };
                let _ = store.insert_signature(signature(task << 32 | n), life).await;
                assert!(store.signatures() <= 5000);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // All of it expires, and all of the room comes back.
    let late = seconds(now() + Duration::from_secs(3600), 60);
    for n in 0..5000 {
        let inserted = store.insert_signature(signature(1 << 40 | n), late).await;
        assert_eq!(inserted, Ok(Inserted::New), "{n}");
    }
}
