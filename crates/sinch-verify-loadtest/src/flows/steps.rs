use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use sinch_verify_protocol::{Endpoint, PhoneNumber, VerificationId};

use crate::clock::Clock;
use crate::failure::{Failure, FailureKind};
use crate::phone::{Delivered, Phone};
use crate::target::Target;
use crate::wire::Wire;

/// A part of a flow that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The start, up to the last byte of its answer.
    Start,
    /// The wait for what reaches the phone. Not a request.
    Phone,
    /// The report, up to the last byte of its answer.
    Report,
    /// The status query, up to the last byte of its answer.
    Status,
}

impl Step {
    /// Its name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Phone => "phone",
            Self::Report => "report",
            Self::Status => "status",
        }
    }

    /// Whether it is a request to the target.
    #[must_use]
    pub fn is_request(self) -> bool {
        self != Self::Phone
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How long one step of one flow took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepTime {
    /// The step.
    pub step: Step,
    /// How long it took.
    pub took: Duration,
    /// Whether it came to an answer, be it a refusal. Steps without one are kept out of latencies.
    pub answered: bool,
}

impl StepTime {
    /// A step that took `took`.
    #[must_use]
    pub fn new(step: Step, took: Duration, answered: bool) -> Self {
        Self { step, took, answered }
    }
}

/// What one flow sends with, and the times of the steps it went through.
///
/// It outlives the flow, so that a flow which fails or is cut off still tells its steps.
pub struct Steps<'a, W, P> {
    wire: &'a mut W,
    phone: &'a P,
    target: &'a Target,
    clock: &'a dyn Clock,
    times: Vec<StepTime>,
}

impl<'a, W: Wire, P: Phone> Steps<'a, W, P> {
    /// Steps towards `target` over `wire`.
    pub fn new(wire: &'a mut W, phone: &'a P, target: &'a Target, clock: &'a dyn Clock) -> Self {
        Self {
            wire,
            phone,
            target,
            clock,
            times: Vec::new(),
        }
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    ///
    /// When no answer came, the service refused, or the answer cannot be read.
    pub async fn call<E: Endpoint + Sync>(
        &mut self,
        step: Step,
        endpoint: &E,
    ) -> Result<E::Response, Failure> {
        let unmade = |error: &dyn std::error::Error| Failure::new(FailureKind::Request, error.to_string());
        let mut request = endpoint
            .to_http(&self.target.base)
            .map_err(|error| unmade(&error))?;
        let credentials = &self.target.credentials;
        credentials
            .authorize(&mut request, self.clock.wall())
            .map_err(|error| unmade(&error))?;
        let sent = self.clock.now();
        let answer = self.wire.send(E::NAME, request).await;
        let took = self.clock.now().saturating_duration_since(sent);
        self.times.push(StepTime::new(step, took, answer.is_ok()));
        E::from_http(&answer?).map_err(|error| Failure::from(&error))
    }

    /// Waits for what reaches the phone `number` for the verification `id`.
    ///
    /// # Errors
    ///
    /// When nothing does in time.
    pub async fn phone(&mut self, number: &PhoneNumber, id: &VerificationId) -> Result<Delivered, Failure> {
        let asked = self.clock.now();
        let delivered = self.phone.delivered(number, id).await;
        let took = self.clock.now().saturating_duration_since(asked);
        self.times
            .push(StepTime::new(Step::Phone, took, delivered.is_ok()));
        delivered
    }
}

impl<W, P> Steps<'_, W, P> {
    /// The times of the steps so far, in order.
    #[must_use]
    pub fn finish(self) -> Vec<StepTime> {
        self.times
    }
}

impl<W, P> fmt::Debug for Steps<'_, W, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps")
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
