//! Connections that are closed, cut or spoilt while Redis is up.

use std::time::Duration;

use sinch_verify_callback::InDoubt;
use sinch_verify_callback::replay::RedisStore;

use crate::redis_server::{Fault, RedisServer};
use crate::support::{REPLAY, TAKEN, TestReceiver, Traffic};

#[tokio::test]
async fn a_redis_that_closes_idle_connections_costs_no_callback() {
    let Some(redis) = RedisServer::start() else { return };
    assert_eq!(redis.command("CONFIG SET timeout 1"), "+OK");
    for in_doubt in [InDoubt::Refuse, InDoubt::Accept] {
        let store = RedisStore::open(&redis.url()).unwrap();
        let receiver = TestReceiver::patient(store.with_prefix(&format!("{in_doubt:?}:")), in_doubt);
        assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
        for (old, new) in [("1", "2"), ("2", "3")] {
            // Its own connection is the last.
            redis.until("INFO clients", "connected_clients:1\r").await;
            assert_eq!(receiver.post(old).await, REPLAY);
            redis.until("INFO clients", "connected_clients:1\r").await;
            assert_eq!(receiver.post_twice(new).await, (TAKEN, REPLAY));
        }
        assert_eq!(receiver.counts().unavailable, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_killed_under_traffic_cost_no_callback() {
    let Some(redis) = RedisServer::start() else { return };
    let store = RedisStore::open(&redis.url()).unwrap();
    let receiver = TestReceiver::patient(store, InDoubt::Refuse);
    let traffic = Traffic::start(&receiver);
    let mut killed = 0;
    while killed < 50 {
        let answer = redis.command("CLIENT KILL TYPE normal");
        killed += answer.trim_start_matches(':').parse::<u32>().unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    traffic.was_judged_well().await;
    assert_eq!(receiver.counts().unavailable, 0);
}

#[tokio::test]
async fn a_signature_whose_answer_was_lost_is_no_replay() {
    let Some(redis) = RedisServer::start() else { return };
    let proxy = redis.proxy().await;
    let store = RedisStore::open(&proxy.url()).unwrap();
    let receiver = TestReceiver::patient(store, InDoubt::Refuse);
    assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
    let keys = redis.command("DBSIZE");
    proxy.spoil(Fault::LostAnswer);
    assert_eq!(receiver.post("2").await, TAKEN);
    assert_ne!(redis.command("DBSIZE"), keys);
    assert_eq!(receiver.post("2").await, REPLAY);
    // A replay whose answer was lost is a replay.
    proxy.spoil(Fault::LostAnswer);
    assert_eq!(receiver.post("2").await, REPLAY);
}

#[tokio::test]
async fn a_server_that_may_not_answer_any_more_is_given_up() {
    let Some(redis) = RedisServer::start() else { return };
    for refusal in [
        "-READONLY You can't write against a read only replica.",
        "-LOADING Redis is loading the dataset in memory",
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "-NOREPLICAS Not enough good replicas to write.",
        "-NOAUTH Authentication required.",
    ] {
        let proxy = redis.proxy().await;
        let store = RedisStore::open(&proxy.url()).unwrap();
        let receiver = TestReceiver::patient(store.with_prefix(refusal), InDoubt::Refuse);
        assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
        proxy.spoil(Fault::Answer(refusal));
        assert_eq!(receiver.post_twice("2").await, (TAKEN, REPLAY), "{refusal}");
        proxy.spoil(Fault::Answer(refusal));
        assert_eq!(receiver.post("1").await, REPLAY, "{refusal}");
    }
}
