//! A policy in front of a handler: callbacks as the service posts them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sinch_verify_callback::policy::{FraudPolicy, Overrule, PolicyRules, PolicyStore};
use sinch_verify_callback::protocol::{Status, VerificationId, WireObject as _};
use sinch_verify_callback::testing::{request_event, result_event};
use sinch_verify_callback::{
    CallbackBuilder, CallbackService, Code, Context, Decision, Full, Handler, Method, RequestEvent,
    ResultEvent,
};

use crate::fixtures::{builder, now, signer};
use crate::support::{ALICE, BOB, MINUTE};

/// Decides as it was told, and counts.
#[derive(Clone)]
struct Backend {
    decides: fn(&RequestEvent) -> Decision,
    starts: Arc<AtomicUsize>,
    results: Arc<AtomicUsize>,
}

impl Backend {
    fn new(decides: fn(&RequestEvent) -> Decision) -> Self {
        Self {
            decides,
            starts: Arc::default(),
            results: Arc::default(),
        }
    }

    fn starts(&self) -> usize {
        self.starts.load(Ordering::SeqCst)
    }
}

impl Handler for Backend {
    type Error = Infallible;

    async fn on_request(&self, event: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        self.starts.fetch_add(1, Ordering::SeqCst);
        Ok((self.decides)(&event))
    }

    async fn on_result(&self, _: ResultEvent, _: &Context) -> Result<(), Infallible> {
        self.results.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn policy(rules: &str) -> FraudPolicy {
    let rules: PolicyRules = rules.parse().unwrap();
    FraudPolicy::builder(rules).build().unwrap()
}

const ONE_EACH: &str = "[[velocity]]\nper = \"number\"\nlimit = 1\nwindow = \"1h\"";

/// Posts a request event, signed `later` than others of the same id.
async fn post<H: Handler>(service: &CallbackService<H>, id: &str, number: &str, later: u64) -> (u16, String) {
    let id = VerificationId::new(id).unwrap();
    let body = request_event(id, Method::Sms, number.parse().unwrap()).to_json();
    send(service, body, later).await
}

async fn post_result<H: Handler>(service: &CallbackService<H>, id: &str, status: Status) -> (u16, String) {
    let id = VerificationId::new(id).unwrap();
    send(
        service,
        result_event(id, Method::Sms, ALICE.parse().unwrap(), status).to_json(),
        0,
    )
    .await
}

async fn send<H: Handler>(service: &CallbackService<H>, body: String, later: u64) -> (u16, String) {
    let at = now() + Duration::from_secs(later);
    let request = signer().post("/".parse().unwrap(), body, at);
    let response = service.respond(&request, Full::new(request.body().clone())).await;
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status().as_u16(), body)
}

fn allow() -> (u16, String) {
    (200, r#"{"action":"allow"}"#.to_owned())
}

fn deny() -> (u16, String) {
    (200, r#"{"action":"deny"}"#.to_owned())
}

/// With the guard that is the default, and without one.
fn builders() -> [CallbackBuilder; 2] {
    [builder(), builder().without_guard()]
}

#[tokio::test]
async fn a_denied_start_does_not_reach_the_handler() {
    for builder in builders() {
        let backend = Backend::new(|_| Decision::Allow);
        let service = builder
            .policy(&policy(ONE_EACH))
            .handler(backend.clone())
            .build()
            .unwrap();
        assert_eq!(post(&service, "1", ALICE, 0).await, allow());
        assert_eq!(post(&service, "2", ALICE, 0).await, deny());
        // Again: the same answers, and one more number has its start.
        assert_eq!(post(&service, "1", ALICE, 1).await, allow());
        assert_eq!(post(&service, "2", ALICE, 1).await, deny());
        assert_eq!(post(&service, "3", BOB, 0).await, allow());
        assert!(backend.starts() <= 3);
    }
}

#[tokio::test]
async fn an_event_that_comes_twice_at_once_counts_once() {
    for builder in builders() {
        let backend = Backend::new(|_| Decision::Allow);
        let rules = "[[velocity]]\nper = \"number\"\nlimit = 2\nwindow = \"1h\"";
        let service = builder.policy(&policy(rules)).handler(backend).build().unwrap();
        let same = (
            post(&service, "1", ALICE, 0),
            post(&service, "1", ALICE, 1),
            post(&service, "1", ALICE, 2),
        );
        let (a, b, c) = tokio::join!(same.0, same.1, same.2);
        assert_eq!([a, b, c], [allow(), allow(), allow()]);
        assert_eq!(post(&service, "2", ALICE, 0).await, allow());
        assert_eq!(post(&service, "3", ALICE, 0).await, deny());
    }
}

#[tokio::test]
async fn what_the_handler_denies_is_given_back() {
    for builder in builders() {
        let backend = Backend::new(|event| {
            let is_last = event.id.as_str() == "last";
            if is_last { Decision::Allow } else { Decision::Deny }
        });
        let service = builder
            .policy(&policy(ONE_EACH))
            .handler(backend)
            .build()
            .unwrap();
        for id in ["1", "2", "3"] {
            assert_eq!(post(&service, id, ALICE, 0).await, deny());
        }
        assert_eq!(post(&service, "last", ALICE, 0).await, allow());
        assert_eq!(post(&service, "5", ALICE, 0).await, deny());
    }
}

#[tokio::test]
async fn what_the_fallback_denies_is_given_back() {
    for builder in builders() {
        let policy = policy(ONE_EACH);
        let misfit = Backend::new(|event| match event.id.as_str() {
            "misfit" => Decision::flash_call_cli("+46700000009".parse().unwrap()),
            _ => Decision::sms_code(Code::new("4821").unwrap()),
        });
        let service = builder.policy(&policy).handler(misfit).build().unwrap();
        assert_eq!(post(&service, "misfit", ALICE, 0).await, deny());
        assert_ne!(post(&service, "good", ALICE, 0).await, deny());
        let report = policy.report();
        assert_eq!(report.all.allowed, 2);
    }
}

#[tokio::test]
async fn results_are_counted_and_reach_the_handler() {
    let backend = Backend::new(|_| Decision::Allow);
    let policy = policy("[[lockout]]\nfailures = 1\nwindow = \"1h\"\nblock = \"1h\"");
    let service = builder()
        .policy(&policy)
        .handler(backend.clone())
        .build()
        .unwrap();
    assert_eq!(post(&service, "1", ALICE, 0).await, allow());
    assert_eq!(post_result(&service, "1", Status::Fail).await.0, 200);
    // A result of a start that was not counted.
    assert_eq!(post_result(&service, "unknown", Status::Fail).await.0, 200);
    assert_eq!(post(&service, "2", ALICE, 0).await, deny());
    assert_eq!(backend.results.load(Ordering::SeqCst), 2);
    assert_eq!((policy.report().all.ended, policy.report().all.succeeded), (1, 0));
}

#[tokio::test]
async fn the_application_overrules_verdicts() {
    let rules: PolicyRules = ONE_EACH.parse().unwrap();
    let policy = FraudPolicy::builder(rules)
        .overrule(|event, verdict| match event.id.as_str() {
            "let-in" if !verdict.is_allowed() => Overrule::Allow,
            "keep-out" => Overrule::Deny,
            _ => Overrule::Keep,
        })
        .build()
        .unwrap();
    for builder in builders() {
        let backend = Backend::new(|_| Decision::Allow);
        let service = builder.policy(&policy).handler(backend).build().unwrap();
        assert_eq!(post(&service, "keep-out", ALICE, 0).await, deny());
        assert_eq!(post(&service, "1", ALICE, 0).await, allow());
        assert_eq!(post(&service, "2", ALICE, 0).await, deny());
        assert_eq!(post(&service, "let-in", ALICE, 0).await, allow());
    }
}

#[tokio::test]
async fn a_full_store_refuses_or_accepts_as_the_rules_say() {
    for (in_doubt, status) in [("refuse", 429), ("accept", 200)] {
        let rules: PolicyRules = format!("in-doubt = \"{in_doubt}\"\n{ONE_EACH}").parse().unwrap();
        let store = PolicyStore::memory(std::num::NonZeroUsize::new(2).unwrap());
        let policy = FraudPolicy::builder(rules).store(store).build().unwrap();
        let backend = Backend::new(|_| Decision::Allow);
        let service = builder()
            .policy(&policy)
            .handler(backend.clone())
            .build()
            .unwrap();
        assert_eq!(post(&service, "1", ALICE, 0).await, allow());
        assert_eq!(post(&service, "2", BOB, 0).await.0, status);
        assert_eq!(backend.starts(), if status == 200 { 2 } else { 1 });
    }
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_redis_that_pauses_or_stops_refuses_or_accepts_as_the_rules_say_and_heals() {
    use sinch_verify_callback::replay::RedisStore;

    let Some(mut redis) = crate::redis_server::RedisServer::start() else {
        return;
    };
    for (in_doubt, status) in [("refuse", 503), ("accept", 200)] {
        let rules = ONE_EACH.replace("limit = 1", "limit = 3");
        let rules: PolicyRules = format!("in-doubt = \"{in_doubt}\"\n{rules}").parse().unwrap();
        let store = RedisStore::open(&redis.url()).unwrap().with_prefix(in_doubt);
        let build = |timeout: Duration| {
            // Tries again for as long as it may take.
            let store = store.clone().with_silence(MINUTE).with_retry(timeout * 3 / 4);
            let policy = FraudPolicy::builder(rules.clone()).store(PolicyStore::redis(&store));
            let backend = Backend::new(|_| Decision::Allow);
            let builder = builder()
                .deadline(10 * MINUTE)
                .policy(&policy.timeout(timeout).build().unwrap());
            builder.handler(backend).build().unwrap()
        };
        let (hurried, patient) = (build(Duration::from_millis(200)), build(MINUTE));
        assert_eq!(post(&patient, "1", ALICE, 0).await, allow());

        redis.suspend();
        assert_eq!(post(&hurried, "2", BOB, 0).await.0, status);
        assert_eq!(post_result(&hurried, "1", Status::Fail).await.0, status);
        redis.resume();
        assert_eq!(post(&patient, "3", ALICE, 0).await, allow());

        redis.kill();
        assert_eq!(post(&hurried, "4", BOB, 0).await.0, status);
        assert_eq!(post_result(&hurried, "3", Status::Fail).await.0, status);
        redis.restart();
        assert_eq!(post(&patient, "5", ALICE, 0).await, allow());
        assert_eq!(post(&patient, "6", ALICE, 0).await, deny());
    }
}
