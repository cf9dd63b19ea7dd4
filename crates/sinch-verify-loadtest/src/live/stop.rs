use std::fmt;

/// Why the rails ended a run before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// As many verifications were started as `--max-verifications` allows.
    Verifications,
    /// Every number was verified as often as `--per-number` allows.
    Numbers,
    /// What is left of `--max-cost` does not cover one more verification.
    Budget,
    /// What a verification cost cannot be told.
    UnknownPrice,
    /// A verification cost more than `--worst-price`.
    PriceAboveWorst,
    /// The account has not enough credit.
    NoCredit,
    /// The service refused several requests in short order.
    Refusals {
        /// With this status: 401, 402 or 429.
        status: u16,
    },
    /// Too many of the last flows failed.
    Failures {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
    },
    /// A start named a number that is not on the allow-list. A mistake in the load tester itself.
    ForeignNumber,
    /// Ctrl-C, or a signal that asks to end.
    Interrupted,
}

impl Stop {
    /// Whether the run did what it was to do: a limit that ends a run is not a failure of it.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        matches!(self, Self::Verifications | Self::Numbers)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verifications => f.write_str("--max-verifications is reached"),
            Self::Numbers => f.write_str("every number was used as often as --per-number allows"),
            Self::Budget => f.write_str("what is left of --max-cost does not cover one more verification"),
            Self::UnknownPrice => f.write_str("the price of a verification is not known"),
            Self::PriceAboveWorst => f.write_str("a verification cost more than --worst-price"),
            Self::NoCredit => f.write_str("the account has not enough credit"),
            Self::Refusals { status } => write!(f, "the service keeps answering {status}"),
            Self::Failures { failed, of } => write!(f, "{failed} of the last {of} flows failed"),
            Self::ForeignNumber => f.write_str("a start named a number that is not on the allow-list"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
