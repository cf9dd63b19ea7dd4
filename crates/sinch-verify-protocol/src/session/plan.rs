//! What a session is asked to do.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cli_filter::Dialect;
use crate::country::Country;
use crate::number_plans::NumberPlans;
use crate::phone_number::{PhoneNumber, PhoneNumberError};
use crate::retry::RetryPolicy;
use crate::start::Start;

/// The methods to try, in order, and the limits.
///
/// Every default here is ours; the service publishes none.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_protocol::session::{Plan, Session};
/// use sinch_verify_protocol::Start;
///
/// let number = "+46700000001".parse()?;
/// let plan = Plan::new(Start::sms(number))
///     .then(Start::callout(number))
///     .attempts(3)
///     .deadline(Duration::from_secs(300));
/// let session = Session::new(plan)?;
/// assert_eq!(session.number(), number);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(super) starts: Vec<Start>,
    pub(super) settings: Settings,
}

impl Plan {
    /// Verifies by one method.
    #[must_use]
    pub fn new(start: impl Into<Start>) -> Self {
        Self::default().then(start)
    }

    /// Falls back to another method, after all that were named before.
    ///
    /// The service takes a `reference` once, so each start needs its own.
    #[must_use]
    pub fn then(mut self, start: impl Into<Start>) -> Self {
        self.starts.push(start.into());
        self
    }

    /// Whether it has no method, as the default plan: then a session cannot be made of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// How many refused codes and caller ids end the session, over all methods
    /// together. 3 by default; the service has a limit of its own besides.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts;
        self
    }

    /// How long the whole session may take from its beginning. 10 minutes by
    /// default.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// How long a method whose answer names no time is given before the next
    /// one is tried. 60 s by default. The last method has until the deadline.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// How often, and how soon, a report or the fetching of a target is sent again,
    /// and its status queried after a lost answer. Sending starts is the driver's
    /// part. [`RetryPolicy::default`] by default.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Random bits, of which a part of each pause is made. 0 by default, with which
    /// pauses are the shortest.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// How status queries name the verification. By id by default.
    #[must_use]
    pub fn ask_by(mut self, ask_by: AskBy) -> Self {
        self.settings.ask_by = ask_by;
        self
    }

    /// The country in which the phone is, for [reading caller ids](Self::number_plans).
    /// By default the country of the number.
    #[must_use]
    pub fn country(mut self, country: Country) -> Self {
        self.settings.country = Some(country);
        self
    }

    /// Reads caller ids as phones in the [country](Self::country) show them, so that the full
    /// number is reported. Without plans a caller id that has no `+` is reported as the phone
    /// showed it.
    #[must_use]
    pub fn number_plans(mut self, plans: NumberPlans) -> Self {
        self.settings.number_plans = Some(plans);
        self
    }

    /// How a `cliFilter` is understood. As the Android SDK does by default.
    #[must_use]
    pub fn cli_dialect(mut self, dialect: Dialect) -> Self {
        self.settings.dialect = dialect;
        self
    }

    /// Lets the `targetUri` of a data verification, and what it redirects to,
    /// be plain `http` on another host than this machine. Off by default.
    #[must_use]
    pub fn allow_plain_http(mut self, yes: bool) -> Self {
        self.settings.plain_http = yes;
        self
    }

    /// Keeps the last method open for a typed code when the polling window of
    /// its callout is over. Off by default: the session then ends with an
    /// unknown outcome at the end of the window.
    #[must_use]
    pub fn wait_after_polling(mut self, yes: bool) -> Self {
        self.settings.wait_after_polling = yes;
        self
    }

    /// The number, once everything else fits it.
    pub(super) fn check(&self) -> Result<PhoneNumber, PlanError> {
        if self.settings.attempts == 0 {
            return Err(PlanError::NoAttempts);
        }
        if self.settings.deadline.is_zero() {
            return Err(PlanError::ZeroDeadline);
        }
        let mut number = None;
        let mut references = Vec::new();
        for start in &self.starts {
            let body = start.body();
            let this = body.identity.phone_number().map_err(PlanError::Number)?;
            if *number.get_or_insert(this) != this {
                return Err(PlanError::NumbersDiffer);
            }
            let Some(reference) = body.reference.as_deref() else {
                continue;
            };
            if references.contains(&reference) {
                return Err(PlanError::ReferenceRepeated);
            }
            references.push(reference);
        }
        number.ok_or(PlanError::NoMethod)
    }
}

/// How a status query names the verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AskBy {
    /// By its id: needs basic or signed authorization.
    #[default]
    Id,
    /// By method and number: for public authorization, which may not ask by id.
    Number,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) attempts: u32,
    pub(super) deadline: Duration,
    pub(super) patience: Duration,
    pub(super) retry: RetryPolicy,
    pub(super) seed: u64,
    pub(super) ask_by: AskBy,
    pub(super) country: Option<Country>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) number_plans: Option<NumberPlans>,
    #[serde(with = "crate::wire::as_text")]
    pub(super) dialect: Dialect,
    pub(super) plain_http: bool,
    pub(super) wait_after_polling: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempts: 3,
            deadline: Duration::from_secs(600),
            patience: Duration::from_secs(60),
            retry: RetryPolicy::default(),
            seed: 0,
            ask_by: AskBy::default(),
            country: None,
            number_plans: None,
            dialect: Dialect::default(),
            plain_http: false,
            wait_after_polling: false,
        }
    }
}

/// Why a [`Plan`] cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// There is no method.
    NoMethod,
    /// The starts are not all for one number.
    NumbersDiffer,
    /// A start has no usable number.
    Number(PhoneNumberError),
    /// Two starts carry the same reference; the service would refuse the second.
    ReferenceRepeated,
    /// No attempt is allowed.
    NoAttempts,
    /// No time is allowed.
    ZeroDeadline,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoMethod => "plan has no method",
            Self::NumbersDiffer => "the starts of a plan must all be for the same number",
            Self::Number(_) => "read the number of a start",
            Self::ReferenceRepeated => "two starts have the same reference; give each its own",
            Self::NoAttempts => "attempts is 0, at least 1 is needed",
            Self::ZeroDeadline => "deadline is zero, give the time that the whole session may take",
        })
    }
}

impl std::error::Error for PlanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Number(source) => Some(source),
            _ => None,
        }
    }
}
