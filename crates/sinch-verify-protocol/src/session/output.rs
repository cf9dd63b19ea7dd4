//! What a session wants done, and what it tells.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::request::{Request, RequestId};
use crate::cli_filter::FilterError;
use crate::id::VerificationId;
use crate::method::Method;
use crate::sms_template::TemplateError;
use crate::verification::{Source, Verification};

/// One thing to do, or to know. Act on them in the order given.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Send this request, and hand its end in under this id.
    Send {
        /// The id to hand the end in under.
        id: RequestId,
        /// What to send.
        request: Request,
    },
    /// Something happened that a screen or a log may want.
    Progress(Progress),
    /// The input did not fit and changed nothing.
    Ignored(Ignored),
    /// The session is over. Comes once, as the last thing but [`Output::Ignored`].
    Ended(Ending),
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The number is verified.
    Verified(Box<Verification>),
    /// The number is not verified, or that is unknown.
    Failed(Failure),
}

impl Ending {
    /// Whether the number is verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified(_))
    }
}

/// What happened on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A start is being sent.
    Starting {
        /// The method.
        method: Method,
    },
    /// The service accepted the start, and the session waits for a proof.
    Waiting {
        /// The method; of an `auto` start, the one that is tried now.
        method: Method,
        /// The verification.
        id: VerificationId,
        /// Until when messages or calls are listened to, in the session's time.
        /// A proof may be typed after that.
        listening_until: Option<Duration>,
        /// The language that the service chose, as sent.
        content_language: Option<String>,
    },
    /// A code, a caller id or the fetching of a target is on its way.
    Reporting {
        /// How the proof was found.
        source: Source,
    },
    /// A proof was refused: a wrong code, usually. The session goes on, listening
    /// included.
    Refused {
        /// How many more the session takes. The service may take fewer.
        attempts_left: u32,
    },
    /// Whether a report arrived is unknown. The session queries the status.
    ReportLost,
    /// A report was answered with success, but without anything to read the
    /// outcome from. The session asks for the status.
    ReportUnreadable,
    /// Whether a report was taken could not be found out. The session goes on.
    ReportUnsettled,
    /// Calls cannot be told apart: the filter is not usable. The caller id may
    /// still be typed.
    UnusableFilter(FilterError),
    /// Codes cannot be cut out: the template is not usable. The code may still
    /// be typed.
    UnusableTemplate(TemplateError),
    /// The time to listen is over. A proof may still be typed.
    InterceptionEnded {
        /// The method.
        method: Method,
    },
    /// The flash call came, but too late to be reported.
    LateCall,
    /// The polling window is over, the status unknown.
    PollingEnded,
    /// One method is given up, and the next begins.
    FallingBack {
        /// The method given up.
        from: Method,
        /// The next one.
        to: Method,
        /// Why.
        why: Failure,
    },
}

/// Why an input changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ignored {
    /// Nothing was started yet, or the start is not answered: there is nothing
    /// to report to. Try again later; nothing is spoilt.
    NotStarted,
    /// The session began before.
    AlreadyBegun,
    /// The session is over.
    Over,
    /// No such request is in flight.
    UnknownRequest,
    /// The answer is not one that the request can have.
    WrongAnswer,
    /// The method at work takes no such proof.
    NotForMethod,
    /// The same proof is being reported already.
    Repeated,
    /// An intercepted proof is reported next; a typed one does not displace it.
    Busy,
    /// The call or message is not the one that is waited for, or came before
    /// the start.
    NotOurs,
    /// The time to listen is over, or what was listened for was found.
    NotListening,
    /// There is no further method.
    NoFurtherMethod,
}
