//! What `cargo metadata` says about the workspace, reduced to what the checks need.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::cargo::{cargo, read};

/// The workspace's members and, when it was asked for, the resolved graph below them.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) target_directory: PathBuf,
    pub(crate) members: Vec<Member>,
    pub(crate) packages: Vec<Package>,
}

/// A crate of this workspace, as its manifest declares it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Relative to the root of the workspace, with `/`.
    pub(crate) manifest: String,
    pub(crate) published: bool,
    /// The folder of its documentation, which is named after the library or the binary.
    pub(crate) doc_name: String,
    /// Source files of its library and binaries, relative to the root of the workspace.
    pub(crate) roots: Vec<String>,
    /// Its features by name, without `default`; none if it has no library.
    pub(crate) features: Vec<String>,
    /// What a published crate tells its readers and is missing here, by manifest key.
    pub(crate) missing_keys: Vec<&'static str>,
    /// Its dependencies on other members.
    pub(crate) arrows: Vec<Arrow>,
}

/// A dependency of one member on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub(crate) to: String,
    pub(crate) kind: Kind,
    /// Whether the manifest asks for a version, beside a path.
    pub(crate) versioned: bool,
}

/// The table of a manifest in which a dependency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

/// A node of the resolved graph.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The ids of its normal and build dependencies, for any target.
    pub(crate) dependencies: Vec<String>,
}

/// The keys a crate's page in the registry is made of.
const PAGE_KEYS: &[&str] = &[
    "description",
    "license",
    "repository",
    "readme",
    "keywords",
    "categories",
    "rust_version",
];

impl Metadata {
    /// Reads the members only: fast, and works without network.
    pub(crate) fn read() -> Result<Self> {
        Self::parse(&read(&mut cargo([
            "metadata",
            "--format-version=1",
            "--no-deps",
        ]))?)
    }

    /// Reads the members and the graph with all features, so that optional dependencies count.
    pub(crate) fn read_with_graph() -> Result<Self> {
        Self::parse(&read(&mut cargo([
            "metadata",
            "--format-version=1",
            "--all-features",
        ]))?)
    }

    /// Reads the JSON that cargo printed.
    fn parse(json: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(json).context("failed to read cargo's metadata")?;
        let root = Path::new(text(&json, "workspace_root")?);
        let ids = list(&json, "workspace_members")?;
        let packages = list(&json, "packages")?;
        let members: Vec<&Value> = packages
            .iter()
            .filter(|package| ids.contains(&package["id"]))
            .collect();
        let names: Vec<&str> = members
            .iter()
            .map(|member| text(member, "name"))
            .collect::<Result<_>>()?;
        Ok(Self {
            target_directory: PathBuf::from(text(&json, "target_directory")?),
            members: members
                .into_iter()
                .map(|member| parse_member(member, root, &names))
                .collect::<Result<_>>()?,
            packages: match json["resolve"]["nodes"].as_array() {
                Some(nodes) => parse_graph(nodes, packages)?,
                None => Vec::new(),
            },
        })
    }
}

/// Reads one member of the workspace.
fn parse_member(member: &Value, root: &Path, names: &[&str]) -> Result<Member> {
    let name = text(member, "name")?;
    let targets = list(member, "targets")?;
    let shipped: Vec<&Value> = targets.iter().filter(|target| is_shipped(target)).collect();
    Ok(Member {
        name: name.to_owned(),
        version: text(member, "version")?.to_owned(),
        manifest: relative(text(member, "manifest_path")?, root),
        // `publish = false` is an empty list of registries; no `publish` at all is null.
        published: member["publish"].is_null(),
        doc_name: match shipped.first() {
            Some(target) => text(target, "name")?.replace('-', "_"),
            None => name.replace('-', "_"),
        },
        roots: shipped
            .iter()
            .map(|target| Ok(relative(text(target, "src_path")?, root)))
            .collect::<Result<_>>()?,
        features: features(member, &shipped),
        missing_keys: PAGE_KEYS
            .iter()
            .copied()
            .filter(|key| is_empty(&member[*key]))
            .collect(),
        arrows: list(member, "dependencies")?
            .iter()
            .map(|dependency| parse_arrow(dependency, names))
            .filter_map(Result::transpose)
            .collect::<Result<_>>()?,
    })
}

/// Whether a target is a library or a binary, not a test, bench, example or build script.
fn is_shipped(target: &Value) -> bool {
    const OTHERS: [&str; 4] = ["test", "bench", "example", "custom-build"];
    target["kind"].as_array().is_some_and(|kinds| {
        kinds
            .iter()
            .all(|kind| !OTHERS.contains(&kind.as_str().unwrap_or_default()))
    })
}

/// The features that a user of the library chooses from.
fn features(member: &Value, shipped: &[&Value]) -> Vec<String> {
    let is_library = |target: &&Value| target["kind"] == serde_json::json!(["lib"]);
    let features = member["features"].as_object();
    let features = features.filter(|_| shipped.iter().any(is_library));
    let names = features.into_iter().flat_map(|features| features.keys());
    names.filter(|name| *name != "default").cloned().collect()
}

/// Reads a dependency, if it is one on another member.
fn parse_arrow(dependency: &Value, names: &[&str]) -> Result<Option<Arrow>> {
    let to = text(dependency, "name")?;
    if !names.contains(&to) {
        return Ok(None);
    }
    Ok(Some(Arrow {
        to: to.to_owned(),
        kind: match dependency["kind"].as_str() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        },
        versioned: text(dependency, "req")? != "*",
    }))
}

/// Reads the resolved graph, without the dependencies that only tests have.
fn parse_graph(nodes: &[Value], packages: &[Value]) -> Result<Vec<Package>> {
    nodes
        .iter()
        .map(|node| {
            let id = text(node, "id")?;
            let package = packages
                .iter()
                .find(|package| package["id"] == node["id"])
                .with_context(|| format!("cargo's metadata has no package {id}"))?;
            let dependencies = list(node, "deps")?
                .iter()
                .filter(|dependency| {
                    dependency["dep_kinds"]
                        .as_array()
                        .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
                })
                .map(|dependency| Ok(text(dependency, "pkg")?.to_owned()))
                .collect::<Result<_>>()?;
            Ok(Package {
                id: id.to_owned(),
                name: text(package, "name")?.to_owned(),
                version: text(package, "version")?.to_owned(),
                dependencies,
            })
        })
        .collect()
}

/// A path below the root of the workspace, with `/` on every system.
fn relative(path: &str, root: &Path) -> String {
    let path = Path::new(path);
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// Whether a manifest key is absent or says nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A string that cargo promises.
fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("cargo's metadata has no text `{key}`"))
}

/// A list that cargo promises.
fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    value[key]
        .as_array()
        .map(Vec::as_slice)
        .with_context(|| format!("cargo's metadata has no list `{key}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Two members and a crate from the registry.
    fn sample() -> Value {
        json!({
            "workspace_root": "/repo",
            "target_directory": "/repo/target",
            "workspace_members": ["a-id", "b-id"],
            "packages": [
                {
                    "id": "a-id", "name": "a", "version": "0.1.0", "publish": null,
                    "manifest_path": "/repo/crates/a/Cargo.toml",
                    "description": "first", "license": "MIT", "repository": "", "readme": null,
                    "keywords": ["x"], "categories": [], "rust_version": "1.88",
                    "features": {"default": ["x"], "x": [], "y": ["dep:bytes"]},
                    "targets": [
                        {"name": "a-lib", "kind": ["lib"], "src_path": "/repo/crates/a/src/lib.rs"},
                        {"name": "a-tool", "kind": ["bin"], "src_path": "/repo/crates/a/src/main.rs"},
                        {"name": "it", "kind": ["test"], "src_path": "/repo/crates/a/tests/it.rs"},
                    ],
                    "dependencies": [
                        {"name": "b", "kind": "dev", "req": "*"},
                        {"name": "b", "kind": null, "req": "^0.1.0"},
                        {"name": "bytes", "kind": null, "req": "^1"},
                    ],
                },
                {
                    "id": "b-id", "name": "b", "version": "0.1.0", "publish": [],
                    "manifest_path": "/repo/b/Cargo.toml", "targets": [], "dependencies": [],
                },
                {"id": "bytes-id", "name": "bytes", "version": "1.2.3"},
            ],
            "resolve": {"nodes": [
                {"id": "a-id", "deps": [
                    {"pkg": "b-id", "dep_kinds": [{"kind": "dev"}]},
                    {"pkg": "bytes-id", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
                ]},
                {"id": "b-id", "deps": []},
                {"id": "bytes-id", "deps": []},
            ]},
        })
    }

    #[test]
    fn a_member_is_read_from_its_manifest() {
        let metadata = Metadata::parse(&sample().to_string()).unwrap();
        let [a, b] = metadata.members.as_slice() else {
            panic!("two members, not {:?}", metadata.members);
        };
        assert_eq!(a.manifest, "crates/a/Cargo.toml");
        assert_eq!(a.roots, ["crates/a/src/lib.rs", "crates/a/src/main.rs"]);
        assert_eq!(a.doc_name, "a_lib");
        assert_eq!(a.features, ["x", "y"]);
        assert_eq!(a.missing_keys, ["repository", "readme", "categories"]);
        assert!(a.published && !b.published);
        let arrow = |kind, versioned| Arrow {
            to: "b".to_owned(),
            kind,
            versioned,
        };
        assert_eq!(a.arrows, [arrow(Kind::Dev, false), arrow(Kind::Normal, true)]);
    }

    #[test]
    fn the_graph_leaves_out_what_only_tests_have() {
        let metadata = Metadata::parse(&sample().to_string()).unwrap();
        assert_eq!(metadata.packages[0].dependencies, ["bytes-id"]);
        assert_eq!(metadata.packages[2].version, "1.2.3");
    }

    #[test]
    fn without_a_graph_only_members_are_read() {
        let mut json = sample();
        json["resolve"] = Value::Null;
        let metadata = Metadata::parse(&json.to_string()).unwrap();
        assert_eq!(metadata.members.len(), 2);
        assert!(metadata.packages.is_empty());
    }

    #[test]
    fn a_missing_key_is_named() {
        let mut json = sample();
        json["packages"][0]["version"] = Value::Null;
        let error = Metadata::parse(&json.to_string()).unwrap_err().to_string();
        assert_eq!(error, "cargo's metadata has no text `version`");
    }
}
