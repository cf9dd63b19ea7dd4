//! `GET .../verifications/...`: ask for the status by id, by reference, or by
//! method and number.

use bytes::Bytes;
use http::{Method as Verb, Request, Response};

use crate::endpoint::{BaseUrl, Endpoint, Idempotency, PREFIX, get_request, sealed};
use crate::error::{DecodeError, EncodeError};
use crate::id::{Reference, VerificationId};
use crate::method::Method;
use crate::percent::push_segment;
use crate::phone_number::PhoneNumber;
use crate::verification::Verification;

/// The status by id. Takes basic or signed authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusById {
    /// The verification.
    pub id: VerificationId,
}

/// The status by reference. Takes basic or signed authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusByReference {
    /// The application's own name for the verification.
    pub reference: Reference,
}

/// The status of a number's latest verification by a method. Takes public
/// authorization too, so that an app can poll a callout, and answers for a
/// limited time after the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusByNumber {
    /// The method.
    pub method: Method,
    /// The number.
    pub number: PhoneNumber,
}

impl StatusById {
    /// The whole address of the query, as answers to starts name it.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn href(&self, base: &BaseUrl) -> String {
        base.join(&self.path())
    }

    fn path(&self) -> String {
        let id = self.id.as_str();
        let mut path = String::with_capacity(PREFIX.len() + "/id/".len() + id.len());
        path.push_str(PREFIX);
        path.push_str("/id");
        push_segment(&mut path, id);
        path
    }
}

macro_rules! status {
    ($name:ident, $label:literal, |$query:ident| $path:expr) => {
        impl sealed::Sealed for $name {}

        impl Endpoint for $name {
            type Response = Verification;

            const NAME: &'static str = $label;
            const ACTION: &'static str = "query the status";
            const METHOD: Verb = Verb::GET;
            const IDEMPOTENCY: Idempotency = Idempotency::Safe;

            fn to_http(&self, base: &BaseUrl) -> Result<Request<Bytes>, EncodeError> {
                let $query = self;
                get_request(base, &$path)
            }

            fn from_http(&self, response: &Response<Bytes>) -> Result<Verification, DecodeError> {
                Verification::from_http(response)
            }
        }
    };
}

status!(StatusById, "status_by_id", |query| query.path());

status!(StatusByReference, "status_by_reference", |query| {
    let mut path = PREFIX.to_owned();
    path.push_str("/reference");
    push_segment(&mut path, query.reference.as_str());
    path
});

status!(StatusByNumber, "status_by_number", |query| {
    let method = query.method.as_str();
    if method.bytes().all(|byte| byte == b'.') {
        return Err(EncodeError::Method);
    }
    let mut path = PREFIX.to_owned();
    push_segment(&mut path, method);
    path.push_str("/number");
    push_segment(&mut path, query.number.as_str());
    path
});
