//! A whole verification: methods in order, with fallback.

mod request;
mod running;
mod saved;
mod source;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::session::{AskBy, Failure, Plan, PlanError, Session};
use sinch_verify_protocol::{Method, NumberPlans, PhoneNumber, Start, Verification};

use crate::context::Context;
use crate::sources::{write_report, write_sources};

pub use running::{FlowState, Running, Step};
pub use saved::SavedFlow;
pub use source::{CodeSource, Seen};

/// A verification to be carried out from the start to its end: made by
/// [`Client::verify`](crate::Client::verify).
///
/// The methods are tried in the order given, by SMS where none is. What falls back to the next one is
/// the protocol's to say: see [`Failure::falls_back`].
///
/// ```no_run
/// use std::time::Duration;
/// use sinch_verify_client::{Client, flow::Seen};
/// use sinch_verify_client::protocol::{Code, Method, PhoneNumber};
///
/// # async fn example(client: Client, number: PhoneNumber) -> Result<(), Box<dyn std::error::Error>> {
/// let (tell, source) = tokio::sync::mpsc::channel(1);
/// // Where the user types:
/// tell.try_send(Seen::Code(Code::new("4821")?))?;
///
/// let verification = client
///     .verify(number)
///     .methods([Method::Sms, Method::Callout])
///     .attempts(3)
///     .deadline(Duration::from_secs(300))
///     .run(source)
///     .await?;
/// println!("{}", verification.status);
/// # Ok(())
/// # }
/// ```
#[must_use = "a flow does nothing until it is run"]
pub struct Flow {
    context: Arc<Context>,
    number: PhoneNumber,
    plan: Plan,
    /// The first method that cannot be started.
    unknown: Option<Method>,
}

impl Flow {
    pub(crate) fn new(context: Arc<Context>, number: PhoneNumber) -> Self {
        let plan = Plan::default()
            .retry(context.retry.clone())
            .seed(context.entropy.next_u64())
            .ask_by(if context.is_public() {
                AskBy::Number
            } else {
                AskBy::Id
            })
            .allow_plain_http(context.plain_http_targets)
            .number_plans(NumberPlans::new());
        Self {
            context,
            number,
            plan,
            unknown: None,
        }
    }

    /// Adds methods, to be tried in this order after those that were added before.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        for method in methods {
            match method.info() {
                Some(info) => self.plan = self.plan.then(Start::by(info, self.number)),
                None => self.unknown = self.unknown.or(Some(method)),
            }
        }
        self
    }

    /// Adds a method with a start of your own: options, a reference, languages.
    pub fn then(mut self, start: impl Into<Start>) -> Self {
        self.plan = self.plan.then(start);
        self
    }

    /// How many refused codes and caller ids end the flow, over all methods together. By default 3;
    /// the service has a limit of its own besides.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.plan = self.plan.attempts(attempts);
        self
    }

    /// How long the whole flow may take. By default 10 minutes.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.plan = self.plan.deadline(deadline);
        self
    }

    /// How long a method whose answer names no time is given before the next one is tried. By default
    /// 60 seconds; the last method has until the deadline.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.plan = self.plan.patience(patience);
        self
    }

    /// Keeps the last method open for a typed code when the polling window of its callout is over. By
    /// default the flow then ends: whether the callout was answered is unknown.
    pub fn wait_after_polling(mut self) -> Self {
        self.plan = self.plan.wait_after_polling(true);
        self
    }

    /// The country in which the phone is: caller ids are read as phones there show them. By default that
    /// of the number.
    pub fn country(mut self, country: Country) -> Self {
        self.plan = self.plan.country(country);
        self
    }

    /// Runs the flow to its end. Dropping the future cancels it: nothing more is sent.
    ///
    /// # Errors
    ///
    /// [`FlowError::Plan`] before anything is sent, [`FlowError::Failed`] with the reason.
    pub async fn run(self, source: impl CodeSource) -> Result<Verification, FlowError> {
        let mut running = self.begin(source)?;
        loop {
            match running.next().await {
                Some(Step::Verified(verification)) => return Ok(*verification),
                Some(Step::Failed(failure)) => return Err(FlowError::Failed(failure)),
                Some(Step::Progress(_)) => {}
                // A session always tells its end, once.
                None => return Err(FlowError::Failed(Failure::Cancelled)),
            }
        }
    }

    /// Begins the flow, which goes on while its [steps](Running::next) are asked for.
    ///
    /// # Errors
    ///
    /// [`FlowError::Plan`], [`FlowError::Method`].
    pub fn begin<S: CodeSource>(self, source: S) -> Result<Running<S>, FlowError> {
        if let Some(unknown) = self.unknown {
            return Err(FlowError::Method(unknown));
        }
        let plan = if self.plan.is_empty() {
            self.plan.then(Start::sms(self.number))
        } else {
            self.plan
        };
        let session = Session::new(plan).map_err(FlowError::Plan)?;
        Ok(Running::new(self.context, session, source))
    }
}

/// Shows the number masked.
impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("number", &self.number)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// Why a flow did not verify the number: `{}` fits after "failed to", `{:#}` adds the reason,
/// and `{:?}` has it on a line of its own.
#[non_exhaustive]
pub enum FlowError {
    /// The flow cannot be carried out as set. Nothing was sent.
    Plan(PlanError),
    /// A method that this version cannot start. Nothing was sent.
    Method(Method),
    /// The flow was carried out, and the number is not verified, or that is unknown.
    Failed(Failure),
}

impl FlowError {
    /// The reason, if the flow was carried out.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Plan(_) | Self::Method(_) => None,
        }
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(_) => f.write_str("plan the verification")?,
            Self::Method(method) => write!(f, "verify by {method}, which this version does not know")?,
            Self::Failed(_) => f.write_str("verify the number")?,
        }
        write_sources(f, self)
    }
}

impl fmt::Debug for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_report(f, self)
    }
}

impl StdError for FlowError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Plan(source) => Some(source),
            Self::Method(_) => None,
            Self::Failed(source) => Some(source),
        }
    }
}
