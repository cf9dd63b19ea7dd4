//! One test for each rule: a text that passes and texts that do not.

use super::*;

fn check(path: &str, text: &str, expected: &[&str]) {
    let found = check_text(path, text);
    assert_eq!(found.len(), expected.len(), "{path}: {text:?} gave {found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found:?} has no {expected:?}");
    }
}

#[test]
fn tidy_texts_pass() {
    let lib = "#![doc = include_str!(\"../README.md\")]\n\nfn main() {}\n";
    check("crates/a/src/lib.rs", lib, &[]);
    check("README.md", "# Title\n\nText.\n", &[]);
    check("Cargo.toml", "[package]\nname = \"a\"\n", &[]);
}

#[test]
fn paths_into_a_home_folder_are_found_everywhere() {
    for home in HOMES {
        for (before, after) in [
            ("", "me/x"),
            ("path = \"", "me\""),
            ("file://", "me"),
            ("`", ".cargo`"),
        ] {
            let drive = if home.starts_with(':') { "C" } else { "" };
            let text = format!("{before}{drive}{home}{after}\n");
            check(".ci/run", &text, &[".ci/run:1: a path"]);
        }
    }
    for home in &HOMES[..3] {
        for (before, after) in [
            ("https://example.com", "page"),
            ("$PREFIX", "x"),
            ("", " is the folder"),
        ] {
            check("README.md", &format!("{before}{home}{after}\n"), &[]);
        }
    }
}

#[test]
fn white_space_is_found_where_people_write() {
    for path in ["docs/a.md", "Cargo.toml"] {
        check(path, "one\n\ttwo\n", &["2: a tab"]);
        check(path, "one \ntwo\n", &["1: white space"]);
        check(path, "one\r\n", &["1: white space"]);
        check(path, "one\t", &["1: a tab", "1: white space"]);
    }
    check("Makefile", "all:\n\ttrue \n", &[]);
    check("a.rs", "one \n", &[]);
}

#[test]
fn long_files_are_found_in_our_crates_only() {
    let limit = "\n".repeat(MAX_LINES);
    let longer = "\n".repeat(MAX_LINES + 1);
    check("crates/a/src/deep/b.rs", &limit, &[]);
    check(
        "crates/a/src/deep/b.rs",
        &longer,
        &["crates/a/src/deep/b.rs: 601 lines"],
    );
    check("crates/a/tests/b.rs", &longer, &[]);
    check("xtask/src/b.rs", &longer, &[]);
    check("crates/a/src/page.html", &longer, &[]);
}

#[test]
fn every_member_has_the_lints_of_the_workspace() {
    let with = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
    check("xtask/Cargo.toml", with, &[]);
    let of_a_dependency = "[package]\nname = \"a\"\n\n[dependencies.bytes]\nworkspace = true\n";
    check("xtask/Cargo.toml", of_a_dependency, &["lints are missing"]);
    check("Cargo.toml", "[workspace]\n", &[]);
}

#[test]
fn every_crate_is_documented_by_its_readme_with_all_features() {
    check("crates/a/src/lib.rs", "//! Docs.\n", &["README.md"]);
    check("crates/a/src/b/lib.rs", "//! Docs.\n", &[]);
    check("benches/src/lib.rs", "//! Docs.\n", &[]);
    let lints = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
    check("crates/a/Cargo.toml", lints, &["all-features"]);
    let documented = format!("{lints}\n[package.metadata.docs.rs]\nall-features = true\n");
    check("crates/a/Cargo.toml", &documented, &[]);
}
