use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sinch_verify_protocol::VerificationId;
use sinch_verify_protocol::callback::ResultEvent;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Waits for the end of a verification: its result event.
///
/// Give it to [`CallbackBuilder::results`](crate::CallbackBuilder::results), and wait
/// anywhere in the same process. Clones share what they hold.
///
/// A result is kept for 5 minutes, so one that arrives before the wait is found. At most
/// 10 000 results are kept unless [`Results::with_room`] says otherwise; when there are
/// more, the oldest is dropped. A result that is delivered twice is one result.
///
/// Results are known per process: with several receivers behind one callback URL, a result
/// arrives at one of them, and only waits in that process end. Then query the status of the
/// verification, or share results in a database.
///
/// ```no_run
/// use std::time::Duration;
/// use sinch_verify_callback::protocol::VerificationId;
/// use sinch_verify_callback::{CallbackService, Decision, RequestEvent, Results, Status};
///
/// # async fn f(key: &str, secret: &str, id: VerificationId) -> Result<(), Box<dyn std::error::Error>> {
/// let results = Results::default();
/// let service = CallbackService::builder(key, secret)
///     .handler(|_: RequestEvent| async { Decision::Allow })
///     .results(&results)
///     .build()?;
///
/// // Where the verification `id` was started:
/// let result = results.wait(&id, Duration::from_secs(120)).await;
/// let is_verified = result.is_some_and(|result| result.status == Status::Successful);
/// # let _ = (service, is_verified);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Results {
    state: Arc<Mutex<State>>,
}

struct State {
    kept: HashMap<VerificationId, ResultEvent>,
    /// When each result that is kept arrived; the oldest first.
    arrivals: VecDeque<(Instant, VerificationId)>,
    /// Verifications that are waited for. Each entry has at least one wait.
    awaited: HashMap<VerificationId, watch::Sender<Option<ResultEvent>>>,
    room: NonZeroUsize,
}

impl Results {
    /// How long a result is kept: 5 minutes.
    pub const KEPT_FOR: Duration = Duration::from_secs(5 * 60);

    /// The default number of results that are kept: 10 000.
    pub const DEFAULT_ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

    /// Keeps at most `room` results.
    #[must_use]
    pub fn with_room(room: NonZeroUsize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                kept: HashMap::new(),
                arrivals: VecDeque::new(),
                awaited: HashMap::new(),
                room,
            })),
        }
    }

    /// Waits for the result of a verification, for `limit` at most. `None` says that it did
    /// not arrive in time; the verification may still be pending.
    ///
    /// Any number of tasks may wait for the same result. A wait that is dropped leaves
    /// nothing behind. Needs a tokio runtime.
    pub async fn wait(&self, id: &VerificationId, limit: Duration) -> Option<ResultEvent> {
        let mut wait = {
            let mut state = self.lock();
            state.drop_expired(Instant::now());
            if let Some(result) = state.kept.get(id) {
                return Some(result.clone());
            }
            let awaited = state.awaited.entry(id.clone());
            let sender = awaited.or_insert_with(|| watch::channel(None).0);
            Wait {
                results: self,
                id,
                receiver: sender.subscribe(),
            }
        };
        let arrived = timeout(limit, wait.receiver.wait_for(Option::is_some)).await;
        // The sender is dropped after it has sent, so it never ends without a result.
        arrived.ok()?.ok()?.clone()
    }

    /// Ends the waits for this result, and keeps it. For programs that answer callbacks by
    /// themselves; [`CallbackBuilder::results`](crate::CallbackBuilder::results) calls it.
    pub fn record(&self, result: &ResultEvent) {
        let now = Instant::now();
        let mut state = self.lock();
        state.drop_expired(now);
        if state.kept.contains_key(&result.id) {
            return;
        }
        if state.arrivals.len() >= state.room.get() {
            state.drop_oldest();
        }
        state.arrivals.push_back((now, result.id.clone()));
        state.kept.insert(result.id.clone(), result.clone());
        if let Some(waits) = state.awaited.remove(&result.id) {
            // Fails only where no wait is left.
            let _ = waits.send(Some(result.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread can panic here only when memory is exhausted.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_expired(&mut self, now: Instant) {
        while let Some((arrived, _)) = self.arrivals.front()
            && now.duration_since(*arrived) >= Results::KEPT_FOR
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, id)) = self.arrivals.pop_front() {
            self.kept.remove(&id);
        }
    }
}

/// Keeps [`Results::DEFAULT_ROOM`] results at most.
impl Default for Results {
    fn default() -> Self {
        Self::with_room(Self::DEFAULT_ROOM)
    }
}

/// One wait. The last of a verification removes its entry.
struct Wait<'a> {
    results: &'a Results,
    id: &'a VerificationId,
    receiver: watch::Receiver<Option<ResultEvent>>,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut state = self.results.lock();
        // After a result the sender is gone, and an entry of the same id is of a later wait.
        let is_awaited = self.receiver.has_changed().is_ok();
        if is_awaited
            && state
                .awaited
                .get(self.id)
                .is_some_and(|waits| waits.receiver_count() == 1)
        {
            state.awaited.remove(self.id);
        }
    }
}

/// Shows counts, and no result.
impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Results")
            .field("kept", &state.kept.len())
            .field("awaited", &state.awaited.len())
            .finish_non_exhaustive()
    }
}
