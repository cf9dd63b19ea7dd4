//! `PUT .../verifications/id/{id}` and `PUT .../verifications/number/{endpoint}`:
//! report the code or the caller id.

mod outcome;

use std::marker::PhantomData;

use bytes::Bytes;
use http::{Method as Verb, Request, Response};

use crate::code::{Cli, Code};
use crate::endpoint::{BaseUrl, Endpoint, Idempotency, PREFIX, json_request, sealed};
use crate::error::{DecodeError, EncodeError};
use crate::id::VerificationId;
use crate::method::{Method, Reportable, VerifyMethod};
use crate::percent::push_segment;
use crate::phone_number::PhoneNumber;
use crate::verification::{Source, Verification};
use crate::wire::{Extra, RawJson, Spelled, object};

pub use outcome::{Ended, ReportOutcome};

/// A report to a verification of method `M`: only what that method takes.
///
/// ```
/// use sinch_verify_protocol::{Code, Report, VerificationId};
/// use sinch_verify_protocol::method::Sms;
///
/// let report = Report::<Sms>::by_id(VerificationId::new("1234567890")?, Code::new("4821")?);
/// assert!(report.body().flash_call.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A code cannot be reported to a flash call:
///
/// ```compile_fail
/// use sinch_verify_protocol::{Code, Report, VerificationId};
/// use sinch_verify_protocol::method::FlashCall;
///
/// let report = Report::<FlashCall>::by_id(VerificationId::new("1").unwrap(), Code::new("4821").unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<M> {
    target: Target,
    body: ReportRequest,
    method: PhantomData<M>,
}

/// Which verification is meant.
#[derive(Clone, PartialEq, Eq)]
enum Target {
    Id(VerificationId),
    Number(PhoneNumber),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Number(number) => number.masked().fmt(f),
        }
    }
}

impl<M: Reportable> Report<M> {
    /// Reports `proof` to the verification `id`.
    #[must_use]
    pub fn by_id(id: VerificationId, proof: M::Proof) -> Self {
        Self::new(Target::Id(id), proof)
    }

    /// Reports `proof` to the pending verification of `number`.
    #[must_use]
    pub fn by_number(number: PhoneNumber, proof: M::Proof) -> Self {
        Self::new(Target::Number(number), proof)
    }

    fn new(target: Target, proof: M::Proof) -> Self {
        let mut body = ReportRequest::new(M::METHOD);
        proof.put(M::METHOD, &mut body);
        Self {
            target,
            body,
            method: PhantomData,
        }
    }

    /// Says how the proof reached the reporter.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.body.source = Some(source);
        self
    }
}

impl<M> Report<M> {
    /// The body that goes out.
    #[must_use]
    pub fn body(&self) -> &ReportRequest {
        &self.body
    }

    /// The verification reported to, when it is named by its id.
    #[must_use]
    pub fn id(&self) -> Option<&VerificationId> {
        match &self.target {
            Target::Id(id) => Some(id),
            Target::Number(_) => None,
        }
    }

    /// The number reported to, when the verification is named by its number.
    #[must_use]
    pub fn number(&self) -> Option<&PhoneNumber> {
        match &self.target {
            Target::Id(_) => None,
            Target::Number(number) => Some(number),
        }
    }
}

impl<M> sealed::Sealed for Report<M> {}

impl<M: VerifyMethod> Endpoint for Report<M> {
    type Response = Verification;

    const NAME: &'static str = "report_verification";
    const METHOD: Verb = Verb::PUT;
    const IDEMPOTENCY: Idempotency = Idempotency::AskFirst;

    fn to_http(&self, base: &BaseUrl) -> Result<Request<Bytes>, EncodeError> {
        let mut path = PREFIX.to_owned();
        match &self.target {
            Target::Id(id) => {
                path.push_str("/id");
                push_segment(&mut path, id.as_str());
            }
            Target::Number(number) => {
                path.push_str("/number");
                push_segment(&mut path, number.as_str());
            }
        }
        json_request(Verb::PUT, base, &path, &self.body)
    }

    fn from_http(response: &Response<Bytes>) -> Result<Verification, DecodeError> {
        Verification::from_http(response)
    }
}

/// What proves a number.
pub trait Proof: proof::Sealed {
    /// Puts the proof into the body, under the key of `method`.
    #[doc(hidden)]
    fn put(self, method: Method, body: &mut ReportRequest);
}

mod proof {
    pub trait Sealed {}
    impl Sealed for crate::code::Code {}
    impl Sealed for crate::code::Cli {}
}

impl Proof for Code {
    fn put(self, method: Method, body: &mut ReportRequest) {
        let report = CodeReport {
            code: self,
            cli: None,
            extra: Extra::default(),
        };
        match method {
            Method::Callout => body.callout = Some(report),
            Method::WhatsApp => body.whatsapp = Some(report),
            _ => body.sms = Some(report),
        }
    }
}

impl Proof for Cli {
    fn put(self, _method: Method, body: &mut ReportRequest) {
        body.flash_call = Some(CliReport {
            cli: self,
            extra: Extra::default(),
        });
    }
}

object! {
    /// The body of a report, as received.
    pub struct ReportRequest {
        /// The method reported to.
        required "method" => method: Method, via Spelled<Method>;
        /// How the proof reached the reporter.
        optional "source" => source: Source;
        /// For `sms`.
        optional "sms" => sms: CodeReport;
        /// For `flashcall`.
        optional "flashCall" | "flashcall" => flash_call: CliReport;
        /// For `callout`.
        optional "callout" => callout: CodeReport;
        /// For `whatsapp`.
        optional "whatsapp" => whatsapp: CodeReport;
        /// Sent as `null` by mobile SDKs; never holds anything.
        optional "seamless" => seamless: RawJson;
    }
}

impl ReportRequest {
    fn new(method: Method) -> Self {
        Self {
            method,
            source: None,
            sms: None,
            flash_call: None,
            callout: None,
            whatsapp: None,
            seamless: None,
            extra: Extra::default(),
        }
    }

    /// What is reported for the method named, if it is there.
    #[must_use]
    pub fn proof(&self) -> Option<ReportedProof<'_>> {
        match self.method {
            Method::Sms => self.sms.as_ref().map(|report| ReportedProof::Code(&report.code)),
            Method::FlashCall => self
                .flash_call
                .as_ref()
                .map(|report| ReportedProof::Cli(&report.cli)),
            Method::Callout => self
                .callout
                .as_ref()
                .map(|report| ReportedProof::Code(&report.code)),
            Method::WhatsApp => self
                .whatsapp
                .as_ref()
                .map(|report| ReportedProof::Code(&report.code)),
            _ => None,
        }
    }

    /// What is reported for the method named.
    ///
    /// # Errors
    ///
    /// When nothing is, or the method takes no report; the error has the JSON
    /// path.
    pub fn require_proof(&self) -> Result<ReportedProof<'_>, DecodeError> {
        self.proof().ok_or_else(|| {
            let (path, message) = match self.method {
                Method::Sms => ("sms.code", "missing"),
                Method::FlashCall => ("flashCall.cli", "missing"),
                Method::Callout => ("callout.code", "missing"),
                Method::WhatsApp => ("whatsapp.code", "missing"),
                Method::Seamless => ("method", "seamless takes no report; the device follows targetUri"),
                _ => ("method", "must be sms, flashcall, callout or whatsapp"),
            };
            DecodeError::json(path, message, b"")
        })
    }
}

/// What a received report holds for its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportedProof<'a> {
    /// A code.
    Code(&'a Code),
    /// A caller id.
    Cli(&'a Cli),
}

object! {
    /// A reported code.
    pub struct CodeReport {
        /// The code.
        required "code" => code: Code;
        /// The SMS's sender id; old documents only.
        optional "cli" => cli: Cli;
    }
}

object! {
    /// A reported caller id.
    pub struct CliReport {
        /// The full international caller id.
        required "cli" => cli: Cli;
    }
}
