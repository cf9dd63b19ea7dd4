//! Starts cargo, git and other programs.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// The cargo that started this program, or the one on the path.
///
/// `cargo run` sets variables that describe the package it runs. Some build scripts watch them (that of
/// `ring`, for example), so passing them on would rebuild half of the tree after each change between
/// `cargo build` and `cargo xtask`.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    without_package(&mut command);
    command.args(args);
    command
}

/// Withholds what cargo says of this package from a command that starts cargo.
pub(crate) fn without_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if describes_a_package(&name) {
            command.env_remove(name);
        }
    }
}

/// Runs a command on this terminal, its output passed through, and adds `fix` when it fails.
pub(crate) fn run(command: &mut Command, fix: &str) -> Result<()> {
    let line = shown(command);
    println!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("failed to start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}: {fix}");
    }
    Ok(())
}

/// Runs a command and returns its standard output. Its standard error goes to this terminal.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("failed to start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no UTF-8"))
}

/// What the compiler says of itself in the line `name: ` of `rustc -vV`, such as `host` or `release`.
pub(crate) fn rustc(name: &str) -> Result<String> {
    let version = read(Command::new("rustc").arg("-vV"))?;
    let value = version
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let value = value.with_context(|| format!("`rustc -vV` has no line with `{name}: `"))?;
    Ok(value.to_owned())
}

/// Fails where git sees a change that is in no commit.
pub(crate) fn ensure_clean_tree() -> Result<()> {
    let changes = read(Command::new("git").args(["status", "--porcelain"]))?;
    ensure!(
        changes.is_empty(),
        "the tree has changes that are in no commit; commit or stash them:\n{changes}"
    );
    Ok(())
}

/// The existing files that git tracks or would add, with paths from the root of the project.
pub(crate) fn files() -> Result<Vec<String>> {
    let list =
        read(Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let files = list
        .split_terminator('\0')
        .filter(|path| Path::new(path).exists());
    Ok(files.map(str::to_owned).collect())
}

/// The command as typed in a shell.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program();
    let name = Path::new(program).file_stem().unwrap_or(program);
    std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether cargo sets this variable to describe the package it builds or runs.
fn describes_a_package(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || matches!(
            name,
            "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/some/toolchain/bin/cargo");
        command.args(["fmt", "--all"]);
        assert_eq!(shown(&command), "cargo fmt --all");
    }

    #[test]
    fn only_the_package_description_is_withheld() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR"] {
            assert!(describes_a_package(OsStr::new(name)), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_INCREMENTAL",
            "PATH",
            "CARGO",
        ] {
            assert!(!describes_a_package(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_failing_command_says_how_to_fix_it() {
        let error = run(
            cargo(["no-such-cargo-command"]).stderr(std::process::Stdio::null()),
            "do something else",
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.starts_with("`cargo no-such-cargo-command` ended with"),
            "{error}"
        );
        assert!(error.ends_with(": do something else"), "{error}");
    }
}
