//! `cargo xtask layers`: checks that crates depend on each other only as designed, that the protocol crate is
//! pure, and that no crate has import cycles.

mod cycles;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package, PackageId};

use crate::cargo::files;
use crate::metadata::{arrows, graph, is_versioned, nodes};
use cycles::{Cycle, Source};

const PROTOCOL: &str = "sinch-verify-protocol";
const CLIENT: &str = "sinch-verify-client";
const CALLBACK: &str = "sinch-verify-callback";
const EMULATOR: &str = "sinch-verify-emulator";
const LOADTEST: &str = "sinch-verify-loadtest";
const CLI: &str = "sinch-verify-cli";
const BENCHES: &str = "sinch-verify-benches";
const XTASK: &str = "xtask";

/// Every member, lowest layer first, with the members it may depend on in any way.
///
/// The emulator never sees the client: a client bug could hide in a service that shares it.
/// Nothing depends on the load tester, because goose takes minutes to build.
const LAYERS: &[(&str, &[&str])] = &[
    (PROTOCOL, &[]),
    (CLIENT, &[PROTOCOL]),
    (CALLBACK, &[PROTOCOL]),
    (EMULATOR, &[PROTOCOL]),
    (LOADTEST, &[PROTOCOL, CLIENT, CALLBACK, EMULATOR]),
    (CLI, &[PROTOCOL, CLIENT, CALLBACK, EMULATOR]),
    (BENCHES, &[PROTOCOL, CLIENT, CALLBACK, EMULATOR]),
    (XTASK, &[]),
];

/// What tests may use in addition, so that a layer is tested against the real service.
///
/// By path and without a version: cargo leaves such a dependency out of the published crate,
/// and the crates can still be published one after the other.
const TEST_ARROWS: &[(&str, &str)] = &[(CLIENT, EMULATOR), (CALLBACK, EMULATOR)];

/// Async runtimes, TLS stacks and HTTP clients: the protocol crate has none of them below it.
const IMPURE: &[&str] = &[
    "actix-rt",
    "actix-web",
    "async-executor",
    "async-io",
    "async-std",
    "aws-lc-rs",
    "aws-lc-sys",
    "axum",
    "boring",
    "curl",
    "curl-sys",
    "h2",
    "h3",
    "hyper",
    "hyper-rustls",
    "hyper-tls",
    "hyper-util",
    "isahc",
    "mio",
    "native-tls",
    "openssl",
    "openssl-sys",
    "quinn",
    "reqwest",
    "ring",
    "rustls",
    "schannel",
    "security-framework",
    "smol",
    "socket2",
    "surf",
    "tokio",
    "tokio-rustls",
    "tower",
    "ureq",
];

/// Checks the arrows and prints them.
pub(crate) fn run() -> Result<()> {
    let metadata = graph()?;
    let members = metadata.workspace_packages();
    let mut found = forbidden_arrows(&members);
    found.extend(impurities(&metadata));
    for member in &members {
        let cycles = cycles::find(&sources(&metadata, member)?)?;
        found.extend(cycles.iter().map(|cycle| describe_cycle(&member.name, cycle)));
    }
    if !found.is_empty() {
        for violation in &found {
            println!("- {violation}\n");
        }
        bail!("{} violation(s) of the layers, named above", found.len());
    }
    print!("{}", diagram(&members));
    Ok(())
}

/// The arrows that [`LAYERS`] and [`TEST_ARROWS`] do not have, as messages.
fn forbidden_arrows(members: &[&Package]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let Some((name, allowed)) = LAYERS.iter().find(|(name, _)| member.name == *name) else {
            found.push(format!(
                "{} is in no layer: give it a place in `LAYERS` in xtask/src/layers.rs \
                 and in docs/architecture.md",
                member.name
            ));
            continue;
        };
        for arrow in arrows(member) {
            let to = arrow.name.as_str();
            if allowed.contains(&to) {
                continue;
            }
            let for_tests = TEST_ARROWS.contains(&(name, to)) && arrow.kind == DependencyKind::Development;
            if !for_tests {
                found.push(forbidden_arrow(name, arrow));
            } else if is_versioned(arrow) {
                found.push(format!(
                    "{name} -> {to} is for tests and has a version: write \
                     `{to} = {{ path = \"../{to}\" }}`, so that it is left out when published"
                ));
            }
        }
    }
    found
}

/// The message for an arrow that is not allowed, with its place and the possible fixes.
fn forbidden_arrow(from: &str, arrow: &Dependency) -> String {
    let table = match arrow.kind {
        DependencyKind::Development => "dev-dependencies",
        DependencyKind::Build => "build-dependencies",
        _ => "dependencies",
    };
    format!(
        "{from} -> {to}, under [{table}] of {from}, is no arrow of the design: \
         move what both need down to {PROTOCOL}, or the caller up to a crate that may see both. \
         If the design is wrong, change `LAYERS` in xtask/src/layers.rs and say why \
         in docs/decisions/",
        to = arrow.name,
    )
}

/// The ways from the protocol crate to a crate that does I/O, as messages.
///
/// The graph is that of the whole workspace, so a feature that another member turns on counts.
fn impurities(metadata: &Metadata) -> Vec<String> {
    let nodes = nodes(metadata);
    let Some(start) = nodes.iter().find(|(package, _)| package.name == PROTOCOL) else {
        return vec![format!(
            "{PROTOCOL} is not in the graph: `PROTOCOL` in xtask/src/layers.rs needs its new name"
        )];
    };
    let by_id: HashMap<&PackageId, &(&Package, Vec<&PackageId>)> =
        nodes.iter().map(|node| (&node.0.id, node)).collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([&start.0.id]);
    let mut queue = VecDeque::from([vec![start]]);
    while let Some(way) = queue.pop_front() {
        let Some((last, dependencies)) = way.last() else {
            continue;
        };
        if IMPURE.contains(&last.name.as_str()) {
            let names: Vec<&str> = way.iter().map(|(package, _)| package.name.as_str()).collect();
            found.push(format!(
                "{PROTOCOL} is pure and reaches {}: {}. Drop the dependency or the feature \
                 that brings it, under [dependencies] in crates/{PROTOCOL}/Cargo.toml; \
                 `cargo tree -p {PROTOCOL} --all-features -i {}` shows who asks for it",
                last.name,
                names.join(" -> "),
                last.name
            ));
            continue;
        }
        for id in dependencies {
            if let Some(&next) = by_id.get(id)
                && seen.insert(id)
            {
                queue.push_back(way.iter().copied().chain([next]).collect());
            }
        }
    }
    found
}

/// The source files of a member.
fn sources(metadata: &Metadata, member: &Package) -> Result<Vec<Source>> {
    let manifest = member.manifest_path.strip_prefix(&metadata.workspace_root)?;
    let src = manifest.with_file_name("src");
    files()?
        .into_iter()
        .filter_map(|file| {
            let below = file.strip_prefix(src.as_str())?.strip_prefix('/')?;
            let path = below.ends_with(".rs").then(|| below.to_owned())?;
            let text = fs::read_to_string(&file).with_context(|| format!("failed to read {file}"));
            Some(text.map(|text| Source { path, text }))
        })
        .collect()
}

/// An import cycle, as a message.
fn describe_cycle(member: &str, cycle: &Cycle) -> String {
    let parent = match cycle.parent.as_str() {
        "" => member.to_owned(),
        parent => format!("{member}::{parent}"),
    };
    format!(
        "{parent}: the modules {} need each other: move what several of them need into a module that \
         needs none of them. In crates/{member}/src:\n    {}",
        cycle.members.join(", "),
        cycle.places.join("\n    ")
    )
}

/// The arrows found, lowest layer first; those that only tests have in brackets.
fn diagram(members: &[&Package]) -> String {
    let mut text = String::new();
    for (name, _) in LAYERS {
        let Some(member) = members.iter().find(|member| member.name == *name) else {
            continue;
        };
        // In the order of the layers, whatever the order of the manifest.
        let targets = |for_tests: bool| -> Vec<&str> {
            LAYERS
                .iter()
                .map(|(to, _)| *to)
                .filter(|to| {
                    arrows(member).any(|arrow| {
                        arrow.name == *to && (arrow.kind == DependencyKind::Development) == for_tests
                    })
                })
                .map(|to| to.trim_start_matches("sinch-verify-"))
                .collect()
        };
        let shipped = targets(false);
        let mut tests = targets(true);
        tests.retain(|to| !shipped.contains(to));
        text += &format!("{name:<22} ->");
        if !shipped.is_empty() {
            text += &format!(" {}", shipped.join(", "));
        }
        if !tests.is_empty() {
            text += &format!(" [tests: {}]", tests.join(", "));
        }
        if shipped.is_empty() && tests.is_empty() {
            text += " none of ours";
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
