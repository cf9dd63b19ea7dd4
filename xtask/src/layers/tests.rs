//! An allowed graph passes; each kind of violation fails and is named.

use super::*;
use crate::metadata::samples::{graph, member};

/// The workspace as designed, every allowed arrow drawn.
fn designed() -> Vec<Package> {
    LAYERS
        .iter()
        .map(|(name, allowed)| {
            let mut arrows: Vec<_> = allowed
                .iter()
                .map(|to| (*to, DependencyKind::Normal, true))
                .collect();
            let for_tests = TEST_ARROWS.iter().filter(|(from, _)| from == name);
            arrows.extend(for_tests.map(|(_, to)| (*to, DependencyKind::Development, false)));
            member(name, &arrows)
        })
        .collect()
}

#[test]
fn the_designed_arrows_pass() {
    let designed = designed();
    let members: Vec<&Package> = designed.iter().collect();
    assert_eq!(forbidden_arrows(&members), [""; 0]);
}

#[test]
fn every_other_arrow_fails_and_is_named() {
    use DependencyKind::*;
    let cases = [
        (PROTOCOL, CLIENT, Normal, true),
        (PROTOCOL, EMULATOR, Development, false),
        (CLIENT, CALLBACK, Normal, true),
        (CLIENT, EMULATOR, Normal, true),
        (CLIENT, EMULATOR, Build, false),
        (CALLBACK, CLIENT, Development, false),
        (EMULATOR, CLIENT, Development, false),
        (EMULATOR, CALLBACK, Normal, true),
        (CLI, LOADTEST, Normal, true),
        (BENCHES, LOADTEST, Development, false),
        (LOADTEST, CLI, Normal, true),
        (XTASK, PROTOCOL, Normal, true),
    ];
    for (from, to, kind, versioned) in cases {
        let found = forbidden_arrows(&[&member(from, &[(to, kind, versioned)])]);
        assert_eq!(found.len(), 1, "{from} -> {to}");
        assert!(found[0].contains(&format!("{from} -> {to}")), "{}", found[0]);
        assert!(found[0].contains("docs/decisions/"), "{}", found[0]);
    }
}

#[test]
fn an_arrow_of_tests_has_no_version() {
    for (from, to) in TEST_ARROWS {
        let found = forbidden_arrows(&[&member(from, &[(to, DependencyKind::Development, true)])]);
        assert_eq!(found.len(), 1, "{from} -> {to}");
        assert!(found[0].contains(&format!("path = \"../{to}\"")), "{}", found[0]);
    }
}

#[test]
fn a_new_member_needs_a_layer() {
    let found = forbidden_arrows(&[&member("sinch-verify-util", &[])]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("sinch-verify-util"), "{}", found[0]);
}

#[test]
fn a_pure_protocol_crate_passes() {
    // The emulator has tokio; it is no dependency of the protocol crate.
    let packages = graph(&[
        ("sinch-verify-protocol@0.1.0", &["http@1.5.0"]),
        (
            "sinch-verify-emulator@0.1.0",
            &["sinch-verify-protocol@0.1.0", "tokio@1.0.0"],
        ),
        ("http@1.5.0", &["bytes@1.0.0"]),
        ("bytes@1.0.0", &[]),
        ("tokio@1.0.0", &["bytes@1.0.0"]),
    ]);
    assert_eq!(impurities(&packages), [""; 0]);
}

#[test]
fn an_impurity_is_named_with_the_way_to_it() {
    let packages = graph(&[
        ("sinch-verify-protocol@0.1.0", &["nice@1.0.0"]),
        ("nice@1.0.0", &["deep@1.0.0", "nice@1.0.0"]),
        ("deep@1.0.0", &["tokio@1.0.0", "ring@0.17.0"]),
        ("tokio@1.0.0", &["mio@1.0.0"]),
        ("mio@1.0.0", &[]),
        ("ring@0.17.0", &[]),
    ]);
    let found = impurities(&packages);
    // Not mio: it goes when tokio goes.
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("sinch-verify-protocol -> nice -> deep -> tokio."),
        "{}",
        found[0]
    );
    assert!(found[1].contains("-> deep -> ring."), "{}", found[1]);
}

#[test]
fn a_renamed_protocol_crate_is_noticed() {
    assert_eq!(impurities(&graph(&[("protocol@0.1.0", &[])])).len(), 1);
}

#[test]
fn the_diagram_shows_the_arrows_in_the_order_of_the_layers() {
    let members = [
        member(
            CLIENT,
            &[
                (EMULATOR, DependencyKind::Development, false),
                (PROTOCOL, DependencyKind::Normal, true),
            ],
        ),
        member(
            BENCHES,
            &[
                (EMULATOR, DependencyKind::Development, true),
                (PROTOCOL, DependencyKind::Development, true),
            ],
        ),
        member(PROTOCOL, &[]),
    ];
    let expected = "\
sinch-verify-protocol  -> none of ours
sinch-verify-client    -> protocol [tests: emulator]
sinch-verify-benches   -> [tests: protocol, emulator]
";
    let members: Vec<&Package> = members.iter().collect();
    assert_eq!(diagram(&members), expected);
}

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    let source = |(path, text): &(&str, &str)| Source {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    files.iter().map(source).collect()
}

/// Checks which modules need each other, as `parent: members`.
fn check_cycles(files: &[(&str, &str)], expected: &[&str]) {
    let found = cycles::find(&sources(files)).unwrap();
    let found: Vec<String> = found
        .iter()
        .map(|cycle| format!("{}: {}", cycle.parent, cycle.members.join(" ")))
        .collect();
    assert_eq!(found, expected, "{files:?}");
}

#[test]
fn modules_that_need_each_other_are_a_cycle() {
    check_cycles(
        &[("a.rs", "use crate::b::B;"), ("b.rs", "use crate::a::A;")],
        &[": a b"],
    );
    check_cycles(
        &[
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", ""),
        ],
        &[],
    );
    // By each way to write a path.
    for text in [
        "use super::{c::C, a};",
        "use crate::{c, a::{self, A}};",
        "use crate::a::*;",
        "fn f() -> crate::a::A<u8> { todo() }",
        "fn f() { println!(\"{}\", super::a::NAME) }",
        "mod inner { use super::super::a::A; }",
        "macro_rules! m { () => { $crate::a::A } }",
    ] {
        check_cycles(
            &[("a.rs", "use crate::b::B;"), ("b.rs", text), ("c.rs", "")],
            &[": a b"],
        );
    }
    // Not by a text or a comment.
    let text = "//! [`crate::a`]\nconst PATH: &str = \"crate::a\"; // crate::a::A";
    check_cycles(&[("a.rs", "use crate::b::B;"), ("b.rs", text)], &[]);
}

#[test]
fn a_module_has_all_that_is_below_it() {
    let files = [
        ("a.rs", "mod deep;"),
        ("a/deep.rs", "use crate::b::B;"),
        ("b.rs", ""),
        ("b/deep.rs", "use crate::a::A;"),
    ];
    check_cycles(&files, &[": a b"]);
    // Side by side in a folder; a folder and the file that declares it are one.
    let files = [
        ("a.rs", "use self::one::One;"),
        ("a/one.rs", "use super::{A, two::Two};"),
        ("a/two.rs", "use crate::a::one::One;"),
    ];
    check_cycles(&files, &["a: one two"]);
}

#[test]
fn a_re_exported_name_counts_as_the_module_it_comes_from() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::{A, deep::Deep as Renamed};"),
        ("a.rs", "mod deep; use crate::b::B;"),
        ("a/deep.rs", ""),
        ("b.rs", "use crate::Renamed;"),
    ];
    check_cycles(&files, &[": a b"]);
}

#[test]
fn tests_may_use_anything() {
    let files = [
        (
            "a.rs",
            "#[cfg(test)] mod tests { use crate::b::B; } fn after() {}",
        ),
        (
            "a/sample.rs",
            "#[cfg(test)] pub(crate) fn sample() -> crate::b::B { crate::b::B }",
        ),
        ("a/tests.rs", "use crate::b::B;"),
        ("b.rs", "use crate::a::A;"),
    ];
    check_cycles(&files, &[]);
}

#[test]
fn cycle_is_named_with_its_lines() {
    let files = [
        ("a/one.rs", "\nuse super::two::Two;"),
        ("a/two.rs", "use super::one::One;"),
    ];
    let found = cycles::find(&sources(&files)).unwrap();
    let messages: Vec<_> = found.iter().map(|cycle| describe_cycle(CLIENT, cycle)).collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    for part in [
        "sinch-verify-client::a: the modules one, two need each other",
        "crates/sinch-verify-client/src",
        "one -> two: a/one.rs:2: a::two::Two",
        "two -> one: a/two.rs:1: a::one::One",
    ] {
        assert!(messages[0].contains(part), "{}", messages[0]);
    }
}
