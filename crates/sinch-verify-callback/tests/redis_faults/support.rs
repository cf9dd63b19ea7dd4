//! A receiver with a guard over Redis, and callbacks to it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::{
    self, ApplicationKey, ApplicationSecret, Decision, Method, VerificationId, WireObject as _,
};
use sinch_verify_callback::replay::RedisStore;
use sinch_verify_callback::testing::{CallbackSigner, request_event};
use sinch_verify_callback::{
    CallbackBuilder, CallbackService, Context, Full, GuardCounts, Handler, InDoubt, KeyRing, ReplayGuard,
};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything here takes: a test that gets there has found a hang.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// The statuses of a callback that is taken, and of one that is a replay.
pub(crate) const TAKEN: u16 = 200;
pub(crate) const REPLAY: u16 = 401;

fn key() -> ApplicationKey {
    ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135").unwrap()
}

fn secret() -> ApplicationSecret {
    ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==").unwrap()
}

fn now() -> SystemTime {
    protocol::timestamp::parse("2026-01-02T03:04:05.067Z").unwrap()
}

/// A callback, the same for the same id.
pub(crate) fn callback(id: &str) -> Request<Bytes> {
    let number = "+46700000001".parse().unwrap();
    let event = request_event(VerificationId::new(id).unwrap(), Method::Sms, number);
    CallbackSigner::new(key(), &secret()).post("/callback".parse().unwrap(), event.to_json(), now())
}

struct Allow;

impl Handler for Allow {
    type Error = Infallible;

    async fn on_request(&self, _: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        Ok(Decision::Allow)
    }
}

#[derive(Clone)]
pub(crate) struct TestReceiver {
    service: CallbackService<Allow>,
    guard: ReplayGuard,
}

impl TestReceiver {
    /// Waits for Redis for much longer than a receiver does by default: this
    /// machine may be slow, and a fault that heals must lose nothing.
    pub(crate) fn patient(store: RedisStore, in_doubt: InDoubt) -> Self {
        Self::answers_soon(store.with_retry(HANG / 2).with_silence(HANG), in_doubt)
    }

    /// Waits for answers, but not long for a Redis that cannot be reached.
    pub(crate) fn answers_soon(store: RedisStore, in_doubt: InDoubt) -> Self {
        Self::new(ReplayGuard::new(store, in_doubt).with_timeout(HANG))
    }

    pub(crate) fn new(guard: ReplayGuard) -> Self {
        let service = CallbackBuilder::new(KeyRing::new(key(), &secret()))
            .guard(guard.clone())
            .clock(now)
            // The guard's time counts against the handler's.
            .deadline(HANG * 4)
            .handler(Allow)
            .build()
            .unwrap();
        Self { service, guard }
    }

    pub(crate) fn counts(&self) -> GuardCounts {
        self.guard.counts()
    }

    /// Posts a callback, and gives the status.
    pub(crate) async fn post(&self, id: &str) -> u16 {
        let request = callback(id);
        let answer = self
            .service
            .respond(&request, Full::new(request.body().clone()))
            .await;
        answer.status().as_u16()
    }

    /// Posts a callback and its replay.
    pub(crate) async fn post_twice(&self, id: &str) -> (u16, u16) {
        (self.post(id).await, self.post(id).await)
    }

    /// Posts callbacks until the guard knows a replay again.
    pub(crate) async fn healed(&self, name: &str) {
        let healed = async {
            for n in 0.. {
                if self.post_twice(&format!("{name}-{n}")).await.1 == REPLAY {
                    break;
                }
            }
        };
        timeout(HANG, healed).await.expect("redis is asked again");
    }
}

/// Callbacks from several senders, each posted again at once.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    senders: JoinSet<Vec<(u16, u16)>>,
}

impl Traffic {
    pub(crate) fn start(receiver: &TestReceiver) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..4).map(|sender| {
            let (receiver, stop) = (receiver.clone(), Arc::clone(&stop));
            async move {
                let mut statuses = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let id = format!("{sender}-{}", statuses.len());
                    statuses.push(receiver.post_twice(&id).await);
                }
                statuses
            }
        });
        Self {
            senders: senders.collect(),
            stop,
        }
    }

    /// Ends it. Every callback was taken, and every replay refused.
    pub(crate) async fn was_judged_well(self) {
        self.stop.store(true, Ordering::SeqCst);
        let all = self.senders.join_all().await.concat();
        assert!(!all.is_empty());
        let wrong = all.iter().filter(|statuses| **statuses != (TAKEN, REPLAY));
        assert_eq!(wrong.count(), 0, "of {}", all.len());
    }
}
