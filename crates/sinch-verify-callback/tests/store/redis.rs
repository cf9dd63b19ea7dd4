use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sinch_verify_callback::replay::{Inserted, Lifetime, RedisStore, ReplayStore as _, StoreError};

use crate::redis_server::RedisServer;
use crate::{event, keeps_its_word, now, seconds, signature};

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_store_keeps_the_contract_of_stores() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    // Any time will do: Redis is told how long, not until when.
    keeps_its_word(RedisStore::open(&server.url()).unwrap(), now()).await;
}

#[tokio::test]
async fn stores_with_one_prefix_share_and_others_do_not() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let open = || RedisStore::open(&server.url()).unwrap();
    let (one, two, other) = (open(), open(), open().with_prefix("other:"));
    let life = seconds(now(), 60);
    assert_eq!(one.insert_signature(signature(1), life).await, Ok(Inserted::New));
    assert_eq!(
        two.insert_signature(signature(1), life).await,
        Ok(Inserted::Present)
    );
    assert_eq!(
        other.insert_signature(signature(1), life).await,
        Ok(Inserted::New)
    );

    let answer = Bytes::from_static(br#"{"action":"deny"}"#);
    one.insert_decision(event("id-77"), answer.clone(), life)
        .await
        .unwrap();
    assert_eq!(two.decision(event("id-77"), now()).await, Ok(Some(answer)));
    assert_eq!(other.decision(event("id-77"), now()).await, Ok(None));
    // Three keys, and no id in any.
    assert_eq!(server.command("DBSIZE"), ":3");
    assert_eq!(server.command("KEYS *77*id*"), "*0");
}

#[tokio::test]
async fn redis_forgets_when_it_was_told_to() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let store = RedisStore::open(&server.url()).unwrap();
    let life = Lifetime {
        now: now(),
        until: now() + Duration::from_millis(30),
    };
    store.insert_signature(signature(1), life).await.unwrap();
    // Its own clock: wait for it, however slow this machine is.
    let long = seconds(now(), 60);
    while store.insert_signature(signature(1), long).await == Ok(Inserted::Present) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        store.insert_signature(signature(1), long).await,
        Ok(Inserted::Present)
    );
    // It has expired already: Redis takes no zero, and no less.
    let past = Lifetime {
        now: now(),
        until: SystemTime::UNIX_EPOCH,
    };
    assert_eq!(
        store.insert_signature(signature(2), past).await,
        Ok(Inserted::New)
    );
}

#[tokio::test]
async fn a_redis_that_is_away_full_or_none_is_an_error() {
    assert!(RedisStore::open("not a url").is_err());
    // A port that nobody listens on, and then somebody does.
    let Some(mut server) = RedisServer::start() else {
        return;
    };
    server.kill();
    let store = RedisStore::open(&server.url()).unwrap();
    let life = seconds(now(), 60);
    let away = store.insert_signature(signature(1), life).await;
    assert!(matches!(away, Err(StoreError::Unavailable { .. })), "{away:?}");
    server.restart();
    let mut back = store.insert_signature(signature(1), life).await;
    while back.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        back = store.insert_signature(signature(1), life).await;
    }
    assert_eq!(back, Ok(Inserted::New));

    assert_eq!(server.command("CONFIG SET maxmemory 1"), "+OK");
    assert_eq!(
        store.insert_signature(signature(2), life).await,
        Err(StoreError::Full)
    );
}

#[test]
fn a_store_is_opened_before_there_is_a_runtime() {
    assert!(RedisStore::open("redis://127.0.0.1:1/").is_ok());
}

#[tokio::test]
async fn a_connection_that_goes_silent_is_given_up() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let proxy = server.proxy().await;
    let limit = Duration::from_millis(50);
    let store = RedisStore::open(&proxy.url()).unwrap().with_silence(limit);
    let life = seconds(now(), 60);
    assert_eq!(
        store.insert_signature(signature(1), life).await,
        Ok(Inserted::New)
    );

    proxy.go_silent();
    // As the guard asks: dropped when it takes too long, so the store sees no error.
    let ask = |n| tokio::time::timeout(limit, store.insert_signature(signature(n), life));
    assert!(ask(2).await.is_err());
    let answers = async {
        loop {
            if let Ok(answer) = ask(1).await {
                break answer;
            }
        }
    };
    // Nothing said that the connection was lost; Redis is asked over another, and still knows.
    let answer = tokio::time::timeout(Duration::from_secs(60), answers).await;
    assert_eq!(answer, Ok(Ok(Inserted::Present)));
    assert_eq!(server.command("DBSIZE"), ":1");
}
