//! A flow under way: carries the session's requests, timers and inputs.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _, unfold};
use sinch_verify_protocol::session::{Ending, Failure, Input, Output, Progress, Session};
use sinch_verify_protocol::{PhoneNumber, Verification};

use super::request;
use super::source::{CodeSource, Seen};
use crate::clock::Sleep;
use crate::context::Context;

/// How much of what was typed too early is kept; the source waits with the rest.
const MOST_EARLY: usize = 16;

/// A flow under way. It goes on while [`next`](Self::next) is awaited, and is cancelled by dropping
/// it.
///
/// ```no_run
/// use sinch_verify_client::{Client, flow::{Seen, Step}};
/// use sinch_verify_client::protocol::PhoneNumber;
///
/// # async fn example(client: Client, number: PhoneNumber) -> Result<(), Box<dyn std::error::Error>> {
/// # let (_tell, source) = tokio::sync::mpsc::channel(1);
/// let mut running = client.verify(number).begin(source)?;
/// while let Some(step) = running.next().await {
///     match step {
///         Step::Progress(progress) => println!("{progress:?}"),
///         Step::Verified(_) => println!("verified"),
///         Step::Failed(failure) => println!("{failure}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Running<S> {
    context: Arc<Context>,
    session: Session,
    origin: Instant,
    begun: bool,
    /// What was typed while a start was not answered, up to [`MOST_EARLY`].
    early: VecDeque<Seen>,
    requests: FuturesUnordered<Pin<Box<dyn Future<Output = Input> + Send>>>,
    timer: Option<(Duration, Sleep)>,
    told: VecDeque<Step>,
    source: Feed<S>,
}

/// One thing that a flow tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Something happened that a screen or a log may want.
    Progress(Progress),
    /// The number is verified. The last step.
    Verified(Box<Verification>),
    /// It is not, or nobody knows. The last step.
    Failed(Failure),
}

/// The source, or its answer under way.
enum Feed<S> {
    Ready(S),
    Waiting(Pin<Box<dyn Future<Output = (Option<Seen>, S)> + Send>>),
    Over,
}

impl<S: CodeSource> Running<S> {
    /// The next step; `None` after the last one.
    ///
    /// Dropping the future loses nothing: the flow stands still until it is called again.
    pub async fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.told.pop_front() {
                return Some(step);
            }
            if self.session.ending().is_some() {
                return None;
            }
            let input = if self.begun {
                poll_fn(|context| self.poll_input(context)).await
            } else {
                self.begun = true;
                Input::Begin
            };
            if self.take(input) {
                continue;
            }
            // A source that always has something must not keep the answers away.
            let mut yielded = false;
            poll_fn(|context| {
                if std::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    /// The steps as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Step> + Send {
        unfold(self, |mut running| async move {
            let step = running.next().await?;
            Some((step, running))
        })
    }

    /// Hands an input in, and tells whether it changed anything.
    fn take(&mut self, input: Input) -> bool {
        let now = self.elapsed();
        let mut changed = false;
        for output in self.session.handle(now, input) {
            // A repeated code, or a call of somebody else.
            changed |= !matches!(output, Output::Ignored(_));
            match output {
                Output::Send { id, request } => {
                    let context = Arc::clone(&self.context);
                    let number = self.session.number();
                    self.requests
                        .push(Box::pin(request::carry_out(context, number, id, request)));
                }
                Output::Progress(progress) => self.told.push_back(Step::Progress(progress)),
                Output::Ended(Ending::Verified(verification)) => {
                    self.told.push_back(Step::Verified(verification));
                }
                Output::Ended(Ending::Failed(failure)) => self.told.push_back(Step::Failed(failure)),
                _ => {}
            }
        }
        changed
    }

    /// Answers first: a success that is here beats a deadline. The source last: one that always has
    /// something must not keep the deadline away.
    fn poll_input(&mut self, context: &mut task::Context<'_>) -> Poll<Input> {
        if let Poll::Ready(Some(input)) = self.requests.poll_next_unpin(context) {
            return Poll::Ready(input);
        }
        if let Poll::Ready(input) = self.poll_timer(context) {
            return Poll::Ready(input);
        }
        let at_work = self.session.verification_id().is_some();
        if at_work && let Some(early) = self.early.pop_front() {
            return Poll::Ready(early.into_input());
        }
        if self.early.len() < MOST_EARLY
            && let Poll::Ready(seen) = self.source.poll(context)
        {
            if at_work || !seen.needs_a_method() {
                return Poll::Ready(seen.into_input());
            }
            self.early.push_back(seen);
            // On with the source: whoever typed may give up while the start is on its way.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn poll_timer(&mut self, context: &mut task::Context<'_>) -> Poll<Input> {
        let Some(deadline) = self.session.next_deadline() else {
            self.timer = None;
            return Poll::Pending;
        };
        let wait = deadline.saturating_sub(self.elapsed());
        let (_, sleep) = match &mut self.timer {
            Some(timer) if timer.0 == deadline => timer,
            timer => timer.insert((deadline, self.context.clock.sleep(wait))),
        };
        match sleep.as_mut().poll(context) {
            Poll::Ready(()) => {
                self.timer = None;
                Poll::Ready(Input::Tick)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn elapsed(&self) -> Duration {
        let now = self.context.clock.instant();
        now.saturating_duration_since(self.origin)
    }
}

impl<S> Running<S> {
    pub(super) fn new(context: Arc<Context>, session: Session, source: S) -> Self {
        Self {
            origin: context.clock.instant(),
            context,
            session,
            begun: false,
            early: VecDeque::new(),
            requests: FuturesUnordered::new(),
            timer: None,
            told: VecDeque::new(),
            source: Feed::Ready(source),
        }
    }

    /// The number under verification.
    #[must_use]
    pub fn number(&self) -> PhoneNumber {
        self.session.number()
    }

    /// The session that is carried, to look at.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }
}

impl<S: CodeSource> Feed<S> {
    fn poll(&mut self, context: &mut task::Context<'_>) -> Poll<Seen> {
        if let Self::Ready(_) = self {
            let Self::Ready(mut source) = std::mem::replace(self, Self::Over) else {
                return Poll::Pending;
            };
            *self = Self::Waiting(Box::pin(async move { (source.next().await, source) }));
        }
        let Self::Waiting(waiting) = self else {
            return Poll::Pending;
        };
        match waiting.as_mut().poll(context) {
            Poll::Ready((Some(seen), source)) => {
                *self = Self::Ready(source);
                Poll::Ready(seen)
            }
            Poll::Ready((None, _)) => {
                *self = Self::Over;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S> fmt::Debug for Running<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
