//! The ways to post a delivery again.

/// How a delivery is posted again. All except `Same`, `Duplicate` and `Reordered` make a callback that
/// a receiver must refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replay {
    /// Authorized anew, as when the service tries again.
    Same,
    /// Twice, byte for byte. The receiver must refuse the second one, because it could be a replay by an
    /// attacker. With basic authorization it must accept both: a retry is the same, byte for byte.
    Duplicate,
    /// All events of the same verification, the latest first.
    Reordered,
    /// With a timestamp of an hour ago.
    Stale,
    /// With a timestamp of an hour from now.
    Future,
    /// Authorized with the right key and a wrong secret.
    Forged,
    /// With half of the body.
    Truncated,
    /// Without `x-timestamp`.
    MissingTimestamp,
    /// Without `Authorization`.
    MissingAuthorization,
    /// With a change of the [tamper kit](crate::TamperKit), by its name.
    Tampered(String),
}

impl Replay {
    /// The replays that need no kit.
    pub(crate) const BUILT_IN: [Self; 9] = [
        Self::Same,
        Self::Duplicate,
        Self::Reordered,
        Self::Stale,
        Self::Future,
        Self::Forged,
        Self::Truncated,
        Self::MissingTimestamp,
        Self::MissingAuthorization,
    ];

    /// The replay with this name. Other names than those of the built-in replays are names of the kit.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let own = Self::BUILT_IN.into_iter().find(|own| own.name() == name);
        own.unwrap_or_else(|| Self::Tampered(name.to_owned()))
    }

    /// The name of the replay, such as `duplicate`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Same => "same",
            Self::Duplicate => "duplicate",
            Self::Reordered => "reordered",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::Forged => "forged",
            Self::Truncated => "truncated",
            Self::MissingTimestamp => "missing-timestamp",
            Self::MissingAuthorization => "missing-authorization",
            Self::Tampered(name) => name,
        }
    }
}
