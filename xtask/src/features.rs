//! The job `features`: every library without its features, and with each of them alone.
//!
//! All other jobs build with all features, where what one of them forgets to ask for is there by
//! another's doing.

use anyhow::Result;

use crate::cargo::{cargo, run as run_command};
use crate::metadata::{Member, Metadata};

/// Checks the libraries of all published crates.
pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::read()?;
    for member in metadata.members.iter().filter(|member| member.published) {
        for feature in choices(member) {
            let mut command = cargo(["clippy", "--lib", "--no-default-features", "--package"]);
            command.arg(&member.name);
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

/// No feature, then each; nothing where there is nothing to choose.
fn choices(member: &Member) -> impl Iterator<Item = Option<&str>> {
    let none = (!member.features.is_empty()).then_some(None);
    none.into_iter()
        .chain(member.features.iter().map(|feature| Some(feature.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_checked_without_its_features_and_with_each() {
        let metadata = Metadata::read().unwrap();
        let of = |name: &str| {
            let member = metadata.members.iter().find(|member| member.name == name);
            choices(member.unwrap()).collect::<Vec<_>>()
        };
        let protocol = [None, Some("cdr"), Some("server")];
        assert_eq!(of("sinch-verify-protocol"), protocol);
        assert!(of("sinch-verify-callback").contains(&Some("redis")));
        assert!(of("sinch-verify-cli").is_empty(), "no library, nothing to choose");
    }
}
