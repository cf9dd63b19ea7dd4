//! A server that restarts, stops or is full.

use sinch_verify_callback::replay::RedisStore;
use sinch_verify_callback::{InDoubt, ReplayGuard};

use crate::redis_server::RedisServer;
use crate::support::{REPLAY, TAKEN, TestReceiver, Traffic};

#[tokio::test]
async fn a_restart_costs_an_idle_receiver_no_callback() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let store = RedisStore::open(&redis.url()).unwrap();
    let receiver = TestReceiver::patient(store, InDoubt::Refuse);
    assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
    redis.restart();
    assert_eq!(receiver.post_twice("2").await, (TAKEN, REPLAY));
    redis.restart();
    assert_eq!(receiver.post("1").await, REPLAY);
    assert_eq!(receiver.counts().unavailable, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_traffic_costs_no_callback_when_the_guard_waits_for_it() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let store = RedisStore::open(&redis.url()).unwrap();
    let receiver = TestReceiver::patient(store, InDoubt::Refuse);
    let traffic = Traffic::start(&receiver);
    for n in 0..3 {
        assert_eq!(receiver.post_twice(&format!("before {n}")).await, (TAKEN, REPLAY));
        redis.restart();
        assert_eq!(receiver.post(&format!("before {n}")).await, REPLAY);
    }
    traffic.was_judged_well().await;
    assert_eq!(receiver.counts().unavailable, 0);
}

#[tokio::test]
async fn a_redis_that_is_stopped_is_a_doubt_until_it_goes_on() {
    let Some(redis) = RedisServer::start() else { return };
    for (in_doubt, status) in [(InDoubt::Refuse, 503), (InDoubt::Accept, TAKEN)] {
        let store = RedisStore::open(&redis.url()).unwrap();
        let store = store.with_prefix(&format!("{in_doubt:?}:"));
        let receiver = TestReceiver::new(ReplayGuard::new(store, in_doubt));
        receiver.healed("before").await;
        redis.suspend();
        let before = receiver.counts();
        // Longer than a silent connection is kept, so new ones are stopped too.
        for n in 0..4 {
            assert_eq!(receiver.post(&format!("stopped-{n}")).await, status);
        }
        assert!(receiver.counts().unavailable >= before.unavailable + 4);
        assert_eq!(receiver.counts().replayed, before.replayed);
        redis.resume();
        receiver.healed("after").await;
    }
}

#[tokio::test]
async fn a_full_redis_is_a_doubt_for_new_callbacks_and_still_knows_replays() {
    let Some(redis) = RedisServer::start() else { return };
    for (in_doubt, status) in [(InDoubt::Refuse, 429), (InDoubt::Accept, TAKEN)] {
        let store = RedisStore::open(&redis.url()).unwrap();
        let store = store.with_prefix(&format!("{in_doubt:?}:"));
        let receiver = TestReceiver::patient(store, in_doubt);
        assert_eq!(receiver.post("1").await, TAKEN);
        assert_eq!(redis.command("CONFIG SET maxmemory 1"), "+OK");
        assert_eq!(receiver.post("2").await, status);
        assert!(receiver.counts().full > 0);
        assert_eq!(receiver.post("1").await, REPLAY);
        assert_eq!(redis.command("CONFIG SET maxmemory 0"), "+OK");
        assert_eq!(receiver.post_twice("3").await, (TAKEN, REPLAY));
        assert_eq!(receiver.counts().unavailable, 0);
    }
}
