//! The replay guard's two times.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::{Code, Decision};
use sinch_verify_callback::replay::{
    EventDigest, Inserted, Lifetime, MemoryStore, ReplayStore, SignatureDigest, StoreError,
};
use sinch_verify_callback::{InDoubt, Reason, ReplayGuard, Responder, handler_fn};

use crate::{event, now, receiver, signed, signer};

/// Never answers.
struct Hanging;

impl ReplayStore for Hanging {
    async fn insert_signature(&self, _: SignatureDigest, _: Lifetime) -> Result<Inserted, StoreError> {
        pending().await
    }

    async fn decision(&self, _: EventDigest, _: SystemTime) -> Result<Option<Bytes>, StoreError> {
        pending().await
    }

    async fn insert_decision(&self, _: EventDigest, _: Bytes, _: Lifetime) -> Result<Bytes, StoreError> {
        pending().await
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_doubt_in_time() {
    let request = signed("/callback");
    let receiver = receiver();
    let guard = |in_doubt| ReplayGuard::new(Hanging, in_doubt).with_timeout(Duration::from_millis(1));
    let admit = async |guard: &ReplayGuard| {
        let verified = receiver
            .receive(&request, request.body(), now())
            .unwrap()
            .verified;
        let admitted = tokio::time::timeout(Duration::from_secs(60), guard.admit(&verified)).await;
        admitted.expect("the guard answers though its store does not")
    };
    let refuses = guard(InDoubt::Refuse);
    let rejection = admit(&refuses).await.unwrap_err();
    assert_eq!(rejection.reason(), &Reason::Unguarded(StoreError::TimedOut));
    assert_eq!(rejection.status(), StatusCode::SERVICE_UNAVAILABLE);
    let accepts = guard(InDoubt::Accept);
    admit(&accepts).await.unwrap();
    assert_eq!(
        (refuses.counts().unavailable, accepts.counts().unavailable),
        (1, 1)
    );
}

#[tokio::test]
async fn a_decision_is_repeated_for_as_long_as_it_is_told_to() {
    let guard = ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse)
        .with_decision_lifetime(Duration::from_secs(3600));
    let decided = AtomicU32::new(0);
    let handler = handler_fn(move |_: RequestEvent| {
        let n = decided.fetch_add(1, Ordering::Relaxed) + 1;
        async move { Code::new(&format!("{n:04}")).map(Decision::sms_code) }
    });
    let responder = Responder::new(receiver(), guard, handler);
    for (seconds, code) in [(0, "0001"), (1, "0001"), (3599, "0001"), (3605, "0002")] {
        let at = now() + Duration::from_secs(seconds);
        let request = signer().post("/callback".parse().unwrap(), event(), at);
        let answer = responder.respond(&request, request.body(), at).await;
        let text = String::from_utf8_lossy(answer.body());
        assert!(text.contains(code), "{seconds}: {text}");
    }
}

#[tokio::test]
async fn who_says_that_there_is_no_guard_has_none() {
    let responder = Responder::without_guard(
        receiver(),
        handler_fn(|_: RequestEvent| async { Decision::Allow }),
    );
    assert!(responder.replay_guard().is_none());
    let request = signed("/callback");
    for _ in 0..2 {
        assert_eq!(
            responder.respond(&request, request.body(), now()).await.status(),
            200
        );
    }
}
