//! A fraud policy, read from a file.

use std::path::Path;

use sinch_verify_callback::policy::{FraudPolicy, InvalidPolicy, PolicyRules};
use sinch_verify_protocol::NumberPlans;

use crate::exit::usage;

/// Reads the rules in `file`, in TOML, and makes a policy of them that counts in memory.
pub(crate) fn read(file: &Path) -> anyhow::Result<(PolicyRules, FraudPolicy)> {
    let named = |error: &dyn std::fmt::Display| usage(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file)
        .map_err(|error| usage(format!("failed to read {}: {error}", file.display())))?;
    let rules: PolicyRules = text.parse().map_err(|error: InvalidPolicy| named(&error))?;
    let builder = FraudPolicy::builder(rules.clone()).number_plans(NumberPlans::new());
    let policy = builder.build().map_err(|error| named(&error))?;
    Ok((rules, policy))
}
