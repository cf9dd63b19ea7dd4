//! The replay guard's two times.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::{Code, Decision};
use sinch_verify_callback::replay::{
    EventDigest, Inserted, MemoryStore, ReplayStore, SignatureDigest, StoreError,
};
use sinch_verify_callback::{Handler, InDoubt, Reason, ReplayGuard, Responder, handler_fn};

use crate::{event, now, receiver, signed, signer};

/// Never answers.
struct Hanging;

impl ReplayStore for Hanging {
    async fn insert_signature(
        &self,
        _: SignatureDigest,
        _: SystemTime,
        _: Duration,
    ) -> Result<Inserted, StoreError> {
        pending().await
    }

    async fn decision(&self, _: EventDigest) -> Result<Option<Bytes>, StoreError> {
        pending().await
    }

    async fn insert_decision(&self, _: EventDigest, _: Bytes, _: Duration) -> Result<Bytes, StoreError> {
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
    let clock = Clock::default();
    let store = MemoryStore::default().with_clock(clock.reader());
    let guard = ReplayGuard::new(store, InDoubt::Refuse).with_decision_lifetime(Duration::from_secs(3600));
    let decided = AtomicU32::new(0);
    let handler = handler_fn(move |_: RequestEvent| {
        let n = decided.fetch_add(1, Ordering::Relaxed) + 1;
        async move { Code::new(&format!("{n:04}")).map(Decision::sms_code) }
    });
    let responder = Responder::new(receiver(), guard, handler);
    for (seconds, code) in [(0, "0001"), (1, "0001"), (3599, "0001"), (3605, "0002")] {
        clock.set(seconds);
        let at = now() + Duration::from_secs(seconds);
        let request = signer().post("/callback".parse().unwrap(), event(), at);
        let answer = responder.respond(&request, request.body(), at).await;
        let text = String::from_utf8_lossy(answer.body());
        assert!(text.contains(code), "{seconds}: {text}");
    }
}

/// A monotonic clock that is set by hand, in seconds.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    fn reader(&self) -> impl Fn() -> Instant + Send + Sync + 'static {
        let (seconds, start) = (Arc::clone(&self.0), Instant::now());
        move || start + Duration::from_secs(seconds.load(Ordering::Relaxed))
    }
}

/// Takes the callback of `signed_at` on a wall clock that shows `wall`.
async fn taken(responder: &Responder<impl Handler>, signed_at: u64, wall: u64) -> bool {
    let at = |seconds| now() + Duration::from_secs(seconds);
    let request = signer().post("/callback".parse().unwrap(), event(), at(signed_at));
    let response = responder.respond(&request, request.body(), at(wall)).await;
    response.status() == StatusCode::OK
}

#[tokio::test]
async fn no_replay_is_taken_while_the_wall_clock_is_set_forth_and_back() {
    let clock = Clock::default();
    // Room for two: the third looks for what has expired.
    let room = NonZeroUsize::new(2).unwrap();
    let store = MemoryStore::new(room).with_clock(clock.reader());
    let allow = handler_fn(|_: RequestEvent| async { Decision::Allow });
    let responder = Responder::new(receiver(), ReplayGuard::new(store, InDoubt::Refuse), allow);

    assert!(taken(&responder, 0, 0).await);
    // For some seconds the clock is an hour ahead, as its sender's is: traffic goes on.
    clock.set(5);
    assert!(taken(&responder, 3600, 3600).await);
    // The store is full, and forgets neither.
    assert!(!taken(&responder, 3601, 3601).await);
    assert!(!taken(&responder, 3600, 3600).await);
    clock.set(60);
    assert!(!taken(&responder, 0, 60).await);

    // Seven minutes later both are forgotten: what is newer than both is taken.
    clock.set(600);
    assert!(taken(&responder, 4200, 4200).await);
    // The clock is set back, to when the first was fresh, and the second: both are refused.
    assert!(!taken(&responder, 0, 60).await);
    assert!(!taken(&responder, 3600, 3600).await);
    assert!(!taken(&responder, 4200, 4200).await);
    assert!(taken(&responder, 4201, 4201).await);
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
