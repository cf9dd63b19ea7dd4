//! TLS: rustls with the ring provider, whatever the process's default is.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::{ClientConfig, WantsClientCert};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ConfigBuilder, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::build_error::BuildError;

/// Whose certificates are trusted.
#[derive(Clone, Copy)]
pub(super) enum Roots<'a> {
    /// What the platform trusts.
    Platform,
    /// These, in PEM, and no others.
    Pem(&'a [u8]),
    /// No certificate, for a transport that never uses TLS.
    #[cfg(feature = "rustls")]
    None,
}

/// A configuration that offers `protocols` in ALPN: one of our own is used as it is, so HTTP/2 must be
/// offered here, unless the connector does.
pub(super) fn config(roots: Roots<'_>, protocols: &[&[u8]]) -> Result<ClientConfig, BuildError> {
    let mut config = trusting(roots)
        .map_err(BuildError::Transport)?
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

type Trusting = ConfigBuilder<ClientConfig, WantsClientCert>;

fn trusting(roots: Roots<'_>) -> Result<Trusting, Box<dyn StdError + Send + Sync>> {
    let builder = versions()?;
    Ok(match roots {
        Roots::Platform => builder.with_platform_verifier()?,
        Roots::Pem(text) => builder.with_root_certificates(read(text)?),
        #[cfg(feature = "rustls")]
        Roots::None => builder.with_root_certificates(RootCertStore::empty()),
    })
}

fn versions() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
}

fn read(text: &[u8]) -> Result<RootCertStore, Box<dyn StdError + Send + Sync>> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text) {
        store.add(certificate?)?;
    }
    if store.is_empty() {
        // It would trust no certificate, and the error would come with the first request only.
        return Err(NoCertificate.into());
    }
    Ok(store)
}

#[derive(Debug)]
struct NoCertificate;

impl fmt::Display for NoCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no certificate in the PEM text; give blocks that begin with BEGIN CERTIFICATE")
    }
}

impl StdError for NoCertificate {}
