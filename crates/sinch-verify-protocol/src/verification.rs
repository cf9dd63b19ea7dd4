//! The verification itself: its state, as status and report answers tell it.

use bytes::Bytes;
use http::Response;

use crate::country::Country;
use crate::error::DecodeError;
use crate::id::VerificationId;
use crate::identity::Identity;
use crate::method::Method;
use crate::open_enum::open_enum;
use crate::price::{FlatOrNested, VerificationPrice};
use crate::timestamp::Timestamp;
use crate::wire::{LooseText, Spelled, object};

open_enum! {
    /// The state of a verification.
    pub enum Status {
        /// Not decided yet.
        Pending = "PENDING",
        /// The number is verified.
        Successful = "SUCCESSFUL",
        /// An attempt was made and failed, or time ran out.
        Fail = "FAIL" | "FAILED",
        /// The application, or the service, refused it.
        Denied = "DENIED",
        /// A new start for the same number replaced it.
        Aborted = "ABORTED",
        /// The service failed.
        Error = "ERROR",
    }
}

impl Status {
    /// Whether this state is known to be the last one. A state this version
    /// does not know is not taken for an end.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending | Self::Unknown(_))
    }
}

open_enum! {
    /// Why a verification ended as it did.
    pub enum Reason {
        /// Suspected fraud.
        Fraud = "Fraud",
        /// The account has not enough credit.
        NotEnoughCredit = "Not enough credit",
        /// The number is blocked.
        Blocked = "Blocked",
        /// The application's callback denied it.
        DeniedByCallback = "Denied by callback",
        /// The application's callback gave no usable answer.
        InvalidCallback = "Invalid callback",
        /// The service failed.
        InternalError = "Internal error",
        /// The destination is not allowed.
        DestinationDenied = "Destination denied",
        /// The network failed, or the number cannot be reached.
        Unreachable = "Network error or number unreachable",
        /// It stayed pending for too long.
        FailedPending = "Failed pending",
        /// The SMS could not be delivered.
        SmsDeliveryFailure = "SMS delivery failure",
        /// The reported caller id was wrong.
        InvalidCli = "Invalid CLI",
        /// The reported code was wrong.
        InvalidCode = "Invalid code",
        /// Time ran out.
        Expired = "Expired",
        /// Callout: hung up before the right key.
        HungUp = "Hung up without entering valid code",
    }
}

open_enum! {
    /// How the code or the caller id reached the reporter.
    ///
    /// Free text of the sender, which wants it echoed: another spelling, such
    /// as iOS's `MANUAL`, stays what it is.
    pub enum Source, exact {
        /// Read by the app.
        Intercepted = "intercepted",
        /// Typed by a person.
        Manual = "manual",
        /// Read from the call log, by the Android SDK.
        Log = "log",
    }
}

open_enum! {
    /// How a call ended.
    pub enum CallResult {
        /// Answered.
        Answered = "ANSWERED",
        /// Completed.
        Completed = "COMPLETED",
        /// Not answered.
        NoAnswer = "NO_ANSWER",
        /// Cancelled by the caller: the way a flash call ends.
        Cancel = "CANCEL",
        /// Busy.
        Busy = "BUSY",
        /// Failed.
        Failed = "FAILED",
    }
}

object! {
    /// A verification, as a status query or a report answers it.
    ///
    /// A report's answer leaves out most of it.
    pub struct Verification {
        /// The service's id.
        required "id" => id: VerificationId, via LooseText<VerificationId>;
        /// The method. Old answers leave it out.
        optional "method" => method: Method, via Spelled<Method>;
        /// The state.
        required "status" => status: Status, via Spelled<Status>;
        /// Why, once it ended without success.
        side "reason" => reason: Reason, via Spelled<Reason>;
        /// The application's own name for it.
        side "reference" => reference: String;
        /// Who is verified.
        optional "identity" => identity: Identity;
        /// The number's country, ISO 3166-1 alpha-2.
        side "countryId" => country_id: String;
        /// When it was started: UTC, without a zone on the wire.
        side "verificationTimestamp" => timestamp: Timestamp;
        /// What it cost; appears late.
        side "price" => price: VerificationPrice, via FlatOrNested;
        /// How the code or caller id reached the reporter.
        side "source" => source: Source;
        /// For calls: whether the call is over.
        side "callComplete" => call_complete: bool;
        /// For calls: how the call ended.
        side "callResult" => call_result: CallResult, via Spelled<CallResult>;
    }
}

impl Verification {
    /// A verification with the required fields.
    #[must_use]
    pub fn new(id: VerificationId, method: Method, status: Status) -> Self {
        Self {
            method: Some(method),
            ..Self::bare(id, status)
        }
    }

    /// Reads an HTTP answer: of a report, of a status query, or of the address
    /// of a data verification.
    ///
    /// # Errors
    ///
    /// When the service refused, or the answer is not a verification.
    pub fn from_http(response: &Response<Bytes>) -> Result<Self, DecodeError> {
        crate::error::from_response(response)
    }

    /// Whether the number is verified.
    #[must_use]
    pub fn is_successful(&self) -> bool {
        self.status == Status::Successful
    }

    /// The country: the one that the answer names, or else the one that the
    /// number tells.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        if let Some(named) = self.country_id.as_deref().and_then(|id| Country::parse(id).ok()) {
            return Some(named);
        }
        self.identity
            .as_ref()
            .and_then(|identity| identity.phone_number().ok())
            .and_then(|number| number.country())
    }

    /// The answer as sent.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn to_http_response(&self) -> Response<Bytes> {
        crate::json::response(http::StatusCode::OK, self)
    }
}
