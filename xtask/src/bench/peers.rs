//! The programs of others that areas are compared with: found before anything is built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use super::Area;

/// A program to compare with.
struct Peer {
    /// Its name, for people.
    name: &'static str,
    /// The variable with its path, for the bench `loopback`.
    variable: &'static str,
    /// The areas that it belongs to.
    areas: &'static [Area],
    program: &'static str,
    /// Arguments with which it ends at once.
    probe: &'static [&'static str],
    /// Folders that it needs.
    needs: &'static [&'static str],
    /// The command that installs it.
    install: &'static str,
}

const PEERS: [Peer; 6] = [
    Peer {
        name: "the official Node SDK and Express",
        variable: "PEER_NODE",
        areas: &[Area::Client, Area::Callback],
        program: "node",
        probe: &["--version"],
        needs: &[
            "benches/peers/node_modules/@sinch/sdk-core",
            "benches/peers/node_modules/express",
        ],
        install: "npm ci --ignore-scripts --prefix benches/peers",
    },
    Peer {
        name: "the official Python SDK",
        variable: "PEER_PYTHON",
        areas: &[Area::Client],
        // The environment of the emulator's tests.
        program: "crates/sinch-verify-emulator/tests/interop/.venv/bin/python",
        probe: &["-c", "import sinch"],
        needs: &[],
        install: "(cd crates/sinch-verify-emulator/tests/interop && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt)",
    },
    Peer {
        name: "Flask",
        variable: "PEER_FLASK",
        areas: &[Area::Callback],
        program: "benches/peers/.venv/bin/python",
        probe: &["-c", "import flask, waitress"],
        needs: &[],
        install: "(cd benches/peers && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt)",
    },
    Peer {
        name: "the mock server prism",
        variable: "PEER_PRISM",
        areas: &[Area::Emulator],
        program: "benches/peers/node_modules/.bin/prism",
        probe: &["--version"],
        needs: &[],
        install: "npm ci --ignore-scripts --prefix benches/peers",
    },
    Peer {
        name: "oha",
        variable: "PEER_OHA",
        areas: &[Area::Load],
        program: "oha",
        probe: &["--version"],
        needs: &[],
        install: "cargo install oha --locked",
    },
    Peer {
        name: "wrk",
        variable: "PEER_WRK",
        areas: &[Area::Load],
        program: "wrk",
        probe: &["--version"],
        needs: &[],
        install: "apt-get install wrk",
    },
];

/// The variables and paths of the installed programs of these areas. Prints how to install the others, whose
/// rows have no figure.
pub(super) fn installed(areas: &[Area]) -> Result<Vec<(&'static str, PathBuf)>> {
    let root = env::current_dir()?;
    let wanted = PEERS
        .iter()
        .filter(|peer| peer.areas.iter().any(|area| areas.contains(area)));
    let mut found = Vec::new();
    for peer in wanted {
        match peer.find(&root) {
            Some(program) => found.push((peer.variable, program)),
            None => eprintln!(
                "{} is missing: its rows will say \"not run\"; install it with `{}`",
                peer.name, peer.install
            ),
        }
    }
    Ok(found)
}

impl Peer {
    /// Its path, if it starts. The bench runs in another folder, so the path is absolute.
    fn find(&self, root: &Path) -> Option<PathBuf> {
        let program = if self.program.contains('/') {
            root.join(self.program)
        } else {
            PathBuf::from(self.program)
        };
        let mut command = Command::new(&program);
        command
            .args(self.probe)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // `wrk --version` ends with 1.
        let starts = command
            .status()
            .is_ok_and(|status| status.success() || self.program == "wrk");
        let complete = self.needs.iter().all(|folder| root.join(folder).is_dir());
        (starts && complete).then_some(program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_if_it_starts_and_is_complete() {
        let peer = Peer {
            name: "cargo",
            variable: "PEER_CARGO",
            areas: &[],
            program: "cargo",
            probe: &["--version"],
            needs: &["src"],
            install: "rustup",
        };
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(peer.find(here), Some(PathBuf::from("cargo")));
        let incomplete = Peer {
            needs: &["no-such-folder"],
            ..peer
        };
        assert_eq!(incomplete.find(here), None);
        let missing = Peer {
            program: "no-such-program",
            ..peer
        };
        assert_eq!(missing.find(here), None);
    }
}
