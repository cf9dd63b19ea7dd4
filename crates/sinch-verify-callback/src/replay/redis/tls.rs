//! TLS to Redis: rustls with the ring provider, whatever the process's default is.

use std::io;
use std::sync::Arc;

use redis::RedisResult;
use rustls::RootCertStore;
use rustls::client::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::invalid_config::InvalidRedisConfig;

/// A certificate chain and its key, in PEM.
type Identity<'a> = (&'a [u8], &'a [u8]);

#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    /// Trusts `roots` (PEM), or else what the platform trusts.
    pub(super) fn new(
        roots: Option<&[u8]>,
        identity: Option<Identity<'_>>,
    ) -> Result<Self, InvalidRedisConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| InvalidRedisConfig::new("tls", &format!("not available: {error}")))?;
        let builder = match roots {
            Some(pem) => builder.with_root_certificates(read_roots(pem)?),
            None => builder.with_platform_verifier().map_err(|error| {
                InvalidRedisConfig::new(
                    "roots",
                    &format!("those of this platform cannot be read; install ca-certificates, or give some: {error}"),
                )
            })?,
        };
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = read_certificates("identity", chain)?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| no_key(&error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| no_key(&error))?
            }
        };
        Ok(Self(Arc::new(config).into()))
    }

    pub(super) async fn over(&self, host: &str, stream: TcpStream) -> RedisResult<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(self.0.connect(name, stream).await?)
    }
}

fn read_roots(pem: &[u8]) -> Result<RootCertStore, InvalidRedisConfig> {
    let mut store = RootCertStore::empty();
    for certificate in read_certificates("roots", pem)? {
        store.add(certificate).map_err(|error| {
            InvalidRedisConfig::new("roots", &format!("a certificate cannot be used: {error}"))
        })?;
    }
    Ok(store)
}

fn read_certificates(
    field: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, InvalidRedisConfig> {
    let certificates: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(InvalidRedisConfig::new(
            field,
            "no certificate in PEM; give blocks that begin with BEGIN CERTIFICATE",
        )),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(InvalidRedisConfig::new(field, &format!("not valid PEM: {error}"))),
    }
}

fn no_key(error: &dyn std::error::Error) -> InvalidRedisConfig {
    InvalidRedisConfig::new(
        "identity",
        &format!("no key that fits; give the certificate's own key in PEM: {error}"),
    )
}
