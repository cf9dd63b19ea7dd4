//! Who is verified.

use crate::open_enum::open_enum;
use crate::phone_number::{PhoneNumber, PhoneNumberError};
use crate::wire::{PrivateText, Spelled, object};

open_enum! {
    /// The kind of an identity. Today the service knows numbers only.
    pub enum IdentityType {
        /// A phone number.
        Number = "number",
    }
}

object! {
    /// The identity under verification.
    ///
    /// `endpoint` is text as received: [`Identity::phone_number`] reads it.
    pub struct Identity {
        /// The kind, `number`.
        required "type" => kind: IdentityType, via Spelled<IdentityType>;
        /// The number, `+` and digits.
        required "endpoint" => endpoint: PrivateText;
        /// Seen on recorded callbacks; read-only, undocumented.
        side "verified" => verified: bool;
    }
}

impl Identity {
    /// The identity of a phone number.
    #[must_use]
    pub fn number(number: PhoneNumber) -> Self {
        Self {
            kind: IdentityType::Number,
            endpoint: number.as_str().into(),
            verified: None,
            extra: Default::default(),
        }
    }

    /// The endpoint read as a phone number.
    ///
    /// # Errors
    ///
    /// When the endpoint is not a number in E.164 form.
    pub fn phone_number(&self) -> Result<PhoneNumber, PhoneNumberError> {
        self.endpoint.as_str().parse()
    }
}
