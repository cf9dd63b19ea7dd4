//! The methods, by the names of the wire and by those that people use.

use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use sinch_verify_protocol::Method;
use sinch_verify_protocol::method::MethodInfo;

/// A method of verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MethodArg(pub(crate) &'static MethodInfo);

/// `auto` is the mobile SDKs' own.
static ALL: LazyLock<Vec<MethodArg>> = LazyLock::new(|| MethodInfo::single().map(MethodArg).collect());

impl ValueEnum for MethodArg {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let Self(info) = self;
        let help = info.summary.trim_end_matches('.');
        Some(PossibleValue::new(info.name).help(help).aliases(info.aliases))
    }
}

impl From<MethodArg> for Method {
    fn from(MethodArg(info): MethodArg) -> Self {
        info.method.clone()
    }
}

/// A method that was given, found out or assumed.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) method: Method,
    /// No option gave it: it may be wrong.
    pub(crate) assumed: bool,
}

impl Chosen {
    /// `given`, or else `otherwise`.
    pub(crate) fn or(given: Option<MethodArg>, otherwise: Method) -> Self {
        Self {
            assumed: given.is_none(),
            method: given.map_or(otherwise, Method::from),
        }
    }

    /// What to do where the method was assumed and may be wrong.
    pub(crate) fn hint(&self) -> Option<String> {
        self.assumed.then(|| {
            format!(
                "the method was taken to be {}; give --method if it is another",
                self.method
            )
        })
    }
}
