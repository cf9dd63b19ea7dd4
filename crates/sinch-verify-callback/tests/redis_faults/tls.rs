//! TLS to Redis. The workspace's build has two providers of rustls in it (the
//! load tester brings another), so a provider that was taken from the process
//! would be a panic here.

use std::fs;
use std::path::Path;

use rcgen::CertifiedKey;
use sinch_verify_callback::InDoubt;
use sinch_verify_callback::replay::{InvalidRedisConfig, RedisConfig, RedisStore};

use crate::redis_server::{RedisServer, free_port, texts};
use crate::support::{REPLAY, TAKEN, TestReceiver};

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    fn of(name: &str) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Self {
            certificate: cert.pem(),
            key: signing_key.serialize_pem(),
        }
    }
}

/// A server that has `identity`, its URL, and a plain port for the test itself.
fn start(identity: &Identity, more: &[&str]) -> Option<(RedisServer, String)> {
    let port = free_port();
    let server = RedisServer::start_with(|folder: &Path| {
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let certificate = file("certificate.pem", &identity.certificate);
        let key = file("key.pem", &identity.key);
        let mut options = texts(&["--tls-port", &port.to_string(), "--tls-cert-file", &certificate]);
        options.extend(texts(&[
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &certificate,
        ]));
        options.extend(texts(more));
        options
    })?;
    Some((server, format!("rediss://127.0.0.1:{port}/")))
}

fn open(config: &RedisConfig) -> TestReceiver {
    let store = RedisStore::open_with(config).unwrap();
    TestReceiver::patient(store, InDoubt::Refuse)
}

#[tokio::test]
async fn decisions_go_over_tls() {
    let server = Identity::of("127.0.0.1");
    let Some((redis, url)) = start(&server, &["--tls-auth-clients", "no"]) else {
        return;
    };
    let receiver = open(&RedisConfig::new(&url).with_roots(server.certificate.as_bytes()));
    assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
    assert_eq!(redis.command("CLIENT KILL TYPE normal"), ":1");
    assert_eq!(receiver.post_twice("2").await, (TAKEN, REPLAY));
    assert_eq!(receiver.counts().unavailable, 0);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_told_nothing() {
    let server = Identity::of("localhost");
    let Some((redis, url)) = start(&server, &["--tls-auth-clients", "no"]) else {
        return;
    };
    let other = Identity::of("127.0.0.1");
    for roots in [
        // The certificate is of another name, and of another root.
        &server.certificate,
        &other.certificate,
    ] {
        let config = RedisConfig::new(&url).with_roots(roots.as_bytes());
        let store = RedisStore::open_with(&config).unwrap();
        let receiver = TestReceiver::answers_soon(store, InDoubt::Refuse);
        assert_eq!(receiver.post("1").await, 503);
    }
    // By the name that it has.
    let url = url.replace("127.0.0.1", "localhost");
    let receiver = open(&RedisConfig::new(&url).with_roots(server.certificate.as_bytes()));
    assert_eq!(redis.command("DBSIZE"), ":0");
    assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_one() {
    // Its own, for it trusts itself alone.
    let identity = Identity::of("127.0.0.1");
    let Some((_redis, url)) = start(&identity, &[]) else {
        return;
    };
    let (certificate, key) = (identity.certificate.as_bytes(), identity.key.as_bytes());
    let config = RedisConfig::new(&url).with_roots(certificate);
    let store = RedisStore::open_with(&config).unwrap();
    let without = TestReceiver::answers_soon(store, InDoubt::Refuse);
    assert_eq!(without.post("1").await, 503);
    let receiver = open(&config.with_identity(certificate, key));
    assert_eq!(receiver.post_twice("1").await, (TAKEN, REPLAY));
}

#[test]
fn what_is_wrong_is_named() {
    let message = |config: RedisConfig| -> String {
        let error: InvalidRedisConfig = RedisStore::open_with(&config).map(|_| ()).unwrap_err();
        error.to_string()
    };
    let identity = Identity::of("127.0.0.1");
    let (certificate, key) = (identity.certificate.as_bytes(), identity.key.as_bytes());
    let tls = || RedisConfig::new("rediss://localhost/").with_roots(certificate);
    for (config, start) in [
        (RedisConfig::new("not a url"), "redis url: not the URL of a Redis"),
        (
            RedisConfig::new("https://localhost/"),
            "redis url: not the URL of a Redis",
        ),
        (
            RedisConfig::new("redis://localhost/one"),
            "redis url: not the URL of a Redis",
        ),
        (
            RedisConfig::new("rediss://localhost/#insecure"),
            "redis url: # starts",
        ),
        (
            RedisConfig::new("unix:/run/redis.sock").with_sentinels(["redis://localhost:26379"]),
            "redis url: a Unix socket",
        ),
        (
            RedisConfig::new("redis://name/").with_sentinels(["localhost:26379"]),
            "redis sentinel url: not the URL",
        ),
        (tls().with_roots(b"nothing"), "redis roots: no certificate"),
        (
            tls().with_identity(b"nothing", key),
            "redis identity: no certificate",
        ),
        (
            tls().with_identity(certificate, b"nothing"),
            "redis identity: no key that fits",
        ),
        (
            tls().with_identity(certificate, Identity::of("other").key.as_bytes()),
            "redis identity: no key that fits",
        ),
    ] {
        let message = message(config);
        assert!(message.starts_with(start), "{message}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let config = RedisConfig::new("rediss://user:sesame@localhost/").with_identity(b"cert", b"sesame");
    let printed = format!("{config:?}");
    assert!(!printed.contains("sesame"), "{printed}");
    let plain = RedisStore::open("redis://user:sesame@localhost/").unwrap();
    let printed = format!("{plain:?}");
    assert!(!printed.contains("sesame"), "{printed}");
}
