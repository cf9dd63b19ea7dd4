//! What every call of a client works with.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use sinch_verify_protocol::retry::RetryPolicy;
use sinch_verify_protocol::{AcceptLanguage, BaseUrl, Credentials};

use crate::clock::{Budget, Clock};
use crate::entropy::Entropy;
use crate::skew::Skew;
use crate::transport::SharedTransport;

/// A client's settings, connections and clock: what all its clones, handles and flows share.
pub(crate) struct Context {
    pub(crate) credentials: Credentials,
    pub(crate) base_url: BaseUrl,
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) languages: AcceptLanguage,
    pub(crate) plain_http_targets: bool,
    pub(crate) user_agent: HeaderValue,
    pub(crate) transport: SharedTransport,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) skew: Skew,
}

impl Context {
    /// The time for a call that begins now.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(&*self.clock, self.total_timeout)
    }

    /// Whether the status may be queried by method and number only.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self.credentials, Credentials::Public(_))
    }
}
