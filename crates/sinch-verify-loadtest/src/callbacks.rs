//! The callback receiver of a run: the backend's half of the flows, and the events it receives.

mod answer;
mod conversation;
mod decider;
mod front;
mod token;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::{BuildError, CallbackBuilder, InDoubt, KeyRing, ReplayGuard};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
use tokio::net::TcpListener;

use crate::live::Limits;
use crate::model::{Clock, RunId, Shard};
use crate::recorder::Recorder;

pub use answer::CallbackAnswer;
pub(crate) use answer::{AnswerFn, Answers};
pub(crate) use conversation::Conversations;
pub(crate) use decider::Codes;
pub(crate) use token::Token;

use decider::Decider;
use front::{Faults, Front};
use token::Ours;

/// Where callbacks are posted to. Any path is answered; this one says in logs what it is for.
const PATH: &str = "/callback";
/// A secret that no application has: 16 bytes in base64.
const OUTDATED: &str = "YW4gb2xkZXIgc2VjcmV0IQ==";
/// As many connections as the largest generator has flows.
const CONNECTIONS: u32 = 16_384;

/// What a callback receiver needs to know.
pub(crate) struct CallbackSettings {
    /// The application whose callbacks are taken.
    pub(crate) key: ApplicationKey,
    /// Its secret.
    pub(crate) secret: ApplicationSecret,
    /// The run whose flows are known.
    pub(crate) run: RunId,
    /// Which part of it: events about another part's flows are not for this receiver.
    pub(crate) shard: Shard,
    /// The scenarios of the run, and how their request events are answered.
    pub(crate) answers: Answers,
    /// What decisions set.
    pub(crate) codes: Codes,
    /// The limits of a live run; request events tell prices.
    pub(crate) limits: Option<Arc<Limits>>,
    /// How many signatures must be remembered, to refuse repeated ones.
    pub(crate) room: NonZeroUsize,
}

/// A callback receiver that is bound, and not served yet.
pub(crate) struct CallbackReceiver {
    listener: TcpListener,
    address: SocketAddr,
    front: Front,
    conversations: Arc<Conversations>,
}

impl CallbackReceiver {
    /// Listens on `address`, and counts in `recorder` what comes.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub(crate) async fn bind(
        address: SocketAddr,
        settings: CallbackSettings,
        recorder: &Arc<Recorder>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let conversations = Arc::<Conversations>::default();
        let ours = Ours {
            run: settings.run.clone(),
            shard: settings.shard,
            answers: settings.answers.clone(),
        };
        let builder =
            |secret: &ApplicationSecret| CallbackBuilder::new(KeyRing::new(settings.key.clone(), secret));
        let service = |secret: &ApplicationSecret| {
            let decider = Decider {
                ours: ours.clone(),
                codes: settings.codes.clone(),
                limits: settings.limits.clone(),
                conversations: Arc::clone(&conversations),
                recorder: Arc::clone(recorder),
                clock: Arc::clone(&clock),
            };
            let guard = ReplayGuard::new(MemoryStore::new(settings.room), InDoubt::Refuse);
            let service = builder(secret).guard(guard).handler(decider).build();
            service.map_err(invalid_input)
        };
        let outdated = ApplicationSecret::new(OUTDATED)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let receiver = builder(&settings.secret).without_guard().build_receiver();
        let receiver = receiver.map_err(invalid_input)?;
        let front = Front {
            good: service(&settings.secret)?,
            outdated: service(&outdated)?,
            faults: settings.answers.has_rules().then(|| Faults {
                ours: ours.clone(),
                receiver,
            }),
            recorder: Arc::clone(recorder),
            clock,
        };
        Ok(Self {
            listener,
            address,
            front,
            conversations,
        })
    }

    /// Where callbacks are to be posted to.
    #[must_use]
    pub(crate) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// What it hears.
    #[must_use]
    pub(crate) fn conversations(&self) -> Arc<Conversations> {
        Arc::clone(&self.conversations)
    }

    /// Answers callbacks until it is dropped.
    pub(crate) async fn serve(self) {
        let server = Server::new(self.front).with_max_connections(CONNECTIONS);
        server.serve(self.listener, std::future::pending()).await;
    }
}

fn invalid_input(error: BuildError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

impl fmt::Debug for CallbackReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackReceiver")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
