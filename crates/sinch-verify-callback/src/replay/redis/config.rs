use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

use super::endpoint::{Address, Endpoint, Server};
use super::invalid_config::InvalidRedisConfig;
#[cfg(feature = "redis-tls")]
use super::tls::Tls;

/// Where a [`RedisStore`](super::RedisStore) finds its Redis.
///
/// | URL | connection |
/// |---|---|
/// | `redis://user:password@host:6379/0` | TCP; user, password, port and database number may be left out |
/// | `rediss://host:6380/0` | the same over TLS, with feature `redis-tls` |
/// | `unix:/run/redis/redis.sock?db=0&user=name&pass=word` | a Unix socket |
///
/// `valkey://` and `valkeys://` mean the same as `redis://` and `rediss://`.
/// Escape characters in a user or password as in any URL (`#` as `%23`).
///
/// ```
/// use sinch_verify_callback::replay::{RedisConfig, RedisStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = RedisConfig::new("redis://:password@mymaster/0").with_sentinels([
///     "redis://sentinel-1.example.com:26379",
///     "redis://sentinel-2.example.com:26379",
///     "redis://sentinel-3.example.com:26379",
/// ]);
/// let store = RedisStore::open_with(&config)?;
/// # let _ = store;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisConfig {
    url: String,
    sentinels: Vec<String>,
    #[cfg(feature = "redis-tls")]
    roots: Option<Vec<u8>>,
    #[cfg(feature = "redis-tls")]
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl RedisConfig {
    /// The Redis at `url`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            sentinels: Vec::new(),
            #[cfg(feature = "redis-tls")]
            roots: None,
            #[cfg(feature = "redis-tls")]
            identity: None,
        }
    }

    /// Asks Sentinels at these URLs for the address of the primary. The host of
    /// the Redis URL is then the primary's name, and its port is not used.
    ///
    /// All Sentinels are asked at once, and the first whose address has the
    /// role of a primary decides. With access lists, the user of the Redis URL
    /// needs the command `ROLE`.
    #[must_use]
    pub fn with_sentinels<'a>(mut self, urls: impl IntoIterator<Item = &'a str>) -> Self {
        self.sentinels = urls.into_iter().map(str::to_owned).collect();
        self
    }

    /// Trusts these root certificates (PEM), and no others. The default is to
    /// trust what the platform trusts.
    #[cfg(feature = "redis-tls")]
    #[must_use]
    pub fn with_roots(mut self, pem: &[u8]) -> Self {
        self.roots = Some(pem.to_vec());
        self
    }

    /// Identifies this receiver by a certificate and its key (both PEM), which
    /// a Redis requires unless it has `tls-auth-clients no`.
    #[cfg(feature = "redis-tls")]
    #[must_use]
    pub fn with_identity(mut self, chain: &[u8], key: &[u8]) -> Self {
        self.identity = Some((chain.to_vec(), key.to_vec()));
        self
    }

    pub(super) fn endpoint(&self) -> Result<Endpoint, InvalidRedisConfig> {
        let server = self.server("url", &self.url)?;
        if self.sentinels.is_empty() {
            return Ok(Endpoint::Server(server));
        }
        if server.address.host().is_none() {
            return Err(InvalidRedisConfig::new(
                "url",
                "a Unix socket has no host; with Sentinel, write redis://NAME, with the name of the primary",
            ));
        }
        let sentinels = self.sentinels.iter();
        let sentinels = sentinels
            .map(|url| self.server("sentinel url", url))
            .collect::<Result<_, _>>()?;
        Ok(Endpoint::Sentinels(sentinels, server))
    }

    fn server(&self, field: &'static str, url: &str) -> Result<Server, InvalidRedisConfig> {
        let invalid = |message: &str| InvalidRedisConfig::new(field, message);
        let mut url = redis::parse_redis_url(url).ok_or_else(|| {
            invalid("not the URL of a Redis; write redis://HOST:6379/0, or rediss:// for TLS")
        })?;
        if url.fragment().is_some() {
            return Err(invalid(
                "# starts a fragment, which has no meaning here; write it as %23 in a password, and leave #insecure out: certificates are always checked",
            ));
        }
        // The redis crate takes the URL of a TLS server only where it does TLS itself.
        let is_tls = matches!(url.scheme(), "rediss" | "valkeys");
        if is_tls && url.set_scheme("redis").is_err() {
            return Err(invalid("its scheme cannot be read; write redis:// or rediss://"));
        }
        let info = url
            .into_connection_info()
            .map_err(|error| invalid(&format!("not the URL of a Redis: {error}")))?;
        Ok(Server {
            address: self.address(field, &info, is_tls)?,
            settings: info.redis_settings().clone(),
        })
    }

    fn address(
        &self,
        field: &'static str,
        info: &ConnectionInfo,
        is_tls: bool,
    ) -> Result<Address, InvalidRedisConfig> {
        match info.addr() {
            ConnectionAddr::Tcp(host, port) if is_tls => self.tls_address(field, host.clone(), *port),
            ConnectionAddr::Tcp(host, port) => Ok(Address::Tcp(host.clone(), *port)),
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Ok(Address::Unix(path.clone())),
            _ => Err(InvalidRedisConfig::new(
                field,
                "this platform cannot connect to such an address; write redis://HOST:6379/0",
            )),
        }
    }

    #[cfg(feature = "redis-tls")]
    fn tls_address(&self, _: &'static str, host: String, port: u16) -> Result<Address, InvalidRedisConfig> {
        let identity = self.identity.as_ref();
        let tls = Tls::new(
            self.roots.as_deref(),
            identity.map(|(chain, key)| (&chain[..], &key[..])),
        );
        Ok(Address::Tls(tls?, host, port))
    }

    #[cfg(not(feature = "redis-tls"))]
    fn tls_address(&self, field: &'static str, _: String, _: u16) -> Result<Address, InvalidRedisConfig> {
        Err(InvalidRedisConfig::new(
            field,
            "rediss:// is TLS; switch on feature redis-tls of sinch-verify-callback",
        ))
    }
}

/// Leaves out what may be secret: passwords and the key.
impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("sentinels", &self.sentinels.len())
            .finish_non_exhaustive()
    }
}
