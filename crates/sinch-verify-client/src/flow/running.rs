//! A flow under way: carries the session's requests, timers and inputs.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _, unfold};
use sinch_verify_protocol::Verification;
use sinch_verify_protocol::session::{Answer, Ending, Failure, Input, Output, Progress, Session};

use super::request;
use super::saved::SavedFlow;
use super::source::{CodeSource, Seen};
use crate::clock::Sleep;
use crate::context::Context;
use crate::counts;

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
    /// When the session's time was `ahead`.
    origin: Instant,
    ahead: Duration,
    begun: bool,
    /// What comes with a resumed flow goes before what fell due in the meantime.
    source_first: bool,
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
    /// The number is not verified, or that is unknown. The last step.
    Failed(Failure),
}

/// How far [`Running::until_idle`] came.
#[derive(Clone, Debug)]
pub enum FlowState {
    /// The number is verified.
    Verified(Box<Verification>),
    /// It is not, or its outcome is unknown.
    Failed(Failure),
    /// The flow waits for the user, or for time to pass.
    Waiting(SavedFlow),
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
            self.advance(input).await;
        }
    }

    /// Carries the flow on until it has ended, or waits for the user or for time to pass: as far as one
    /// web request can. The next request [resumes](crate::Client::resume_flow) what was saved.
    ///
    /// Everything on its way is waited for, and what the source has at once is taken. Its steps are not
    /// told: the [session](SavedFlow::session) of a saved flow says which method waits, and how many
    /// attempts are left.
    pub async fn until_idle(mut self) -> FlowState {
        loop {
            match self.session.ending() {
                Some(Ending::Verified(verification)) => return FlowState::Verified(verification.clone()),
                Some(Ending::Failed(failure)) => return FlowState::Failed(failure.clone()),
                None => {}
            }
            let input = if self.begun {
                poll_fn(|context| self.poll_until_idle(context)).await
            } else {
                self.begun = true;
                Some(Input::Begin)
            };
            match input {
                Some(input) => self.advance(input).await,
                None => {
                    let began = self.context.clock.now().checked_sub(self.elapsed());
                    return FlowState::Waiting(SavedFlow::new(began, self.session));
                }
            }
        }
    }

    /// The next input, or `None` where one would have to be waited for.
    fn poll_until_idle(&mut self, context: &mut task::Context<'_>) -> Poll<Option<Input>> {
        let is_due = |deadline| deadline <= self.elapsed();
        let waits = self.session.is_idle() && self.requests.is_empty() && self.early.is_empty();
        if !waits || self.session.next_deadline().is_some_and(is_due) {
            return self.poll_input(context).map(Some);
        }
        match self.poll_source(context) {
            Poll::Pending if self.early.is_empty() => Poll::Ready(None),
            seen => seen.map(Some),
        }
    }

    /// Hands an input in.
    async fn advance(&mut self, input: Input) {
        if self.take(input) {
            return;
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

    /// The steps as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Step> + Send {
        unfold(self, |mut running| async move {
            let step = running.next().await?;
            Some((step, running))
        })
    }

    /// Hands an input in, and tells whether it changed anything.
    fn take(&mut self, input: Input) -> bool {
        self.count_end(&input);
        let now = self.elapsed();
        let mut changed = false;
        for output in self.session.handle(now, input) {
            // A repeated code, or a call from another number.
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

    /// Counts the end of the verification under way, if the input tells it. By number, the service may
    /// tell of another one.
    fn count_end(&self, input: &Input) {
        if let Input::Answered {
            answer: Answer::Verification(verification),
            ..
        } = input
            && self.session.verification_id() == Some(&verification.id)
            && let Some(method) = self.session.method()
        {
            counts::end(&method, Some(self.session.number()), verification);
        }
    }

    /// Answers first: a success that is here beats a deadline. The source last: one that always has
    /// something must not keep the deadline away.
    fn poll_input(&mut self, context: &mut task::Context<'_>) -> Poll<Input> {
        if let Poll::Ready(Some(input)) = self.requests.poll_next_unpin(context) {
            return Poll::Ready(input);
        }
        if std::mem::take(&mut self.source_first)
            && let Poll::Ready(input) = self.poll_source(context)
        {
            return Poll::Ready(input);
        }
        if let Poll::Ready(input) = self.poll_timer(context) {
            return Poll::Ready(input);
        }
        let at_work = self.session.verification_id().is_some();
        if at_work && let Some(early) = self.early.pop_front() {
            return Poll::Ready(early.into_input());
        }
        self.poll_source(context)
    }

    fn poll_source(&mut self, context: &mut task::Context<'_>) -> Poll<Input> {
        if self.early.len() < MOST_EARLY
            && let Poll::Ready(seen) = self.source.poll(context)
        {
            if self.session.verification_id().is_some() || !seen.needs_a_method() {
                return Poll::Ready(seen.into_input());
            }
            self.early.push_back(seen);
            // On with the source: the user may give up while the start is on its way.
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
        let since = self
            .context
            .clock
            .instant()
            .saturating_duration_since(self.origin);
        self.ahead.saturating_add(since)
    }
}

impl<S> Running<S> {
    pub(super) fn new(context: Arc<Context>, session: Session, source: S) -> Self {
        Self {
            origin: context.clock.instant(),
            context,
            session,
            ahead: Duration::ZERO,
            begun: false,
            source_first: false,
            early: VecDeque::new(),
            requests: FuturesUnordered::new(),
            timer: None,
            told: VecDeque::new(),
            source: Feed::Ready(source),
        }
    }

    /// Goes on with a saved flow. The time that went by since it began counts.
    pub(crate) fn resumed(context: Arc<Context>, saved: SavedFlow, source: S) -> Self {
        let now = context.clock.now();
        let began = saved.began().unwrap_or(now);
        Self {
            ahead: now.duration_since(began).unwrap_or_default(),
            begun: true,
            source_first: true,
            ..Self::new(context, saved.into_session(), source)
        }
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
