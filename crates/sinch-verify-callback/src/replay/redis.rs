mod config;
mod endpoint;
mod invalid_config;
mod link;
#[cfg(feature = "redis-tls")]
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use redis::{Pipeline, RedisError, RedisResult, Value};

pub use self::config::RedisConfig;
pub use self::invalid_config::InvalidRedisConfig;
use self::link::{Limits, Link, has_code};
use super::{EventDigest, Inserted, ReplayStore, SignatureDigest, StoreError};

/// Remembers in Redis or Valkey, for receivers that share a callback URL.
///
/// Works with Redis 6 or later and with Valkey, of which it needs `SET` with
/// `NX` and `PX`, and `GET`; with Sentinel, or behind a proxy that switches to
/// a new primary. Redis Cluster is not supported.
///
/// Keys are digests: they contain no number, id or reference. A decision is
/// kept as it is answered, with its code if it has one, so protect this Redis
/// as you protect codes: over a network, use `rediss://` (feature `redis-tls`).
///
/// # Connection
///
/// One connection is shared. It is replaced when it is lost, when it has
/// answered nothing for [`SILENCE`](Self::SILENCE), when it was idle for
/// 10 seconds, and when Redis answers `READONLY`, `LOADING`, `MASTERDOWN`,
/// `NOREPLICAS` or `NOAUTH`: after a failover another server may be the
/// primary. A command that fails in such a way is sent again for up to
/// [`RETRY`](Self::RETRY). That is safe: each signature is stored with a random
/// token, so a receiver whose answer was lost recognises its own signature.
///
/// When the store still has no answer, [`InDoubt`](crate::InDoubt) decides.
///
/// # Settings of Redis
///
/// - `maxmemory-policy noeviction`: any other policy may remove what still
///   counts. When memory is full, this store answers [`StoreError::Full`].
/// - `appendonly yes` and `appendfsync always`: signatures survive a crash.
///   With `appendfsync everysec` the last second may be lost, with snapshots
///   everything since the last one; callbacks of that time could be replayed
///   for as long as their timestamp is fresh.
/// - One primary. A replica that takes over may lack the last writes, with
///   the same effect.
#[derive(Clone)]
pub struct RedisStore {
    link: Arc<Link>,
    prefix: Box<str>,
    limits: Limits,
}

impl RedisStore {
    /// The default prefix of keys.
    pub const PREFIX: &'static str = "sinch-verify:";

    /// How long the connection may answer nothing by default: 500 ms.
    pub const SILENCE: Duration = Duration::from_millis(500);

    /// How long a failed command is sent again by default: 200 ms, which is
    /// within [`ReplayGuard::TIMEOUT`](crate::ReplayGuard::TIMEOUT).
    pub const RETRY: Duration = Duration::from_millis(200);

    /// A store at `url`, such as `redis://127.0.0.1:6379/0`. See
    /// [`RedisConfig`] for the forms of a URL, Sentinel and certificates.
    ///
    /// Connects when it is first used, so a receiver may start before its Redis.
    ///
    /// # Errors
    ///
    /// When `url` is not the URL of a Redis.
    pub fn open(url: &str) -> Result<Self, InvalidRedisConfig> {
        Self::open_with(&RedisConfig::new(url))
    }

    /// As [`RedisStore::open`], with Sentinel or certificates.
    ///
    /// # Errors
    ///
    /// When a value of `config` is not valid; the error names it.
    pub fn open_with(config: &RedisConfig) -> Result<Self, InvalidRedisConfig> {
        Ok(Self {
            link: Arc::new(Link::new(config.endpoint()?)),
            prefix: Self::PREFIX.into(),
            limits: Limits {
                silence: Self::SILENCE,
                retry: Self::RETRY,
            },
        })
    }

    /// How long the connection may leave all commands unanswered, or take to be
    /// made. The next command after that uses a new one. Make it longer than
    /// the guard's timeout.
    #[must_use]
    pub fn with_silence(mut self, limit: Duration) -> Self {
        self.limits.silence = limit;
        self
    }

    /// How long a command is sent again while connections fail. Make it a
    /// little shorter than the guard's timeout, so that the log names the cause.
    ///
    /// With a longer guard timeout, a longer retry keeps callbacks through a
    /// restart of Redis.
    #[must_use]
    pub fn with_retry(mut self, limit: Duration) -> Self {
        self.limits.retry = limit;
        self
    }

    /// Starts keys with `prefix`. Receivers that share must use the same.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    pub(crate) fn key(&self, kind: char, digest: &[u8; 16]) -> String {
        format!("{}{kind}:{:032x}", self.prefix, u128::from_be_bytes(*digest))
    }

    /// Sets `key` unless it is set, and gives the value that it has then.
    async fn insert(&self, key: &str, value: &[u8], lifetime: Duration) -> Result<Vec<u8>, StoreError> {
        // Two commands in one message, where `SET` with `NX` and `GET` needs Redis 7, and a script hides
        // the server's error codes before it. Nothing depends on what happens between them: only the
        // first `SET` writes, and what it wrote stays until it expires.
        let mut commands = Pipeline::with_capacity(2);
        commands.cmd("SET").arg(key).arg(value).arg("NX");
        commands.arg("PX").arg(milliseconds(lifetime));
        commands.cmd("GET").arg(key);
        // Twice at most: a value that was there may expire before it is read.
        for _ in 0..2 {
            match self.ask::<2>(&mut commands).await? {
                // Counts even when `SET` failed: memory is full, or this Redis became a replica.
                [_, Ok(Value::BulkString(stands))] => return Ok(stands),
                [Ok(Value::Okay), _] => return Ok(value.to_vec()),
                [Err(error), _] | [_, Err(error)] => return Err(Self::failure(&error)),
                _ => {}
            }
        }
        Err(unavailable(
            "redis has neither set a value nor kept the one before",
        ))
    }

    /// Sends commands in one message. They may be sent again, so they must be safe to repeat.
    pub(crate) async fn ask<const N: usize>(
        &self,
        commands: &mut Pipeline,
    ) -> Result<[RedisResult<Value>; N], StoreError> {
        commands.ignore_errors();
        let answers = self.link.ask(commands, self.limits).await;
        let answers = answers.map_err(|error| Self::failure(&error))?;
        <[_; N]>::try_from(answers)
            .map_err(|_| unavailable("redis gave more or fewer answers than it was sent commands"))
    }

    pub(crate) fn failure(error: &RedisError) -> StoreError {
        if has_code(error, "OOM") {
            StoreError::Full
        } else if error.is_cluster_error() {
            unavailable(
                "Redis Cluster is not supported; use one primary, with Sentinel or a proxy for failover",
            )
        } else {
            unavailable(&error.to_string())
        }
    }
}

impl ReplayStore for RedisStore {
    async fn insert_signature(
        &self,
        signature: SignatureDigest,
        _: SystemTime,
        lifetime: Duration,
    ) -> Result<Inserted, StoreError> {
        let token = getrandom::u64()
            .map_err(|error| unavailable(&format!("no random token: {error}")))?
            .to_be_bytes();
        let key = self.key('s', signature.as_bytes());
        Ok(if self.insert(&key, &token, lifetime).await? == token {
            Inserted::New
        } else {
            Inserted::Present
        })
    }

    async fn decision(&self, event: EventDigest) -> Result<Option<Bytes>, StoreError> {
        let mut commands = Pipeline::with_capacity(1);
        commands.cmd("GET").arg(self.key('d', event.as_bytes()));
        let [answer] = self.ask(&mut commands).await?;
        match answer {
            Ok(Value::BulkString(value)) => Ok(Some(value.into())),
            Ok(Value::Nil) => Ok(None),
            Ok(_) => Err(unavailable("redis answered GET with neither a text nor nil")),
            Err(error) => Err(Self::failure(&error)),
        }
    }

    async fn insert_decision(
        &self,
        event: EventDigest,
        answer: Bytes,
        lifetime: Duration,
    ) -> Result<Bytes, StoreError> {
        let key = self.key('d', event.as_bytes());
        let stands = self.insert(&key, &answer, lifetime).await?;
        Ok(Bytes::from(stands))
    }
}

/// A duration, because Redis expires keys by its own clock.
fn milliseconds(lifetime: Duration) -> u64 {
    // Rounded up, and at least one: Redis refuses zero. The limit is far below what it can count.
    let up = lifetime.as_nanos().div_ceil(1_000_000);
    u64::try_from(up).map_or(MOST_MILLISECONDS, |up| up.clamp(1, MOST_MILLISECONDS))
}

/// A hundred years.
const MOST_MILLISECONDS: u64 = 100 * 366 * 24 * 3600 * 1000;

fn unavailable(message: &str) -> StoreError {
    StoreError::Unavailable {
        message: message.to_owned(),
    }
}

/// Leaves the address out: it may hold a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
