//! Where Redis is, and a new connection to it.
//!
//! The redis crate speaks the protocol; the stream is ours. The crate would
//! take its TLS provider from the process default, and its Sentinel client
//! opens its own connections.

use std::io;
#[cfg(unix)]
use std::path::PathBuf;
use std::pin::{Pin, pin};

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisConnectionInfo, RedisError, RedisResult,
    Value,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::task::JoinSet;

#[cfg(feature = "redis-tls")]
use super::tls::Tls;

/// A connection, and the future that carries its commands and answers.
pub(super) type Connected = (MultiplexedConnection, Pin<Box<dyn Future<Output = ()> + Send>>);

pub(super) enum Endpoint {
    Server(Server),
    /// The Sentinels, and a server whose host is the name of the primary.
    Sentinels(Vec<Server>, Server),
}

#[derive(Clone)]
pub(super) struct Server {
    pub(super) address: Address,
    pub(super) settings: RedisConnectionInfo,
}

#[derive(Clone)]
pub(super) enum Address {
    Tcp(String, u16),
    #[cfg(feature = "redis-tls")]
    Tls(Tls, String, u16),
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Endpoint {
    pub(super) async fn connect(&self) -> RedisResult<Connected> {
        let (sentinels, primary) = match self {
            Self::Server(server) => return server.connect().await,
            Self::Sentinels(sentinels, primary) => (sentinels, primary),
        };
        // All at once: one that hangs, or knows an old primary, costs no time.
        let mut asked: JoinSet<_> = sentinels
            .iter()
            .map(|sentinel| connect_as_told(sentinel.clone(), primary.clone()))
            .collect();
        let mut last = no_primary("no Sentinel answered".to_owned());
        while let Some(connected) = asked.join_next().await {
            match connected {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => last = error,
                // The runtime ends.
                Err(_) => {}
            }
        }
        Err(last)
    }
}

/// Connects to the primary whose address this Sentinel gives.
async fn connect_as_told(sentinel: Server, primary: Server) -> RedisResult<Connected> {
    let name = primary.address.host().unwrap_or_default();
    let mut connected = sentinel.connect().await?;
    let mut command = Cmd::new();
    command.arg("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let address: Option<(String, u16)> = ask(&mut connected, &command).await?;
    let (host, port) = address.ok_or_else(|| no_primary(format!("Sentinel knows no primary {name}")))?;

    let primary = Server {
        address: primary.address.moved_to(host, port),
        settings: primary.settings,
    };
    let mut connected = primary.connect().await?;
    let mut command = Cmd::new();
    command.arg("ROLE");
    let role: Vec<Value> = ask(&mut connected, &command).await?;
    match role.first() {
        Some(Value::BulkString(role)) if role == b"master" => Ok(connected),
        _ => Err(no_primary(
            "the address that Sentinel gives is of no primary".to_owned(),
        )),
    }
}

fn no_primary(reason: String) -> RedisError {
    (
        ErrorKind::MasterNameNotFoundBySentinel,
        "no primary found",
        reason,
    )
        .into()
}

/// Sends one command over a new connection.
async fn ask<T: FromRedisValue>((connection, driver): &mut Connected, command: &Cmd) -> RedisResult<T> {
    let mut answer = pin!(command.query_async(connection));
    tokio::select! {
        biased;
        answer = &mut answer => return answer,
        () = driver => {}
    }
    // Nothing comes any more, but the answer may have been the last that came.
    answer.await
}

impl Server {
    async fn connect(&self) -> RedisResult<Connected> {
        match &self.address {
            Address::Tcp(host, port) => self.speak_over(tcp(host, *port).await?).await,
            #[cfg(feature = "redis-tls")]
            Address::Tls(tls, host, port) => {
                let stream = tls.over(host, tcp(host, *port).await?).await?;
                self.speak_over(stream).await
            }
            #[cfg(unix)]
            Address::Unix(path) => self.speak_over(UnixStream::connect(path).await?).await,
        }
    }

    async fn speak_over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> RedisResult<Connected> {
        // The guard limits the time, and so decides what a late answer means.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&self.settings, stream, config).await?;
        Ok((connection, Box::pin(driver)))
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Address {
    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp(host, _) => Some(host),
            #[cfg(feature = "redis-tls")]
            Self::Tls(_, host, _) => Some(host),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    fn moved_to(self, host: String, port: u16) -> Self {
        match self {
            #[cfg(feature = "redis-tls")]
            Self::Tls(tls, ..) => Self::Tls(tls, host, port),
            _ => Self::Tcp(host, port),
        }
    }
}
