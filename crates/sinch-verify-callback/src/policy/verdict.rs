use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::rules::Mode;

/// What a policy says about a start. For your log and your metrics: the service only gets the decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyVerdict {
    /// The rule that denies the start; `None` if it may go ahead.
    pub denial: Option<Denial>,
    /// What rules in [`Mode::Observe`] would have denied. Empty for an event that came before.
    pub observed: Vec<Denial>,
    /// The rules that could not read what they count. Empty for an event that came before.
    pub skipped: Vec<Skipped>,
    /// Why the rules have this say, where it is not by counting alone.
    pub basis: Basis,
}

/// How a [`PolicyVerdict`] came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Basis {
    /// The rules were checked, and what goes ahead is counted.
    #[default]
    Rules,
    /// The event came before, and gets the same verdict. It is counted once.
    Repeated,
    /// The number is an exception: no rule was checked, and nothing is counted.
    Exception,
    /// The function given to [`PolicyBuilder::overrule`](super::PolicyBuilder::overrule) decided otherwise than
    /// the rules. What it lets through is not counted.
    Overruled,
}

impl PolicyVerdict {
    /// Whether the start may go ahead.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.denial.is_none()
    }
}

/// What a rule denies, or would deny.
///
/// `Display` shows no number: `velocity-number-1h: +4670***01 has 5 in 1h`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Its mode.
    pub mode: Mode,
    /// What the rule counted, masked where it is a number or a caller key.
    pub key: String,
    /// What the rule allows, such as `5 in 1h`.
    pub limit: String,
    /// When it may be tried again, by this rule; `None` where that does not depend on the time.
    pub retry_at: Option<SystemTime>,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.rule, self.key, self.limit)
    }
}

/// A rule that did not apply, because it could not read what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The rule's name.
    pub rule: Arc<str>,
    /// What it could not read.
    pub reason: SkipReason,
}

/// What a rule could not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// The identity is no phone number.
    NoNumber,
    /// The number's prefix belongs to no country.
    NoCountry,
    /// There is no caller key where it should be.
    NoCallerKey,
    /// The caller key is written by the device, which is not trusted.
    DeviceKey,
    /// The event has no price, and none is configured.
    NoPrice,
    /// The price is in another currency, or in none, and none is configured.
    OtherCurrency,
    /// The price is negative or too large, and none is configured.
    BadPrice,
}

impl SkipReason {
    /// For metrics: one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoNumber => "no_number",
            Self::NoCountry => "no_country",
            Self::NoCallerKey => "no_caller_key",
            Self::DeviceKey => "device_key",
            Self::NoPrice => "no_price",
            Self::OtherCurrency => "other_currency",
            Self::BadPrice => "bad_price",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace('_', " "))
    }
}

/// What the function given to [`PolicyBuilder::overrule`](super::PolicyBuilder::overrule) says to a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overrule {
    /// The verdict stands.
    Keep,
    /// The start goes ahead.
    Allow,
    /// The start is denied, and what it took is given back.
    Deny,
}
