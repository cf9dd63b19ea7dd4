//! The application that everything is measured with.

use anyhow::Result;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

/// Where callbacks go.
pub(crate) const CALLBACK_PATH: &str = "/sinch/callback";

pub(crate) const KEY: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";

pub(crate) fn key() -> Result<ApplicationKey> {
    Ok(ApplicationKey::new(KEY)?)
}

pub(crate) fn secret() -> Result<ApplicationSecret> {
    Ok(ApplicationSecret::new(SECRET)?)
}

/// The `n`th number of those that `series` has; no two series share one.
pub(crate) fn number(series: u64, n: u64) -> String {
    format!("+4670{series:02}{n:08}")
}
