//! The default transport, on reqwest.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::{Client, Proxy, Url, redirect, retry};

use super::body::Collected;
#[cfg(feature = "rustls")]
use super::tls::{self, Roots};
use super::{Transport, TransportError, TransportErrorKind, classify};
use crate::build_error::BuildError;

/// How long an unused connection is kept. Load balancers close theirs after a minute; a request
/// that meets such a close half-way would be lost.
const IDLE: Duration = Duration::from_secs(30);

/// How long a connection may take, unless set.
const CONNECT: Duration = Duration::from_secs(5);

/// A pooled transport on reqwest: HTTP/1.1, and HTTP/2 where TLS agrees on it.
///
/// It repeats nothing that left. A request that finds its pooled connection closed before the
/// first byte is put on a new one.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    tls: bool,
}

impl ReqwestTransport {
    /// A transport to be set up in detail.
    #[must_use]
    pub fn builder() -> ReqwestBuilder {
        ReqwestBuilder {
            connect_timeout: CONNECT,
            proxy: None,
        }
    }

    /// A transport for https and http. Trusts what the platform trusts; the TLS provider is ring,
    /// whatever the process's default is.
    ///
    /// # Errors
    ///
    /// When the platform's root certificates cannot be found.
    #[cfg(feature = "rustls")]
    pub fn tls(connect_timeout: Duration) -> Result<Self, BuildError> {
        Self::builder().connect_timeout(connect_timeout).tls()
    }

    /// As [`tls`](Self::tls), but trusts the certificates in `pem` and no others: those of a proxy of
    /// your own, say, or of a test.
    ///
    /// # Errors
    ///
    /// When `pem` is not PEM, or holds no certificate.
    #[cfg(feature = "rustls")]
    pub fn tls_trusting(pem: &[u8], connect_timeout: Duration) -> Result<Self, BuildError> {
        Self::builder().connect_timeout(connect_timeout).tls_trusting(pem)
    }

    /// A transport for http only: for the emulator, or a proxy that ends TLS.
    ///
    /// # Errors
    ///
    /// When the resolver of names cannot be set up.
    pub fn plain(connect_timeout: Duration) -> Result<Self, BuildError> {
        Self::builder().connect_timeout(connect_timeout).plain()
    }
}

/// How a [`ReqwestTransport`] makes its connections.
///
/// ```no_run
/// use sinch_verify_client::transport::ReqwestTransport;
/// use sinch_verify_client::{BuildError, ClientBuilder};
///
/// # #[cfg(feature = "rustls")]
/// # fn example() -> Result<(), BuildError> {
/// let transport = ReqwestTransport::builder()
///     .proxy("http://user:password@proxy.example:3128")
///     .tls()?;
/// let client = ClientBuilder::from_env().transport(transport).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ReqwestBuilder {
    connect_timeout: Duration,
    proxy: Option<String>,
}

impl ReqwestBuilder {
    /// Waits for a connection for at most this long; 5 seconds unless set.
    #[must_use]
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Sends all requests through the HTTP proxy at this URL, which may hold a user name and a
    /// password: https through a tunnel (`CONNECT`), so that the proxy sees no more than the service's
    /// name; plain http as it is. By default there is none; the variables of the environment that name
    /// proxies are not read.
    #[must_use]
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(url.to_owned());
        self
    }

    /// A transport for https and http, as [`ReqwestTransport::tls`] makes it.
    ///
    /// # Errors
    ///
    /// When the platform's root certificates cannot be found, or the proxy's URL is not one.
    #[cfg(feature = "rustls")]
    pub fn tls(self) -> Result<ReqwestTransport, BuildError> {
        self.with_roots(Roots::Platform)
    }

    /// A transport for https and http that trusts the certificates in `pem` and no others.
    ///
    /// # Errors
    ///
    /// When `pem` is not PEM or holds no certificate, or the proxy's URL is not one.
    #[cfg(feature = "rustls")]
    pub fn tls_trusting(self, pem: &[u8]) -> Result<ReqwestTransport, BuildError> {
        self.with_roots(Roots::Pem(pem))
    }

    #[cfg(feature = "rustls")]
    fn with_roots(self, roots: Roots<'_>) -> Result<ReqwestTransport, BuildError> {
        let config = tls::config(roots, &[b"h2", b"http/1.1"])?;
        Ok(ReqwestTransport {
            client: build(self.settings()?.tls_backend_preconfigured(config))?,
            tls: true,
        })
    }

    /// A transport for http only.
    ///
    /// # Errors
    ///
    /// When the resolver of names cannot be set up, or the proxy's URL is not one.
    pub fn plain(self) -> Result<ReqwestTransport, BuildError> {
        let builder = self.settings()?;
        // Left alone, reqwest would read the platform's roots and look for a default provider.
        #[cfg(feature = "rustls")]
        let builder = builder.tls_backend_preconfigured(tls::config(Roots::None, &[])?);
        Ok(ReqwestTransport {
            client: build(builder)?,
            tls: false,
        })
    }

    fn settings(self) -> Result<reqwest::ClientBuilder, BuildError> {
        let builder = settings(self.connect_timeout);
        Ok(match &self.proxy {
            Some(url) => builder.proxy(proxy(url).ok_or(BuildError::Proxy)?),
            None => builder,
        })
    }
}

/// Shows no password.
impl fmt::Debug for ReqwestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("has_proxy", &self.proxy.is_some())
            .finish()
    }
}

fn proxy(url: &str) -> Option<Proxy> {
    let url = Url::parse(url).ok()?;
    let is_http = matches!(url.scheme(), "http" | "https");
    Proxy::all(url).ok().filter(|_| is_http)
}

/// Other crates in the build can switch on any feature of reqwest, so everything that must be off
/// is switched off by name.
fn settings(connect_timeout: Duration) -> reqwest::ClientBuilder {
    Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
}

fn build(builder: reqwest::ClientBuilder) -> Result<Client, BuildError> {
    builder
        .build()
        .map_err(|error| BuildError::Transport(error.into()))
}

impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request = self.convert(request).map_err(|refusal| {
            TransportError::new(TransportErrorKind::Other)
                .with_source(refusal)
                .never_sent()
        })?;
        let mut answer = self.client.execute(request).await.map_err(translate)?;
        let mut body = Collected::expecting(answer.content_length())?;
        while let Some(chunk) = answer.chunk().await.map_err(translate)? {
            body.push(chunk)?;
        }
        let mut response = Response::new(body.finish());
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        Ok(response)
    }
}

impl ReqwestTransport {
    fn convert(&self, request: Request<Bytes>) -> Result<reqwest::Request, Refusal> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| Refusal::Url)?;
        if url.scheme() != "http" && !self.tls {
            return Err(Refusal::Tls);
        }
        // A URL resolves `.` and `..`; the signature covers the path as it was.
        if url.path() != parts.uri.path() {
            return Err(Refusal::Path);
        }
        let mut converted = reqwest::Request::new(parts.method, url);
        *converted.headers_mut() = parts.headers;
        if !body.is_empty() {
            *converted.body_mut() = Some(body.into());
        }
        Ok(converted)
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// reqwest's errors show the URL, and numbers stand in paths: it is taken out.
fn translate(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        let kind = if error.is_timeout() {
            TransportErrorKind::ConnectTimeout
        } else {
            TransportErrorKind::Connect
        };
        return TransportError::new(kind).with_source(error);
    }
    classify::after_connect(error)
}

/// A request that this transport does not send.
#[derive(Debug)]
enum Refusal {
    Url,
    Tls,
    Path,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "the request's URI is not an absolute URL",
            Self::Tls => "this transport speaks plain http only; https needs the feature `rustls` and a transport with TLS",
            Self::Path => "the path would be sent otherwise than it was signed; take `.` and `..` out of the base URL",
        })
    }
}

impl StdError for Refusal {}
