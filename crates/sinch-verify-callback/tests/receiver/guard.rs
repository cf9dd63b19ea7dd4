//! The replay guard's two times.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use sinch_verify_callback::replay::{
    EventDigest, Inserted, MemoryStore, ReplayStore, SignatureDigest, StoreError,
};
use sinch_verify_callback::{
    CallbackService, Code, Decision, Full, Handler, InDoubt, Reason, ReplayGuard, RequestEvent,
};

use crate::{builder, builder_at, event, now, signed, signer};

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
    let guard = |in_doubt| ReplayGuard::new(Hanging, in_doubt).with_timeout(Duration::from_millis(1));
    let receive = async |guard: &ReplayGuard| {
        let receiver = builder_at(now()).guard(guard.clone()).build_receiver().unwrap();
        let received = receiver.receive(&request, Full::new(request.body().clone()));
        let received = tokio::time::timeout(Duration::from_secs(60), received).await;
        received.expect("the guard answers though its store does not")
    };
    let refuses = guard(InDoubt::Refuse);
    let rejection = receive(&refuses).await.unwrap_err();
    assert_eq!(rejection.reason(), &Reason::Unguarded(StoreError::TimedOut));
    assert_eq!(rejection.status(), StatusCode::SERVICE_UNAVAILABLE);
    let accepts = guard(InDoubt::Accept);
    receive(&accepts).await.unwrap();
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
    let handler = move |_: RequestEvent| {
        let n = decided.fetch_add(1, Ordering::Relaxed) + 1;
        async move { Code::new(&format!("{n:04}")).map(Decision::sms_code) }
    };
    let wall = WallClock::default();
    let service = builder().guard(guard).clock(wall.reader());
    let service = service.handler(handler).build().unwrap();
    for (seconds, code) in [(0, "0001"), (1, "0001"), (3599, "0001"), (3605, "0002")] {
        clock.set(seconds);
        let at = now() + Duration::from_secs(seconds);
        let request = signer().post("/callback".parse().unwrap(), event(), at);
        wall.set(seconds);
        let answer = service.respond(&request, Full::new(request.body().clone())).await;
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

/// A time of day that is set by hand, in seconds after [`now`].
#[derive(Clone, Default)]
struct WallClock(Arc<AtomicU64>);

impl WallClock {
    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    fn reader(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let seconds = Arc::clone(&self.0);
        move || now() + Duration::from_secs(seconds.load(Ordering::Relaxed))
    }
}

struct Receiving<H> {
    service: CallbackService<H>,
    wall: WallClock,
}

impl<H: Handler> Receiving<H> {
    /// Takes the callback of `signed_at` on a wall clock that shows `wall`.
    async fn takes(&self, signed_at: u64, wall: u64) -> bool {
        self.wall.set(wall);
        let signed_at = now() + Duration::from_secs(signed_at);
        let request = signer().post("/callback".parse().unwrap(), event(), signed_at);
        let body = Full::new(request.body().clone());
        self.service.respond(&request, body).await.status() == StatusCode::OK
    }
}

#[tokio::test]
async fn no_replay_is_taken_while_the_wall_clock_is_set_forth_and_back() {
    let clock = Clock::default();
    // Room for two: the third looks for what has expired.
    let room = NonZeroUsize::new(2).unwrap();
    let store = MemoryStore::new(room).with_clock(clock.reader());
    let wall = WallClock::default();
    let builder = builder().guard(ReplayGuard::new(store, InDoubt::Refuse));
    let builder = builder.clock(wall.reader());
    let service = builder
        .handler(|_: RequestEvent| async { Decision::Allow })
        .build()
        .unwrap();
    let receiving = Receiving { service, wall };

    assert!(receiving.takes(0, 0).await);
    // For some seconds the clock is an hour ahead, as its sender's is: traffic goes on.
    clock.set(5);
    assert!(receiving.takes(3600, 3600).await);
    // The store is full, and forgets neither.
    assert!(!receiving.takes(3601, 3601).await);
    assert!(!receiving.takes(3600, 3600).await);
    clock.set(60);
    assert!(!receiving.takes(0, 60).await);

    // Seven minutes later both are forgotten: what is newer than both is taken.
    clock.set(600);
    assert!(receiving.takes(4200, 4200).await);
    // The clock is set back, to when the first was fresh, and the second: both are refused.
    assert!(!receiving.takes(0, 60).await);
    assert!(!receiving.takes(3600, 3600).await);
    assert!(!receiving.takes(4200, 4200).await);
    assert!(receiving.takes(4201, 4201).await);
}

#[tokio::test]
async fn replays_are_refused_unless_there_is_no_guard() {
    let request = signed("/callback");
    let allow = |_: RequestEvent| async { Decision::Allow };
    for (builder, second) in [(builder(), 401), (builder().without_guard(), 200)] {
        let service = builder.handler(allow).build().unwrap();
        for status in [200, second] {
            let answer = service.respond(&request, Full::new(request.body().clone())).await;
            assert_eq!(answer.status(), status);
        }
    }
}
