use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use sinch_verify_callback::replay::{Inserted, RedisConfig, RedisStore, ReplayStore as _, StoreError};

use crate::redis_server::{Fault, RedisServer, texts};
use crate::{LIFE, event, keeps_its_word, now, signature};

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_store_keeps_the_contract_of_stores() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    keeps_its_word(RedisStore::open(&server.url()).unwrap()).await;
}

#[tokio::test]
async fn stores_with_one_prefix_share_and_others_do_not() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let open = || RedisStore::open(&server.url()).unwrap();
    let (one, two, other) = (open(), open(), open().with_prefix("other:"));
    assert_eq!(
        one.insert_signature(signature(1), now(), LIFE).await,
        Ok(Inserted::New)
    );
    assert_eq!(
        two.insert_signature(signature(1), now(), LIFE).await,
        Ok(Inserted::Present)
    );
    assert_eq!(
        other.insert_signature(signature(1), now(), LIFE).await,
        Ok(Inserted::New)
    );

    let answer = Bytes::from_static(br#"{"action":"deny"}"#);
    one.insert_decision(event("id-77"), answer.clone(), LIFE)
        .await
        .unwrap();
    assert_eq!(two.decision(event("id-77")).await, Ok(Some(answer)));
    assert_eq!(other.decision(event("id-77")).await, Ok(None));
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
    let life = Duration::from_millis(30);
    store.insert_signature(signature(1), now(), life).await.unwrap();
    // Its own clock: wait for it, however slow this machine is.
    while store.insert_signature(signature(1), now(), LIFE).await == Ok(Inserted::Present) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        store.insert_signature(signature(1), now(), LIFE).await,
        Ok(Inserted::Present)
    );
    // It has expired already: Redis takes no zero.
    assert_eq!(
        store.insert_signature(signature(2), now(), Duration::ZERO).await,
        Ok(Inserted::New)
    );
}

#[tokio::test]
async fn a_redis_that_is_away_full_or_none_is_an_error() {
    assert!(RedisStore::open("not a url").is_err());
    // A port without a listener, which gets one later.
    let Some(mut server) = RedisServer::start() else {
        return;
    };
    server.kill();
    let store = RedisStore::open(&server.url()).unwrap();
    let away = store.insert_signature(signature(1), now(), LIFE).await;
    assert!(matches!(away, Err(StoreError::Unavailable { .. })), "{away:?}");
    server.restart();
    let mut back = store.insert_signature(signature(1), now(), LIFE).await;
    while back.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        back = store.insert_signature(signature(1), now(), LIFE).await;
    }
    assert_eq!(back, Ok(Inserted::New));

    assert_eq!(server.command("CONFIG SET maxmemory 1"), "+OK");
    assert_eq!(
        store.insert_signature(signature(2), now(), LIFE).await,
        Err(StoreError::Full)
    );
}

/// Why a signature cannot be inserted.
async fn refusal(store: RedisStore) -> String {
    let inserted = store.insert_signature(signature(1), now(), LIFE).await;
    inserted.unwrap_err().to_string()
}

#[tokio::test]
async fn a_cluster_is_named_as_unsupported() {
    let cluster = |_: &Path| texts(&["--cluster-enabled", "yes"]);
    let Some(server) = RedisServer::start_with(cluster) else {
        return;
    };
    let message = refusal(RedisStore::open(&server.url()).unwrap()).await;
    assert!(message.contains("Redis Cluster is not supported"), "{message}");
}

#[tokio::test]
async fn a_password_that_is_wrong_is_named() {
    let password = |_: &Path| texts(&["--user", "receiver", "on", ">sesame", "~*", "+@all"]);
    let Some(server) = RedisServer::start_with(password) else {
        return;
    };
    let url = |password: &str| server.url().replace("//", &format!("//receiver:{password}@"));
    let message = refusal(RedisStore::open(&url("tahini")).unwrap()).await;
    assert!(message.contains("uthentication failed"), "{message}");
    assert!(!message.contains("tahini"), "{message}");
    let store = RedisStore::open(&url("sesame")).unwrap();
    assert_eq!(
        store.insert_signature(signature(1), now(), LIFE).await,
        Ok(Inserted::New)
    );
}

#[tokio::test]
async fn without_a_primary_that_sentinel_names_the_reason_is_given() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let Some(sentinel) = RedisServer::sentinel(&server) else {
        return;
    };
    for (name, sentinel, reason) in [
        ("other", sentinel.url(), "Sentinel knows no primary other"),
        // No Sentinel, but a server.
        ("mymaster", server.url(), "unknown command"),
        ("mymaster", "redis://127.0.0.1:1/".to_owned(), "refused"),
    ] {
        let config = RedisConfig::new(&format!("redis://{name}/")).with_sentinels([sentinel.as_str()]);
        let message = refusal(RedisStore::open_with(&config).unwrap()).await;
        assert!(message.contains(reason), "{message}");
    }
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
    assert_eq!(
        store.insert_signature(signature(1), now(), LIFE).await,
        Ok(Inserted::New)
    );

    proxy.spoil(Fault::Silence);
    // As the guard asks: dropped when it takes too long, so the store sees no error.
    let ask = |n| tokio::time::timeout(limit, store.insert_signature(signature(n), now(), LIFE));
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
