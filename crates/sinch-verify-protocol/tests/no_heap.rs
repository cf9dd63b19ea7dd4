//! Signing and verifying do not touch the heap.
//!
//! Alone in its process, and in its only thread: the counter is global, and the usual harness has a
//! thread of its own that allocates beside a test.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod fixtures;

use std::alloc::System;
use std::time::{Duration, SystemTime};

use fixtures::{key, secret};
use http::HeaderMap;
use sinch_verify_protocol::auth::{
    Authorization, BodyHasher, ContentMd5, PathPolicy, SignedMessage, Signer, Verifier, Window,
};
use sinch_verify_protocol::{CliFilter, PhoneNumber};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn allocations(act: impl FnOnce()) -> usize {
    let region = Region::new(GLOBAL);
    act();
    let change = region.change();
    change.allocations + change.reallocations
}

fn main() {
    let (key, secret) = (key(), secret());
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_067);
    let body = br#"{"event":"VerificationResultEvent","id":"1"}"#;
    let signer = Signer::new(key.clone(), &secret);
    let verifier = Verifier::new(key.clone(), &secret);

    let mut buffer = [0; Signer::MAX_AUTHORIZATION];
    let sign = allocations(|| {
        let signed = signer.sign("POST", "/callback", b"application/json", body, now);
        assert!(!signer.write_authorization(&signed, &mut buffer).is_empty());
    });
    assert_eq!(sign, 0, "signing");

    let signed = signer.sign("POST", "/callback", b"application/json", body, now);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("x-timestamp", signed.timestamp.as_str().parse().unwrap());
    headers.insert(
        "authorization",
        signed.callback_authorization(&key).parse().unwrap(),
    );
    let verify = |md5: ContentMd5| {
        let (authorization, message) =
            SignedMessage::from_headers("POST", "/callback", &headers, &md5).unwrap();
        let Authorization::Signed { signature, .. } = authorization else {
            panic!("not signed")
        };
        verifier.verify(
            &message,
            &signature,
            now,
            Window::default(),
            PathPolicy::default(),
        )
    };
    assert_eq!(
        allocations(|| assert!(verify(ContentMd5::of(body)).is_ok())),
        0,
        "verifying"
    );
    assert_eq!(
        allocations(|| assert!(verify(ContentMd5::of(b"x")).is_err())),
        0,
        "refusing"
    );
    let streamed = allocations(|| {
        let mut hasher = BodyHasher::new();
        body.chunks(7).for_each(|chunk| hasher.update(chunk));
        assert!(verify(hasher.finish()).is_ok());
    });
    assert_eq!(streamed, 0, "verifying while reading");

    let filter = CliFilter::compile("(.*)70123(.*)").unwrap();
    assert_eq!(
        allocations(|| assert!(filter.matches("+46701234567"))),
        0,
        "matching a caller id"
    );
    let number = allocations(|| assert!("+46701234567".parse::<PhoneNumber>().unwrap().country().is_some()));
    assert_eq!(number, 0, "a number and its country");
}
