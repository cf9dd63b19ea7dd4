//! What every store must do, and what each does besides.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

#[path = "../fixtures/mod.rs"]
mod fixtures;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
#[path = "../redis_server/mod.rs"]
mod redis_server;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fixtures::{key, now};
use sinch_verify_callback::protocol::VerificationId;
use sinch_verify_callback::protocol::auth::Signature;
use sinch_verify_callback::replay::{EventDigest, Inserted, ReplayStore, SignatureDigest};

/// A signature that is as good as random, the same for the same `n`.
fn signature(n: u64) -> SignatureDigest {
    let mut bytes = [0; 32];
    for (at, part) in bytes.chunks_mut(8).enumerate() {
        part.copy_from_slice(&mixed(n.wrapping_mul(4).wrapping_add(at as u64)).to_le_bytes());
    }
    SignatureDigest::of(&Signature::parse(STANDARD.encode(bytes).as_bytes()).unwrap())
}

/// One step of splitmix64.
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn event(id: &str) -> EventDigest {
    EventDigest::of(
        &key(),
        "VerificationRequestEvent",
        &VerificationId::new(id).unwrap(),
    )
}

/// How long things are remembered in these tests.
const LIFE: Duration = Duration::from_secs(60);

/// What any store does.
async fn keeps_its_word<S: ReplayStore>(store: S) {
    let store = Arc::new(store);

    // A signature is new once.
    for n in 0..100 {
        assert_eq!(
            store.insert_signature(signature(n), now(), LIFE).await,
            Ok(Inserted::New),
            "{n}"
        );
    }
    for n in 0..100 {
        assert_eq!(
            store.insert_signature(signature(n), now(), LIFE).await,
            Ok(Inserted::Present),
            "{n}"
        );
    }

    // The first answer stands.
    assert_eq!(store.decision(event("1")).await, Ok(None));
    let (allow, deny) = (Bytes::from_static(b"allow"), Bytes::from_static(b"deny"));
    assert_eq!(
        store.insert_decision(event("1"), allow.clone(), LIFE).await,
        Ok(allow.clone())
    );
    assert_eq!(
        store.insert_decision(event("1"), deny.clone(), LIFE).await,
        Ok(allow.clone())
    );
    assert_eq!(store.decision(event("1")).await, Ok(Some(allow)));
    assert_eq!(
        store.insert_decision(event("2"), deny.clone(), LIFE).await,
        Ok(deny)
    );

    // Of many at once, one is the first, and all learn of it.
    let mut tasks = Vec::new();
    for n in 0_u8..32 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let inserted = store
                .insert_signature(signature(1000), now(), LIFE)
                .await
                .unwrap();
            let answer = Bytes::copy_from_slice(&[n]);
            let stands = store
                .insert_decision(event("many"), answer.clone(), LIFE)
                .await
                .unwrap();
            (inserted, stands == answer, stands)
        }));
    }
    let (mut new, mut winners, mut stands) = (0, 0, Vec::new());
    for task in tasks {
        let (inserted, won, answer) = task.await.unwrap();
        new += usize::from(inserted == Inserted::New);
        winners += usize::from(won);
        stands.push(answer);
    }
    stands.dedup();
    assert_eq!((new, winners, stands.len()), (1, 1, 1));
}
