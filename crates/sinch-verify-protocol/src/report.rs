//! `PUT .../verifications/id/{id}` and `PUT .../verifications/number/{endpoint}`:
//! report the code or the caller id.

mod outcome;

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use http::{Method as Verb, Request, Response};

use crate::code::{Cli, Code};
use crate::endpoint::{BaseUrl, Endpoint, Idempotency, PREFIX, json_request, sealed};
use crate::error::{DecodeError, EncodeError, JsonError};
use crate::id::VerificationId;
use crate::method::{self, AnyMethod, Form, Method, MethodInfo, ProofKind, methods};
use crate::percent::push_segment;
use crate::phone_number::PhoneNumber;
use crate::start::{MethodMarker, VerifyMethod};
use crate::verification::{Source, Verification};
use crate::wire::{LooseText, PartOf, RawJson, Spelled, object};

pub use outcome::{Ended, ReportOutcome};

/// A report to a verification of method `M`, with what that method takes; without one, of a method
/// that is known at run time only.
///
/// ```
/// use sinch_verify_protocol::{Cli, Code, PhoneNumber, Report, VerificationId};
///
/// let id = VerificationId::new("1234567890")?;
/// let report = Report::sms(id.clone(), Code::new("4821")?);
/// assert_eq!(report.id(), Some(&id));
///
/// let number: PhoneNumber = "+46700000001".parse()?;
/// let report = Report::flash_call(number, Cli::as_seen("+46701234567")?);
/// assert_eq!(report.number(), Some(&number));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A code cannot be reported to a flash call:
///
/// ```compile_fail
/// use sinch_verify_protocol::{Code, Report, VerificationId};
///
/// let report = Report::flash_call(VerificationId::new("1").unwrap(), Code::new("4821").unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<M = AnyMethod> {
    target: Target,
    body: ReportRequest,
    marker: PhantomData<M>,
}

/// Which verification is reported to.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// The one with this id.
    Id(VerificationId),
    /// The pending one of this number.
    Number(PhoneNumber),
}

impl From<VerificationId> for Target {
    fn from(id: VerificationId) -> Self {
        Self::Id(id)
    }
}

impl From<PhoneNumber> for Target {
    fn from(number: PhoneNumber) -> Self {
        Self::Number(number)
    }
}

/// Shows the number masked.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Number(number) => number.masked().fmt(f),
        }
    }
}

impl Report {
    /// Reports `proof` to a verification by a method that is known at run time only.
    ///
    /// # Errors
    ///
    /// When the method does not take such a proof.
    pub fn new(target: Target, method: &Method, proof: impl Into<Proof>) -> Result<Self, WrongProof> {
        let proof = proof.into();
        if method.proof() == Some(proof.kind()) {
            Ok(Self::of(target, method.clone(), proof))
        } else {
            Err(WrongProof(method.clone()))
        }
    }
}

impl<M: Reportable> Report<M> {
    /// Reports `proof` to the verification `id`.
    #[must_use]
    pub fn by_id(id: VerificationId, proof: M::Proof) -> Self {
        Self::to(id, proof)
    }

    /// Reports `proof` to the pending verification of `number`.
    #[must_use]
    pub fn by_number(number: PhoneNumber, proof: M::Proof) -> Self {
        Self::to(number, proof)
    }

    /// For the functions with the methods' names, which the table of methods makes.
    pub(crate) fn to(target: impl Into<Target>, proof: M::Proof) -> Self {
        Self::of(target.into(), M::METHOD, proof.into())
    }
}

impl<M> Report<M> {
    /// The method takes such a proof.
    fn of(target: Target, method: Method, proof: Proof) -> Self {
        let mut body = ReportRequest::bare(method);
        body.put(proof);
        Self {
            target,
            body,
            marker: PhantomData,
        }
    }

    /// Says how the proof reached the reporter.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.body.source = Some(source);
        self
    }

    /// The method reported to.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.body.method
    }

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

impl<M: MethodMarker> Endpoint for Report<M> {
    type Response = Verification;

    const NAME: &'static str = "report_verification";
    const ACTION: &'static str = "report the proof";
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

    fn from_http(&self, response: &Response<Bytes>) -> Result<Verification, DecodeError> {
        Verification::from_http(response)
    }
}

/// What proves a number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// A code.
    Code(Code),
    /// A caller id.
    Cli(Cli),
}

impl Proof {
    /// Which kind of proof it is.
    #[must_use]
    pub fn kind(&self) -> ProofKind {
        match self {
            Self::Code(_) => ProofKind::Code,
            Self::Cli(_) => ProofKind::Cli,
        }
    }
}

impl From<Code> for Proof {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

impl From<Cli> for Proof {
    fn from(cli: Cli) -> Self {
        Self::Cli(cli)
    }
}

/// A proof that the method does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongProof(Method);

impl fmt::Display for WrongProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(method) = self;
        match (method.proof(), method.form()) {
            (Some(proof), _) => write!(f, "a verification by {method} takes {proof}"),
            (None, Some(Form::Address)) => {
                write!(
                    f,
                    "a verification by {method} takes no report: the device follows its address"
                )
            }
            _ => write!(f, "a verification by {method} takes no report"),
        }
    }
}

impl std::error::Error for WrongProof {}

object! {
    /// The body of a report, as received.
    pub struct ReportRequest {
        /// The method reported to.
        required "method" => method: Method, via Spelled<Method>;
        /// How the proof reached the reporter.
        side "source" => source: Source;
        /// For `sms`.
        optional "sms" => sms: CodeReport, of Sms;
        /// For `flashcall`.
        optional "flashCall" | "flashcall" => flash_call: CliReport, of FlashCall;
        /// For `callout`.
        optional "callout" => callout: CodeReport, of Callout;
        /// For `whatsapp`.
        optional "whatsapp" => whatsapp: CodeReport, of WhatsApp;
        /// Sent as `null` by mobile SDKs; never holds anything.
        raw "seamless" => seamless: RawJson;
    }
}

/// A method whose verification ends by reporting a proof.
pub trait Reportable: VerifyMethod + PartOf<ReportRequest> {
    /// What proves the number: a code, or the caller id of the flash call.
    type Proof: Into<Proof>;
}

/// Declares which methods are reported to, and with what.
macro_rules! reports {
    ($(
        #[doc = $summary:literal]
        $method:ident = $wire:literal {
            start: $start:ident,
            aliases: $aliases:tt,
            reports: [$($proof:ident)?],
            $($rest:tt)*
        }
    )*) => {
        $($(
            impl Reportable for method::$method {
                type Proof = $proof;
            }

            impl Report<method::$method> {
                #[doc = concat!("Reports to a verification by this method, named by its id, or to the number's pending one:", $summary)]
                #[must_use]
                pub fn $start(to: impl Into<Target>, proof: $proof) -> Self {
                    Self::to(to, proof)
                }
            }
        )?)*

        impl MethodInfo {
            /// The key of a report's object and the field in it that holds the proof; `None` where
            /// nothing is reported.
            #[must_use]
            pub fn report_field(&self) -> Option<(&'static str, &'static str)> {
                match self.method {
                    $($(
                        Method::$method => {
                            Some((<method::$method as PartOf<ReportRequest>>::KEY, reports!(@field $proof)))
                        }
                    )?)*
                    _ => None,
                }
            }
        }

        impl ReportRequest {
            /// What is reported for the method named, if it is there.
            #[must_use]
            pub fn proof(&self) -> Option<ReportedProof<'_>> {
                match self.method {
                    $($( Method::$method => method::$method::get(self).map(ReportedProof::$proof), )?)*
                    _ => None,
                }
            }

            /// Puts the proof where the method named has it; not one that it does not take.
            pub(crate) fn put(&mut self, proof: Proof) {
                match (&self.method, proof) {
                    $($( (Method::$method, Proof::$proof(proof)) => *method::$method::slot(self) = Some(proof.into()), )?)*
                    _ => {}
                }
            }
        }
    };

    (@field Code) => { "code" };
    (@field Cli) => { "cli" };
}

methods!(reports);

impl ReportRequest {
    /// What is reported for the method named.
    ///
    /// # Errors
    ///
    /// When nothing is, or the method takes no report; the error has the JSON
    /// path.
    pub fn require_proof(&self) -> Result<ReportedProof<'_>, JsonError> {
        self.proof().ok_or_else(|| {
            let info = self.method.info();
            if let Some((key, field)) = info.and_then(MethodInfo::report_field) {
                return JsonError::new(&format!("{key}.{field}"), "missing", b"");
            }
            let message = match info {
                Some(info) if info.form == Form::Address => {
                    format!("{} takes no report; the device follows targetUri", info.name)
                }
                _ => MethodInfo::must_be(|info| info.proof.is_some()),
            };
            JsonError::new("method", message, b"")
        })
    }
}

/// What a received report holds for its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportedProof<'a> {
    /// A code.
    Code(&'a CodeReport),
    /// A caller id.
    Cli(&'a CliReport),
}

impl From<ReportedProof<'_>> for Proof {
    fn from(reported: ReportedProof<'_>) -> Self {
        match reported {
            ReportedProof::Code(report) => Self::Code(report.code.clone()),
            ReportedProof::Cli(report) => Self::Cli(report.cli.clone()),
        }
    }
}

object! {
    /// A reported code.
    pub struct CodeReport {
        /// The code.
        required "code" => code: Code, via LooseText<Code>;
        /// The SMS's sender id; old documents only.
        side "cli" => cli: Cli;
    }
}

impl From<Code> for CodeReport {
    fn from(code: Code) -> Self {
        Self::bare(code)
    }
}

object! {
    /// A reported caller id.
    pub struct CliReport {
        /// The full international caller id.
        required "cli" => cli: Cli;
    }
}

impl From<Cli> for CliReport {
    fn from(cli: Cli) -> Self {
        Self::bare(cli)
    }
}
