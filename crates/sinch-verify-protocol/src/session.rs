//! A whole verification as a state machine: what to send, what to wait for, how
//! it ended.
//!
//! A [`Session`] does no I/O and has no clock. It takes what happened ([`Input`])
//! and when, and says what to do ([`Output`]). It wants an [`Input::Tick`] when
//! [`Session::next_deadline`] is reached. It works through the methods of its
//! [`Plan`]: starts them, finds the code in messages and the flash call among
//! calls, takes what a person types, reports, settles a lost report by a status
//! query, polls a callout, fetches the target of a data verification, and falls
//! back to the next method where that makes sense ([`Failure::falls_back`]).
//!
//! # Time
//!
//! All times are durations since the session was made, on a clock that does not
//! go back; a time before one already given counts as that one. Carried between
//! two processes, the time that passed in between belongs to it.
//!
//! # What is guaranteed
//!
//! - One report is in flight at most, and none while a status query settles the
//!   one before. A proof that comes meanwhile waits; the last one counts.
//! - [`Output::Ended`] comes once. Afterwards every input is
//!   [`Ignored::Over`].
//! - Input that does not fit changes nothing, says so, and leads to no dead end.
//! - Listening goes on beside typed proofs, wrong ones included.
//! - A success that has arrived beats a deadline that has passed.

mod failure;
mod fetch_target;
mod input;
mod listen;
mod output;
mod plan;
mod poll;
mod reporting;
mod request;
mod saved;
mod started;
mod state;
mod step;

use std::fmt;
use std::time::Duration;

use crate::id::VerificationId;
use crate::method::Method;
use crate::phone_number::PhoneNumber;

pub use self::failure::{Failure, RequestFailure};
pub use self::fetch_target::{FetchTarget, MAX_REDIRECTS, TargetError};
pub use self::input::{CallKind, Input, LoggedCall};
pub use self::output::{Ending, Ignored, Output, Progress};
pub use self::plan::{AskBy, Plan, PlanError};
pub use self::request::{Answer, Request, RequestId, StatusQuery};

use self::state::{Exchange, Polling, State};
use self::step::{Core, Step};

/// One verification of one number, from the first start to the end.
///
/// ```
/// use std::time::Duration;
/// use bytes::Bytes;
/// use sinch_verify_protocol::session::{Input, Output, Plan, Request, Session};
/// use sinch_verify_protocol::{BaseUrl, Code, Start};
///
/// let number = "+46700000001".parse()?;
/// let mut session = Session::new(Plan::new(Start::sms(number)).then(Start::callout(number)))?;
///
/// // A stand-in for HTTP. A real one authorizes where `needs_authorization()` says so.
/// let service = |request: &Request| -> Result<_, Box<dyn std::error::Error>> {
///     let _sent: http::Request<Bytes> = request.to_http(&BaseUrl::default())?;
///     let body = match request {
///         Request::Start(_) => r#"{"id":"7","method":"sms","sms":{"template":"Code {{CODE}}"}}"#,
///         _ => r#"{"id":"7","status":"SUCCESSFUL"}"#,
///     };
///     Ok(http::Response::new(Bytes::from(body)))
/// };
///
/// let mut inputs = vec![Input::CodeTyped(Code::new("4821")?), Input::Begin];
/// let mut verified = false;
/// while let Some(input) = inputs.pop() {
///     for output in session.handle(Duration::ZERO, input) {
///         match output {
///             Output::Send { id, request } => inputs.push(match request.read(&service(&request)?) {
///                 Ok(answer) => Input::Answered { request: id, answer },
///                 Err(failure) => Input::RequestFailed { request: id, failure },
///             }),
///             Output::Ended(ending) => verified = ending.is_verified(),
///             _ => {}
///         }
///     }
/// }
/// assert!(verified);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Session {
    core: Core,
    state: State,
}

impl Session {
    /// A session that has not begun.
    ///
    /// # Errors
    ///
    /// When the plan cannot be carried out: different numbers, a reference used
    /// twice, no attempt, no time.
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        let number = plan.check()?;
        Ok(Self {
            core: Core {
                number,
                settings: plan.settings,
                ahead: plan.starts.into(),
                tried: 0,
                wrong: 0,
                next_request: 0,
                clock: Duration::ZERO,
                ends_at: None,
            },
            state: State::Idle,
        })
    }

    /// Takes an input at the time `now`, and says what to do.
    ///
    /// Timers that are due by `now` go first, except before the end of a request, and, until the
    /// session's own deadline, before what a person typed: a code counts although the session was
    /// not woken when the next method was due.
    pub fn handle(&mut self, now: Duration, input: Input) -> Vec<Output> {
        self.core.clock = self.core.clock.max(now);
        let mut step = Step {
            now: self.core.clock,
            core: &mut self.core,
            out: Vec::new(),
        };
        let state = std::mem::replace(&mut self.state, State::Idle);
        self.state = step.run(state, input);
        step.out
    }

    /// When [`Input::Tick`] is wanted, unless another input comes before. Always
    /// later than the last time given. `None` before the beginning and after the end.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let own = match &self.state {
            State::Idle | State::Over(_) => return None,
            State::Starting(_) => None,
            State::Active(attempt) => attempt.next_timer().map(|(at, _)| at),
        };
        [own, self.core.ends_at].into_iter().flatten().min()
    }

    /// The requests whose end the session waits for.
    ///
    /// After a crash a driver that restores a session hands each of them in as
    /// [`RequestFailure::Lost`].
    #[must_use]
    pub fn in_flight(&self) -> Vec<RequestId> {
        match &self.state {
            State::Idle | State::Over(_) => Vec::new(),
            State::Starting(starting) => vec![starting.request],
            State::Active(attempt) => {
                let exchange = match &attempt.exchange {
                    Exchange::Sent { request, .. } | Exchange::Asking { request, .. } => Some(*request),
                    _ => None,
                };
                let poll = match &attempt.polling {
                    Polling::Asked { request, .. } => Some(*request),
                    Polling::Off | Polling::Next { .. } => None,
                };
                exchange.into_iter().chain(poll).collect()
            }
        }
    }

    /// Whether nothing is on its way and nothing is to be sent again: the session waits for a
    /// proof, or for time to pass. It can then be carried to another process without loss.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        match &self.state {
            State::Idle | State::Over(_) => true,
            State::Starting(_) => false,
            State::Active(attempt) => {
                attempt.exchange == Exchange::Idle && !matches!(attempt.polling, Polling::Asked { .. })
            }
        }
    }

    /// How it ended; `None` while it has not.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        match &self.state {
            State::Over(ending) => Some(ending),
            _ => None,
        }
    }

    /// The number under verification.
    #[must_use]
    pub fn number(&self) -> PhoneNumber {
        self.core.number
    }

    /// The method at work; of an `auto` start, the one that is tried now.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        match &self.state {
            State::Idle | State::Over(_) => None,
            State::Starting(starting) => Some(starting.method.clone()),
            State::Active(attempt) => Some(attempt.method.clone()),
        }
    }

    /// The verification at work, once its start is answered.
    #[must_use]
    pub fn verification_id(&self) -> Option<&VerificationId> {
        match &self.state {
            State::Active(attempt) => Some(&attempt.id),
            _ => None,
        }
    }

    /// How many more refused proofs the session takes.
    #[must_use]
    pub fn attempts_left(&self) -> u32 {
        self.core.settings.attempts.saturating_sub(self.core.wrong)
    }

    /// Whether the session holds a code, a caller id or a message at this moment.
    #[must_use]
    pub fn holds_proof(&self) -> bool {
        match &self.state {
            State::Idle | State::Over(_) => false,
            State::Starting(starting) => !starting.early.calls.is_empty() || starting.early.message.is_some(),
            State::Active(attempt) => {
                attempt.proof().is_some() || attempt.queued.is_some() || attempt.message.is_some()
            }
        }
    }
}

/// Shows where the session stands; no whole number, no code, no filter.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Idle => "idle",
            State::Starting(_) => "starting",
            State::Active(_) => "active",
            State::Over(ending) if ending.is_verified() => "verified",
            State::Over(_) => "failed",
        };
        f.debug_struct("Session")
            .field("number", &self.core.number)
            .field("state", &state)
            .field("method", &self.method())
            .field("attempts_left", &self.attempts_left())
            .field("next_deadline", &self.next_deadline())
            .finish_non_exhaustive()
    }
}
