//! A million forged signatures over sockets: memory stays as it is, and Redis
//! hears of none. Alone in its program, so that nothing else is measured.
//!
//! A million take minutes without optimisation, so that many come in CI (the
//! variable `CI` is set), and a hundred thousand elsewhere.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod fixtures;
#[path = "redis_server/mod.rs"]
mod redis_server;

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixtures::{KEY, builder, resident};
use sinch_verify_callback::protocol::Decision;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::replay::RedisStore;
use sinch_verify_callback::{InDoubt, ReplayGuard};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const IN_CI: u64 = 1_000_000;
const ELSEWHERE: u64 = 100_000;
const WARM_UP: u64 = 50_000;

/// The length of a refusal, in bytes.
const REFUSAL: u64 = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: application\r\ncontent-length: 0\r\n\
    date: Fri, 02 Jan 2026 03:04:05 GMT\r\n\r\n"
    .len() as u64;

/// Sends forged callbacks on two connections, each with a signature of its own.
async fn forge(server: SocketAddr, from: u64, count: u64) {
    let tasks: Vec<_> = (0..2)
        .map(|part| tokio::spawn(forge_on_one(server, from + part * count / 2, count / 2)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn forge_on_one(server: SocketAddr, from: u64, count: u64) {
    let (mut reader, mut writer) = TcpStream::connect(server).await.unwrap().into_split();
    let writing = tokio::spawn(async move {
        for start in (from..from + count).step_by(100) {
            let mut raw = String::new();
            for n in start..(start + 100).min(from + count) {
                let signature = STANDARD.encode([n.to_le_bytes(); 4].concat());
                raw.push_str(&format!(
                    "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                     x-timestamp: 2026-01-02T03:04:05.067Z\r\ncontent-length: 2\r\n\
                     authorization: application {KEY}:{signature}\r\n\r\n{{}}"
                ));
            }
            writer.write_all(raw.as_bytes()).await.unwrap();
        }
        writer
    });
    // All refusals have the same length, and no other answer has it.
    let (mut received, mut buffer) = (0, vec![0; 64 * 1024]);
    while received < count * REFUSAL {
        let len = reader.read(&mut buffer).await.unwrap();
        assert!(len > 0, "the server closed after {received} bytes");
        assert!(buffer.starts_with(b"HTTP/1.1 401 ") || received % REFUSAL != 0);
        received += len as u64;
    }
    assert_eq!(received, count * REFUSAL);
    drop(writing.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_forgeries_leaves_memory_flat_and_never_touches_redis() {
    let Some(redis) = redis_server::RedisServer::start() else {
        return;
    };
    let guard = ReplayGuard::new(RedisStore::open(&redis.url()).unwrap(), InDoubt::Refuse);
    let handler = |_: RequestEvent| async { Decision::Allow };
    let service = builder().guard(guard).handler(handler).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(service.serve(listener, std::future::pending()));

    forge(server, 0, WARM_UP).await;
    let (memory, commands) = (resident(), redis.commands());
    let forged = if std::env::var_os("CI").is_some() {
        IN_CI
    } else {
        ELSEWHERE
    };
    forge(server, WARM_UP, forged).await;
    let (after, asked) = (resident(), redis.commands() - commands);
    // A few bytes for each of a million would be more.
    assert!(after < memory + 4 * 1024 * 1024, "{memory} bytes became {after}");
    assert!(
        asked <= redis_server::RedisServer::ASKING,
        "{asked} commands came"
    );
}
