//! The ways to verify a number: what each of them is, as values and as types.
//!
//! The table at the end of this file describes every method once.
//! [`Method`] is the value on the wire, [`MethodInfo`] what is known of it.
//! The marker types ([`Sms`], [`FlashCall`], ...) name a method at compile time,
//! so that an SMS code cannot be reported to a flash call; [`AnyMethod`] stands
//! for a method that is known at run time only.

use std::fmt;

use crate::callback::{Action, Decision, DecisionBody, decisions};
use crate::code::{Cli, Code};
use crate::id::VerificationId;
use crate::open_enum::open_enum;
use crate::phone_number::PhoneNumber;
use crate::report::{Proof, Report, ReportRequest, ReportedProof, Target, reports};
use crate::start::{Start, StartResponse, sub_verifications};

/// What is known of one method.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct MethodInfo {
    /// The method.
    pub method: Method,
    /// Its name on the wire.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is, in one sentence.
    pub summary: &'static str,
    /// Other names that people type. The wire does not know them.
    pub aliases: &'static [&'static str],
    /// What reaches the handset.
    pub form: Form,
    /// The marker type's name, and that of the functions of [`Start`] and [`Report`] for it.
    pub rust: (&'static str, &'static str),
    /// What is reported; `None` where nothing is.
    pub proof: Option<ProofKind>,
    /// The key of a report's object and the field in it that holds the proof.
    pub report_field: Option<(&'static str, &'static str)>,
    /// What the callback's decision can set; `None` where the service always chooses.
    pub decided: Option<ProofKind>,
}

/// What reaches the handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A message with a code.
    Text,
    /// A call that is not answered; the caller id is the code.
    Ring,
    /// A call that is answered: it speaks a code, or asks for a key. The app asks for the status.
    Speech,
    /// An address that the device fetches. That verifies the number.
    Address,
    /// What several other methods send.
    Several,
}

impl Form {
    /// Whether it is a call.
    #[must_use]
    pub fn is_call(self) -> bool {
        matches!(self, Self::Ring | Self::Speech)
    }
}

/// What proves a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProofKind {
    /// A code.
    Code,
    /// The caller id of a call.
    Cli,
}

impl fmt::Display for ProofKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "a code",
            Self::Cli => "a caller id",
        })
    }
}

impl MethodInfo {
    /// All methods but `auto`, which tries several of them.
    pub fn single() -> impl Iterator<Item = &'static Self> {
        let all = Self::ALL.iter().copied();
        all.filter(|info| info.form != Form::Several)
    }

    /// The method with this name, on the wire or among people.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|info| info.name == name || info.aliases.contains(&name))
    }

    /// The names of the methods that `fit`, as an error lists them: `must be sms, callout or auto`.
    #[must_use]
    pub fn must_be(fit: impl Fn(&Self) -> bool) -> String {
        let names: Vec<_> = Self::ALL
            .iter()
            .filter(|info| fit(info))
            .map(|info| info.name)
            .collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("must be {} or {last}", rest.join(", ")),
            _ => format!("must be {}", names.concat()),
        }
    }

    /// Whether an answer to a start can be used without the method's object: a typed code needs none.
    pub(crate) fn works_without_details(&self) -> bool {
        self.proof == Some(ProofKind::Code)
    }
}

impl Method {
    /// Whether the person who is called may confirm by pressing a key, so that the verification
    /// succeeds though nothing was reported. True of a callout alone.
    #[must_use]
    pub fn takes_a_key(&self) -> bool {
        self.form() == Some(Form::Speech)
    }

    /// What reaches the handset; `None` for an unknown method.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        self.info().map(|info| info.form)
    }

    /// What is reported; `None` where nothing is, and for an unknown method.
    #[must_use]
    pub fn proof(&self) -> Option<ProofKind> {
        self.info().and_then(|info| info.proof)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A method known at compile time, or [`AnyMethod`].
pub trait MethodMarker: sealed::Sealed + Copy + Default + Send + Sync + 'static {
    /// The method, if it is known at compile time.
    const KNOWN: Option<Method>;
    /// What the start answer tells about this method.
    type Details: Clone + fmt::Debug + PartialEq + Eq + Send + Sync;

    /// What `answer` to a start by `method` tells; `None` where it lacks what cannot be done without.
    #[doc(hidden)]
    fn details(method: &Method, answer: &StartResponse) -> Option<Self::Details>;
}

/// A method known at compile time.
pub trait VerifyMethod: MethodMarker {
    /// The method's value on the wire.
    const METHOD: Method;
}

/// A method whose verification ends by reporting a proof.
pub trait Reportable: VerifyMethod + PartOf<ReportRequest> {
    /// What proves the number: a code, or the caller id of the flash call.
    type Proof: Into<Proof>;
}

/// A method with an object of its own in `Body`, such as its options in a start.
pub trait PartOf<Body>: sealed::Sealed {
    /// The object.
    type Object;
    /// Its JSON key.
    const KEY: &'static str;

    /// The object, if it is there.
    #[doc(hidden)]
    fn get(body: &Body) -> Option<&Self::Object>;
    /// Where the object stands.
    #[doc(hidden)]
    fn slot(body: &mut Body) -> &mut Option<Self::Object>;
}

/// A method that is known at run time only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnyMethod;

impl sealed::Sealed for AnyMethod {}

impl MethodMarker for AnyMethod {
    const KNOWN: Option<Method> = None;
    type Details = ();

    fn details(method: &Method, answer: &StartResponse) -> Option<()> {
        let has_details = || answer.parts().any(|(part, _)| part == *method);
        (method.info()?.works_without_details() || has_details()).then_some(())
    }
}

/// Declares the methods. What is left out of a row does not apply to its method.
///
/// A method's objects in the bodies are declared with these, by `of` (see
/// `wire::object`): options in [`StartRequest`](crate::start::StartRequest),
/// details in [`StartResponse`], the report in [`ReportRequest`], and what a
/// decision sets in [`DecisionBody`](crate::callback::DecisionBody).
macro_rules! methods {
    ($(
        #[doc = $summary:literal]
        $name:ident = $wire:literal {
            title: $title:literal,
            aliases: [$($alias:literal),*],
            start: $start:ident,
            form: $form:ident,
            $(reports: $proof:ident as $field:literal,)?
            $(decision: $decision:ident $(sets $sets:ident)?,)?
        }
    )*) => {
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
                $( #[doc = $summary] $name = $wire, )*
            }
        }

        impl MethodInfo {
            /// All methods.
            pub const ALL: &'static [&'static Self] = &[$( &$name::INFO ),*];
        }

        impl Method {
            /// What is known of the method; `None` for an unknown one.
            #[must_use]
            pub fn info(&self) -> Option<&'static MethodInfo> {
                match self {
                    $( Self::$name => Some(&$name::INFO), )*
                    Self::Unknown(_) => None,
                }
            }
        }

        $(
            #[doc = $summary]
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name;

            impl $name {
                /// What is known of this method.
                pub const INFO: MethodInfo = MethodInfo {
                    method: Method::$name,
                    name: $wire,
                    title: $title,
                    summary: $summary.trim_ascii(),
                    aliases: &[$($alias),*],
                    form: Form::$form,
                    rust: (stringify!($name), stringify!($start)),
                    proof: methods!(@some $(ProofKind::$proof)?),
                    report_field: methods!(@some $((<Self as PartOf<ReportRequest>>::KEY, $field))?),
                    decided: methods!(@some $($(ProofKind::$sets)?)?),
                };
            }

            impl sealed::Sealed for $name {}

            impl MethodMarker for $name {
                const KNOWN: Option<Method> = Some(Method::$name);
                type Details = <Self as PartOf<StartResponse>>::Object;

                fn details(_: &Method, answer: &StartResponse) -> Option<Self::Details> {
                    let found = Self::get(answer).cloned();
                    methods!(@details found $($proof)?)
                }
            }

            impl VerifyMethod for $name {
                const METHOD: Method = Method::$name;
            }

            impl Start<$name> {
                #[doc = concat!("Starts a verification by this method:", $summary)]
                #[must_use]
                $(#[doc(alias = $alias)])*
                pub fn $start(number: PhoneNumber) -> Self {
                    Self::new(number)
                }
            }

            $(
                impl Reportable for $name {
                    type Proof = $proof;
                }

                impl Report<$name> {
                    #[doc = concat!("Reports to a verification by this method, named by its id, or to the number's pending one:", $summary)]
                    #[must_use]
                    pub fn $start(to: impl Into<Target>, proof: $proof) -> Self {
                        Self::to(to, proof)
                    }
                }
            )?
        )*

        sub_verifications!($($name)*);
        reports!($($($name $proof;)?)*);
        decisions!($($($name $decision $($sets)?;)?)*);
    };

    (@some) => { None };
    (@some $value:expr) => { Some($value) };
    // As `MethodInfo::works_without_details` says.
    (@details $found:ident Code) => { Some($found.unwrap_or_default()) };
    (@details $found:ident $($other:ident)?) => { $found };
}

methods! {
    /// A text message with a code.
    Sms = "sms" {
        title: "SMS",
        aliases: [],
        start: sms,
        form: Text,
        reports: Code as "code",
        decision: AllowSms sets Code,
    }
    /// A call that is not answered; the caller id is the code.
    FlashCall = "flashcall" {
        title: "Flash call",
        aliases: ["flash-call"],
        start: flash_call,
        form: Ring,
        reports: Cli as "cli",
        decision: AllowFlashCall sets Cli,
    }
    /// A phone call that speaks a code, or asks for a key.
    Callout = "callout" {
        title: "Callout",
        aliases: ["phone-call", "phonecall"],
        start: callout,
        form: Speech,
        reports: Code as "code",
        decision: AllowCallout sets Code,
    }
    /// Data verification: the device fetches an address over its mobile network.
    Seamless = "seamless" {
        title: "Data (seamless)",
        aliases: ["data"],
        start: seamless,
        form: Address,
    }
    /// A WhatsApp message with a code.
    WhatsApp = "whatsapp" {
        title: "WhatsApp",
        aliases: ["whats-app"],
        start: whatsapp,
        form: Text,
        reports: Code as "code",
        decision: AllowWhatsApp,
    }
    /// Mobile SDKs only: the service chooses the order of methods.
    Auto = "auto" {
        title: "Auto: several at once",
        aliases: [],
        start: auto,
        form: Several,
    }
}
