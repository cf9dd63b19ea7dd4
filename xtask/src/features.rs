//! The job `features`: every library without its features, and with each of them alone.
//!
//! All other jobs build with all features. There, a dependency that one feature forgets to enable can be
//! enabled by another.

use anyhow::Result;

use cargo_metadata::Package;

use crate::cargo::{cargo, run as run_command};
use crate::metadata::{has_library, is_published, members};

/// Checks the libraries of all published crates.
pub(crate) fn run() -> Result<()> {
    for member in members()?.packages.iter().filter(|member| is_published(member)) {
        for feature in choices(member) {
            let mut command = cargo(["clippy", "--lib", "--no-default-features", "--package"]);
            command.arg(member.name.as_str());
            if let Some(feature) = feature {
                command.args(["--features", feature]);
            }
            command.args(["--", "-D", "warnings"]);
            run_command(
                &mut command,
                "let the feature ask for what it needs, in its line of the manifest",
            )?;
        }
    }
    Ok(())
}

/// No features, then each alone. Empty if there is no library or no feature.
fn choices(member: &Package) -> Vec<Option<&str>> {
    let names = member.features.keys().map(String::as_str);
    let mut choices: Vec<_> = names.filter(|name| *name != "default").map(Some).collect();
    if choices.is_empty() || !has_library(member) {
        return Vec::new();
    }
    choices.insert(0, None);
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_checked_without_its_features_and_with_each() {
        let metadata = members().unwrap();
        let of = |name: &str| {
            let member = metadata.packages.iter().find(|member| member.name == name);
            choices(member.unwrap())
        };
        let protocol = [None, Some("cdr"), Some("national-numbers"), Some("server")];
        assert_eq!(of("sinch-verify-protocol"), protocol);
        assert!(of("sinch-verify-callback").contains(&Some("redis")));
        assert!(of("sinch-verify-cli").is_empty(), "no library, nothing to choose");
    }
}
