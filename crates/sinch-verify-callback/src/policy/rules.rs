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

macro_rules! adders {
    ($( $(#[$doc:meta])* $field:ident: $rule:ident, )*) => {
        impl PolicyRules {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $field(mut self, rule: $rule) -> Self {
                    self.$field.push(rule);
                    self
                }
            )*
        }
    };
}

adders! {
    /// With another velocity limit.
    velocity: Velocity,
    /// With another cooldown.
    cooldown: Cooldown,
    /// With another lockout.
    lockout: Lockout,
    /// With another budget. Needs [`PolicyRules::prices`].
    budget: Budget,
    /// With another floor of conversion.
    conversion: Conversion,
}

/// Declares a choice: its values, and their names in TOML.
macro_rules! choice {
    ($(#[$doc:meta])* pub enum $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $text:literal, )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
        pub enum $name {
            $( $(#[$variant_doc])* #[serde(rename = $text)] $variant, )*
        }

        impl $name {
            /// Its name in TOML.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                }
            }
        }
    };
}

choice! {
    /// Whether a rule decides.
    pub enum Mode {
        /// It denies.
        Enforce = "enforce",
        /// It counts and logs what it would deny, as if it was the only rule. It changes no decision.
        Observe = "observe",
    }
}

choice! {
    /// What a rule does where it cannot read what it counts: no caller key, no phone number, a number of no
    /// country, no usable price.
    pub enum Unreadable {
        /// It does not apply to the start, and that is counted.
        Skip = "skip",
        /// It denies the start.
        Deny = "deny",
    }
}

choice! {
    /// What a rule counts separately.
    pub enum Per {
        /// Each phone number.
        Number = "number",
        /// Each range of numbers: a number without its last [`PolicyRules::range_digits`] digits.
        Range = "range",
        /// Each country, by the prefix of the number.
        Country = "country",
        /// Each application that starts are made for.
        Application = "application",
        /// Each caller key: an address, a device or an account that your backend writes into `custom` or
        /// `reference` ([`Caller`]).
        Caller = "caller",
        /// Nothing: all starts together.
        All = "all",
    }
}

choice! {
    /// The span of time that a budget is for, in UTC.
    pub enum Period {
        /// From one full hour to the next.
        Hour = "hour",
        /// From midnight to midnight.
        Day = "day",
        /// A calendar month.
        Month = "month",
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

choice! {
    /// What happens to a destination.
    pub enum Access {
        /// They are allowed.
        Allow = "allow",
        /// They are denied.
        Deny = "deny",
    }
}

choice! {
    /// Numbers that the plan of their country knows.
    pub enum DeniedNumbers {
        /// Premium-rate numbers.
        PremiumRate = "premium-rate",
        /// Numbers in no range that the plan gives out.
        Unallocated = "unallocated",
    }
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

choice! {
    /// Who writes `custom` and `reference`.
    pub enum WrittenBy {
        /// Your backend: every start is signed, or has Basic authorization, and the application takes no public one.
        Backend = "backend",
        /// The device, with public authorization: it can write what it likes, so it can change its key with each
        /// start, or use that of another. Rules per caller do not apply, and that is counted.
        Device = "device",
        /// The device, and rules per caller apply all the same.
        DeviceTrusted = "device-trusted",
    }
}

choice! {
    /// A field of the start that every event repeats.
    pub enum CallerField {
        /// `custom`.
        Custom = "custom",
        /// `reference`.
        Reference = "reference",
    }
}
