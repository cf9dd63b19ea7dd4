use std::fmt;

use sinch_verify_protocol::{Endpoint, PhoneNumber, VerificationId};

use crate::clock::Clock;
use crate::failure::{Failure, FailureKind};
use crate::measure::{Interval, Timed};
use crate::phone::{Delivered, Phone};
use crate::target::Target;
use crate::wire::Wire;

/// What one flow sends with, and the times of the steps it went through.
///
/// It outlives the flow, so that a flow which fails or is cut off still tells its steps.
pub struct Steps<'a, W, P> {
    wire: &'a mut W,
    phone: &'a P,
    target: &'a Target,
    clock: &'a dyn Clock,
    times: Vec<Timed>,
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
        interval: Interval,
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
        self.times.push(Timed::new(interval, took, answer.is_ok()));
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
            .push(Timed::new(Interval::Phone, took, delivered.is_ok()));
        delivered
    }
}

impl<W, P> Steps<'_, W, P> {
    /// The times of the steps so far, in order.
    #[must_use]
    pub fn finish(self) -> Vec<Timed> {
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
