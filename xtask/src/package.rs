//! The job `package`: each published crate builds from its own package, which is small and holds what belongs in it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::cargo::{cargo, read, run as run_command};
use crate::metadata::{is_published, members};

/// The most that a package may have, in bytes.
const MAX_BYTES: u64 = 500_000;

/// The folders of a package.
const FOLDERS: [&str; 3] = ["src", "tests", "examples"];
/// The kinds of files in them: code, what the page and the reports show, what tests compare with.
const KINDS: [&str; 10] = [
    "css", "html", "js", "json", "lua", "rs", "svg", "toml", "txt", "md",
];
/// The files beside them.
const TOP: [&str; 7] = [
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
];

/// Packs all of them, builds each from its package, and looks at sizes and lists.
pub(crate) fn run() -> Result<()> {
    let metadata = members()?;
    let published: Vec<_> = metadata
        .packages
        .iter()
        .filter(|member| is_published(member))
        .collect();
    let mut pack = cargo(["package", "--locked", "--allow-dirty"]);
    for member in &published {
        pack.args(["--package", &member.name]);
    }
    run_command(
        &mut pack,
        "the package lacks what the crate needs: look at `include` in its manifest",
    )?;

    let mut wrong = Vec::new();
    for member in published {
        let list = read(&mut cargo([
            "package",
            "--list",
            "--allow-dirty",
            "--package",
            &member.name,
        ]))?;
        wrong.extend(strays(&list).map(|path| format!("{}: {path} belongs in no package", member.name)));
        let file = format!("package/{}-{}.crate", member.name, member.version);
        let file = metadata.target_directory.join(file);
        let bytes = fs::metadata(&file)
            .with_context(|| format!("failed to read {file}"))?
            .len();
        println!("{:<24} {:>4} kB", member.name, bytes.div_ceil(1000));
        if bytes > MAX_BYTES {
            wrong.push(format!("{}: {bytes} bytes, more than {MAX_BYTES}", member.name));
        }
    }
    ensure!(
        wrong.is_empty(),
        "leave these out with `include`, or extend the list in xtask/src/package.rs:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// The files that neither code, tests nor examples need.
fn strays(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|path| {
        let extension = Path::new(path)
            .extension()
            .and_then(|extension| extension.to_str());
        let in_folder = path
            .split_once('/')
            .is_some_and(|(folder, _)| FOLDERS.contains(&folder));
        let belongs = in_folder && extension.is_some_and(|extension| KINDS.contains(&extension));
        !(belongs || TOP.contains(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_expected_is_packed() {
        let list = "Cargo.toml\nsrc/lib.rs\nsrc/page/page.css\nsrc/core.12345\nfuzz/Cargo.toml\nnotes.txt\ntests/x/a.bin\n";
        let found: Vec<_> = strays(list).collect();
        assert_eq!(
            found,
            ["src/core.12345", "fuzz/Cargo.toml", "notes.txt", "tests/x/a.bin"]
        );
    }
}
