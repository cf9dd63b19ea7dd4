//! The states of a session, as data.
//!
//! A [`Leg`] is one method at work. Its [`Exchange`] is a single value, so two
//! reports in flight cannot be written down, and neither can a report beside the
//! status query that settles it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::output::Ending;
use super::request::RequestId;
use super::target::FetchTarget;
use crate::code::{Cli, Code, CodeType};
use crate::id::VerificationId;
use crate::method::Method;
use crate::polling::PollSchedule;
use crate::retry::History;
use crate::start::{CalloutDetails, FlashCallDetails, SeamlessDetails, SmsDetails};
use crate::verification::Source;
use crate::wire::PrivateText;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Nothing was sent.
    Idle,
    /// A start is in flight.
    Starting(Box<Starting>),
    /// A method is at work.
    Active(Box<Leg>),
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

/// One started verification, as a start's answer describes it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Verifying {
    pub(super) id: VerificationId,
    pub(super) details: Details,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Details {
    Sms(SmsDetails),
    /// Without details where the answer was lost and only the id is known.
    FlashCall(Option<FlashCallDetails>),
    Callout(CalloutDetails),
    Seamless(SeamlessDetails),
    WhatsApp,
}

impl Details {
    pub(super) fn method(&self) -> Method {
        match self {
            Self::Sms(_) => Method::Sms,
            Self::FlashCall(_) => Method::FlashCall,
            Self::Callout(_) => Method::Callout,
            Self::Seamless(_) => Method::Seamless,
            Self::WhatsApp => Method::WhatsApp,
        }
    }
}

/// One method at work.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Leg {
    pub(super) id: VerificationId,
    pub(super) kind: Kind,
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
    /// When the next method's turn is; `None` where there is no next one.
    pub(super) patience: Option<Duration>,
    /// For an `auto` start: every id that its answer gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<VerificationId>,
    /// The other methods of an `auto` start.
    pub(super) others: VecDeque<Verifying>,
    /// For an `auto` start: a message that came during another method.
    pub(super) message: Option<PrivateText>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    Sms(Messages),
    FlashCall(Calls),
    Callout(Polling),
    Seamless,
    WhatsApp,
}

/// Listening to messages.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Messages {
    Deaf,
    Listening {
        template: String,
        code_type: Option<CodeType>,
        until: Option<Duration>,
    },
}

/// Listening to calls.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Calls {
    /// Whether the service wants to know what became of the call. Not for `auto`.
    pub(super) tell: bool,
    pub(super) state: CallState,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum CallState {
    /// A call now is the proof.
    InTime {
        filter: String,
        until: Duration,
        report_until: Duration,
    },
    /// A call now is late.
    Late {
        filter: String,
        since: Duration,
        report_until: Duration,
    },
    /// It came, it never came, or calls cannot be told apart.
    Deaf,
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
    pub(super) what: What,
    pub(super) source: Source,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum What {
    Code(Code),
    Cli(Cli),
    Target(FetchTarget),
}

/// The report at work.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Exchange {
    Quiet,
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

/// What a leg waits for. Of two at the same time the first listed goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Listen,
    Exchange,
    Poll,
    Patience,
}

impl Leg {
    /// Whether this is an id of the verification.
    pub(super) fn is(&self, id: &VerificationId) -> bool {
        self.id == *id || self.ids.contains(id)
    }

    pub(super) fn method(&self) -> Method {
        match self.kind {
            Kind::Sms(_) => Method::Sms,
            Kind::FlashCall(_) => Method::FlashCall,
            Kind::Callout(_) => Method::Callout,
            Kind::Seamless => Method::Seamless,
            Kind::WhatsApp => Method::WhatsApp,
        }
    }

    /// The next timer.
    pub(super) fn next_timer(&self) -> Option<(Duration, Timer)> {
        let listen = match &self.kind {
            Kind::Sms(Messages::Listening { until, .. }) => *until,
            Kind::FlashCall(Calls { state, .. }) => match state {
                CallState::InTime { until, .. } => Some(*until),
                CallState::Late { report_until, .. } => Some(*report_until),
                CallState::Deaf => None,
            },
            _ => None,
        };
        let exchange = match &self.exchange {
            Exchange::AskAt { at, .. } | Exchange::SendAt { at, .. } => Some(*at),
            Exchange::Quiet | Exchange::Sent { .. } | Exchange::Asking { .. } => None,
        };
        let poll = match &self.kind {
            Kind::Callout(Polling::Next { slot, .. }) => Some(self.sent_at.saturating_add(*slot)),
            _ => None,
        };
        [
            (listen, Timer::Listen),
            (exchange, Timer::Exchange),
            (poll, Timer::Poll),
            (self.patience, Timer::Patience),
        ]
        .into_iter()
        .filter_map(|(at, timer)| Some((at?, timer)))
        .min()
    }

    /// The proof that is being reported, or may be reported again.
    pub(super) fn proof(&self) -> Option<&Proof> {
        match &self.exchange {
            Exchange::Quiet => None,
            Exchange::Sent { pending, .. }
            | Exchange::Asking { pending, .. }
            | Exchange::AskAt { pending, .. }
            | Exchange::SendAt { pending, .. } => Some(&pending.proof),
        }
    }

    /// Until when messages or calls are listened to.
    pub(super) fn listening_until(&self) -> Option<Duration> {
        match &self.kind {
            Kind::Sms(Messages::Listening { until, .. }) => *until,
            Kind::FlashCall(Calls {
                state: CallState::InTime { until, .. },
                ..
            }) => Some(*until),
            _ => None,
        }
    }
}
