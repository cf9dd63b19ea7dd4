//! A transport on hyper alone.

#[cfg(feature = "hyper-tls")]
mod limited;
mod resolver;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
#[cfg(feature = "hyper-tls")]
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

#[cfg(feature = "hyper-tls")]
use limited::Limited;
use resolver::Resolver;

use super::body::Collected;
#[cfg(feature = "hyper-tls")]
use super::tls::{self, Roots};
use super::{Transport, TransportError, TransportErrorKind, classify};

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// How long a connection may take, unless set.
const CONNECT: Duration = Duration::from_secs(5);

/// A pooled transport on hyper, with nothing between the client and the socket: plain HTTP/1.1, or
/// TLS with the feature `hyper-tls`.
///
/// It repeats nothing that left. A request that finds its pooled connection closed before the
/// first byte is put on a new one.
#[derive(Clone)]
pub struct HyperTransport {
    client: Wire,
}

#[derive(Clone)]
enum Wire {
    Plain(Client<HttpConnector<Resolver>, Full<Bytes>>),
    #[cfg(feature = "hyper-tls")]
    Tls(Client<Limited<HttpsConnector<HttpConnector<Resolver>>>, Full<Bytes>>),
}

impl HyperTransport {
    /// A transport for plain http that waits for a connection for at most `connect_timeout`.
    #[must_use]
    pub fn new(connect_timeout: Duration) -> Self {
        Self::builder().connect_timeout(connect_timeout).plain()
    }

    /// A transport to be set up in detail.
    #[must_use]
    pub fn builder() -> HyperBuilder {
        HyperBuilder {
            connect_timeout: CONNECT,
            resolver: Resolver::default(),
        }
    }

    /// A transport for https and http, with HTTP/2 where the server has it. Trusts what the platform
    /// trusts; the TLS provider is ring, whatever the process's default is.
    ///
    /// `connect_timeout` covers the TCP connection and the handshake.
    ///
    /// # Errors
    ///
    /// When the platform's root certificates cannot be found.
    #[cfg(feature = "hyper-tls")]
    pub fn tls(connect_timeout: Duration) -> Result<Self, crate::BuildError> {
        Self::builder().connect_timeout(connect_timeout).tls()
    }

    /// As [`tls`](Self::tls), but trusts the certificates in `pem` and no others: those of a proxy of
    /// your own, say, or of a test.
    ///
    /// # Errors
    ///
    /// When `pem` is not PEM, or holds no certificate.
    #[cfg(feature = "hyper-tls")]
    pub fn tls_trusting(pem: &[u8], connect_timeout: Duration) -> Result<Self, crate::BuildError> {
        Self::builder().connect_timeout(connect_timeout).tls_trusting(pem)
    }
}

/// How a [`HyperTransport`] makes its connections.
///
/// ```
/// use std::net::Ipv4Addr;
/// use sinch_verify_client::transport::HyperTransport;
///
/// let staging = HyperTransport::builder()
///     .resolve("verification.example", Ipv4Addr::LOCALHOST.into())
///     .plain();
/// ```
#[derive(Clone, Debug)]
pub struct HyperBuilder {
    connect_timeout: Duration,
    resolver: Resolver,
}

impl HyperBuilder {
    /// Waits for a connection for at most this long; 5 seconds unless set.
    #[must_use]
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Connects to `address` for requests to `host`, which is not looked up. The port is still the
    /// one of the URL, and TLS still wants a certificate for `host`.
    #[must_use]
    pub fn resolve(mut self, host: &str, address: IpAddr) -> Self {
        self.resolver.pin(host, address);
        self
    }

    /// A transport for plain http.
    #[must_use]
    pub fn plain(self) -> HyperTransport {
        HyperTransport {
            client: Wire::Plain(pooled(self.connector())),
        }
    }

    /// A transport for https and http, as [`HyperTransport::tls`] makes it.
    ///
    /// # Errors
    ///
    /// When the platform's root certificates cannot be found.
    #[cfg(feature = "hyper-tls")]
    pub fn tls(self) -> Result<HyperTransport, crate::BuildError> {
        self.with_roots(Roots::Platform)
    }

    /// A transport for https and http that trusts the certificates in `pem` and no others.
    ///
    /// # Errors
    ///
    /// When `pem` is not PEM, or holds no certificate.
    #[cfg(feature = "hyper-tls")]
    pub fn tls_trusting(self, pem: &[u8]) -> Result<HyperTransport, crate::BuildError> {
        self.with_roots(Roots::Pem(pem))
    }

    #[cfg(feature = "hyper-tls")]
    fn with_roots(self, roots: Roots<'_>) -> Result<HyperTransport, crate::BuildError> {
        // The connector offers the protocols itself, and wants none in the configuration.
        let config = tls::config(roots, &[])?;
        let limit = self.connect_timeout;
        let mut tcp = self.connector();
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        Ok(HyperTransport {
            client: Wire::Tls(pooled(Limited::new(connector, limit))),
        })
    }

    fn connector(self) -> HttpConnector<Resolver> {
        let mut connector = HttpConnector::new_with_resolver(self.resolver);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(self.connect_timeout));
        connector
    }
}

fn pooled<C>(connector: C) -> Client<C, Full<Bytes>>
where
    C: Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .build(connector)
}

/// Waits for a connection for at most 5 seconds.
impl Default for HyperTransport {
    fn default() -> Self {
        Self::builder().plain()
    }
}

impl Transport for HyperTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let plain = matches!(self.client, Wire::Plain(_));
        if plain && request.uri().scheme() != Some(&Scheme::HTTP) {
            return Err(TransportError::new(TransportErrorKind::Other)
                .with_source("this transport speaks plain http only; use another for https")
                .never_sent());
        }
        let request = request.map(Full::new);
        let answer = match &self.client {
            Wire::Plain(client) => client.request(request).await,
            #[cfg(feature = "hyper-tls")]
            Wire::Tls(client) => client.request(request).await,
        };
        let (parts, mut incoming) = answer.map_err(translate)?.into_parts();
        let mut body = Collected::expecting(incoming.size_hint().exact())?;
        while let Some(frame) = incoming.frame().await {
            // Trailers, the other kind of frame, say nothing here.
            if let Ok(chunk) = frame.map_err(classify::after_connect)?.into_data() {
                body.push(chunk)?;
            }
        }
        Ok(Response::from_parts(parts, body.finish()))
    }
}

fn translate(error: hyper_util::client::legacy::Error) -> TransportError {
    if !error.is_connect() {
        return classify::after_connect(error);
    }
    let kind = match classify::kind(&error) {
        TransportErrorKind::Timeout => TransportErrorKind::ConnectTimeout,
        _ => TransportErrorKind::Connect,
    };
    TransportError::new(kind).with_source(error)
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}
