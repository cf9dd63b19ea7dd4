//! Receivers that share a Redis.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::replay::RedisStore;
use sinch_verify_callback::testing::Tamper;
use sinch_verify_callback::{InDoubt, ReplayGuard};
use tokio::time::timeout;

use crate::redis_server::{Fault, RedisServer};
use crate::support::{HANG, counting, event, now, post, post_at, send, serve, service, signer};

fn guard(redis: &RedisServer, in_doubt: InDoubt) -> ReplayGuard {
    let store = RedisStore::open(&redis.url()).unwrap();
    // Generous: this machine may be slow, and a Redis that is killed is a doubt soon.
    ReplayGuard::new(store, in_doubt).with_timeout(Duration::from_secs(5))
}

/// A receiver with a connection to Redis of its own.
async fn replica(redis: &RedisServer, in_doubt: InDoubt) -> (SocketAddr, ReplayGuard) {
    let guard = guard(redis, in_doubt);
    let (handler, _) = counting();
    (serve(Server::new(service(handler, guard.clone()))).await, guard)
}

#[tokio::test]
async fn a_replay_to_another_receiver_is_refused() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, _) = replica(&redis, InDoubt::Refuse).await;
    let (two, guard) = replica(&redis, InDoubt::Refuse).await;
    let request = post(event("1"));
    assert_eq!(send(one, &request).await.0, 200);
    assert_eq!(send(two, &request).await.0, 401);
    assert_eq!(send(one, &request).await.0, 401);
    assert_eq!(guard.counts().replayed, 1);
}

#[tokio::test]
async fn an_event_that_is_sent_again_to_another_receiver_gets_the_same_answer() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, _) = replica(&redis, InDoubt::Refuse).await;
    // Its handler is one decision ahead, so its next code would be another.
    let (two, guard) = replica(&redis, InDoubt::Refuse).await;
    assert_eq!(send(two, &post(event("other"))).await.0, 200);
    let first = send(one, &post(event("1"))).await;
    assert!(first.1.contains("0001"), "{first:?}");
    let again = post_at(event("1"), now() + Duration::from_secs(3));
    assert_eq!(send(two, &again).await, first);
    assert_eq!(guard.counts().repeated, 1);
}

#[tokio::test]
async fn forgeries_never_reach_redis() {
    let Some(redis) = RedisServer::start() else { return };
    let (server, _) = replica(&redis, InDoubt::Refuse).await;
    assert_eq!(send(server, &post(event("1"))).await.0, 200);
    let before = redis.commands();
    for tamper in Tamper::ALL {
        let mut request = post(event("2"));
        tamper.apply(&signer(), &mut request, now());
        assert_eq!(send(server, &request).await.0, 401, "{tamper}");
    }
    let asked = redis.commands() - before;
    assert!(asked <= RedisServer::ASKING, "{asked} commands came");
}

#[tokio::test]
async fn without_redis_the_caller_chose_what_happens() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    redis.kill();
    for (in_doubt, status) in [(InDoubt::Accept, 200), (InDoubt::Refuse, 503)] {
        let (server, guard) = replica(&redis, in_doubt).await;
        assert_eq!(send(server, &post(event("1"))).await.0, status);
        assert!(guard.counts().unavailable > 0);
        // A forgery learns nothing of it.
        let mut forged = post(event("1"));
        *forged.body_mut() = Bytes::from_static(b"{}");
        assert_eq!(send(server, &forged).await.0, 401);
    }
}

#[tokio::test]
async fn a_redis_that_goes_silent_is_a_doubt_until_it_is_asked_anew() {
    let Some(redis) = RedisServer::start() else { return };
    for (in_doubt, status) in [(InDoubt::Refuse, 503), (InDoubt::Accept, 200)] {
        let proxy = redis.proxy().await;
        let store = RedisStore::open(&proxy.url())
            .unwrap()
            .with_prefix(&format!("{in_doubt:?}:"))
            .with_silence(Duration::from_millis(300));
        let guard = ReplayGuard::new(store, in_doubt);
        let (handler, _) = counting();
        let server = serve(Server::new(service(handler, guard.clone()))).await;
        // Redis answers within the guard's time, sooner or later: this machine may be slow.
        let known = async |name: &str| {
            for n in 0.. {
                let request = post(event(&format!("{name}-{n}")));
                send(server, &request).await;
                if send(server, &request).await.0 == 401 {
                    break;
                }
            }
        };
        let hang = "Redis is asked over another connection";
        timeout(HANG, known("before")).await.expect(hang);

        proxy.spoil(Fault::Silence);
        let unavailable = guard.counts().unavailable;
        assert_eq!(send(server, &post(event("in doubt"))).await.0, status);
        assert!(guard.counts().unavailable > unavailable);
        timeout(HANG, known("after")).await.expect(hang);
    }
}

/// One callback, and how often it was taken.
struct Sent {
    request: Request<Bytes>,
    first: u16,
    taken: usize,
}

/// Sends callbacks to two receivers, each callback to both, while Redis is
/// killed and started again with what it had written. Then sends all of them
/// again.
async fn through_a_crash(in_doubt: InDoubt) -> Option<Vec<Sent>> {
    let mut redis = RedisServer::start()?;
    let (one, _) = replica(&redis, in_doubt).await;
    let (two, _) = replica(&redis, in_doubt).await;
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
            tokio::spawn(async move {
                let mut sent = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let request = post(event(&format!("{sender}-{}", sent.len())));
                    let first = send(one, &request).await.0;
                    let second = send(two, &request).await.0;
                    let taken = usize::from(first == 200) + usize::from(second == 200);
                    sent.push(Sent {
                        request,
                        first,
                        taken,
                    });
                    count.fetch_add(1, Ordering::SeqCst);
                }
                sent
            })
        })
        .collect();
    let more = async |by: usize| {
        let until = count.load(Ordering::SeqCst) + by;
        while count.load(Ordering::SeqCst) < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    for _ in 0..2 {
        more(60).await;
        redis.kill();
        // Each waits for Redis before it is in doubt.
        more(12).await;
        redis.restart();
    }
    more(200).await;
    stop.store(true, Ordering::SeqCst);
    let mut all = Vec::new();
    for sender in senders {
        all.extend(sender.await.unwrap());
    }
    for sent in &mut all {
        for receiver in [two, one] {
            sent.taken += usize::from(send(receiver, &sent.request).await.0 == 200);
        }
    }
    Some(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_redis_lets_nothing_in_twice_when_the_guard_refuses() {
    let Some(all) = through_a_crash(InDoubt::Refuse).await else {
        return;
    };
    let twice = all.iter().filter(|sent| sent.taken > 1).count();
    assert_eq!(twice, 0, "of {}", all.len());
    // It was no empty run: callbacks were taken, and refused while Redis was away.
    assert!(all.iter().any(|sent| sent.first == 200) && all.iter().any(|sent| sent.first == 503));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_redis_keeps_nothing_out_when_the_guard_accepts() {
    let Some(all) = through_a_crash(InDoubt::Accept).await else {
        return;
    };
    let refused = all.iter().filter(|sent| sent.first != 200).count();
    assert_eq!(refused, 0, "of {}", all.len());
}
