//! What `cargo metadata` says about the workspace, and what this project calls it.

use anyhow::{Context as _, Result};
use cargo_metadata::semver::VersionReq;
use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package, PackageId, Target};

use crate::cargo::{cargo, read};

/// Reads the members only: fast, and works without network.
pub(crate) fn members() -> Result<Metadata> {
    parse(&read(&mut cargo([
        "metadata",
        "--format-version=1",
        "--no-deps",
    ]))?)
}

/// Reads the members and the graph with all features, so that optional dependencies count.
pub(crate) fn graph() -> Result<Metadata> {
    parse(&read(&mut cargo([
        "metadata",
        "--format-version=1",
        "--all-features",
    ]))?)
}

fn parse(json: &str) -> Result<Metadata> {
    MetadataCommand::parse(json).context("failed to read cargo's metadata")
}

/// Whether the crate goes to the registry.
pub(crate) fn is_published(package: &Package) -> bool {
    // `publish = false` is an empty list of registries.
    package.publish.is_none()
}

/// Whether others can depend on it.
pub(crate) fn has_library(package: &Package) -> bool {
    package.targets.iter().any(Target::is_lib)
}

/// A member's dependencies on other members: those with a path.
pub(crate) fn arrows(member: &Package) -> impl Iterator<Item = &Dependency> {
    member
        .dependencies
        .iter()
        .filter(|dependency| dependency.path.is_some())
}

/// Whether the manifest asks for a version, beside a path.
pub(crate) fn is_versioned(dependency: &Dependency) -> bool {
    dependency.req != VersionReq::STAR
}

/// The resolved graph: each package with its normal and build dependencies, for any target.
pub(crate) fn nodes(metadata: &Metadata) -> Vec<(&Package, Vec<&PackageId>)> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    nodes
        .map(|node| {
            let needed = node.deps.iter().filter(|dependency| {
                let mut kinds = dependency.dep_kinds.iter();
                kinds.any(|kind| kind.kind != DependencyKind::Development)
            });
            (
                &metadata[&node.id],
                needed.map(|dependency| &dependency.pkg).collect(),
            )
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod samples {
    use cargo_metadata::{DependencyKind, Metadata, Package};
    use serde_json::{Value, json};

    /// A member with its dependencies on others: name, kind, and whether by version too.
    pub(crate) fn member(name: &str, arrows: &[(&str, DependencyKind, bool)]) -> Package {
        let arrows = arrows.iter().map(|(to, kind, versioned)| {
            json!({
                "name": to, "kind": kind, "req": if *versioned { "^0.1.0" } else { "*" },
                "path": format!("/repo/crates/{to}"),
                "optional": false, "uses_default_features": true, "features": [],
            })
        });
        serde_json::from_value(package(name, "0.1.0", &arrows.collect::<Vec<_>>())).unwrap()
    }

    /// A resolved graph. Packages and their dependencies are written as `name@version`; a
    /// dependency that only tests have ends in `?`.
    pub(crate) fn graph(packages: &[(&str, &[&str])]) -> Metadata {
        let split = |id: &str| {
            let (name, version) = id.split_once('@').unwrap();
            package(name, version, &[])
        };
        let node = |(id, dependencies): &(&str, &[&str])| {
            let deps = dependencies.iter().map(|to| {
                let kind = if to.ends_with('?') {
                    json!("dev")
                } else {
                    Value::Null
                };
                let to = to.trim_end_matches('?');
                json!({ "name": to, "pkg": to, "dep_kinds": [{ "kind": kind, "target": null }] })
            });
            json!({ "id": id, "deps": deps.collect::<Vec<_>>(), "dependencies": [] })
        };
        let metadata = json!({
            "packages": packages.iter().map(|(id, _)| split(id)).collect::<Vec<_>>(),
            "workspace_members": [],
            "resolve": { "nodes": packages.iter().map(node).collect::<Vec<_>>(), "root": null },
            "workspace_root": "/repo", "target_directory": "/repo/target", "version": 1,
        });
        super::parse(&metadata.to_string()).unwrap()
    }

    fn package(name: &str, version: &str, dependencies: &[Value]) -> Value {
        json!({
            "name": name, "version": version, "id": format!("{name}@{version}"),
            "dependencies": dependencies, "targets": [], "features": {},
            "manifest_path": format!("/repo/crates/{name}/Cargo.toml"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_leaves_out_what_only_tests_have() {
        let metadata = samples::graph(&[
            ("a@0.1.0", &["b@0.1.0?", "c@1.2.3"]),
            ("b@0.1.0", &[]),
            ("c@1.2.3", &[]),
        ]);
        let nodes = nodes(&metadata);
        let (package, dependencies) = &nodes[0];
        assert_eq!(package.name, "a");
        assert_eq!(dependencies, &[&metadata.packages[2].id]);
    }

    #[test]
    fn this_workspace_is_read() {
        let metadata = members().unwrap();
        let xtask = metadata.packages.iter().find(|package| package.name == "xtask");
        let xtask = xtask.unwrap();
        assert!(!is_published(xtask));
        assert_eq!(arrows(xtask).count(), 0);
    }
}
