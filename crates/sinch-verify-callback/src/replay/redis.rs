mod link;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use redis::{Client, Cmd, FromRedisValue, RedisError, Value};

use self::link::Link;
use super::{EventDigest, Inserted, ReplayStore, SignatureDigest, StoreError};

/// Remembers in Redis or Valkey, for receivers that share a callback URL.
///
/// A signature is one `SET` with `NX` and `PX`, so it is new to one receiver
/// only. Keys are digests: there is no number, id or reference in them. A
/// decision is kept as it is answered, with its code if it has one, so treat
/// this Redis as you treat codes.
///
/// One connection is shared, and made again when it is lost or has answered
/// nothing for a second: after a failover, say, of which nobody told. Until
/// then, and when a command fails on the way, [`InDoubt`](crate::InDoubt) says
/// what happens. A command is never sent twice.
///
/// # What Redis must be set to
///
/// - `maxmemory-policy noeviction`: any other may forget what still counts.
///   When memory is full, this store says [`StoreError::Full`].
/// - `appendonly yes` and `appendfsync always`: what was taken is still known
///   after a crash. With `appendfsync everysec` the last second may be lost,
///   with snapshots all since the last one; a callback of that time could be
///   replayed for as long as its timestamp is fresh.
/// - One primary. A replica that takes over may lack the last writes, with
///   the same effect.
#[derive(Clone)]
pub struct RedisStore {
    link: Arc<Link>,
    prefix: Box<str>,
    silence: Duration,
}

impl RedisStore {
    /// What keys start with unless told otherwise.
    pub const PREFIX: &'static str = "sinch-verify:";

    /// How long the connection may answer nothing unless told otherwise: 1 second.
    pub const SILENCE: Duration = Duration::from_secs(1);

    /// A store at `url`, such as `redis://127.0.0.1:6379/0`. Connects when it
    /// is first used: a receiver may start before its Redis.
    ///
    /// # Errors
    ///
    /// When `url` is no URL of a Redis.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|error| unavailable(&error))?;
        Ok(Self {
            link: Arc::new(Link::new(client)),
            prefix: Self::PREFIX.into(),
            silence: Self::SILENCE,
        })
    }

    /// How long the connection may answer nothing of what it is asked. Then the
    /// next command goes over a new one. To be longer than the guard waits, and
    /// than this Redis is ever busy.
    #[must_use]
    pub fn with_silence(mut self, limit: Duration) -> Self {
        self.silence = limit;
        self
    }

    /// Starts keys with `prefix` instead. Receivers that share keep to one.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn key(&self, kind: char, digest: &[u8; 16]) -> String {
        format!("{}{kind}:{:032x}", self.prefix, u128::from_be_bytes(*digest))
    }

    /// Sets what is not there. `false` when it is.
    async fn set_new(&self, key: &str, value: &[u8], lifetime: Duration) -> Result<bool, StoreError> {
        let mut set = Cmd::new();
        set.arg("SET").arg(key).arg(value).arg("NX");
        set.arg("PX").arg(milliseconds(lifetime));
        match self.query(&set).await? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            _ => Err(StoreError::Unavailable {
                message: "redis answered SET with neither OK nor nil".to_owned(),
            }),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let mut get = Cmd::new();
        get.arg("GET").arg(key);
        let value: Option<Vec<u8>> = self.query(&get).await?;
        Ok(value.map(Bytes::from))
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.link
            .query(command, self.silence)
            .await
            .map_err(|error| match error.code() {
                Some("OOM") => StoreError::Full,
                _ => unavailable(&error),
            })
    }
}

impl ReplayStore for RedisStore {
    async fn insert_signature(
        &self,
        signature: SignatureDigest,
        _: SystemTime,
        lifetime: Duration,
    ) -> Result<Inserted, StoreError> {
        let key = self.key('s', signature.as_bytes());
        if self.set_new(&key, b"", lifetime).await? {
            Ok(Inserted::New)
        } else {
            Ok(Inserted::Present)
        }
    }

    async fn decision(&self, event: EventDigest) -> Result<Option<Bytes>, StoreError> {
        self.get(&self.key('d', event.as_bytes())).await
    }

    async fn insert_decision(
        &self,
        event: EventDigest,
        answer: Bytes,
        lifetime: Duration,
    ) -> Result<Bytes, StoreError> {
        let key = self.key('d', event.as_bytes());
        // Twice at most: the one that was there may expire before it is read.
        for _ in 0..2 {
            if self.set_new(&key, &answer, lifetime).await? {
                return Ok(answer);
            }
            if let Some(first) = self.get(&key).await? {
                return Ok(first);
            }
        }
        Err(StoreError::Unavailable {
            message: "redis forgets a decision as soon as it is set".to_owned(),
        })
    }
}

fn milliseconds(lifetime: Duration) -> u64 {
    // Up, and at least one: Redis takes no zero. Far less than it can count.
    let up = lifetime.as_nanos().div_ceil(1_000_000);
    u64::try_from(up).map_or(MOST_MILLISECONDS, |up| up.clamp(1, MOST_MILLISECONDS))
}

/// A hundred years.
const MOST_MILLISECONDS: u64 = 100 * 366 * 24 * 3600 * 1000;

fn unavailable(error: &RedisError) -> StoreError {
    StoreError::Unavailable {
        message: error.to_string(),
    }
}

/// Leaves the address out: it may hold a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("silence", &self.silence)
            .finish_non_exhaustive()
    }
}
