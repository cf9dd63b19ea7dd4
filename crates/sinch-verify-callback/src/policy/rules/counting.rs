//! The rules that count.

use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::{Method, duration};

use super::{Mode, Per, Period, Unreadable};

/// The fields that all counting rules have.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Common<'a> {
    pub(in crate::policy) name: Option<&'a str>,
    pub(in crate::policy) mode: Option<Mode>,
    pub(in crate::policy) countries: &'a [Country],
    pub(in crate::policy) methods: &'a [Method],
    pub(in crate::policy) unreadable: Unreadable,
    pub(in crate::policy) per: Per,
}

macro_rules! rule {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( $(#[$field_doc:meta])* pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        #[non_exhaustive]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: $type, )*
            /// Its name in verdicts, logs and metrics. The default is made from what it limits. What was
            /// counted stays with the name when a limit changes.
            #[serde(default)]
            pub name: Option<String>,
            /// Its mode, where it is not [`PolicyRules::mode`](super::PolicyRules::mode).
            #[serde(default)]
            pub mode: Option<Mode>,
            /// Applies to numbers of these countries only. Empty for all.
            #[serde(default)]
            pub countries: Vec<Country>,
            /// Applies to these methods only. Empty for all.
            #[serde(default)]
            pub methods: Vec<Method>,
            /// What it does where it cannot read what it counts: by default it is skipped.
            #[serde(default = "skip")]
            pub unreadable: Unreadable,
        }

        impl $name {
            fn bare($($field: $type),*) -> Self {
                Self {
                    $($field,)*
                    name: None,
                    mode: None,
                    countries: Vec::new(),
                    methods: Vec::new(),
                    unreadable: skip(),
                }
            }

            /// With this name.
            #[must_use]
            pub fn named(mut self, name: &str) -> Self {
                self.name = Some(name.to_owned());
                self
            }

            /// In [`Mode::Observe`].
            #[must_use]
            pub fn observe(mut self) -> Self {
                self.mode = Some(Mode::Observe);
                self
            }

            /// For numbers of these countries only.
            #[must_use]
            pub fn in_countries(mut self, countries: impl IntoIterator<Item = Country>) -> Self {
                self.countries.extend(countries);
                self
            }

            /// For these methods only.
            #[must_use]
            pub fn for_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
                self.methods.extend(methods);
                self
            }

            pub(in crate::policy) fn common(&self) -> Common<'_> {
                Common {
                    name: self.name.as_deref(),
                    mode: self.mode,
                    countries: &self.countries,
                    methods: &self.methods,
                    unreadable: self.unreadable,
                    per: self.per,
                }
            }
        }
    };
}

rule! {
    /// At most so many starts in a time.
    ///
    /// Without a [`burst`](Self::burst) there are at most `limit` starts in any span of `window`, exactly; `limit`
    /// is at most 64. With a burst, up to `burst` starts may come at once, and `limit` in each `window` on
    /// average: at most `burst + limit * span / window` in any span, so `burst + limit` in any window.
    pub struct Velocity {
        /// What has a limit of its own.
        pub per: Per,
        /// How many starts. At least 1.
        pub limit: u32,
        /// In which time: from a second to 31 days.
        #[serde(with = "duration")]
        pub window: Duration,
        /// How many starts may come at once. Needed for a limit above 64. So many must be refilled in 31 days.
        #[serde(default)]
        pub burst: Option<u32>,
    }
}

impl Velocity {
    /// The largest limit without a burst.
    pub const LARGEST_LOG: u32 = 64;

    /// At most `limit` starts in any span of `window`.
    #[must_use]
    pub fn new(per: Per, limit: u32, window: Duration) -> Self {
        Self::bare(per, limit, window, None)
    }

    /// Up to `burst` starts at once, and `limit` in each window on average.
    #[must_use]
    pub fn burst(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }
}

rule! {
    /// The least time between two starts, growing with each.
    pub struct Cooldown {
        /// What cools down: by default a number.
        #[serde(default = "per_number")]
        pub per: Per,
        /// The time after the first start, after the second, and so on. The last one stands for all later ones.
        #[serde(deserialize_with = "one_or_several")]
        pub pauses: Vec<Duration>,
        /// The time after the last start when counting begins anew: an hour by default.
        #[serde(default = "an_hour", with = "duration")]
        pub forget_after: Duration,
    }
}

impl Cooldown {
    /// These pauses between the starts for a number.
    #[must_use]
    pub fn new(pauses: impl IntoIterator<Item = Duration>) -> Self {
        Self::bare(Per::Number, pauses.into_iter().collect(), an_hour())
    }
}

rule! {
    /// Blocks after so many verifications that did not succeed: all that end but with `SUCCESSFUL` or `DENIED`.
    ///
    /// Two wrong codes and a new start end as `ABORTED`, so that counts too; and so does an honest user's
    /// second message.
    pub struct Lockout {
        /// What is blocked: by default a number.
        #[serde(default = "per_number")]
        pub per: Per,
        /// How many must fail: from 1 to 64.
        pub failures: u32,
        /// In which time.
        #[serde(with = "duration")]
        pub window: Duration,
        /// For how long it is then blocked. Several are for the first time, the second, and so on; another
        /// block counts as the next when it begins within `window` after the last one ended.
        #[serde(deserialize_with = "one_or_several")]
        pub block: Vec<Duration>,
    }
}

impl Lockout {
    /// Blocks for `block` after `failures` in `window`.
    #[must_use]
    pub fn new(per: Per, failures: u32, window: Duration, block: Duration) -> Self {
        Self::bare(per, failures, window, vec![block])
    }
}

rule! {
    /// At most so much money in a period of UTC.
    ///
    /// The price of a start is reserved before it is allowed. `DENIED` gives it back, any other end keeps it, and
    /// without a result it stays reserved until the period ends.
    pub struct Budget {
        /// What has a budget of its own: by default all starts together.
        #[serde(default = "per_all")]
        pub per: Per,
        /// For how long the money must do.
        pub period: Period,
        /// How much, in the currency of [`Prices`](super::Prices).
        pub amount: Decimal,
    }
}

impl Budget {
    /// `amount` for all starts of a period.
    #[must_use]
    pub fn new(period: Period, amount: Decimal) -> Self {
        Self::bare(Per::All, period, amount)
    }

    /// With an amount for each of these.
    #[must_use]
    pub fn per(mut self, per: Per) -> Self {
        self.per = per;
        self
    }
}

rule! {
    /// Blocks a destination where too few verifications succeed: that tells bots, which never do, from a launch.
    ///
    /// Verifications count when they end. After a block, `samples` starts are let through in each time of the
    /// block, until as many have ended; then it is open again, or blocked for longer.
    pub struct Conversion {
        /// What is blocked: by default a range.
        #[serde(default = "per_range")]
        pub per: Per,
        /// Whether each method is counted and blocked by itself.
        #[serde(default)]
        pub by_method: bool,
        /// The share of successes, in percent, below which it is blocked: from 1 to 100.
        pub floor_percent: u8,
        /// The number of verifications that are looked at, the last that ended: from `samples` to 50, by
        /// default 50.
        #[serde(default = "fifty")]
        pub last: u8,
        /// How many must have ended before it is judged: by default 20.
        #[serde(default = "twenty")]
        pub samples: u8,
        /// For how long it is blocked. Several are for the first time, the second, and so on.
        #[serde(deserialize_with = "one_or_several")]
        pub block: Vec<Duration>,
        /// The time without a start or an end when counting begins anew: a day by default.
        #[serde(default = "a_day", with = "duration")]
        pub forget_after: Duration,
    }
}

impl Conversion {
    /// The most verifications that can be looked at.
    pub const LARGEST_LAST: u8 = 50;

    /// Blocks for `block` below `floor_percent`.
    #[must_use]
    pub fn new(per: Per, floor_percent: u8, block: Duration) -> Self {
        Self::bare(per, false, floor_percent, fifty(), twenty(), vec![block], a_day())
    }
}

fn an_hour() -> Duration {
    Duration::from_secs(3600)
}

fn a_day() -> Duration {
    Duration::from_secs(24 * 3600)
}

fn fifty() -> u8 {
    50
}

fn twenty() -> u8 {
    20
}

fn skip() -> Unreadable {
    Unreadable::Skip
}

fn per_number() -> Per {
    Per::Number
}

fn per_all() -> Per {
    Per::All
}

fn per_range() -> Per {
    Per::Range
}

/// A duration, or a list of them.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
    struct OneOrSeveral;

    impl<'de> serde::de::Visitor<'de> for OneOrSeveral {
        type Value = Vec<Duration>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a duration such as \"30m\", or a list of them")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let duration = duration::parse(text).map_err(E::custom)?;
            Ok(vec![duration])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            #[derive(Deserialize)]
            struct One(#[serde(with = "duration")] Duration);

            let mut durations = Vec::new();
            while let Some(One(duration)) = list.next_element()? {
                durations.push(duration);
            }
            Ok(durations)
        }
    }

    deserializer.deserialize_any(OneOrSeveral)
}
