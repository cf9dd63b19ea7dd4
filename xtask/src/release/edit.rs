//! The edits of a release, from text to text.

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::semver::Version;

use crate::our_dependency;

/// Where the images of a release are; the command's name and the version as the tag follow.
pub(crate) const IMAGES: &str = "ghcr.io/sinch-verify/";

/// Puts the next version into the top-level manifest: the package's and the path dependencies'.
///
/// Line by line, so that comments and order stay as people wrote them.
pub(super) fn manifest(manifest: &str, current: &Version, next: &Version) -> Result<String> {
    let old = format!("version = \"{current}\"");
    let new = format!("version = \"{next}\"");
    let mut table = "";
    let mut package = 0;
    let mut dependencies = 0;
    let mut text = String::with_capacity(manifest.len());
    for line in manifest.split_inclusive('\n') {
        let content = line.trim();
        if content.starts_with('[') {
            table = content;
        }
        let is_ours = match table {
            "[workspace.package]" => content.starts_with("version"),
            "[workspace.dependencies]" => content.contains("path = \""),
            _ => false,
        };
        if !is_ours {
            text += line;
            continue;
        }
        ensure!(
            line.contains(&old),
            "Cargo.toml: `{content}` has no `{old}`: all members have one version"
        );
        text += &line.replacen(&old, &new, 1);
        if table == "[workspace.package]" {
            package += 1;
        } else {
            dependencies += 1;
        }
    }
    ensure!(package == 1, "Cargo.toml: no `version` in [workspace.package]");
    ensure!(
        dependencies > 0,
        "Cargo.toml: no path in [workspace.dependencies]"
    );
    Ok(text)
}

/// Puts the next version of the named crates into a lock file.
pub(super) fn lock(lock: &str, names: &[&str], current: &Version, next: &Version) -> String {
    let entry = |name: &str, version| format!("name = \"{name}\"\nversion = \"{version}\"\n");
    names.iter().fold(lock.to_owned(), |lock, name| {
        lock.replace(&entry(name, current), &entry(name, next))
    })
}

/// Lets a document depend on a release: its programs, the images it names, and the commands that install ours.
pub(super) fn document(text: &str, release: &Version) -> Result<String> {
    let from_repository = concat!("--git ", env!("CARGO_PKG_REPOSITORY"), " ");
    let mut edited = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with("# Not on crates.io yet") {
            continue;
        }
        let content = line.trim_end_matches('\n');
        let version = |_: &str| format!("{}.{}", release.major, release.minor);
        let ours = our_dependency::with_source(content, "version", version)
            .with_context(|| format!("line {}", index + 1))?;
        match ours {
            Some(ours) => edited += &format!("{ours}\n"),
            None => edited += &images(&line.replace(from_repository, ""), release),
        }
    }
    Ok(edited)
}

/// The line with the release as the tag of each image of ours.
fn images(line: &str, release: &Version) -> String {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let mut parts = line.split(IMAGES);
    let mut edited = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        edited += IMAGES;
        match part.split_once(':') {
            Some((name, behind)) if is_name(name) => {
                let is_tag = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
                edited += &format!("{name}:{release}{}", behind.trim_start_matches(is_tag));
            }
            _ => edited += part,
        }
    }
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Version = Version::new(0, 1, 0);
    const SECOND: Version = Version::new(0, 2, 0);

    const MANIFEST: &str = "\
[workspace]
members = [\"crates/*\"]

[workspace.package]
version = \"0.1.0\"
edition = \"2024\"

[workspace.dependencies]
# Ours first.
ours-a = { path = \"crates/ours-a\", version = \"0.1.0\" }
ours-b = { path = \"crates/ours-b\", version = \"0.1.0\" }

# A crate that happens to have our version.
other = { version = \"0.1.0\", default-features = false }
";

    #[test]
    fn the_version_and_the_path_dependencies_move_and_nothing_else() {
        let bumped = manifest(MANIFEST, &FIRST, &SECOND).unwrap();
        let changed: Vec<&str> = bumped
            .lines()
            .zip(MANIFEST.lines())
            .filter(|(new, old)| new != old)
            .map(|(new, _)| new)
            .collect();
        assert_eq!(
            changed,
            [
                "version = \"0.2.0\"",
                "ours-a = { path = \"crates/ours-a\", version = \"0.2.0\" }",
                "ours-b = { path = \"crates/ours-b\", version = \"0.2.0\" }",
            ]
        );
        assert_eq!(bumped.len(), MANIFEST.len());
    }

    #[test]
    fn a_manifest_that_would_be_half_moved_is_refused() {
        let behind = MANIFEST.replacen(
            "crates/ours-b\", version = \"0.1.0",
            "crates/ours-b\", version = \"0.0.9",
            1,
        );
        let error = manifest(&behind, &FIRST, &SECOND).unwrap_err().to_string();
        assert!(error.contains("ours-b"), "{error}");
        assert!(manifest(MANIFEST, &SECOND, &FIRST).is_err());
        assert!(manifest("[workspace]\n", &FIRST, &SECOND).is_err());
        assert!(manifest("[workspace.package]\nversion = \"0.1.0\"\n", &FIRST, &SECOND).is_err());
    }

    #[test]
    fn only_our_crates_move_in_a_lock_file() {
        let lock_of = |version| {
            format!(
                "[[package]]\nname = \"ours-a\"\nversion = \"{version}\"\n\n\
                 [[package]]\nname = \"other\"\nversion = \"0.1.0\"\n"
            )
        };
        assert_eq!(
            lock(&lock_of("0.1.0"), &["ours-a"], &FIRST, &SECOND),
            lock_of("0.2.0")
        );
    }

    #[test]
    fn a_document_depends_on_a_release_from_the_first_on() {
        let repository = env!("CARGO_PKG_REPOSITORY");
        let before = format!(
            "Text.\n\n```toml\n[dependencies]\n# Not on crates.io yet: it comes from the repository.\n\
             sinch-verify-client = {{ git = \"{repository}\" }}\ntokio = \"1\"\n```\n\n\
             cargo install --locked --git {repository} sinch-verify-cli\n"
        );
        let after = |version| {
            format!(
                "Text.\n\n```toml\n[dependencies]\n\
                 sinch-verify-client = \"{version}\"\ntokio = \"1\"\n```\n\n\
                 cargo install --locked sinch-verify-cli\n"
            )
        };
        assert_eq!(document(&before, &FIRST).unwrap(), after("0.1"));
        assert_eq!(document(&after("0.1"), &SECOND).unwrap(), after("0.2"));
        assert_eq!(
            document(
                "image: ghcr.io/sinch-verify/sinch-verify-load:0.1.0 # ghcr.io/sinch-verify/NAME: a tag\n",
                &SECOND
            )
            .unwrap(),
            "image: ghcr.io/sinch-verify/sinch-verify-load:0.2.0 # ghcr.io/sinch-verify/NAME: a tag\n"
        );
        let error = document("\nsinch-verify-client = { path = \"..\" }\n", &FIRST).unwrap_err();
        assert_eq!(error.to_string(), "line 2");
    }
}
