//! How a delivery can be posted again.

/// How a delivery is posted again. All but the first three make a callback that a receiver must
/// refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replay {
    /// Signed anew, as the service does when it tries again.
    Same,
    /// Twice, byte for byte: the second must be refused, because somebody may have recorded it.
    Duplicate,
    /// All events of the same verification, the last one first.
    Reordered,
    /// Signed an hour ago.
    Stale,
    /// Signed an hour from now.
    Future,
    /// Signed by someone who knows the key and not the secret.
    Forged,
    /// Half of the body.
    Truncated,
    /// Without `x-timestamp`.
    MissingTimestamp,
    /// Without `Authorization`.
    MissingAuthorization,
    /// In a way of the [kit](crate::TamperKit), by its name.
    Tampered(String),
}

impl Replay {
    /// Those that need no kit.
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

    /// The way of this name; one of the kit, if the emulator has none of this name itself.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let own = Self::BUILT_IN.into_iter().find(|own| own.name() == name);
        own.unwrap_or_else(|| Self::Tampered(name.to_owned()))
    }

    /// Its name.
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
