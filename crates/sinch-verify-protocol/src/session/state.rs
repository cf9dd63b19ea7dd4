//! The states of a session, as data.
//!
//! A [`MethodAttempt`] is one method at work. Its [`Exchange`] is a single value, so two
//! reports in flight cannot be written down, and neither can a report beside the
//! status query that settles it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::fetch_target::FetchTarget;
use super::output::Ending;
use super::request::RequestId;
use crate::code::{Cli, Code, CodeType};
use crate::id::VerificationId;
use crate::method::{Method, MethodInfo};
use crate::polling::PollSchedule;
use crate::retry::History;
use crate::start::{CalloutDetails, StartResponse};
use crate::verification::Source;
use crate::wire::PrivateText;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum State {
    /// Nothing was sent.
    Idle,
    /// A start is in flight.
    Starting(Box<Starting>),
    /// A method is at work.
    Active(Box<MethodAttempt>),
    /// The session has ended.
    Over(Ending),
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Starting {
    pub(super) request: RequestId,
    pub(super) method: Method,
    pub(super) sent_at: Duration,
    pub(super) early: Early,
}

/// What came before it was known what to look for.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Early {
    pub(super) calls: Vec<SeenCall>,
    /// The last message only.
    pub(super) message: Option<PrivateText>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SeenCall {
    pub(super) cli: PrivateText,
    pub(super) at: Duration,
    pub(super) source: Source,
}

/// One method of a start, and the id that it is reported under.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Verifying {
    pub(super) id: VerificationId,
    pub(super) method: Method,
}

/// One method at work.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MethodAttempt {
    pub(super) id: VerificationId,
    pub(super) method: Method,
    /// What an `auto` start was answered, with an id and an object for each of its methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) auto: Option<Box<StartResponse>>,
    pub(super) listening: Listening,
    pub(super) polling: Polling,
    /// When the start was sent.
    pub(super) sent_at: Duration,
    pub(super) exchange: Exchange,
    /// What is reported next.
    pub(super) queued: Option<Proof>,
    /// Why this method is given up as soon as the exchange is over.
    pub(super) due: Option<Failure>,
    /// Whether the answer to a report was lost and nothing has settled it since.
    /// Then a refusal may mean that the number is verified already.
    pub(super) doubt: bool,
    /// When the next method is started; `None` where there is no next one.
    pub(super) next_method_at: Option<Duration>,
    /// The other methods of an `auto` start.
    pub(super) others: VecDeque<Verifying>,
    /// For an `auto` start: a message that came during another method.
    pub(super) message: Option<PrivateText>,
}

/// What the proof is looked for in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Listening {
    /// In nothing: it was found, it is late, or it looks like others. Or the method is not
    /// listened to.
    Off,
    /// In messages.
    Messages {
        template: String,
        code_type: Option<CodeType>,
        until: Option<Duration>,
    },
    /// In calls; one now is the proof.
    Calls {
        filter: String,
        until: Duration,
        report_until: Duration,
    },
    /// In calls; one now is late.
    LateCalls {
        filter: String,
        since: Duration,
        report_until: Duration,
    },
}

/// Asking whether the callout was answered.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Polling {
    Off,
    /// The next slot, counted from the start.
    Next {
        window: Window,
        slot: Duration,
    },
    Asked {
        window: Window,
        /// The slot asked for, or the later time at which it was.
        slot: Duration,
        request: RequestId,
    },
}

/// The three numbers of a polling schedule.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) start: i64,
    pub(super) stop: i64,
    pub(super) interval: i64,
}

impl Window {
    pub(super) fn of(details: &CalloutDetails) -> Option<Self> {
        Some(Self {
            start: details.start_polling_after?,
            stop: details.stop_polling_after?,
            interval: details.polling_interval?,
        })
    }

    pub(super) fn schedule(self) -> PollSchedule {
        PollSchedule::new(self.start, self.stop, self.interval)
    }
}

/// What is reported, or fetched, to prove the number.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) value: ProofValue,
    pub(super) source: Source,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum ProofValue {
    Code(Code),
    Cli(Cli),
    Target(FetchTarget),
}

/// The report at work.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Exchange {
    Idle,
    /// The report is in flight.
    Sent {
        request: RequestId,
        pending: Pending,
    },
    /// The status is queried, to settle the report.
    Asking {
        request: RequestId,
        pending: Pending,
    },
    /// The status will be queried.
    AskAt {
        at: Duration,
        pending: Pending,
    },
    /// The report will be sent again.
    SendAt {
        at: Duration,
        pending: Pending,
    },
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) proof: Proof,
    pub(super) history: History,
}

/// What an attempt waits for. Of two at the same time the first listed goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Listen,
    Exchange,
    Poll,
    NextMethod,
}

impl MethodAttempt {
    /// Whether this is an id of the verification: an `auto` start has several.
    pub(super) fn is(&self, id: &VerificationId) -> bool {
        let is_given = |auto: &StartResponse| {
            let mut subs = MethodInfo::ALL
                .iter()
                .filter_map(|info| auto.sub_verification_id(&info.method));
            auto.id == *id || subs.any(|sub| sub == id)
        };
        self.id == *id || self.auto.as_deref().is_some_and(is_given)
    }

    /// The next timer.
    pub(super) fn next_timer(&self) -> Option<(Duration, Timer)> {
        let listen = match &self.listening {
            Listening::Off => None,
            Listening::Messages { until, .. } => *until,
            Listening::Calls { until, .. } => Some(*until),
            Listening::LateCalls { report_until, .. } => Some(*report_until),
        };
        let exchange = match &self.exchange {
            Exchange::AskAt { at, .. } | Exchange::SendAt { at, .. } => Some(*at),
            Exchange::Idle | Exchange::Sent { .. } | Exchange::Asking { .. } => None,
        };
        let poll = match &self.polling {
            Polling::Next { slot, .. } => Some(self.sent_at.saturating_add(*slot)),
            Polling::Off | Polling::Asked { .. } => None,
        };
        [
            (listen, Timer::Listen),
            (exchange, Timer::Exchange),
            (poll, Timer::Poll),
            (self.next_method_at, Timer::NextMethod),
        ]
        .into_iter()
        .filter_map(|(at, timer)| Some((at?, timer)))
        .min()
    }

    /// The proof that is being reported, or may be reported again.
    pub(super) fn proof(&self) -> Option<&Proof> {
        match &self.exchange {
            Exchange::Idle => None,
            Exchange::Sent { pending, .. }
            | Exchange::Asking { pending, .. }
            | Exchange::AskAt { pending, .. }
            | Exchange::SendAt { pending, .. } => Some(&pending.proof),
        }
    }

    /// Until when messages or calls are listened to.
    pub(super) fn listening_until(&self) -> Option<Duration> {
        match &self.listening {
            Listening::Messages { until, .. } => *until,
            Listening::Calls { until, .. } => Some(*until),
            Listening::Off | Listening::LateCalls { .. } => None,
        }
    }
}
