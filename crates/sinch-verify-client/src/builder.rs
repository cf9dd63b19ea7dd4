//! Making a client.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use sinch_verify_protocol::endpoint::InvalidBaseUrl;
use sinch_verify_protocol::retry::RetryPolicy;
use sinch_verify_protocol::{AcceptLanguage, ApplicationKey, ApplicationSecret, BaseUrl, Credentials};

use crate::build_error::BuildError;
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::context::Context;
use crate::entropy::{Entropy, SystemEntropy};
use crate::env;
use crate::skew::Skew;
use crate::transport::SharedTransport;

/// How long one attempt may take when nothing else is said.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a whole call may take when nothing else is said.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest that the default transport waits for a connection.
#[cfg(feature = "reqwest")]
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the client calls itself when nothing else is said.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("sinch-verify-client/", env!("CARGO_PKG_VERSION")));

/// Makes a [`Client`].
///
/// [`ClientBuilder::build`] names the setting that is wrong.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_client::Client;
///
/// let client = Client::builder()
///     .basic("11111111-2222-3333-4444-555555555555", "BeIukql3pTKJ8RGL5zo0DA==")
///     .base_url("http://127.0.0.1:9901")
///     .attempt_timeout(Duration::from_secs(3))
///     .build()?;
///
/// let error = Client::builder().public("no spaces allowed").build().unwrap_err();
/// assert_eq!(error.field(), "application key");
/// # Ok::<(), sinch_verify_client::BuildError>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    credentials: CredentialsSource,
    base_url: Result<BaseUrl, BuildError>,
    attempt_timeout: Duration,
    total_timeout: Duration,
    retry: RetryPolicy,
    languages: AcceptLanguage,
    plain_http_targets: bool,
    user_agent: Option<HeaderValue>,
    transport: Option<SharedTransport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Where the credentials come from.
#[derive(Debug)]
enum CredentialsSource {
    Missing,
    Given(Result<Credentials, BuildError>),
    /// Read last, because the development application is for some base URLs only.
    Environment,
}

impl Client {
    /// A builder: [credentials](ClientBuilder::credentials) are required, the rest has defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client with the settings of the environment, see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// When a variable is missing or cannot be used: the message names it.
    pub fn from_env() -> Result<Self, BuildError> {
        ClientBuilder::from_env().build()
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            credentials: CredentialsSource::Missing,
            base_url: Ok(BaseUrl::default()),
            attempt_timeout: ATTEMPT_TIMEOUT,
            total_timeout: TOTAL_TIMEOUT,
            retry: RetryPolicy::default(),
            languages: AcceptLanguage::new(),
            plain_http_targets: false,
            user_agent: Some(USER_AGENT),
            transport: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl ClientBuilder {
    /// Signs with the key and the secret of `SINCH_APPLICATION_KEY` and `SINCH_APPLICATION_SECRET`, and
    /// sends to `SINCH_VERIFICATION_URL`: without that to the real service. For a base URL of this
    /// machine, key and secret need not be set: see [`env::application`].
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use sinch_verify_client::ClientBuilder;
    ///
    /// let client = ClientBuilder::from_env().attempt_timeout(Duration::from_secs(3)).build()?;
    /// # Ok::<(), sinch_verify_client::BuildError>(())
    /// ```
    pub fn from_env() -> Self {
        Self {
            credentials: CredentialsSource::Environment,
            base_url: env::base_url()
                .map(Option::unwrap_or_default)
                .map_err(BuildError::Environment),
            ..Self::default()
        }
    }

    /// How the client shows who it is. Required, unless one of the three below is called.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = CredentialsSource::Given(Ok(credentials));
        self
    }

    /// Signs every request with the secret. The way for backends.
    pub fn application_signed(mut self, key: &str, secret: &str) -> Self {
        let given = key_and_secret(key, secret).map(|(key, secret)| Credentials::signed(key, secret));
        self.credentials = CredentialsSource::Given(given);
        self
    }

    /// Sends key and secret as they are.
    pub fn basic(mut self, key: &str, secret: &str) -> Self {
        let given = key_and_secret(key, secret).map(|(key, secret)| Credentials::basic(key, secret));
        self.credentials = CredentialsSource::Given(given);
        self
    }

    /// Sends the key alone. The way for apps on devices: the backend decides in its callback.
    pub fn public(mut self, key: &str) -> Self {
        self.credentials = CredentialsSource::Given(application_key(key).map(Credentials::public));
        self
    }

    /// Where the service is, as text or as a [`BaseUrl`]. By default
    /// `https://verification.api.sinch.com`; older SDKs use `https://verificationapi-v1.sinch.com`.
    pub fn base_url(mut self, base_url: impl TryInto<BaseUrl, Error: Into<InvalidBaseUrl>>) -> Self {
        self.base_url = base_url
            .try_into()
            .map_err(|error| BuildError::BaseUrl(error.into()));
        self
    }

    /// How long one attempt may take, from connecting to the end of the answer. By default 10
    /// seconds; zero is an error.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How long a whole call may take: its attempts, the pauses between them, and the status queries
    /// about a lost answer. By default 30 seconds; zero is an error. It also ends an attempt, and a
    /// pause that would not fit is not begun.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// How often, and how soon, a request is sent again. Which requests may be is not a setting: see
    /// [`RetryPolicy`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The languages of a message, for starts that name none themselves. By default none: the
    /// service then chooses.
    pub fn languages(mut self, languages: AcceptLanguage) -> Self {
        self.languages = languages;
        self
    }

    /// Allows the address of a data verification, and what it redirects to, to be plain http on
    /// another host than this machine. By default it is not followed there. Some mobile networks
    /// recognise their subscribers in plain http only.
    pub fn plain_http_targets(mut self, allowed: bool) -> Self {
        self.plain_http_targets = allowed;
        self
    }

    /// What the client calls itself, in the `User-Agent` header: visible ASCII.
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = HeaderValue::from_str(user_agent)
            .ok()
            .filter(|value| !value.is_empty() && value.to_str().is_ok());
        self
    }

    /// What carries requests and answers. By default reqwest, where the feature of that name is on.
    pub fn transport(mut self, transport: impl Into<SharedTransport>) -> Self {
        self.transport = Some(transport.into());
        self
    }

    /// Where the time of signing, deadlines and pauses come from. By default the system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where the randomness of references and pauses comes from. By default the system.
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// When a setting is missing or cannot be used, see [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        let base_url = self.base_url?;
        let credentials = match self.credentials {
            CredentialsSource::Missing => return Err(BuildError::MissingCredentials),
            CredentialsSource::Given(given) => given?,
            CredentialsSource::Environment => {
                let (key, secret) = env::application(&base_url).map_err(BuildError::Environment)?;
                Credentials::signed(key, secret)
            }
        };
        if self.attempt_timeout.is_zero() {
            return Err(BuildError::ZeroAttemptTimeout);
        }
        if self.total_timeout.is_zero() {
            return Err(BuildError::ZeroTotalTimeout);
        }
        if self.retry.max_attempts() == 0 {
            return Err(BuildError::NoAttempts);
        }
        let user_agent = self.user_agent.ok_or(BuildError::UserAgent)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport(&base_url, self.attempt_timeout)?,
        };
        Ok(Client::new(Context {
            credentials,
            base_url,
            attempt_timeout: self.attempt_timeout,
            total_timeout: self.total_timeout,
            retry: self.retry,
            languages: self.languages,
            plain_http_targets: self.plain_http_targets,
            user_agent,
            transport,
            clock: self.clock,
            entropy: self.entropy,
            skew: Skew::default(),
        }))
    }
}

fn application_key(text: &str) -> Result<ApplicationKey, BuildError> {
    ApplicationKey::new(text).map_err(BuildError::ApplicationKey)
}

fn key_and_secret(key: &str, secret: &str) -> Result<(ApplicationKey, ApplicationSecret), BuildError> {
    let key = application_key(key)?;
    let secret = ApplicationSecret::new(secret).map_err(BuildError::ApplicationSecret)?;
    Ok((key, secret))
}

#[cfg(feature = "reqwest")]
fn default_transport(base_url: &BaseUrl, attempt_timeout: Duration) -> Result<SharedTransport, BuildError> {
    use crate::transport::ReqwestTransport;

    // Below the attempt's own limit, so that a host that does not answer at all is distinguished from an
    // answer that was lost.
    let connect_timeout = CONNECT_TIMEOUT.min((attempt_timeout / 4).saturating_mul(3));
    if !base_url.is_https() {
        // Without reading the platform's root certificates, which a bare container may lack.
        return Ok(ReqwestTransport::plain(connect_timeout)?.into());
    }
    #[cfg(feature = "rustls")]
    return Ok(ReqwestTransport::tls(connect_timeout)?.into());
    #[cfg(not(feature = "rustls"))]
    Err(BuildError::TlsNotEnabled)
}

#[cfg(not(feature = "reqwest"))]
fn default_transport(_: &BaseUrl, _: Duration) -> Result<SharedTransport, BuildError> {
    Err(BuildError::MissingTransport)
}
