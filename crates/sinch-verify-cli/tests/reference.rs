//! The reference of commands, which is the help of each command, and the manual pages.
//!
//! `SINCH_VERIFY_TRANSCRIPTS=write` writes the reference as the help is now; read the difference before it is
//! committed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::path::Path;

use running::{run, stderr, stdout};

const HEAD: &str = "\
# Reference of the command line

The help of each command, as `sinch-verify COMMAND --help` prints it.
It is written by the tests of the command; the [guide](command-line.md) explains how the commands work together.
";

/// The help of a command and of all below it.
fn reference(path: &[&str], into: &mut String) {
    let help = run(&[path, &["--help"]].concat());
    assert_eq!(help.status.code(), Some(0), "{path:?}: {}", stderr(&help));
    let help = stdout(&help);
    let name = [&["sinch-verify"], path].concat().join(" ");
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    *into += &format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n"));
    let below = lines.iter().skip_while(|line| **line != "Commands:").skip(1);
    for line in below.take_while(|line| line.starts_with("  ")) {
        // What is further in goes on with the description of the line above.
        let Some(command) = line[2..]
            .split(' ')
            .next()
            .filter(|name| !name.is_empty() && *name != "help")
        else {
            continue;
        };
        reference(&[path, &[command]].concat(), into);
    }
}

#[test]
fn the_reference_is_the_help_of_all_commands() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/command-line-reference.md");
    let mut actual = HEAD.to_owned();
    reference(&[], &mut actual);
    assert!(actual.matches("\n## ").count() > 30, "{actual}");
    if std::env::var_os("SINCH_VERIFY_TRANSCRIPTS").is_some_and(|how| how == "write") {
        std::fs::write(&path, &actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (number, (actual, expected)) in (1..).zip(actual.lines().zip(expected.lines())) {
        assert_eq!(actual, expected, "line {number} of {}", path.display());
    }
    assert_eq!(actual, expected);
}

#[test]
fn manual_pages_are_written_for_all_commands() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let output = run(&["man", pages.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for (page, part) in [
        ("sinch-verify.1", "Exit codes"),
        ("sinch-verify-verify.1", "auto"),
        ("sinch-verify-inbox-wait.1", "follow"),
        ("sinch-verify-config-set.1", "profile"),
    ] {
        let text =
            std::fs::read_to_string(pages.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(part), "{page}: {text}");
    }
    let taken = folder.path().join("file");
    std::fs::write(&taken, "").unwrap();
    let output = run(&["man", taken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("file"), "{}", stderr(&output));
}
