use std::fmt;
use std::sync::Arc;

use http::Uri;
use sinch_verify_callback::testing::CallbackSigner;

use crate::callbacks::Conversations;
use crate::model::{Clock, RunId, Setting, SystemClock};
use crate::phone::Phone;
use crate::target::Target;

/// What all flows of a run share.
pub(crate) struct FlowContext {
    /// The service under load.
    pub(crate) target: Target,
    /// Who sends the requests.
    pub(crate) setting: Setting,
    /// The phones under verification.
    pub(crate) phone: Arc<dyn Phone>,
    /// The run's callback receiver, where there is one.
    pub(crate) receiver: Option<ReceiverLink>,
    /// The run, which references and custom texts name.
    pub(crate) run: RunId,
    /// The clocks that flows are timed by.
    pub(crate) clock: Arc<dyn Clock>,
}

impl FlowContext {
    /// A backend that sends requests to `target`, without a callback receiver.
    pub(crate) fn new(target: Target, phone: impl Phone + 'static, run: RunId) -> Self {
        Self {
            target,
            setting: Setting::Backend,
            phone: Arc::new(phone),
            receiver: None,
            run,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for FlowContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowContext")
            .field("target", &self.target)
            .field("setting", &self.setting)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

/// The run's callback receiver, as flows know it.
#[derive(Clone, Debug)]
pub struct ReceiverLink {
    pub(crate) conversations: Arc<Conversations>,
    pub(crate) url: Uri,
    pub(crate) signer: CallbackSigner,
}

impl ReceiverLink {
    /// Where it takes callbacks.
    #[must_use]
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// Signs callbacks as the service does: to repeat and forge them.
    #[must_use]
    pub fn signer(&self) -> &CallbackSigner {
        &self.signer
    }
}
