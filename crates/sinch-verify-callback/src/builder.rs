use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::auth::{InvalidKey, InvalidSecret, PathPolicy, Window};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
use tokio::runtime::Handle;

use crate::external_path::ExternalPath;
use crate::guard::{InDoubt, ReplayGuard};
use crate::handler::Handler;
use crate::keys::KeyRing;
#[cfg(feature = "policy")]
use crate::policy::FraudPolicy;
use crate::receiver::{AcceptedAuth, Checks, Receiver};
use crate::replay::MemoryStore;
use crate::responder::{Fallback, Responder};
use crate::results::Results;
use crate::service::CallbackService;
use crate::task::{AfterDeadline, Runner};

const DEADLINE: Duration = Duration::from_secs(3);

/// Settings of a [`CallbackService`] or a [`Receiver`].
///
/// | setting | default |
/// |---|---|
/// | [`accepted_auth`](Self::accepted_auth) | signed callbacks only |
/// | [`guard`](Self::guard) | in memory, refuses in doubt |
/// | [`window`](Self::window) | timestamps from 5 minutes ago to 1 minute ahead |
/// | [`path_policy`](Self::path_policy), [`external_path`](Self::external_path) | the path as received, without its query |
/// | [`max_body`](Self::max_body) | 64 KiB |
/// | [`body_deadline`](Self::body_deadline) | 5 s |
/// | [`deadline`](Self::deadline) | 3 s |
/// | [`fallback`](Self::fallback) | deny |
/// | [`after_deadline`](Self::after_deadline) | cancel the handler |
/// | `policy` (feature `policy`) | none: the handler alone decides |
///
/// ```
/// use sinch_verify_callback::{CallbackService, Decision, RequestEvent};
///
/// let key = "669E367E-6BBA-48AB-AF15-266871C28135";
/// let decide = |_: RequestEvent| async { Decision::Allow };
/// let service = CallbackService::builder(key, "BeIukql3pTKJ8RGL5zo0DA==").handler(decide).build()?;
///
/// let error = CallbackService::builder(key, "no+base64").handler(decide).build().unwrap_err();
/// assert!(error.to_string().starts_with("application secret is not base64"));
/// # Ok::<(), sinch_verify_callback::BuildError>(())
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct CallbackBuilder<H = ()> {
    keys: Result<KeyRing, BuildError>,
    checks: Checks,
    handler: H,
    deadline: Duration,
    fallback: Fallback,
    runner: Runner,
    results: Option<Results>,
    #[cfg(feature = "policy")]
    policy: Option<FraudPolicy>,
}

impl CallbackService<()> {
    /// Settings of a service for one application: its key and its secret, as the
    /// dashboard shows them. [`CallbackBuilder::new`] is for several.
    pub fn builder(key: &str, secret: &str) -> CallbackBuilder {
        CallbackBuilder::with_keys(key_ring(key, secret))
    }
}

impl Receiver {
    /// Settings of a receiver for one application: its key and its secret, as the
    /// dashboard shows them. [`CallbackBuilder::build_receiver`] builds it.
    pub fn builder(key: &str, secret: &str) -> CallbackBuilder {
        CallbackBuilder::with_keys(key_ring(key, secret))
    }
}

impl CallbackBuilder<()> {
    /// Settings for the applications in `keys`, with one secret or several each.
    pub fn new(keys: KeyRing) -> Self {
        Self::with_keys(Ok(keys))
    }

    fn with_keys(keys: Result<KeyRing, BuildError>) -> Self {
        Self {
            keys,
            checks: Checks {
                accepted_auth: AcceptedAuth::default(),
                guard: Some(ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse)),
                window: Window::default(),
                paths: PathPolicy::default(),
                external_path: ExternalPath::default(),
                max_body: Receiver::MAX_BODY,
                body_deadline: Receiver::BODY_DEADLINE,
                clock: Arc::new(SystemTime::now),
            },
            handler: (),
            deadline: DEADLINE,
            fallback: Fallback::default(),
            runner: Runner::default(),
            results: None,
            #[cfg(feature = "policy")]
            policy: None,
        }
    }

    /// What decides on request events and gets the others: a [`Handler`], or a closure
    /// from a [`RequestEvent`](crate::RequestEvent) to a future with a
    /// [`Decision`](crate::Decision), or with a `Result` of one.
    pub fn handler<H: Handler>(self, handler: H) -> CallbackBuilder<H> {
        CallbackBuilder {
            handler,
            keys: self.keys,
            checks: self.checks,
            deadline: self.deadline,
            fallback: self.fallback,
            runner: self.runner,
            results: self.results,
            #[cfg(feature = "policy")]
            policy: self.policy,
        }
    }
}

impl<H> CallbackBuilder<H> {
    /// Takes callbacks that are authorized in one of these ways.
    pub fn accepted_auth(mut self, accepted: AcceptedAuth) -> Self {
        self.checks.accepted_auth = accepted;
        self
    }

    /// Refuses replays and repeats decisions with this guard.
    pub fn guard(mut self, guard: ReplayGuard) -> Self {
        self.checks.guard = Some(guard);
        self
    }

    /// Remembers nothing: a recorded callback is taken again within the window, and the
    /// handler decides again about an event that is sent again. For where something else
    /// refuses replays, or they do no harm.
    pub fn without_guard(mut self) -> Self {
        self.checks.guard = None;
        self
    }

    /// Takes timestamps inside `window`.
    pub fn window(mut self, window: Window) -> Self {
        self.checks.window = window;
        self
    }

    /// Also takes signatures over other forms of the path.
    pub fn path_policy(mut self, paths: PathPolicy) -> Self {
        self.checks.paths = paths;
        self
    }

    /// The path of the callback URL, where a proxy changes it.
    pub fn external_path(mut self, path: ExternalPath) -> Self {
        self.checks.external_path = path;
        self
    }

    /// Takes bodies of up to `bytes` bytes.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.checks.max_body = bytes;
        self
    }

    /// How long a body may take to arrive, from the moment its head was read.
    pub fn body_deadline(mut self, deadline: Duration) -> Self {
        self.checks.body_deadline = deadline;
        self
    }

    /// Takes the time of day from `clock`, which is read once per request.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.checks.clock = Arc::new(clock);
        self
    }

    /// How long the answer may take, from the moment the head of the request
    /// was read.
    ///
    /// It must be shorter than the sender waits, with time to spare for the
    /// way there and back. Sinch does not publish how long that is.
    ///
    /// The handler has what is left when it starts, less what the
    /// [`ReplayGuard`] may need to remember the decision: the guard's timeout,
    /// and at most half of the deadline. The elapsed time decides: a handler
    /// that blocks every thread of the runtime delays the answer, but after the
    /// deadline the answer is the fallback's, whatever the handler decided.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What to answer to a request event when the handler is late, fails,
    /// panics, or decides something that does not fit the event's method.
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// What happens to a handler that is not done at its deadline.
    pub fn after_deadline(mut self, after: AfterDeadline) -> Self {
        self.runner.after_deadline = after;
        self
    }

    /// Runs handlers on `runtime`, and not on the runtime of the server. For handlers
    /// that block their thread: they delay each other, but no answer, so the answer
    /// leaves at the deadline at the latest. It costs a change of threads per callback.
    ///
    /// ```
    /// # use sinch_verify_callback::CallbackBuilder;
    /// # fn f<H>(builder: CallbackBuilder<H>) -> std::io::Result<()> {
    /// let handlers = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(8)
    ///     .enable_all()
    ///     .build()?;
    /// let builder = builder.handler_runtime(handlers.handle().clone());
    /// # let _ = builder;
    /// # Ok(()) }
    /// ```
    pub fn handler_runtime(mut self, runtime: Handle) -> Self {
        self.runner.runtime = Some(runtime);
        self
    }

    /// Gives every result event to `results` as well, once the handler has handled it.
    pub fn results(mut self, results: &Results) -> Self {
        self.results = Some(results.clone());
        self
    }

    /// Denies starts that break a rule of `policy`, before the handler is asked. What the
    /// handler denies after all is given back, and result events are counted before they
    /// reach the handler.
    #[cfg(feature = "policy")]
    pub fn policy(mut self, policy: &FraudPolicy) -> Self {
        self.policy = Some(policy.clone());
        self
    }

    /// A receiver, for programs that answer by themselves. It uses no handler, and none
    /// of the settings about answers.
    ///
    /// # Errors
    ///
    /// When the key or the secret is not one.
    pub fn build_receiver(self) -> Result<Receiver, BuildError> {
        Ok(Receiver::new(self.keys?, self.checks))
    }
}

impl<H: Handler> CallbackBuilder<H> {
    /// The service.
    ///
    /// # Errors
    ///
    /// When the key or the secret is not one.
    pub fn build(self) -> Result<CallbackService<H>, BuildError> {
        let responder = Responder {
            handler: Arc::new(self.handler),
            deadline: self.deadline,
            fallback: self.fallback,
            runner: self.runner,
            results: self.results,
            #[cfg(feature = "policy")]
            policy: self.policy,
        };
        Ok(CallbackService::new(
            Receiver::new(self.keys?, self.checks),
            responder,
        ))
    }
}

fn key_ring(key: &str, secret: &str) -> Result<KeyRing, BuildError> {
    let key = ApplicationKey::new(key).map_err(BuildError::ApplicationKey)?;
    let secret = ApplicationSecret::new(secret).map_err(BuildError::ApplicationSecret)?;
    Ok(KeyRing::new(key, &secret))
}

impl<H> fmt::Debug for CallbackBuilder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackBuilder")
            .field("keys", &self.keys)
            .field("checks", &self.checks)
            .field("deadline", &self.deadline)
            .field("fallback", &self.fallback)
            .finish_non_exhaustive()
    }
}

/// Why nothing could be built. The message names the field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The application key is not one.
    ApplicationKey(InvalidKey),
    /// The application secret is not one.
    ApplicationSecret(InvalidSecret),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApplicationKey(error) => error.fmt(f),
            Self::ApplicationSecret(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BuildError {}
