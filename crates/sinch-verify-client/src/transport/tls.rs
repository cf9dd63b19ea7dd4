//! TLS: rustls with the ring provider, whatever the process's default is.

use std::sync::Arc;

use rustls::Error;
#[cfg(feature = "rustls")]
use rustls::RootCertStore;
use rustls::client::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Trusts what the platform trusts. `protocols` are offered in ALPN: a configuration of our own is used
/// as it is, so HTTP/2 must be offered here, unless the connector does.
pub(super) fn platform(protocols: &[&[u8]]) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

#[cfg(feature = "rustls")]
pub(super) fn trusting_nobody() -> Result<ClientConfig, Error> {
    Ok(
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    )
}
