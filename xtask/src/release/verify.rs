//! Whether the published crates are what a user needs: a project for each layer, built from them alone.

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;

use super::published;
use crate::cargo::{cargo, run};
use crate::metadata::members;

/// A project with one test.
pub(crate) struct Consumer {
    pub(crate) name: &'static str,
    /// Lines of its manifest, with [`ANY_VERSION`] of our crates.
    pub(crate) dependencies: &'static str,
    pub(crate) test: &'static str,
}

/// What the version that is verified takes the place of.
const ANY_VERSION: &str = "version = \"*\"";

/// A project for each layer; `cargo xtask guides` compiles them with the crates as they are here.
pub(crate) const CONSUMERS: [Consumer; 4] = [
    Consumer {
        name: "protocol",
        dependencies: "sinch-verify-protocol = { version = \"*\" }\n",
        test: include_str!("consumers/protocol.rs"),
    },
    Consumer {
        name: "client",
        dependencies: "sinch-verify-client = { version = \"*\" }\n\
                       tokio = { version = \"1\", features = [\"full\"] }\n",
        test: include_str!("consumers/client.rs"),
    },
    Consumer {
        name: "callback",
        dependencies: "sinch-verify-callback = { version = \"*\", features = [\"axum\", \"testing\"] }\n\
                       axum = \"0.8\"\n\
                       tokio = { version = \"1\", features = [\"full\"] }\n\
                       tower = { version = \"0.5\", features = [\"util\"] }\n",
        test: include_str!("consumers/callback.rs"),
    },
    Consumer {
        name: "emulator",
        dependencies: "sinch-verify-client = { version = \"*\" }\n\
                       sinch-verify-emulator = { version = \"*\" }\n\
                       tokio = { version = \"1\", features = [\"full\"] }\n",
        test: include_str!("consumers/emulator.rs"),
    },
];

/// Where the crates were published.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Another registry than crates.io, as cargo's configuration names it
    #[arg(long)]
    registry: Option<String>,
}

impl Verify {
    /// Writes each project anew, and builds and tests it by itself: no feature comes from another.
    pub(super) fn run(&self) -> Result<()> {
        let version = published()?.1;
        let registry = self.registry.as_ref();
        let registry = registry.map(|name| format!(", registry = \"{name}\""));
        let source = format!("version = \"={version}\"{}", registry.unwrap_or_default());
        let folder = members()?.target_directory.join("consumers");
        let target = folder.join("target");
        for consumer in CONSUMERS {
            println!("\n==> {} {version}", consumer.name);
            let project = folder.join(consumer.name);
            if project.exists() {
                fs::remove_dir_all(&project).with_context(|| format!("failed to remove {project}"))?;
            }
            for (path, text) in [
                ("Cargo.toml", manifest(&consumer, &source)),
                // A package of tests alone is none to cargo.
                ("src/lib.rs", String::new()),
                ("tests/consumer.rs", consumer.test.to_owned()),
            ] {
                let path = project.join(path);
                let parent = path.parent().unwrap_or(&project);
                fs::create_dir_all(parent).with_context(|| format!("failed to make {parent}"))?;
                fs::write(&path, text).with_context(|| format!("failed to write {path}"))?;
            }
            let mut test = cargo(["test", "--quiet", "--test", "consumer"]);
            test.current_dir(&project).env("CARGO_TARGET_DIR", &target);
            let fix = format!(
                "a user of {version} sees this too: mend it, release a patch, and yank {version} if it cannot be used"
            );
            run(&mut test, &fix)?;
        }
        println!("\n{version} can be used: each layer by itself");
        Ok(())
    }
}

fn manifest(consumer: &Consumer, source: &str) -> String {
    let dependencies = consumer.dependencies.replace(ANY_VERSION, source);
    format!(
        "[package]\nname = \"consumer-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{dependencies}\n\
         # Not a member of the workspace around it.\n[workspace]\n",
        consumer.name
    )
}
