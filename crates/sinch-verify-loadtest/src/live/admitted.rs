use std::fmt;
use std::sync::Arc;

use sinch_verify_protocol::PhoneNumber;

use super::rails::Rails;

/// The leave of one flow of a live run to begin: a number that nobody else verifies until this is
/// dropped, and a turn in the pace for its first start.
///
/// Only the [`Rails`] give it.
pub struct Admitted {
    rails: Arc<Rails>,
    number: PhoneNumber,
}

impl Admitted {
    pub(super) fn new(rails: Arc<Rails>, number: PhoneNumber) -> Self {
        Self { rails, number }
    }

    /// The number to verify.
    #[must_use]
    pub fn number(&self) -> PhoneNumber {
        self.number
    }

    pub(super) fn rails(&self) -> &Rails {
        &self.rails
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.rails.leave(&self.number);
    }
}

/// Without the number.
impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted").finish_non_exhaustive()
    }
}
