use std::sync::Arc;

use sinch_verify_protocol::{PhoneNumber, VerificationId};

use super::{Delivered, PATIENCE, Phone, missing};
use crate::callbacks::Conversations;
use crate::failure::Failure;

/// A phone whose code is known because our callback receiver set it.
#[derive(Clone, Debug)]
pub struct HeardPhone(Arc<Conversations>);

impl HeardPhone {
    /// A phone that knows what was set in `conversations`.
    #[must_use]
    pub fn new(conversations: Arc<Conversations>) -> Self {
        Self(conversations)
    }
}

impl Phone for HeardPhone {
    async fn delivered(&self, _: &PhoneNumber, id: &VerificationId) -> Result<Delivered, Failure> {
        // The answer to a start may overtake what the receiver does in our own process.
        let given = self.0.about(id).wait(PATIENCE, |heard| heard.given.clone()).await;
        given.ok_or_else(|| missing(PATIENCE))
    }
}
