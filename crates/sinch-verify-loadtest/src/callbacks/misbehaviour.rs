/// How a callback receiver may get a request event wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misbehaviour {
    /// It answers 500.
    ServerError,
    /// It answers 200 with JSON that is cut off.
    BadJson,
    /// It holds a secret that is no longer right, and refuses the event as forged.
    WrongSecret,
    /// It takes its time, but answers well.
    Slow,
    /// It never answers.
    Silence,
}

impl Misbehaviour {
    const ALL: [Self; 5] = [
        Self::ServerError,
        Self::BadJson,
        Self::WrongSecret,
        Self::Slow,
        Self::Silence,
    ];

    /// The one that the flow of a slot meets: one after the other.
    pub(crate) fn of(slot: u64) -> Self {
        let index = slot % Self::ALL.len() as u64;
        Self::ALL
            .into_iter()
            .nth(index as usize)
            .unwrap_or(Self::ServerError)
    }

    /// Whether the verification goes on all the same.
    pub(crate) fn is_survived(self) -> bool {
        self == Self::Slow
    }
}
