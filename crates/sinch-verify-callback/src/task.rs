//! Runs a handler so that nothing it does harms the answer.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinError};
use tracing::Instrument as _;

use crate::handler::BoxError;

/// What becomes of a handler that is not done at its deadline, or whose sender
/// hung up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AfterDeadline {
    /// It is dropped where it waits. The default: a handler that never ends
    /// cannot pile up.
    #[default]
    Cancel,
    /// It goes on in the background, and its result is not looked at. For
    /// handlers that must not stop halfway and that do end.
    Continue,
}

/// The time that something may take. It runs from before the work is started, so the time that the
/// work waits for a thread counts too.
#[derive(Clone, Copy)]
pub(crate) struct TimeLimit {
    start: Instant,
    length: Duration,
}

impl TimeLimit {
    pub(crate) fn new(start: Instant, length: Duration) -> Self {
        Self { start, length }
    }

    /// The same limit, earlier.
    pub(crate) fn less(self, duration: Duration) -> Self {
        Self {
            length: self.length.saturating_sub(duration),
            ..self
        }
    }

    pub(crate) fn has_passed(self) -> bool {
        self.left().is_zero()
    }

    fn left(self) -> Duration {
        self.length.saturating_sub(self.start.elapsed())
    }
}

/// Where handlers run, and what becomes of those that are late.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    /// The current runtime, unless there is one here.
    pub(crate) runtime: Option<Handle>,
    pub(crate) after_deadline: AfterDeadline,
}

impl Runner {
    /// Runs `work` in a task of its own, until `limit` at most.
    ///
    /// A task, and not this future itself, because a task contains a panic, goes on where it should
    /// when the sender hangs up, and may block its thread while another one answers at the deadline.
    /// Beginning in place would save about 3 % of a callback's time, and give the last of these up.
    ///
    /// The task starts before the future that this returns is polled, which is small because it does not
    /// hold `work`.
    ///
    /// The elapsed time decides, not the timer: on a runtime whose threads are all blocked a timer
    /// fires late, and finds that the work is done.
    pub(crate) fn run<T, E, W>(
        &self,
        work: W,
        limit: TimeLimit,
    ) -> impl Future<Output = Result<T, Failure>> + use<T, E, W>
    where
        T: Send + 'static,
        E: Into<BoxError> + Send + 'static,
        W: Future<Output = Result<T, E>> + Send + 'static,
    {
        let task = (!limit.has_passed()).then(|| {
            // In a box, because spawning moves a future several times.
            let work = Box::pin(work).in_current_span();
            let task = match &self.runtime {
                Some(runtime) => runtime.spawn(work),
                None => tokio::spawn(work),
            };
            let guard = match self.after_deadline {
                AfterDeadline::Cancel => Some(AbortOnDrop(task.abort_handle())),
                AfterDeadline::Continue => None,
            };
            (task, guard)
        });
        async move {
            let (task, _guard) = task.ok_or(Failure::Deadline)?;
            // A handler that is done at once needs no timer, and setting one wakes the runtime's driver.
            turn().await;
            let ended = within(limit.left(), task).await;
            if limit.has_passed() {
                return Err(Failure::Deadline);
            }
            match ended {
                Some(Ok(Ok(value))) => Ok(value),
                Some(Ok(Err(error))) => Err(Failure::Error(error.into())),
                Some(Err(error)) => Err(Failure::from(&error)),
                None => Err(Failure::Deadline),
            }
        }
    }
}

/// Why a handler gave nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    Deadline,
    Panic,
    Error(BoxError),
    /// The runtime is shutting down.
    Cancelled,
}

/// Lets the tasks run that are ready now.
///
/// Another thread can take the caller over where one of them blocks. After tokio's `yield_now` it could not:
/// that waits until this thread has asked the driver for events.
async fn turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if is_over {
            return Poll::Ready(());
        }
        is_over = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// As tokio's timeout, but what is done at once needs no timer.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        Poll::Ready(done) => Some(done),
        Poll::Pending => tokio::time::timeout(limit, work).await.ok(),
    }
}

/// Aborts the task, which does nothing once it has ended.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Failure {
    /// For telemetry: one word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Panic => "panic",
            Self::Error(_) => "error",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<&JoinError> for Failure {
    // What the panic said stays with the panic hook: it may hold a number.
    fn from(error: &JoinError) -> Self {
        if error.is_panic() {
            Self::Panic
        } else {
            Self::Cancelled
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("handler is not done at its deadline"),
            Self::Panic => f.write_str("handler panicked"),
            Self::Error(error) => write!(f, "handler failed: {error}"),
            Self::Cancelled => f.write_str("handler was cancelled: the runtime shuts down"),
        }
    }
}
