//! The ways to verify a number: what each of them is, as values and as types.
//!
//! The table in this file describes every method once.
//! [`Method`] is the value on the wire, [`MethodInfo`] what is known of it.
//! The marker types ([`Sms`], [`FlashCall`], ...) name a method at compile time,
//! so that an SMS code cannot be reported to a flash call; [`AnyMethod`] stands
//! for a method that is known at run time only.

use std::fmt;

use crate::open_enum::open_enum;

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
    /// The marker type's name, and that of the functions of [`Start`](crate::Start) and [`Report`](crate::Report) for it.
    pub rust: (&'static str, &'static str),
    /// What is reported; `None` where nothing is.
    pub proof: Option<ProofKind>,
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

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A method that is known at run time only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnyMethod;

impl sealed::Sealed for AnyMethod {}

/// The table of methods, for a macro that takes its rows: this module, `start`, `report` and
/// `callback` each derive their part from them.
///
/// A method's objects in the bodies are declared with these, by `of` (see
/// `wire::object`): options in [`StartRequest`](crate::start::StartRequest),
/// details in [`StartResponse`](crate::start::StartResponse), the report in
/// [`ReportRequest`](crate::report::ReportRequest), and what a decision sets in
/// [`DecisionBody`](crate::callback::DecisionBody).
macro_rules! methods {
    ($declare:ident) => {
        $declare! {
            /// A text message with a code.
            Sms = "sms" {
                start: sms,
                aliases: [],
                reports: [Code],
                decision: [AllowSms sets Code],
                title: "SMS",
                form: Text,
            }
            /// A call that is not answered; the caller id is the code.
            FlashCall = "flashcall" {
                start: flash_call,
                aliases: ["flash-call"],
                reports: [Cli],
                decision: [AllowFlashCall sets Cli],
                title: "Flash call",
                form: Ring,
            }
            /// A phone call that speaks a code, or asks for a key.
            Callout = "callout" {
                start: callout,
                aliases: ["phone-call", "phonecall"],
                reports: [Code],
                decision: [AllowCallout sets Code],
                title: "Callout",
                form: Speech,
            }
            /// Data verification: the device fetches an address over its mobile network.
            Seamless = "seamless" {
                start: seamless,
                aliases: ["data"],
                reports: [],
                decision: [],
                title: "Data (seamless)",
                form: Address,
            }
            /// A WhatsApp message with a code.
            WhatsApp = "whatsapp" {
                start: whatsapp,
                aliases: ["whats-app"],
                reports: [Code],
                decision: [AllowWhatsApp],
                title: "WhatsApp",
                form: Text,
            }
            /// Mobile SDKs only: the service chooses the order of methods.
            Auto = "auto" {
                start: auto,
                aliases: [],
                reports: [],
                decision: [],
                title: "Auto: several at once",
                form: Several,
            }
        }
    };
}

pub(crate) use methods;

/// Declares the values, the marker types and what is known of each.
macro_rules! values {
    ($(
        #[doc = $summary:literal]
        $name:ident = $wire:literal {
            start: $start:ident,
            aliases: [$($alias:literal),*],
            reports: [$($proof:ident)?],
            decision: [$($decision:ident $(sets $sets:ident)?)?],
            title: $title:literal,
            form: $form:ident,
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
                    proof: values!(@some $($proof)?),
                    decided: values!(@some $($($sets)?)?),
                };
            }

            impl sealed::Sealed for $name {}
        )*
    };

    (@some) => { None };
    (@some $proof:ident) => { Some(ProofKind::$proof) };
}

methods!(values);
