//! The development application: a key and a secret that everyone knows.
//!
//! `sinch-verify serve` takes them, and clients use them for a service on this machine when no other
//! application is named. They protect nothing, so a receiver of callbacks must accept them only from an
//! emulator on the same machine.

use crate::auth::{ApplicationKey, ApplicationSecret};
use crate::url::HttpUrl;

/// The key of the development application.
pub const APPLICATION_KEY: &str = "de7e1000-0000-4000-8000-000000000000";

/// The secret of the development application: `development-only` in base64.
pub const APPLICATION_SECRET: &str = "ZGV2ZWxvcG1lbnQtb25seQ==";

/// The key and the secret of the development application, for an emulator.
#[must_use]
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test reads both constants"
)]
pub fn application() -> (ApplicationKey, ApplicationSecret) {
    (
        ApplicationKey::new(APPLICATION_KEY).expect("a key"),
        ApplicationSecret::new(APPLICATION_SECRET).expect("a secret"),
    )
}

/// The development application, for requests to `url`: `None` unless its host
/// [is this machine](HttpUrl::is_loopback) by name.
///
/// ```
/// use sinch_verify_protocol::{BaseUrl, development};
///
/// let emulator: BaseUrl = "http://127.0.0.1:9901".parse()?;
/// assert!(development::application_for(&emulator).is_some());
/// assert!(development::application_for(&BaseUrl::default()).is_none());
/// # Ok::<(), sinch_verify_protocol::endpoint::InvalidBaseUrl>(())
/// ```
#[must_use]
pub fn application_for(url: &HttpUrl) -> Option<(ApplicationKey, ApplicationSecret)> {
    url.is_loopback().then(application)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_says_what_it_is_for() {
        let (key, secret) = application();
        assert_eq!(key.as_str(), APPLICATION_KEY);
        assert_eq!(secret.expose_bytes(), b"development-only");
    }

    #[test]
    fn only_names_of_this_machine_get_the_application() {
        let is_given = |url: &str| application_for(&url.parse().unwrap()).is_some();
        for url in [
            "http://localhost:9901",
            "http://LocalHost",
            "http://127.0.0.1:9901",
            "http://127.8.0.1",
            "http://[::1]:9901",
            "https://127.0.0.1",
        ] {
            assert!(is_given(url), "{url}");
        }
        for url in [
            "https://verification.api.sinch.com",
            "http://localhost.evil.com",
            "http://evil.com/localhost",
            "http://localhost.",
            "http://127.0.0.1.nip.io",
            "http://127.0.0.1.",
            "http://lvh.me",
            "http://0.0.0.0",
            "http://[::]",
            "http://[::ffff:127.0.0.1]",
            "http://[::1%25lo]",
            "http://2130706433",
            "http://0x7f.0.0.1",
            "http://0177.0.0.1",
            "http://127.1",
            "http://128.0.0.1",
            "http://host.docker.internal",
        ] {
            let parsed = url.parse::<HttpUrl>();
            assert!(parsed.is_err() || !is_given(url), "{url}");
        }
        for url in [
            "http://localhost@evil.com",
            "http://127.0.0.1:80@evil.com",
            "http://127.0.0.1\\@evil.com",
            "http://127.0.0.1#@evil.com",
            "http://%6cocalhost",
        ] {
            assert!(url.parse::<HttpUrl>().is_err(), "{url}");
        }
    }
}
