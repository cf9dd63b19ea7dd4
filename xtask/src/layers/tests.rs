//! An allowed graph passes; each kind of violation fails and is named.

use super::*;

fn member(name: &str, arrows: &[(&str, Kind, bool)]) -> Member {
    Member {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        manifest: format!("crates/{name}/Cargo.toml"),
        published: true,
        doc_name: name.replace('-', "_"),
        roots: Vec::new(),
        features: Vec::new(),
        missing_keys: Vec::new(),
        arrows: arrows
            .iter()
            .map(|&(to, kind, versioned)| Arrow {
                to: to.to_owned(),
                kind,
                versioned,
            })
            .collect(),
    }
}

/// The workspace as designed, every allowed arrow drawn.
fn designed() -> Vec<Member> {
    LAYERS
        .iter()
        .map(|(name, allowed)| {
            let mut arrows: Vec<(&str, Kind, bool)> =
                allowed.iter().map(|to| (*to, Kind::Normal, true)).collect();
            arrows.extend(
                TEST_ARROWS
                    .iter()
                    .filter(|(from, _)| from == name)
                    .map(|(_, to)| (*to, Kind::Dev, false)),
            );
            member(name, &arrows)
        })
        .collect()
}

#[test]
fn the_designed_arrows_pass() {
    assert_eq!(forbidden_arrows(&designed()), [""; 0]);
}

#[test]
fn every_other_arrow_fails_and_is_named() {
    use Kind::*;
    let cases = [
        (PROTOCOL, CLIENT, Normal, true),
        (PROTOCOL, EMULATOR, Dev, false),
        (CLIENT, CALLBACK, Normal, true),
        (CLIENT, EMULATOR, Normal, true),
        (CLIENT, EMULATOR, Build, false),
        (CALLBACK, CLIENT, Dev, false),
        (EMULATOR, CLIENT, Dev, false),
        (EMULATOR, CALLBACK, Normal, true),
        (CLI, LOADTEST, Normal, true),
        (BENCHES, LOADTEST, Dev, false),
        (LOADTEST, CLI, Normal, true),
        (XTASK, PROTOCOL, Normal, true),
    ];
    for (from, to, kind, versioned) in cases {
        let found = forbidden_arrows(&[member(from, &[(to, kind, versioned)])]);
        assert_eq!(found.len(), 1, "{from} -> {to}");
        assert!(found[0].contains(&format!("{from} -> {to}")), "{}", found[0]);
        assert!(
            found[0].contains(&format!("crates/{from}/Cargo.toml")),
            "{}",
            found[0]
        );
        assert!(found[0].contains("docs/decisions/"), "{}", found[0]);
    }
}

#[test]
fn an_arrow_of_tests_has_no_version() {
    for (from, to) in TEST_ARROWS {
        let found = forbidden_arrows(&[member(from, &[(to, Kind::Dev, true)])]);
        assert_eq!(found.len(), 1, "{from} -> {to}");
        assert!(found[0].contains(&format!("path = \"../{to}\"")), "{}", found[0]);
    }
}

#[test]
fn a_new_member_needs_a_layer() {
    let found = forbidden_arrows(&[member("sinch-verify-util", &[])]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("sinch-verify-util"), "{}", found[0]);
}

fn package(name: &str, version: &str, dependencies: &[&str]) -> Package {
    Package {
        id: format!("{name}@{version}"),
        name: name.to_owned(),
        version: version.to_owned(),
        dependencies: dependencies.iter().map(|&id| id.to_owned()).collect(),
    }
}

#[test]
fn a_pure_protocol_crate_passes() {
    // The emulator has tokio; it is no dependency of the protocol crate.
    let packages = [
        package(PROTOCOL, "0.1.0", &["http@1.5.0"]),
        package(EMULATOR, "0.1.0", &["sinch-verify-protocol@0.1.0", "tokio@1.0.0"]),
        package("http", "1.5.0", &["bytes@1.0.0"]),
        package("bytes", "1.0.0", &[]),
        package("tokio", "1.0.0", &["bytes@1.0.0"]),
    ];
    assert_eq!(impurities(&packages), [""; 0]);
}

#[test]
fn an_impurity_is_named_with_the_way_to_it() {
    let packages = [
        package(PROTOCOL, "0.1.0", &["nice@1.0.0"]),
        package("nice", "1.0.0", &["deep@1.0.0", "nice@1.0.0"]),
        package("deep", "1.0.0", &["tokio@1.0.0", "ring@0.17.0"]),
        package("tokio", "1.0.0", &["mio@1.0.0"]),
        package("mio", "1.0.0", &[]),
        package("ring", "0.17.0", &[]),
    ];
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
    assert_eq!(impurities(&[package("protocol", "0.1.0", &[])]).len(), 1);
}

#[test]
fn two_majors_are_named_with_their_users() {
    let packages = [
        package("goose", "0.19.0", &["rustls@0.22.1"]),
        package(CLIENT, "0.1.0", &["rustls@0.23.4"]),
        package("rustls", "0.22.1", &[]),
        package("rustls", "0.23.4", &[]),
        // Twice the same major, and a crate nobody minds.
        package("tokio", "1.1.0", &[]),
        package("tokio", "1.2.0", &[]),
        package("syn", "1.0.0", &[]),
        package("syn", "2.0.0", &[]),
    ];
    let found = double_majors(&packages);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("0.22.1 (used by goose); 0.23.4 (used by sinch-verify-client)"),
        "{}",
        found[0]
    );
}

#[test]
fn a_major_is_what_a_breaking_release_changes() {
    for (version, expected) in [
        ("1.2.3", "1"),
        ("0.23.4", "0.23"),
        ("10.0.0-rc.1", "10"),
        ("2", "2"),
    ] {
        assert_eq!(major(version), expected);
    }
}

#[test]
fn the_diagram_shows_the_arrows_in_the_order_of_the_layers() {
    let members = [
        member(
            CLIENT,
            &[(EMULATOR, Kind::Dev, false), (PROTOCOL, Kind::Normal, true)],
        ),
        member(
            BENCHES,
            &[(EMULATOR, Kind::Dev, true), (PROTOCOL, Kind::Dev, true)],
        ),
        member(PROTOCOL, &[]),
    ];
    let expected = "\
sinch-verify-protocol  -> none of ours
sinch-verify-client    -> protocol [tests: emulator]
sinch-verify-benches   -> [tests: protocol, emulator]
";
    assert_eq!(diagram(&members), expected);
}
