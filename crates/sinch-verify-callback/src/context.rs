use std::sync::Arc;
use std::time::SystemTime;

use sinch_verify_protocol::ApplicationKey;

/// What a handler knows about a callback beside the event.
#[derive(Clone, Debug)]
pub struct Context {
    application: Arc<ApplicationKey>,
    received_at: SystemTime,
}

impl Context {
    /// A context, for calling a handler in a test of its own.
    #[must_use]
    pub fn new(application: ApplicationKey, received_at: SystemTime) -> Self {
        Self::shared(Arc::new(application), received_at)
    }

    pub(crate) fn shared(application: Arc<ApplicationKey>, received_at: SystemTime) -> Self {
        Self {
            application,
            received_at,
        }
    }

    /// The application whose secret signed the callback, or came with it.
    #[must_use]
    pub fn application(&self) -> &ApplicationKey {
        &self.application
    }

    /// When the callback was received.
    #[must_use]
    pub fn received_at(&self) -> SystemTime {
        self.received_at
    }
}
