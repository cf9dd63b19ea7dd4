use std::fmt;

/// A name that does not exist.
///
/// ```
/// use sinch_verify_loadtest::FailureKind;
///
/// let error = "conect".parse::<FailureKind>().unwrap_err();
/// assert_eq!(error.nearest, "connect");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownName {
    /// What it should name, such as `scenario`.
    pub what: &'static str,
    /// The nearest name that exists.
    pub nearest: &'static str,
    /// All names that exist.
    pub all: Vec<&'static str>,
}

impl UnknownName {
    /// `text` names no `what`; `all` are the names that exist.
    pub(crate) fn new(what: &'static str, text: &str, all: Vec<&'static str>) -> Self {
        let lower = text.to_ascii_lowercase();
        let unlike = |name: &str| 1.0 - strsim::jaro_winkler(&lower, name);
        let nearest = all
            .iter()
            .copied()
            .min_by(|a, b| unlike(a).total_cmp(&unlike(b)))
            .unwrap_or_default();
        Self { what, nearest, all }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no such {}, the nearest is `{}`; there are {}",
            self.what,
            self.nearest,
            self.all.join(", ")
        )
    }
}

impl std::error::Error for UnknownName {}
