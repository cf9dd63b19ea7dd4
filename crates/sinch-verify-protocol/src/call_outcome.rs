//! `PATCH .../verifications/number/{endpoint}`: the outcome of a flash call.
//!
//! Undocumented; the Android SDK sends it once it stops waiting for the call,
//! and ignores the answer.

use bytes::Bytes;
use http::{Method as Verb, Request, Response};

use crate::endpoint::{BaseUrl, Endpoint, Idempotency, PREFIX, json_request, sealed};
use crate::error::{DecodeError, EncodeError, refusal};
use crate::method::Method;
use crate::percent::push_segment;
use crate::phone_number::PhoneNumber;
use crate::wire::{Extra, Spelled, object};

/// Reports the outcome of a flash call.
///
/// ```
/// use sinch_verify_protocol::call_outcome::{CallOutcome, FlashCallOutcome};
///
/// let outcome = FlashCallOutcome::new("+46700000001".parse()?, CallOutcome::Late);
/// assert!(outcome.body().data.late_call);
/// # Ok::<(), sinch_verify_protocol::phone_number::PhoneNumberError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashCallOutcome {
    number: PhoneNumber,
    body: OutcomeRequest,
}

/// The outcome of a flash call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallOutcome {
    /// It came in time.
    Normal,
    /// It came after the interception time.
    Late,
    /// It never came.
    None,
}

impl FlashCallOutcome {
    /// The outcome of the flash call to `number`.
    #[must_use]
    pub fn new(number: PhoneNumber, outcome: CallOutcome) -> Self {
        let data = OutcomeData {
            late_call: outcome == CallOutcome::Late,
            no_call: outcome == CallOutcome::None,
            extra: Extra::default(),
        };
        let body = OutcomeRequest {
            data,
            method: Method::FlashCall,
            extra: Extra::default(),
        };
        Self { number, body }
    }

    /// The number that was called.
    #[must_use]
    pub fn number(&self) -> PhoneNumber {
        self.number
    }

    /// The body that goes out.
    #[must_use]
    pub fn body(&self) -> &OutcomeRequest {
        &self.body
    }
}

impl sealed::Sealed for FlashCallOutcome {}

impl Endpoint for FlashCallOutcome {
    /// Nothing: the answer's body is ignored.
    type Response = ();

    const NAME: &'static str = "flash_call_outcome";
    const ACTION: &'static str = "report the outcome of the flash call";
    const METHOD: Verb = Verb::PATCH;
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn to_http(&self, base: &BaseUrl) -> Result<Request<Bytes>, EncodeError> {
        let mut path = format!("{PREFIX}/number");
        push_segment(&mut path, self.number.as_str());
        json_request(Verb::PATCH, base, &path, &self.body)
    }

    fn from_http(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
        if response.status().is_success() {
            return Ok(());
        }
        Err(refusal(response))
    }
}

object! {
    /// The body of an outcome, as received.
    pub struct OutcomeRequest {
        /// The two booleans.
        required "data" => data: OutcomeData;
        /// Always `flashcall`.
        required "method" => method: Method, via Spelled<Method>;
    }
}

object! {
    /// The outcome of the call.
    pub struct OutcomeData {
        /// It came after the interception time.
        required "lateCall" => late_call: bool;
        /// It never came.
        required "noCall" => no_call: bool;
    }
}

#[cfg(feature = "server")]
impl OutcomeRequest {
    /// The answer: an empty object, which senders ignore.
    #[must_use]
    pub fn accepted() -> Response<Bytes> {
        crate::json::response(http::StatusCode::OK, &serde_json::Map::new())
    }
}
