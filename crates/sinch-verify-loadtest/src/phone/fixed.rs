use sinch_verify_protocol::{Code, PhoneNumber, VerificationId};

use super::{Delivered, Phone};
use crate::failure::Failure;

/// A phone that always gets the same code, as test numbers of a live service may.
#[derive(Clone, Debug)]
pub struct FixedPhone(Code);

impl FixedPhone {
    /// A phone that gets `code`.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self(code)
    }
}

impl Phone for FixedPhone {
    async fn delivered(&self, _: &PhoneNumber, _: &VerificationId) -> Result<Delivered, Failure> {
        Ok(Delivered::code(self.0.clone()))
    }
}
