//! The rules as they are written: in Rust, or as TOML. `plan` checks them.

mod counting;

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::phone_number::PhoneNumber;
use sinch_verify_protocol::{Method, duration};

use crate::guard::InDoubt;

pub(super) use self::counting::Common;
pub use self::counting::{Budget, Conversion, Cooldown, Lockout, Velocity};

/// What a [`FraudPolicy`](super::FraudPolicy) allows and limits.
///
/// The same in Rust and in TOML, where the fields have these names with `-` for `_`:
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_callback::policy::{Cooldown, Per, PolicyRules, Velocity};
///
/// let hour = Duration::from_secs(3600);
/// let in_rust = PolicyRules::new()
///     .velocity(Velocity::new(Per::Number, 5, hour))
///     .cooldown(Cooldown::new([Duration::from_secs(30), Duration::from_secs(60)]).observe());
///
/// let in_toml: PolicyRules = r#"
///     [[velocity]]
///     per = "number"
///     limit = 5
///     window = "1h"
///
///     [[cooldown]]
///     pauses = ["30s", "60s"]
///     mode = "observe"
/// "#.parse()?;
/// assert_eq!(in_rust, in_toml);
/// # Ok::<(), sinch_verify_callback::policy::InvalidPolicy>(())
/// ```
///
/// A policy without rules allows everything. Rules are checked in the order of these fields, and in a list
/// from the first to the last.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct PolicyRules {
    /// The mode of all rules that name none.
    pub mode: Mode,
    /// What happens to a start or a result while the store is away, or has no room for another key.
    pub in_doubt: InDoubt,
    /// How many digits at the end of a number are left out of its range: from 1 to 8, by default 4, so that
    /// 10 000 numbers are a range.
    pub range_digits: u8,
    /// How long after a start its result still counts: an hour by default. Longer than codes are valid.
    #[serde(with = "duration")]
    pub result_within: Duration,
    /// Numbers that no rule applies to.
    pub exceptions: Exceptions,
    /// Which destinations are allowed.
    pub destinations: Option<Destinations>,
    /// How many starts there may be in a time.
    pub velocity: Vec<Velocity>,
    /// The time between two starts.
    pub cooldown: Vec<Cooldown>,
    /// Blocks after verifications that did not succeed.
    pub lockout: Vec<Lockout>,
    /// How much money may be spent.
    pub budget: Vec<Budget>,
    /// Blocks destinations where too few verifications succeed.
    pub conversion: Vec<Conversion>,
    /// What verifications cost where the request event does not say it, and the currency of all amounts.
    pub prices: Option<Prices>,
    /// Where the caller key is. Needed for rules per [`Per::Caller`].
    pub caller: Option<Caller>,
}

impl Default for PolicyRules {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            in_doubt: InDoubt::Refuse,
            range_digits: 4,
            result_within: Duration::from_secs(3600),
            exceptions: Exceptions::default(),
            destinations: None,
            velocity: Vec::new(),
            cooldown: Vec::new(),
            lockout: Vec::new(),
            budget: Vec::new(),
            conversion: Vec::new(),
            prices: None,
            caller: None,
        }
    }
}

impl PolicyRules {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With these destinations.
    #[must_use]
    pub fn destinations(mut self, destinations: Destinations) -> Self {
        self.destinations = Some(destinations);
        self
    }

    /// With another velocity limit.
    #[must_use]
    pub fn velocity(mut self, rule: Velocity) -> Self {
        self.velocity.push(rule);
        self
    }

    /// With another cooldown.
    #[must_use]
    pub fn cooldown(mut self, rule: Cooldown) -> Self {
        self.cooldown.push(rule);
        self
    }

    /// With another lockout.
    #[must_use]
    pub fn lockout(mut self, rule: Lockout) -> Self {
        self.lockout.push(rule);
        self
    }

    /// With another budget. Needs [`PolicyRules::prices`].
    #[must_use]
    pub fn budget(mut self, rule: Budget) -> Self {
        self.budget.push(rule);
        self
    }

    /// With another floor of conversion.
    #[must_use]
    pub fn conversion(mut self, rule: Conversion) -> Self {
        self.conversion.push(rule);
        self
    }

    /// With this currency and these prices.
    #[must_use]
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = Some(prices);
        self
    }

    /// With the caller key that stands here. [`PolicyBuilder::caller_key`](super::PolicyBuilder::caller_key)
    /// reads it by a function.
    #[must_use]
    pub fn caller(mut self, caller: Caller) -> Self {
        self.caller = Some(caller);
        self
    }

    /// Never applies a rule to these numbers.
    #[must_use]
    pub fn except(mut self, numbers: impl IntoIterator<Item = PhoneNumber>) -> Self {
        self.exceptions.numbers.extend(numbers);
        self
    }
}

/// Whether a rule decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It denies.
    #[default]
    Enforce,
    /// It counts and logs what it would deny, as if it was the only rule. It changes no decision.
    Observe,
}

impl Mode {
    /// Its name in TOML and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
        }
    }
}

/// What a rule does where it cannot read what it counts: no caller key, no phone number, a number of no
/// country, no usable price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unreadable {
    /// It does not apply to the start, and that is counted.
    #[default]
    Skip,
    /// It denies the start.
    Deny,
}

/// What a rule counts separately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Each phone number.
    #[default]
    Number,
    /// Each range of numbers: a number without its last [`PolicyRules::range_digits`] digits.
    Range,
    /// Each country, by the prefix of the number.
    Country,
    /// Each application that starts are made for.
    Application,
    /// Each caller key: an address, a device or an account that your backend writes into `custom` or
    /// `reference` ([`Caller`]).
    Caller,
    /// Nothing: all starts together.
    All,
}

impl Per {
    /// Its name in TOML.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Range => "range",
            Self::Country => "country",
            Self::Application => "application",
            Self::Caller => "caller",
            Self::All => "all",
        }
    }
}

/// Which destinations are allowed. The most particular line decides: the longest prefix that a number begins
/// with, else its country, else [`otherwise`](Self::otherwise).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Destinations {
    /// The mode, where it is not [`PolicyRules::mode`].
    pub mode: Option<Mode>,
    /// Countries that are allowed.
    pub allow_countries: Vec<Country>,
    /// Countries that are denied.
    pub deny_countries: Vec<Country>,
    /// Prefixes that are allowed, whatever their country: `+` and digits.
    pub allow_prefixes: Vec<String>,
    /// Prefixes that are denied.
    pub deny_prefixes: Vec<String>,
    /// Numbers that are in no list. By default they are denied if `allow_countries` has a country.
    pub otherwise: Option<Access>,
    /// The methods that are allowed for a country; all where it is not listed.
    pub methods: BTreeMap<Country, Vec<Method>>,
    /// Numbers that are denied by what their numbering plan says. Needs
    /// [`PolicyBuilder::number_plans`](super::PolicyBuilder::number_plans), and takes some microseconds for a start.
    pub deny_numbers: Vec<DeniedNumbers>,
}

/// What happens to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// They are allowed.
    Allow,
    /// They are denied.
    Deny,
}

/// Numbers that the plan of their country knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeniedNumbers {
    /// Premium-rate numbers.
    PremiumRate,
    /// Numbers in no range that the plan gives out.
    Unallocated,
}

/// Numbers that no rule applies to and that are counted nowhere: test numbers, support staff.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Exceptions {
    /// Whole numbers.
    pub numbers: Vec<PhoneNumber>,
    /// Prefixes: `+` and digits.
    pub prefixes: Vec<String>,
}

/// What verifications cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Prices {
    /// The currency of all amounts of the policy: ISO 4217. A price in another one is not used, and counted.
    pub currency: String,
    /// The price where the request event has none that can be used, and `countries` has none.
    #[serde(default)]
    pub default: Option<Decimal>,
    /// The price for a country, where the request event has none that can be used.
    #[serde(default)]
    pub countries: BTreeMap<Country, Decimal>,
}

impl Prices {
    /// Prices in `currency`: those of the request events.
    #[must_use]
    pub fn new(currency: &str) -> Self {
        Self {
            currency: currency.to_owned(),
            default: None,
            countries: BTreeMap::new(),
        }
    }
}

/// Where the caller key is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Caller {
    /// Who writes it. The event does not say how the start was authorized, so you do.
    pub written_by: WrittenBy,
    /// The field that holds it.
    pub from: CallerField,
    /// Where in the field, if that is JSON: a JSON pointer, such as `/ip`. The whole text by default.
    #[serde(default)]
    pub json: Option<String>,
}

impl Caller {
    /// The whole text of `field`.
    #[must_use]
    pub fn new(written_by: WrittenBy, from: CallerField) -> Self {
        Self {
            written_by,
            from,
            json: None,
        }
    }
}

/// Who writes `custom` and `reference`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrittenBy {
    /// Your backend: every start is signed, or has Basic authorization, and the application takes no public one.
    Backend,
    /// The device, with public authorization: it can write what it likes, so it can change its key with each
    /// start, or use that of another. Rules per caller do not apply, and that is counted.
    Device,
    /// The device, and rules per caller apply all the same.
    DeviceTrusted,
}

/// A field of the start that every event repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerField {
    /// `custom`.
    Custom,
    /// `reference`.
    Reference,
}
