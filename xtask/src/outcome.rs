//! How a job of CI ends.

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Failed,
    /// Not a failure: what it needs is not installed or not within reach, and it has said so.
    NotRun,
}
