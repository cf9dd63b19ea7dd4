//! The command, run and looked at; and the emulator behind it.
#![allow(dead_code, reason = "no test uses all of it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) const KEY: &str = "669E367E-6BBA-48AB-AF15-266871C28135";
pub(crate) const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify"));
    for name in [
        "SINCH_VERIFICATION_URL",
        "SINCH_APPLICATION_KEY",
        "SINCH_APPLICATION_SECRET",
    ] {
        command.env_remove(name);
    }
    // Whatever the user of this machine has set does not count.
    command.env(
        "XDG_CONFIG_HOME",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/no-settings"),
    );
    command.args(args).stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A process that is ended with the test.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that answers every request with this text.
pub(crate) fn answering(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(&mut stream).lines();
            while head
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

/// A running emulator, ended with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    pub(crate) greeting: PathBuf,
    _folder: tempfile::TempDir,
}

impl Served {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_with(args, |_| {})
    }

    /// The same, with a command that `change` has changed.
    pub(crate) fn start_with(args: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready.json");
        let greeting = folder.path().join("greeting.txt");
        let mut serve = command(&["serve", "--port", "0", "--ready-file", ready.to_str().unwrap()]);
        serve.args(args).stdout(std::fs::File::create(&greeting).unwrap());
        change(&mut serve);
        let child = serve.spawn().unwrap();
        let url = Self::wait_for(&ready);
        Self {
            child,
            url,
            greeting,
            _folder: folder,
        }
    }

    fn wait_for(ready: &Path) -> String {
        let patience = Instant::now() + Duration::from_secs(20);
        while Instant::now() < patience {
            if let Ok(text) = std::fs::read_to_string(ready) {
                let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                return json["url"].as_str().unwrap().to_owned();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the emulator did not get ready");
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        command(args)
            .envs([
                ("SINCH_APPLICATION_KEY", KEY),
                ("SINCH_APPLICATION_SECRET", SECRET),
                ("SINCH_VERIFICATION_URL", &self.url),
            ])
            .output()
            .unwrap()
    }
}

impl Served {
    /// Runs a command with the address of the emulator and nothing else set.
    pub(crate) fn run_bare(&self, args: &[&str]) -> Output {
        command(args)
            .env("SINCH_VERIFICATION_URL", &self.url)
            .output()
            .unwrap()
    }

    /// Ends the emulator.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}
