//! The ways to verify a number, as values and as types.
//!
//! [`Method`] is the value on the wire. The marker types ([`Sms`],
//! [`FlashCall`], ...) name a method at compile time, so that an SMS code
//! cannot be reported to a flash call.

use crate::code::{Cli, Code};
use crate::open_enum::open_enum;
use crate::start::{
    AutoStarted, CalloutDetails, CalloutOptions, FlashCallDetails, FlashCallOptions, NoOptions,
    SeamlessDetails, SmsDetails, SmsOptions, WhatsAppDetails, WhatsAppOptions,
};

open_enum! {
    /// The method of a verification, as on the wire.
    ///
    /// Written in lower case; read in any (old documents and some SDKs write
    /// `flashCall`).
    ///
    /// ```
    /// use sinch_verify_protocol::Method;
    ///
    /// assert_eq!(Method::from("flashCall"), Method::FlashCall);
    /// assert_eq!(Method::FlashCall.as_str(), "flashcall");
    /// assert_eq!(Method::from("pigeon").as_str(), "pigeon");
    /// ```
    pub enum Method {
        /// A text message with a code.
        Sms = "sms",
        /// A call that is not answered; the caller id is the code.
        FlashCall = "flashcall",
        /// A phone call that speaks a code, or asks for a key.
        Callout = "callout",
        /// Data verification: the device fetches an address over its mobile network.
        Seamless = "seamless",
        /// A WhatsApp message with a code.
        WhatsApp = "whatsapp",
        /// Mobile SDKs only: the service chooses the order of methods.
        Auto = "auto",
    }
}

impl Method {
    /// Whether the person who is called may confirm by pressing a key, so that the verification
    /// succeeds though nothing was reported. True of a callout alone.
    #[must_use]
    pub fn takes_a_key(&self) -> bool {
        matches!(self, Self::Callout)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A method known at compile time.
pub trait VerifyMethod: sealed::Sealed + Copy + Default + Send + Sync + 'static {
    /// The method's value on the wire.
    const METHOD: Method;
    /// What a start may ask for.
    type Options: crate::start::StartOptions;
    /// What the start answer tells about this method.
    type Details: crate::start::StartDetails;
}

/// A method whose verification ends by reporting a proof.
pub trait Reportable: VerifyMethod {
    /// What proves the number: a code, or the caller id of the flash call.
    type Proof: crate::report::Proof;
}

macro_rules! markers {
    ($( $(#[$meta:meta])* $name:ident: $options:ty, $details:ty $(, proof $proof:ty)?; )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name;
            impl sealed::Sealed for $name {}
            impl VerifyMethod for $name {
                const METHOD: Method = Method::$name;
                type Options = $options;
                type Details = $details;
            }
            $( impl Reportable for $name { type Proof = $proof; } )?
        )*
    };
}

markers! {
    /// The SMS method: report the code of the message.
    Sms: SmsOptions, SmsDetails, proof Code;
    /// The flash call method: report the caller id.
    FlashCall: FlashCallOptions, FlashCallDetails, proof Cli;
    /// The callout method: report the spoken code.
    Callout: CalloutOptions, CalloutDetails, proof Code;
    /// The seamless (data) method: nothing is reported, the device fetches the target address.
    Seamless: NoOptions, SeamlessDetails;
    /// The WhatsApp method: report the code of the message.
    WhatsApp: WhatsAppOptions, WhatsAppDetails, proof Code;
    /// The mobile SDKs' `auto` start: the answer names the methods to try.
    Auto: SmsOptions, AutoStarted;
}
