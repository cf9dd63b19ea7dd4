//! What was released, as the tags say, and which versions may follow.

use anyhow::{Result, ensure};
use cargo_metadata::semver::{Prerelease, Version};

use super::git;

/// The released versions, in ascending order.
#[derive(Debug)]
pub(super) struct History(Vec<Version>);

impl History {
    /// Reads the tags `vX.Y.Z` of the commits below this one.
    pub(super) fn read() -> Result<Self> {
        let tags = git(["tag", "--list", "v*", "--merged"])?;
        Ok(Self::of(tags.lines()))
    }

    fn of<'a>(tags: impl Iterator<Item = &'a str>) -> Self {
        let mut versions: Vec<Version> = tags
            .filter_map(|tag| tag.strip_prefix('v')?.parse().ok())
            .collect();
        versions.sort();
        Self(versions)
    }

    /// The last release that is no candidate.
    pub(super) fn last(&self) -> Option<&Version> {
        self.0.iter().rev().find(|version| version.pre.is_empty())
    }

    /// Fails unless the version may follow on those that were released.
    ///
    /// `current` is what the manifests say: the version of the first release.
    pub(super) fn ensure_follows(&self, version: &Version, current: &Version) -> Result<()> {
        let next = self.next(current);
        let names: Vec<String> = next.iter().map(Version::to_string).collect();
        ensure!(
            next.contains(version),
            "{version} cannot come next: choose one of {}",
            names.join(", ")
        );
        Ok(())
    }

    /// The smallest release that may follow, with its next candidate before it.
    pub(super) fn smallest(&self, current: &Version) -> Option<[Version; 2]> {
        self.next(current).first_chunk().cloned()
    }

    /// The versions that may follow, each with its next candidate before it.
    fn next(&self, current: &Version) -> Vec<Version> {
        let bases = match self.last() {
            None => vec![Version::new(current.major, current.minor, current.patch)],
            Some(last) => vec![
                Version::new(last.major, last.minor, last.patch + 1),
                Version::new(last.major, last.minor + 1, 0),
                Version::new(last.major + 1, 0, 0),
            ],
        };
        bases
            .into_iter()
            .flat_map(|base| [self.next_candidate(&base), base])
            .filter(|version| self.0.last().is_none_or(|last| version > last))
            .collect()
    }

    /// The version with `-rc.N` behind it, where N is one more than that of the last candidate.
    fn next_candidate(&self, base: &Version) -> Version {
        let numbers = self.0.iter().filter_map(|version| {
            let is_of_base =
                (version.major, version.minor, version.patch) == (base.major, base.minor, base.patch);
            let number = version.pre.strip_prefix("rc.")?;
            is_of_base.then(|| number.parse::<u64>().ok())?
        });
        let number = numbers.max().unwrap_or(0) + 1;
        let mut candidate = base.clone();
        #[expect(
            clippy::expect_used,
            reason = "letters, and a number without leading zeros, are valid"
        )]
        let pre = Prerelease::new(&format!("rc.{number}")).expect("a valid candidate");
        candidate.pre = pre;
        candidate
    }
}

/// What cargo-semver-checks calls the step between two versions.
///
/// As cargo reads them: before 1.0 a new minor version may break, and a new patch may add.
pub(super) fn release_type(last: &Version, next: &Version) -> &'static str {
    if next.major != last.major || (last.major == 0 && next.minor != last.minor) {
        "major"
    } else if next.minor != last.minor || last.major == 0 {
        "minor"
    } else {
        "patch"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn each_history_has_its_next_versions() {
        for (tags, current, expected) in [
            ("", "0.1.0", "0.1.0-rc.1 0.1.0"),
            ("nightly v2", "0.1.0", "0.1.0-rc.1 0.1.0"),
            ("v0.1.0-rc.1", "0.1.0-rc.1", "0.1.0-rc.2 0.1.0"),
            (
                "v0.1.0-rc.1 v0.1.0",
                "0.1.0",
                "0.1.1-rc.1 0.1.1 0.2.0-rc.1 0.2.0 1.0.0-rc.1 1.0.0",
            ),
            // A candidate goes on, or is overtaken by a larger version.
            (
                "v0.2.0-rc.10 v0.2.0-rc.9 v0.1.9",
                "0.2.0-rc.10",
                "0.2.0-rc.11 0.2.0 1.0.0-rc.1 1.0.0",
            ),
        ] {
            let history = History::of(tags.split_whitespace());
            let next = history.next(&version(current));
            let names: Vec<String> = next.iter().map(Version::to_string).collect();
            assert_eq!(names.join(" "), expected, "{tags}");
        }
    }

    #[test]
    fn a_version_that_does_not_follow_is_answered_with_those_that_do() {
        let history = History::of(["v0.1.0"].into_iter());
        let current = version("0.1.0");
        for wrong in ["0.1.0", "0.1.2", "0.3.0", "0.2.0-rc.2", "0.2.0-beta.1"] {
            let error = history.ensure_follows(&version(wrong), &current).unwrap_err();
            assert!(error.to_string().contains("0.1.1, 0.2.0-rc.1, 0.2.0"), "{error}");
        }
        assert!(history.ensure_follows(&version("0.1.1"), &current).is_ok());
    }

    #[test]
    fn a_step_is_named_as_cargo_reads_versions() {
        for (last, next, expected) in [
            ("0.1.0", "0.1.1", "minor"),
            ("0.1.0", "0.2.0-rc.1", "major"),
            ("0.1.0", "1.0.0", "major"),
            ("1.0.0", "1.0.1", "patch"),
            ("1.0.0", "1.1.0", "minor"),
            ("1.0.0", "2.0.0", "major"),
        ] {
            assert_eq!(release_type(&version(last), &version(next)), expected, "{next}");
        }
    }
}
