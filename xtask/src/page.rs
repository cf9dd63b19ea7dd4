//! Pages of `docs/` whose sections are written by commands: a run replaces its own section and
//! nothing else.

use std::fmt;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Where and when something was measured. Unavailable values are `unknown`.
#[derive(Debug)]
pub(crate) struct Stamp {
    day: String,
    commit: String,
    rust: String,
    machine: String,
}

impl Stamp {
    /// The stamp for this machine, now.
    pub(crate) fn now() -> Self {
        let said = |program: &str, args: &[&str]| {
            let output = Command::new(program)
                .args(args)
                .output()
                .ok()
                .filter(|output| output.status.success());
            output.map_or_else(
                || "unknown".to_owned(),
                |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            )
        };
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or("unknown processor");
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            day: said("date", &["-u", "+%Y-%m-%d"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]),
            rust: said("rustc", &["--version"]),
            machine: format!("{}, {cores} cores", model.trim_start_matches([' ', '\t', ':'])),
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {} with {}, on {}",
            self.day, self.commit, self.rust, self.machine
        )
    }
}

/// Prints a section and puts it into the page at `path`, which is `empty` where there is none yet.
pub(crate) fn write(path: &str, empty: &str, section: &str) -> Result<()> {
    println!("\n{section}");
    let old = fs::read_to_string(path).unwrap_or_else(|_| empty.to_owned());
    fs::write(path, replace(&old, section)).with_context(|| format!("failed to write {path}"))?;
    println!("written to {path}");
    Ok(())
}

/// The page with `section` in place of the one with the same title, or else at its end.
fn replace(page: &str, section: &str) -> String {
    let title = section.lines().next();
    let mut parts: Vec<String> = Vec::new();
    for line in page.lines() {
        if parts.is_empty() || line.starts_with("## ") {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    match parts.iter_mut().find(|part| part.lines().next() == title) {
        Some(part) => section.clone_into(part),
        None => parts.push(section.to_owned()),
    }
    parts
        .iter()
        .map(|part| part.trim_end())
        .collect::<Vec<_>>()
        .join("\n\n")
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_replaces_its_own_section_only() {
        let page = replace("# Performance\n\nIntroduction.\n", "## Client\n\nold\n");
        let page = replace(&page, "## Protocol\n\nfirst\n");
        let page = replace(&page, "## Client\n\nnew\n");
        assert_eq!(
            page,
            "# Performance\n\nIntroduction.\n\n## Client\n\nnew\n\n## Protocol\n\nfirst\n"
        );
    }
}
