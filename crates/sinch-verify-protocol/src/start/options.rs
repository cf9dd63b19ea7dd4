//! What a start may ask for, by method. The schema of the service allows other fields in each.

use crate::code::CodeType;
use crate::language::LanguageTag;
use crate::phone_number::PhoneNumber;
use crate::seconds::{CallSeconds, Expiry};
use crate::wire::{Spelled, ZeroIsAbsent, object};

object! {
    setters all;
    unknown allowed;
    /// Options of an SMS start.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sinch_verify_protocol::start::SmsOptions;
    /// use sinch_verify_protocol::{CodeType, Expiry};
    ///
    /// let options = SmsOptions::default()
    ///     .code_type(CodeType::Alphanumeric)
    ///     .expiry(Expiry::new(Duration::from_secs(120))?);
    /// # Ok::<(), sinch_verify_protocol::seconds::InvalidExpiry>(())
    /// ```
    #[derive(Default)]
    pub struct SmsOptions {
        /// The alphabet of the code.
        optional "codeType" => code_type: CodeType, via Spelled<CodeType>;
        /// How long the code is valid.
        optional "expiry" => expiry: Expiry;
        /// The text, with `{{CODE}}`. In older references and SDKs only.
        optional "template" => template: String;
        /// The Android app's hash, put on the message's last line. Sent by the
        /// Android SDK only.
        optional "applicationHash" => application_hash: String;
    }
}

object! {
    setters all;
    unknown allowed;
    /// Options of a flash call start.
    #[derive(Default)]
    pub struct FlashCallOptions {
        /// How long the call rings.
        optional "dialTimeout" => dial_timeout: CallSeconds, via ZeroIsAbsent<CallSeconds>;
        /// How long a handset waits for the call.
        optional "interceptionTimeout" => interception_timeout: CallSeconds, via ZeroIsAbsent<CallSeconds>;
        /// The number to call from: one that the application rents. In one old
        /// reference only; today the callback's decision sets it.
        optional "cli" => cli: PhoneNumber;
    }
}

object! {
    setters all;
    unknown allowed;
    /// Options of a callout start.
    #[derive(Default)]
    pub struct CalloutOptions {
        /// How the code is spoken.
        optional "speech" => speech: Speech;
    }
}

object! {
    setters all;
    /// How a code is spoken.
    #[derive(Default)]
    pub struct Speech {
        /// The language, by default `en-US`. Text as received: one official
        /// example writes `en_US`.
        optional "locale" => locale: String;
    }
}

impl Speech {
    /// Speech in `language`.
    #[must_use]
    pub fn new(language: &LanguageTag) -> Self {
        Self {
            locale: Some(language.as_str().to_owned()),
            ..Self::default()
        }
    }
}

object! {
    setters all;
    unknown allowed;
    /// Options of a WhatsApp start.
    #[derive(Default)]
    pub struct WhatsAppOptions {
        /// The alphabet of the code.
        optional "codeType" => code_type: CodeType, via Spelled<CodeType>;
    }
}
