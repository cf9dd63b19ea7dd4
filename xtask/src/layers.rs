//! `cargo xtask layers`: no arrow between crates but the designed ones, and a pure protocol crate.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use anyhow::{Result, bail};

use crate::metadata::{Arrow, Kind, Member, Metadata, Package};

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

/// Crates whose types cross our APIs, or whose pools and runtimes must be one: one major of each.
const ONE_MAJOR: &[&str] = &["http", "hyper", "reqwest", "rustls", "tokio"];

/// Checks the arrows and prints them.
pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::read_with_graph()?;
    let mut found = forbidden_arrows(&metadata.members);
    found.extend(impurities(&metadata.packages));
    found.extend(double_majors(&metadata.packages));
    if !found.is_empty() {
        for violation in &found {
            println!("- {violation}\n");
        }
        bail!("{} violation(s) of the layers, named above", found.len());
    }
    print!("{}", diagram(&metadata.members));
    Ok(())
}

/// The arrows that [`LAYERS`] and [`TEST_ARROWS`] do not have, as messages.
fn forbidden_arrows(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let Some((name, allowed)) = LAYERS.iter().find(|(name, _)| *name == member.name) else {
            found.push(format!(
                "{} ({}) is in no layer: give it a place in `LAYERS` in xtask/src/layers.rs \
                 and in docs/architecture.md",
                member.name, member.manifest
            ));
            continue;
        };
        for arrow in &member.arrows {
            if allowed.contains(&arrow.to.as_str()) {
                continue;
            }
            let for_tests = TEST_ARROWS.contains(&(name, &arrow.to)) && arrow.kind == Kind::Dev;
            if !for_tests {
                found.push(forbidden_arrow(member, arrow));
            } else if arrow.versioned {
                found.push(format!(
                    "{name} -> {to} in {manifest} is for tests and has a version: write \
                     `{to} = {{ path = \"../{to}\" }}`, so that it is left out when published",
                    to = arrow.to,
                    manifest = member.manifest
                ));
            }
        }
    }
    found
}

/// Names the arrow, its place and the ways out.
fn forbidden_arrow(member: &Member, arrow: &Arrow) -> String {
    let table = match arrow.kind {
        Kind::Normal => "dependencies",
        Kind::Build => "build-dependencies",
        Kind::Dev => "dev-dependencies",
    };
    format!(
        "{from} -> {to}, under [{table}] in {manifest}, is no arrow of the design: \
         move what both need down to {PROTOCOL}, or the caller up to a crate that may see both. \
         If the design is wrong, change `LAYERS` in xtask/src/layers.rs and say why \
         in docs/decisions/",
        from = member.name,
        to = arrow.to,
        manifest = member.manifest,
    )
}

/// The ways from the protocol crate to a crate that does I/O, as messages.
///
/// The graph is that of the whole workspace, so a feature that another member turns on counts.
fn impurities(packages: &[Package]) -> Vec<String> {
    let by_id: HashMap<&str, &Package> = packages
        .iter()
        .map(|package| (package.id.as_str(), package))
        .collect();
    let Some(start) = packages.iter().find(|package| package.name == PROTOCOL) else {
        return vec![format!(
            "{PROTOCOL} is not in the graph: `PROTOCOL` in xtask/src/layers.rs needs its new name"
        )];
    };
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([start.id.as_str()]);
    let mut queue = VecDeque::from([vec![start]]);
    while let Some(way) = queue.pop_front() {
        let Some(last) = way.last() else { continue };
        if IMPURE.contains(&last.name.as_str()) {
            let names: Vec<&str> = way.iter().map(|package| package.name.as_str()).collect();
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
        for id in &last.dependencies {
            if let Some(&next) = by_id.get(id.as_str())
                && seen.insert(id)
            {
                queue.push_back(way.iter().copied().chain([next]).collect());
            }
        }
    }
    found
}

/// The crates of [`ONE_MAJOR`] that are in the graph more than once, as messages.
fn double_majors(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for name in ONE_MAJOR {
        let mut majors: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.name == *name) {
            majors.entry(major(&package.version)).or_default().push(package);
        }
        if majors.len() < 2 {
            continue;
        }
        let lines: Vec<String> = majors
            .values()
            .flatten()
            .map(|package| {
                let users: Vec<&str> = packages
                    .iter()
                    .filter(|user| user.dependencies.contains(&package.id))
                    .map(|user| user.name.as_str())
                    .collect();
                format!("{} (used by {})", package.version, users.join(", "))
            })
            .collect();
        found.push(format!(
            "{name} is in the graph in two majors: {}. Move the older user up, \
             in [workspace.dependencies] in Cargo.toml, or wait with the newer one",
            lines.join("; ")
        ));
    }
    found
}

/// The part of a version that a breaking release changes: `1` of 1.2.3, `0.23` of 0.23.4.
fn major(version: &str) -> &str {
    let dots = if version.starts_with("0.") { 2 } else { 1 };
    version
        .match_indices('.')
        .nth(dots - 1)
        .map_or(version, |(end, _)| &version[..end])
}

/// The arrows found, lowest layer first; those that only tests have in brackets.
fn diagram(members: &[Member]) -> String {
    let short = |name: &str| name.trim_start_matches("sinch-verify-").to_owned();
    let mut text = String::new();
    for (name, _) in LAYERS {
        let Some(member) = members.iter().find(|member| member.name == *name) else {
            continue;
        };
        // In the order of the layers, whatever the order of the manifest.
        let targets = |kinds: &[Kind]| -> Vec<String> {
            LAYERS
                .iter()
                .filter(|(to, _)| {
                    member
                        .arrows
                        .iter()
                        .any(|arrow| arrow.to == *to && kinds.contains(&arrow.kind))
                })
                .map(|(to, _)| short(to))
                .collect()
        };
        let shipped = targets(&[Kind::Normal, Kind::Build]);
        let tests: Vec<String> = targets(&[Kind::Dev])
            .into_iter()
            .filter(|to| !shipped.contains(to))
            .collect();
        let mut line = format!("{name:<22} ->");
        if !shipped.is_empty() {
            line += &format!(" {}", shipped.join(", "));
        }
        if !tests.is_empty() {
            line += &format!(" [tests: {}]", tests.join(", "));
        }
        if shipped.is_empty() && tests.is_empty() {
            line += " none of ours";
        }
        text += &line;
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
