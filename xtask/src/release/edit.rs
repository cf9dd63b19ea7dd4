//! The edits of a release, from text to text.

use anyhow::{Context as _, Result, ensure};

/// The heading that collects what the next release brings.
const UNRELEASED: &str = "## [Unreleased]";

/// Puts the next version into the top-level manifest: the package's and the path dependencies'.
///
/// Line by line, so that comments and order stay as people wrote them.
pub(super) fn bump_manifest(manifest: &str, current: &str, next: &str) -> Result<String> {
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

/// Gives what is under "Unreleased" the next version's heading, and leaves "Unreleased" empty.
pub(super) fn cut_changelog(changelog: &str, next: &str, date: &str) -> Result<String> {
    let heading = format!("## [{next}]");
    ensure!(
        !changelog.lines().any(|line| line.starts_with(&heading)),
        "CHANGELOG.md: there is a heading for {next} already"
    );
    let start = changelog
        .lines()
        .position(|line| line.trim_end() == UNRELEASED)
        .with_context(|| format!("CHANGELOG.md: no heading `{UNRELEASED}`"))?;
    let has_entry = changelog
        .lines()
        .skip(start + 1)
        .take_while(|line| !line.starts_with("## "))
        .any(|line| line.starts_with("- "));
    ensure!(
        has_entry,
        "CHANGELOG.md: nothing under `{UNRELEASED}`: say what the release brings"
    );
    let mut text = String::with_capacity(changelog.len() + 64);
    for (index, line) in changelog.split_inclusive('\n').enumerate() {
        text += line;
        if index == start {
            text += &format!("\n{heading} - {date}\n");
        }
    }
    Ok(text)
}

/// The date, as `YYYY-MM-DD`, this many days after 1 January 1970.
///
/// Howard Hinnant's `civil_from_days` for days that are not negative:
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
/// One date is no reason for a dependency that every job would build.
pub(super) fn date(days: u64) -> String {
    // The calendar repeats every 400 years; its years start in March, so leap days come last.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let bumped = bump_manifest(MANIFEST, "0.1.0", "0.2.0").unwrap();
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
        let error = bump_manifest(&behind, "0.1.0", "0.2.0").unwrap_err().to_string();
        assert!(error.contains("ours-b"), "{error}");
        assert!(bump_manifest(MANIFEST, "0.3.0", "0.4.0").is_err());
        assert!(bump_manifest("[workspace]\n", "0.1.0", "0.2.0").is_err());
        assert!(bump_manifest("[workspace.package]\nversion = \"0.1.0\"\n", "0.1.0", "0.2.0").is_err());
    }

    #[test]
    fn the_changelog_gets_a_heading_below_an_empty_unreleased() {
        let changelog = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n";
        let expected = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-23\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n";
        assert_eq!(cut_changelog(changelog, "0.2.0", "2026-11-23").unwrap(), expected);
    }

    #[test]
    fn a_changelog_without_news_is_refused() {
        let cases = [
            ("# Changelog\n", "no heading"),
            (
                "## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- First.\n",
                "nothing under",
            ),
            (
                "## [Unreleased]\n\n- A thing.\n\n## [0.2.0] - 2026-01-01\n",
                "already",
            ),
        ];
        for (changelog, expected) in cases {
            let error = cut_changelog(changelog, "0.2.0", "2026-11-23")
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{changelog:?}: {error}");
        }
    }

    #[test]
    fn days_become_dates() {
        let cases = [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_088, "2024-12-31"),
            (20_089, "2025-01-01"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ];
        for (days, expected) in cases {
            assert_eq!(date(days), expected, "{days}");
        }
    }
}
