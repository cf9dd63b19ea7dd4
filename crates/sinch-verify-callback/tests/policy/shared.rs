//! What receivers share in Redis: with memory they agree on every verdict, and faults are as the rules say.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::test_runner::{Config, TestRunner};
use sinch_verify_callback::policy::{FraudPolicy, PolicyRules, PolicyStore};
use sinch_verify_callback::protocol::Status;
use sinch_verify_callback::replay::{RedisStore, StoreError};

use crate::bounds::{self, at_once};
use crate::redis_server::RedisServer;
use crate::support::{ALICE, Day, MINUTE, event};

/// Waits for longer than a receiver does by default: this machine may be slow.
pub(crate) fn store(url: &str) -> PolicyStore {
    let store = RedisStore::open(url).unwrap();
    PolicyStore::redis(&store.with_silence(MINUTE).with_retry(MINUTE / 2))
}

#[test]
fn memory_and_redis_give_the_same_verdicts() {
    let Some(redis) = RedisServer::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let opened = RedisStore::open(&redis.url())
        .unwrap()
        .with_silence(MINUTE)
        .with_retry(MINUTE / 2);
    let cases = AtomicU32::new(0);
    let config = Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (bounds::rules(), bounds::any_steps());
    let result = TestRunner::new(config).run(&strategy, |(rules, steps)| {
        let prefix = format!("case-{}:", cases.fetch_add(1, Ordering::Relaxed));
        let shared = PolicyStore::redis(&opened.clone().with_prefix(&prefix));
        runtime.block_on(async {
            let in_redis = bounds::said(&mut Day::with(&rules, shared), &steps).await;
            let in_memory = bounds::said(&mut Day::in_memory(&rules), &steps).await;
            proptest::prop_assert_eq!(in_redis, in_memory);
            Ok(())
        })
    });
    result.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_receivers_let_exactly_the_limit_through() {
    let Some(redis) = RedisServer::start() else { return };
    let rules: PolicyRules = "[prices]\ncurrency = \"EUR\"
        [[velocity]]\nper = \"number\"\nlimit = 37\nwindow = \"1h\"
        [[budget]]\nperiod = \"day\"\namount = \"10\""
        .parse()
        .unwrap();
    let receiver = || {
        let builder = FraudPolicy::builder(rules.clone()).store(store(&redis.url()));
        builder.timeout(MINUTE).build().unwrap()
    };
    assert_eq!(
        at_once(&[receiver(), receiver()], 200, |_| ALICE.to_owned()).await,
        37
    );
}

#[tokio::test]
async fn an_event_takes_one_round_trip() {
    let Some(redis) = RedisServer::start() else { return };
    let rules = "[[velocity]]\nper = \"number\"\nlimit = 5\nwindow = \"1h\"
        [[cooldown]]\npauses = \"1s\"
        [[lockout]]\nfailures = 5\nwindow = \"1h\"\nblock = \"1h\"
        [[conversion]]\nfloor-percent = 5\nblock = \"1h\"";
    let mut day = Day::with(rules, store(&redis.url()));
    let first = day.start(ALICE).await;
    day.end(&first, Status::Fail).await;
    redis.command("CONFIG RESETSTAT");
    let second = day.after(MINUTE).start(ALICE).await;
    day.end(&second, Status::Fail).await;
    let calls = redis.whole_answer("INFO commandstats");
    assert!(calls.contains("cmdstat_evalsha:calls=2,"), "{calls}");
    assert!(!calls.contains("cmdstat_eval:"), "{calls}");
}

#[tokio::test]
async fn keys_are_digests_and_expire() {
    let Some(redis) = RedisServer::start() else { return };
    let rules = "[[velocity]]\nper = \"number\"\nlimit = 5\nwindow = \"1h\"";
    let mut day = Day::with(rules, store(&redis.url()));
    assert!(day.allows(ALICE).await);
    let keys = redis.whole_answer("KEYS *");
    let keys: Vec<_> = keys
        .lines()
        .filter(|line| line.starts_with("sinch-verify:"))
        .collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        assert_eq!(key.len(), "sinch-verify:c:".len() + 32, "{key}");
        let left: u64 = redis.command(&format!("PTTL {key}"))[1..].parse().unwrap();
        assert!((3_500_000..=3_660_000).contains(&left), "{left}");
    }
}

#[tokio::test]
async fn a_redis_that_forgot_the_script_gets_it_again() {
    let Some(redis) = RedisServer::start() else { return };
    let rules = "[[velocity]]\nper = \"number\"\nlimit = 2\nwindow = \"1h\"";
    let mut day = Day::with(rules, store(&redis.url()));
    assert!(day.allows(ALICE).await);
    redis.command("SCRIPT FLUSH");
    assert!(day.allows(ALICE).await);
    assert!(!day.allows(ALICE).await);
}

#[tokio::test]
async fn counts_survive_a_restart_and_an_answer_that_is_lost_counts_once() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let proxy = redis.proxy().await;
    let rules = "[[velocity]]\nper = \"number\"\nlimit = 3\nwindow = \"1h\"";
    let mut day = Day::with(rules, store(&proxy.url()));
    assert!(day.allows(ALICE).await);
    redis.restart();
    assert!(day.allows(ALICE).await);
    proxy.spoil(crate::redis_server::Fault::LostAnswer);
    assert!(day.allows(ALICE).await);
    assert!(!day.allows(ALICE).await);
}

#[tokio::test]
async fn a_redis_that_is_away_or_full_is_in_doubt() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let rules: PolicyRules = "[[velocity]]\nper = \"number\"\nlimit = 9\nwindow = \"1h\""
        .parse()
        .unwrap();
    let builder =
        FraudPolicy::builder(rules).store(PolicyStore::redis(&RedisStore::open(&redis.url()).unwrap()));
    let day = Day::new(builder.timeout(MINUTE).build().unwrap());
    let check = async |id: &str| day.policy.check(&event(id, ALICE), &day.context()).await;
    assert!(check("1").await.is_ok());
    redis.command("CONFIG SET maxmemory 1");
    assert_eq!(check("2").await, Err(StoreError::Full));
    redis.command("CONFIG SET maxmemory 0");
    assert!(check("2").await.is_ok());
    redis.kill();
    assert!(matches!(check("3").await, Err(StoreError::Unavailable { .. })));
    redis.restart();
    assert!(check("3").await.is_ok());
}
