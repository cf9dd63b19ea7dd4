//! Another server becomes the primary.

use std::time::{Duration, Instant};

use sinch_verify_callback::replay::{RedisConfig, RedisStore};
use sinch_verify_callback::{InDoubt, ReplayGuard};

use crate::redis_server::{Fault, RedisServer};
use crate::support::{REPLAY, TAKEN, TestReceiver};

/// Callbacks are taken again within 1 s, on a machine at rest. This one may not be.
const BACK: Duration = Duration::from_secs(10);

/// A primary and its replica.
async fn pair() -> Option<(RedisServer, RedisServer)> {
    let (primary, replica) = (RedisServer::start()?, RedisServer::start()?);
    follow(&replica, &primary).await;
    Some((primary, replica))
}

async fn follow(replica: &RedisServer, primary: &RedisServer) {
    let port = primary.port();
    // At once, and not when more replicas may have come.
    assert_eq!(primary.command("CONFIG SET repl-diskless-sync-delay 0"), "+OK");
    assert_eq!(replica.command(&format!("REPLICAOF 127.0.0.1 {port}")), "+OK");
    replica.until("INFO replication", "master_link_status:up").await;
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_given_up_for_the_new_one() {
    let Some((one, two)) = pair().await else { return };
    let proxy = one.proxy().await;
    let store = RedisStore::open(&proxy.url()).unwrap();
    let receiver = TestReceiver::patient(store, InDoubt::Refuse);
    assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
    two.until("DBSIZE", &one.command("DBSIZE")).await;

    // The connection to the old primary stays open.
    assert_eq!(two.command("REPLICAOF NO ONE"), "+OK");
    proxy.switch_to(two.port());
    follow(&one, &two).await;
    assert_eq!(receiver.post_twice("2").await, (TAKEN, REPLAY));
    assert_eq!(receiver.post("1").await, REPLAY);
    assert_eq!(receiver.counts().unavailable, 0);
}

#[tokio::test]
async fn a_primary_that_is_gone_without_a_word_is_given_up_for_the_new_one() {
    let Some((one, two)) = pair().await else { return };
    let proxy = one.proxy().await;
    // With its default limits, as the time until it is back is what counts.
    let store = RedisStore::open(&proxy.url()).unwrap();
    let receiver = TestReceiver::new(ReplayGuard::new(store, InDoubt::Refuse));
    receiver.healed("before").await;
    proxy.spoil(Fault::Silence);
    proxy.switch_to(two.port());
    assert_eq!(two.command("REPLICAOF NO ONE"), "+OK");
    let begin = Instant::now();
    receiver.healed("after").await;
    assert!(begin.elapsed() < BACK, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn sentinels_lead_to_the_new_primary() {
    let Some((mut one, two)) = pair().await else {
        return;
    };
    let Some(sentinel) = RedisServer::sentinel(&one) else {
        return;
    };
    let name = RedisServer::PRIMARY;
    sentinel
        .until(&format!("SENTINEL MASTER {name}"), "num-slaves\r\n$1\r\n1\r")
        .await;

    // Another Sentinel is down.
    let down = "redis://127.0.0.1:1/";
    let url = format!("redis://{name}/");
    let config = RedisConfig::new(&url).with_sentinels([down, &sentinel.url()]);
    let store = RedisStore::open_with(&config).unwrap();
    let receiver = TestReceiver::patient(store, InDoubt::Refuse);
    assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
    two.until("DBSIZE", &one.command("DBSIZE")).await;

    one.kill();
    // Not before it has looked at the replica.
    sentinel.until(&format!("SENTINEL FAILOVER {name}"), "+OK").await;
    // The callback waits for as long as there is no primary.
    let taken = async {
        assert_eq!(receiver.post("2").await, TAKEN);
        Instant::now()
    };
    let named = async {
        let address = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {name}");
        sentinel.until(&address, &two.port().to_string()).await;
        Instant::now()
    };
    let (taken, named) = tokio::join!(taken, named);
    assert!(taken < named + BACK, "{:?}", taken - named);
    assert_eq!(two.command("DBSIZE"), ":4");
    assert_eq!(
        (receiver.post("2").await, receiver.post("1").await),
        (REPLAY, REPLAY)
    );
    assert_eq!(receiver.counts().unavailable, 0);

    // The old primary comes back and takes writes until the Sentinel tells it: it is not asked.
    one.restart();
    two.command("CLIENT KILL TYPE normal");
    assert_eq!(receiver.post_twice("3").await, (TAKEN, REPLAY));
    assert_eq!(two.command("DBSIZE"), ":6");
}
