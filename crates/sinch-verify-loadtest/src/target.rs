use std::net::SocketAddr;

use sinch_verify_client::BuildError;
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, Credentials};

use crate::destination::Pin;
use crate::model::Setting;

/// The service under load, and how its requests are authorized.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Where it is.
    pub(crate) base: BaseUrl,
    /// Who asks.
    pub(crate) credentials: Credentials,
    /// The address of its host, where that is not to be looked up.
    pub(crate) pin: Option<Pin>,
}

impl Target {
    /// The service at `base`.
    #[must_use]
    pub(crate) fn new(base: BaseUrl, credentials: Credentials) -> Self {
        Self {
            base,
            credentials,
            pin: None,
        }
    }

    /// The client's transport to it: no redirects, no proxy, and TLS only where its URL says so.
    ///
    /// # Errors
    ///
    /// When TLS is wanted and the platform's root certificates cannot be found.
    pub(crate) fn transport(&self) -> Result<HyperTransport, BuildError> {
        let mut builder = HyperTransport::builder();
        if let Some(pin) = &self.pin {
            builder = builder.resolve(pin.host(), pin.address());
        }
        if self.is_tls() {
            builder.tls()
        } else {
            Ok(builder.plain())
        }
    }

    /// Whether its URL says `https`.
    pub(crate) fn is_tls(&self) -> bool {
        self.base.is_https()
    }

    /// The address of its host, for those who put the port of the URL in place of a zero.
    pub(crate) fn pinned(&self) -> Option<(&str, SocketAddr)> {
        let pin = self.pin.as_ref()?;
        Some((pin.host(), SocketAddr::new(pin.address(), 0)))
    }
}

/// A service that is there already, and the application that asks it. `U` says what is known about
/// its URL.
#[derive(Clone, Debug)]
pub(crate) struct Elsewhere<U> {
    /// Where it is.
    pub(crate) url: U,
    /// The address of its host, where that is not to be looked up.
    pub(crate) pin: Option<Pin>,
    /// The application that asks.
    pub(crate) key: ApplicationKey,
    /// Its secret.
    pub(crate) secret: ApplicationSecret,
}

impl<U: AsRef<BaseUrl>> Elsewhere<U> {
    /// The service as it is asked in `setting`.
    #[must_use]
    pub(crate) fn target(&self, setting: Setting) -> Target {
        let mut target = Target::new(
            self.url.as_ref().clone(),
            credentials(setting, &self.key, &self.secret),
        );
        target.pin.clone_from(&self.pin);
        target
    }
}

/// How an application is authorized in `setting`.
pub(crate) fn credentials(setting: Setting, key: &ApplicationKey, secret: &ApplicationSecret) -> Credentials {
    match setting {
        Setting::Backend => Credentials::signed(key.clone(), secret.clone()),
        Setting::Device => Credentials::public(key.clone()),
    }
}
