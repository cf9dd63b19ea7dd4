//! How much memory a remembered signature takes, and a decision. Alone in its program, so that
//! nothing else is measured.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod fixtures;

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fixtures::{key, resident};
use sinch_verify_callback::protocol::VerificationId;
use sinch_verify_callback::protocol::auth::Signature;
use sinch_verify_callback::replay::{
    EventDigest, Inserted, MemoryStore, ReplayStore as _, SignatureDigest, StoreError,
};

const ROOM: u64 = 1_000_000;

fn signature(n: u64) -> SignatureDigest {
    let mut bytes = [0; 32];
    for (at, part) in bytes.chunks_mut(8).enumerate() {
        // One step of splitmix64.
        let mut z = (4 * n + at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        part.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    SignatureDigest::of(&Signature::parse(STANDARD.encode(bytes).as_bytes()).unwrap())
}

#[tokio::test]
async fn a_million_signatures_in_64_bytes_each_and_no_more_after() {
    let store = MemoryStore::default();
    let (now, life) = (SystemTime::now(), Duration::from_secs(420));
    let before = resident();
    for n in 0..ROOM {
        assert_eq!(
            store.insert_signature(signature(n), now, life).await,
            Ok(Inserted::New)
        );
    }
    let full = resident();
    let each = (full - before) / ROOM;
    assert!(each <= 64, "{each} bytes for each signature");

    // Whatever comes now, nothing grows.
    for n in ROOM..ROOM + 200_000 {
        assert_eq!(
            store.insert_signature(signature(n), now, life).await,
            Err(StoreError::Full)
        );
    }
    let after = resident();
    assert!(after < full + 1024 * 1024, "{full} bytes became {after}");

    // A decision with a code, as most are, beside its digest.
    let answer = Bytes::from_static(br#"{"action":"allow","sms":{"code":"4821"}}"#);
    for n in 0..ROOM {
        let id = VerificationId::new(&n.to_string()).unwrap();
        let event = EventDigest::of(&key(), "VerificationRequestEvent", &id);
        store.insert_decision(event, answer.clone(), life).await.unwrap();
    }
    let decisions = (resident() - after) / ROOM;
    assert!(decisions <= 160, "{decisions} bytes for each decision");
}
