use std::fmt;
use std::sync::Arc;

use http::Uri;
use sinch_verify_callback::testing::CallbackSigner;

use super::query::Known;
use crate::callbacks::Conversations;
use crate::clock::{Clock, SystemClock};
use crate::runfile::{RunId, Setting};
use crate::target::Target;

/// What all flows of a run share.
pub struct Cast<P> {
    /// The service under load.
    pub target: Target,
    /// Who asks it.
    pub setting: Setting,
    /// The phones under verification.
    pub phone: P,
    /// Our callback receiver, where there is one.
    pub callbacks: Option<Peer>,
    /// The run, which references and custom texts name.
    pub run: RunId,
    /// Verifications that were made before the run, to be asked for.
    pub known: Vec<Known>,
    /// The clocks that flows are timed by.
    pub clock: Arc<dyn Clock>,
}

impl<P> Cast<P> {
    /// A backend that asks `target`, without a callback receiver.
    pub fn new(target: Target, phone: P, run: RunId) -> Self {
        Self {
            target,
            setting: Setting::Backend,
            phone,
            callbacks: None,
            run,
            known: Vec::new(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl<P> fmt::Debug for Cast<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cast")
            .field("target", &self.target)
            .field("setting", &self.setting)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

/// Our callback receiver, as flows know it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What it hears.
    pub conversations: Arc<Conversations>,
    /// Where it is.
    pub url: Uri,
    /// Signs as the service does, to replay and forge.
    pub signer: CallbackSigner,
}
