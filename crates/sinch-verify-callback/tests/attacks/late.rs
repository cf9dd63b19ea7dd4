//! Handlers that block threads. After the deadline the answer is the fallback's, whatever they decide.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode};
use sinch_verify_callback::protocol::callback::{
    RequestEvent, ResultEvent, SmsDeliveredEvent, SmsResult, UnknownEvent,
};
use sinch_verify_callback::protocol::{Decision, Method, Status, VerificationId, WireObject as _};
use sinch_verify_callback::replay::{
    EventDigest, Inserted, MemoryStore, ReplayStore, SignatureDigest, StoreError,
};
use sinch_verify_callback::testing::{result_event, sms_delivered_event};
use sinch_verify_callback::{CallbackBuilder, CallbackService, Context, Full, Handler, InDoubt, ReplayGuard};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::support::{HANG, builder, event, in_memory, now, post, post_at};

const DEADLINE: Duration = Duration::from_millis(100);
/// Longer than the deadline.
const TOO_LONG: Duration = Duration::from_millis(150);

const ALLOW: &str = r#"{"action":"allow"}"#;
const DENY: &str = r#"{"action":"deny"}"#;

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn threads(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap()
}

/// With a short deadline.
fn strict<H: Handler>(builder: CallbackBuilder<H>) -> CallbackService<H> {
    builder.deadline(DEADLINE).build().unwrap()
}

async fn respond<H: Handler>(service: &CallbackService<H>, request: &Request<Bytes>) -> (StatusCode, String) {
    let response = service.respond(request, Full::new(request.body().clone())).await;
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status(), body)
}

fn again(id: &str) -> Request<Bytes> {
    post_at(event(id), now() + Duration::from_secs(1))
}

/// Allows everything; blocks its thread first, for as long as it is told to.
#[derive(Clone, Default)]
struct Blocks(Arc<AtomicBool>);

impl Blocks {
    fn until_released() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    fn release(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn block(&self) {
        if self.0.load(Ordering::SeqCst) {
            thread::sleep(TOO_LONG);
        }
    }
}

impl Handler for Blocks {
    type Error = std::convert::Infallible;

    async fn on_request(&self, _: RequestEvent, _: &Context) -> Result<Decision, Self::Error> {
        self.block();
        Ok(Decision::Allow)
    }

    async fn on_result(&self, _: ResultEvent, _: &Context) -> Result<(), Self::Error> {
        self.block();
        Ok(())
    }

    async fn on_sms_delivered(&self, _: SmsDeliveredEvent, _: &Context) -> Result<(), Self::Error> {
        self.block();
        Ok(())
    }

    async fn on_unknown(&self, _: UnknownEvent, _: &Context) -> Result<(), Self::Error> {
        self.block();
        Ok(())
    }
}

#[test]
fn an_allow_after_the_deadline_is_answered_and_remembered_as_the_fallback() {
    for runtime in [current_thread(), threads(1)] {
        let handler = Blocks::until_released();
        let service = strict(builder(handler.clone(), in_memory(InDoubt::Refuse)));
        // Where a server answers: in a task, on a thread of the runtime.
        let answers = async move {
            let first = respond(&service, &post(event("1"))).await;
            handler.release();
            (first, respond(&service, &again("1")).await)
        };
        let denied = (StatusCode::OK, DENY.to_owned());
        let answers = runtime.block_on(runtime.spawn(answers)).unwrap();
        assert_eq!(answers, (denied.clone(), denied), "{runtime:?}");
    }
}

#[test]
fn an_event_of_any_kind_that_is_handled_after_the_deadline_is_not_acknowledged() {
    let id = || VerificationId::new("1").unwrap();
    let number = || "+46700000001".parse().unwrap();
    let events = [
        result_event(id(), Method::Sms, number(), Status::Successful).to_json(),
        sms_delivered_event(id(), number(), SmsResult::Successful).to_json(),
        r#"{"event":"VerificationPigeonEvent"}"#.to_owned(),
    ];
    let runtime = current_thread();
    for body in events {
        let handler = Blocks::until_released();
        let service = strict(builder(handler.clone(), in_memory(InDoubt::Refuse)));
        let (first, second) = runtime.block_on(async {
            let first = respond(&service, &post(body.clone())).await;
            handler.release();
            let again = post_at(body.clone(), now() + Duration::from_secs(1));
            (first, respond(&service, &again).await)
        });
        assert_eq!(first.0, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
        assert_eq!(second.0, StatusCode::OK, "{body}");
    }
}

#[test]
fn while_every_thread_is_blocked_no_callback_is_allowed_late() {
    let runtime = threads(2);
    // Both handlers run at once, so no thread is left for the deadline.
    let both = Arc::new(Barrier::new(2));
    let handler = move |_: RequestEvent| {
        let both = Arc::clone(&both);
        async move {
            both.wait();
            thread::sleep(TOO_LONG);
            Decision::Allow
        }
    };
    let service = strict(builder(handler, in_memory(InDoubt::Refuse)));
    let ask = |id: &'static str| {
        let service = service.clone();
        runtime.spawn(async move { respond(&service, &post(event(id))).await })
    };
    for answer in [ask("1"), ask("2")] {
        let answer = runtime.block_on(answer).unwrap();
        assert_eq!(answer, (StatusCode::OK, DENY.to_owned()));
    }
}

#[test]
fn handlers_on_a_runtime_of_their_own_hold_no_answer_up() {
    let (main, handlers) = (current_thread(), threads(2));
    let (release, blocked) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let blocked = Arc::new(Mutex::new(blocked));
    let handler = move |event: RequestEvent| {
        let (blocked, tell) = (Arc::clone(&blocked), tell.clone());
        async move {
            if event.id.as_str() == "blocks" {
                tell.send(()).unwrap();
                let _ = blocked.lock().unwrap().recv();
            }
            Decision::Allow
        }
    };
    let service = |deadline| {
        let builder = builder(handler.clone(), in_memory(InDoubt::Refuse)).deadline(deadline);
        let builder = builder.handler_runtime(handlers.handle().clone());
        builder.build().unwrap()
    };
    let (patient, strict) = (service(HANG), service(DEADLINE));
    let answers = async {
        let (blocks, quick) = (post(event("blocks")), post(event("quick")));
        let blocks = respond(&patient, &blocks);
        let quick = async {
            // The blocking handler has its thread before this one is asked.
            while told.try_recv().is_err() {
                tokio::task::yield_now().await;
            }
            let quick = respond(&patient, &quick).await;
            // Both threads of handlers are blocked now, and an answer still comes at the deadline.
            let late = respond(&strict, &post(event("blocks"))).await;
            drop(release);
            (quick, late)
        };
        tokio::join!(blocks, quick)
    };
    let answers = main.block_on(async { timeout(HANG, answers).await.expect("no hang") });
    let (allowed, denied) = (
        (StatusCode::OK, ALLOW.to_owned()),
        (StatusCode::OK, DENY.to_owned()),
    );
    assert_eq!(answers, (allowed.clone(), (allowed, denied)));
}

/// A store whose last step, remembering a decision, is slow.
struct SlowToRemember {
    memory: MemoryStore,
    how: Slow,
}

#[derive(Clone, Copy)]
enum Slow {
    Hangs,
    BlocksThread,
}

impl ReplayStore for SlowToRemember {
    async fn insert_signature(
        &self,
        signature: SignatureDigest,
        timestamp: SystemTime,
        lifetime: Duration,
    ) -> Result<Inserted, StoreError> {
        self.memory.insert_signature(signature, timestamp, lifetime).await
    }

    async fn decision(&self, event: EventDigest) -> Result<Option<Bytes>, StoreError> {
        self.memory.decision(event).await
    }

    async fn insert_decision(
        &self,
        event: EventDigest,
        answer: Bytes,
        lifetime: Duration,
    ) -> Result<Bytes, StoreError> {
        match self.how {
            Slow::Hangs => std::future::pending().await,
            Slow::BlocksThread => {
                let stands = self.memory.insert_decision(event, answer, lifetime).await;
                thread::sleep(TOO_LONG);
                stands
            }
        }
    }
}

fn slow_to_remember(how: Slow) -> ReplayGuard {
    let memory = MemoryStore::default();
    ReplayGuard::new(SlowToRemember { memory, how }, InDoubt::Accept)
}

#[tokio::test]
async fn a_decision_that_is_remembered_after_the_deadline_is_answered_when_it_is_asked_for_again() {
    let handler = |_: RequestEvent| async { Decision::Allow };
    let guard = slow_to_remember(Slow::BlocksThread);
    let service = strict(builder(handler, guard));
    let late = respond(&service, &post(event("1"))).await;
    assert_eq!(late, (StatusCode::SERVICE_UNAVAILABLE, String::new()));
    let in_time = respond(&service, &again("1")).await;
    assert_eq!(in_time, (StatusCode::OK, ALLOW.to_owned()));
}

#[tokio::test]
async fn what_the_guard_needs_afterwards_is_a_part_of_the_deadline() {
    let handler = |_: RequestEvent| std::future::pending::<Decision>();
    // It would wait for an hour, but gets half of the deadline at most.
    let guard = slow_to_remember(Slow::Hangs).with_timeout(Duration::from_secs(3600));
    let service = strict(builder(handler, guard));
    let answer = timeout(HANG, async { respond(&service, &post(event("1"))).await });
    assert_eq!(answer.await.expect("no hang"), (StatusCode::OK, DENY.to_owned()));
}
