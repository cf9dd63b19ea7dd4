//! The job `api` and `cargo xtask api`: the public API of each library, as text in `docs/api`.
use crate::outcome::Outcome;
use anyhow::Result;
pub(crate) fn run() -> Result<Outcome> {
    Ok(Outcome::NotRun)
}
pub(crate) fn write() -> Result<()> {
    Ok(())
}
