//! The changelog: a heading for each release, and what stands below it.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::semver::Version;
use clap::Args;

use super::{CHANGELOG, published, read_file};

/// The heading that collects what the next release brings.
const UNRELEASED: &str = "## [Unreleased]";

/// Which version's notes to print.
#[derive(Debug, Args)]
pub(crate) struct Notes {
    /// A released version; that of the manifests when none is named
    version: Option<Version>,
}

impl Notes {
    /// Prints the section of the version.
    pub(super) fn run(&self) -> Result<()> {
        let version = match &self.version {
            Some(version) => version.clone(),
            None => published()?.1,
        };
        println!("{}", notes(&read_file(CHANGELOG)?, &version)?);
        Ok(())
    }
}

/// What a version brings. The changes of a candidate stay under "Unreleased" until its release.
fn notes<'a>(changelog: &'a str, version: &Version) -> Result<&'a str> {
    if version.pre.is_empty() {
        section(changelog, &format!("## [{version}]"))
    } else {
        section(changelog, UNRELEASED)
    }
}

/// Fails where the next release brings nothing.
pub(super) fn ensure_has_entries(changelog: &str) -> Result<()> {
    ensure!(
        section(changelog, UNRELEASED)?
            .lines()
            .any(|line| line.starts_with("- ")),
        "{CHANGELOG}: nothing under `{UNRELEASED}`: say what the release brings"
    );
    Ok(())
}

/// Whether the next release breaks users, by the heading that collects such changes.
pub(super) fn names_a_break(changelog: &str) -> Result<bool> {
    Ok(section(changelog, UNRELEASED)?
        .lines()
        .any(|line| line == "### Breaking"))
}

/// Gives what is under "Unreleased" the version's heading, and leaves "Unreleased" empty.
pub(super) fn cut(changelog: &str, version: &Version, date: &str) -> Result<String> {
    ensure_has_entries(changelog)?;
    let heading = format!("## [{version}]");
    ensure!(
        section(changelog, &heading).is_err(),
        "{CHANGELOG}: there is a heading for {version} already"
    );
    Ok(changelog.replacen(UNRELEASED, &format!("{UNRELEASED}\n\n{heading} - {date}"), 1))
}

/// What stands below the heading that begins with these words, up to the next heading of its kind.
fn section<'a>(changelog: &'a str, heading: &str) -> Result<&'a str> {
    let mut start = None;
    let mut at = 0;
    for line in changelog.split_inclusive('\n') {
        match start {
            None if line.starts_with(heading) => start = Some(at + line.len()),
            Some(start) if line.starts_with("## ") => return Ok(changelog[start..at].trim()),
            _ => {}
        }
        at += line.len();
    }
    let start = start.with_context(|| format!("{CHANGELOG}: no heading `{heading}`"))?;
    Ok(changelog[start..].trim())
}

/// Today as UTC sees it, as `YYYY-MM-DD`.
pub(super) fn today() -> Result<String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is set before 1970")?;
    Ok(date(now.as_secs() / 86_400))
}

/// The date, as `YYYY-MM-DD`, this many days after 1 January 1970.
///
/// Howard Hinnant's `civil_from_days` for days that are not negative:
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
/// One date is no reason for a dependency that every job would build.
fn date(days: u64) -> String {
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

    const CHANGELOG: &str =
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n";

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_release_gets_a_heading_below_an_empty_unreleased() {
        let expected = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-23\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n";
        let cut = cut(CHANGELOG, &version("0.2.0"), "2026-11-23").unwrap();
        assert_eq!(cut, expected);
        assert_eq!(notes(&cut, &version("0.2.0")).unwrap(), "### Added\n\n- A thing.");
    }

    #[test]
    fn notes_are_the_section_of_a_version_and_of_a_candidate_what_is_not_released() {
        let notes = |text| notes(CHANGELOG, &version(text));
        assert_eq!(notes("0.1.0").unwrap(), "- First.");
        assert_eq!(notes("0.2.0-rc.1").unwrap(), "### Added\n\n- A thing.");
        let error = notes("0.2.0").unwrap_err().to_string();
        assert!(error.contains("no heading `## [0.2.0]`"), "{error}");
    }

    #[test]
    fn a_changelog_without_news_is_refused() {
        for (changelog, expected) in [
            ("# Changelog\n", "no heading"),
            (
                "## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- First.\n",
                "nothing under",
            ),
            (
                "## [Unreleased]\n\n- A thing.\n\n## [0.2.0] - 2026-01-01\n",
                "already",
            ),
        ] {
            let error = cut(changelog, &version("0.2.0"), "2026-11-23")
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{changelog:?}: {error}");
        }
    }

    #[test]
    fn a_break_is_named_under_its_heading() {
        assert!(!names_a_break(CHANGELOG).unwrap());
        let breaking = CHANGELOG.replace("### Added", "### Breaking");
        assert!(names_a_break(&breaking).unwrap());
        let released = cut(&breaking, &version("0.2.0"), "2026-11-23").unwrap();
        assert!(!names_a_break(&released).unwrap());
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
