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
    check("crates/a/src/lib.rs", "//! Docs.\n\nfn main() {}\n", &[]);
    check("README.md", "# Title\n\nText.\n", &[]);
    check("Cargo.toml", "[package]\nname = \"a\"\n", &[]);
}

#[test]
fn leftovers_are_found_in_rust_only() {
    for (needle, _) in LEFTOVERS {
        let text = format!("fn main() {{\n    {needle}x)\n}}\n");
        check("xtask/src/main.rs", &text, &["xtask/src/main.rs:2: "]);
        check("CONTRIBUTING.md", &text, &[]);
    }
    // Names that only contain a needle's word.
    check("a.rs", "fn ignore_this() { todo_list(); }\n", &[]);
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
    for path in ["a.rs", "docs/a.md", "Cargo.toml"] {
        check(path, "one\n\ttwo\n", &["2: a tab"]);
        check(path, "one \ntwo\n", &["1: white space"]);
        check(path, "one\r\n", &["1: white space"]);
        check(path, "one\t", &["1: a tab", "1: white space"]);
    }
    check("Makefile", "all:\n\ttrue \n", &[]);
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

fn member() -> Member {
    Member {
        name: "a".to_owned(),
        version: "0.1.0".to_owned(),
        manifest: "crates/a/Cargo.toml".to_owned(),
        published: true,
        doc_name: "a".to_owned(),
        roots: Vec::new(),
        features: Vec::new(),
        missing_keys: Vec::new(),
        arrows: Vec::new(),
    }
}

#[test]
fn unsafe_code_is_forbidden_by_lint_or_by_attribute() {
    const LINT: &str = "[workspace.lints.rust]\nunsafe_code = \"forbid\" # always\n";
    const INHERITS: &str = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
    const DOTTED: &str = "lints.workspace = true\n[package]\nname = \"a\"\n";
    // `workspace = true` of another table.
    const ALONE: &str = "[package]\nname = \"a\"\n[dependencies.bytes]\nworkspace = true\n";
    const ATTRIBUTE: &str = "//! Docs.\n#![forbid(unsafe_code)]\n";
    let cases = [
        (LINT, INHERITS, "", 0),
        (LINT, DOTTED, "", 0),
        (LINT, ALONE, ATTRIBUTE, 0),
        ("", INHERITS, ATTRIBUTE, 0),
        (LINT, ALONE, "", 1),
        (LINT, ALONE, "// #![forbid(unsafe_code)]\n", 1),
        (
            "[workspace.lints.rust]\nunsafe_code = \"warn\"\n",
            INHERITS,
            "",
            1,
        ),
        (
            "[workspace.lints.clippy]\nunsafe_code = \"forbid\"\n",
            INHERITS,
            "",
            1,
        ),
    ];
    for (root, manifest, source, expected) in cases {
        let roots = [("crates/a/src/lib.rs", source.to_owned())];
        let found = check_unsafe(&member(), root, manifest, &roots);
        assert_eq!(
            found.len(),
            expected,
            "{root:?} {manifest:?} {source:?}: {found:?}"
        );
        assert!(
            found.iter().all(|line| line.contains("crates/a/src/lib.rs")),
            "{found:?}"
        );
    }
}

#[test]
fn every_root_needs_the_attribute() {
    let roots = [
        ("crates/a/src/lib.rs", "#![forbid(unsafe_code)]\n".to_owned()),
        ("crates/a/src/main.rs", "fn main() {}\n".to_owned()),
    ];
    let found = check_unsafe(&member(), "", "", &roots);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("crates/a/src/main.rs: "), "{found:?}");
}

#[test]
fn a_published_crate_has_a_complete_page() {
    assert_eq!(check_page(&member()), None);

    let missing = Member {
        features: Vec::new(),
        missing_keys: vec!["description", "rust_version"],
        ..member()
    };
    let found = check_page(&missing).unwrap();
    assert!(
        found.starts_with("crates/a/Cargo.toml: no description, rust-version: "),
        "{found}"
    );

    assert_eq!(
        check_page(&Member {
            published: false,
            ..missing.clone()
        }),
        None
    );
    assert_eq!(
        check_page(&Member {
            manifest: "xtask/Cargo.toml".to_owned(),
            ..missing
        }),
        None
    );
}

#[test]
fn without_git_the_folders_are_walked() {
    let mut files = Vec::new();
    // Tests run in the folder of the crate.
    walk(Path::new("."), &mut files).unwrap();
    assert!(files.contains(&"src/tidy/tests.rs".to_owned()), "{files:?}");
    assert!(files.iter().all(|path| !path.starts_with("target/")), "{files:?}");
}
