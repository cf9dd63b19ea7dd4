//! A line of a manifest, as the documents show it, that depends on one of our crates.

use anyhow::{Context as _, Result};

/// Where a line says that the crate comes from: a git repository or a version.
const GIT: &str = concat!("git = \"", env!("CARGO_PKG_REPOSITORY"), "\"");

/// The line with `key = "value"` as the source of the crate; none where the line names no crate of ours.
///
/// # Errors
///
/// The line names neither a version nor this project's repository.
pub(crate) fn with_source(
    line: &str,
    key: &str,
    value: impl FnOnce(&str) -> String,
) -> Result<Option<String>> {
    let Some((name, source)) = line.split_once(" = ") else {
        return Ok(None);
    };
    // A command of ours can have the same words on its line.
    if !name.starts_with("sinch-verify-") || name.contains(' ') {
        return Ok(None);
    }
    let value = value(name);
    if source.starts_with('"') || source == format!("{{ {GIT} }}") {
        return Ok(Some(match key {
            "version" => format!("{name} = \"{value}\""),
            _ => format!("{name} = {{ {key} = \"{value}\" }}"),
        }));
    }
    let version = source.find("version = \"").map(|at| {
        let end = source[at..].find("\",").or_else(|| source[at..].find("\" "));
        &source[at..end.map_or(source.len(), |end| at + end + 1)]
    });
    let known = version.or_else(|| source.contains(GIT).then_some(GIT));
    let known = known.with_context(|| format!("`{line}` names neither a version nor `{GIT}`"))?;
    let source = source.replacen(known, &format!("{key} = \"{value}\""), 1);
    Ok(Some(format!("{name} = {source}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_a_version_takes_the_place_of_the_source() {
        let with = |line: &str, key| {
            with_source(line, key, |name| match key {
                "path" => format!("/here/crates/{name}"),
                _ => "0.2".to_owned(),
            })
            .unwrap()
            .unwrap()
        };
        for (line, path, version) in [
            (
                format!("sinch-verify-client = {{ {GIT} }}"),
                "sinch-verify-client = { path = \"/here/crates/sinch-verify-client\" }",
                "sinch-verify-client = \"0.2\"",
            ),
            (
                "sinch-verify-client = \"0.1\"".to_owned(),
                "sinch-verify-client = { path = \"/here/crates/sinch-verify-client\" }",
                "sinch-verify-client = \"0.2\"",
            ),
            (
                format!("sinch-verify-callback = {{ {GIT}, features = [\"axum\"] }}"),
                "sinch-verify-callback = { path = \"/here/crates/sinch-verify-callback\", features = [\"axum\"] }",
                "sinch-verify-callback = { version = \"0.2\", features = [\"axum\"] }",
            ),
            (
                "sinch-verify-callback = { version = \"0.1\", features = [\"axum\"] }".to_owned(),
                "sinch-verify-callback = { path = \"/here/crates/sinch-verify-callback\", features = [\"axum\"] }",
                "sinch-verify-callback = { version = \"0.2\", features = [\"axum\"] }",
            ),
        ] {
            assert_eq!(with(&line, "path"), path);
            assert_eq!(with(&line, "version"), version);
        }
    }

    #[test]
    fn other_lines_are_left_alone_and_an_unknown_source_is_refused() {
        let with = |line| with_source(line, "version", |_| "0.2".to_owned());
        for line in [
            "tokio = \"1\"",
            "[dependencies]",
            "sinch-verify-load run --threshold 'dropped = 0'",
        ] {
            assert_eq!(with(line).unwrap(), None, "{line}");
        }
        assert!(with("sinch-verify-client = { git = \"https://example.com/a\" }").is_err());
    }
}
