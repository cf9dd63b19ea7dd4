//! `serve --state` when it is killed under load: the file is readable each time, and what it had is there.
//!
//! `SINCH_VERIFY_KILLS` sets how often it is killed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use running::{KEY, SECRET, command};
use serde_json::Value;

/// How many clients start verifications at the same time.
const CLIENTS: usize = 4;

/// The longest accepted age of a lost verification. It is saved every second; the rest is for slow machines.
const LONGEST_LOSS: Duration = Duration::from_secs(15);

struct Serve {
    child: Child,
    address: String,
}

impl Drop for Serve {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serve {
    fn start(folder: &Path) -> Self {
        let ready = folder.join("ready");
        let mut command = command(&["serve", "--port", "0"]);
        command
            .arg("--state")
            .arg(state(folder))
            .arg("--ready-file")
            .arg(&ready)
            .envs([
                ("SINCH_APPLICATION_KEY", KEY),
                ("SINCH_APPLICATION_SECRET", SECRET),
            ])
            .stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let pid = child.id();
        loop {
            assert_eq!(child.try_wait().unwrap(), None, "the state file is readable");
            // A killed process leaves its file behind.
            let content = std::fs::read(&ready).ok();
            let content: Option<Value> = content.and_then(|content| serde_json::from_slice(&content).ok());
            if let Some(content) = content.filter(|content| content["pid"] == pid) {
                let address = content["url"].as_str().unwrap().trim_start_matches("http://");
                return Self {
                    child,
                    address: address.to_owned(),
                };
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The body of an answer; `None` if the process ended meanwhile.
    fn ask(&self, verb: &str, path: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let (host, length) = (&self.address, body.len());
        let head = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        Some(body.to_owned())
    }

    /// Starts a verification of the number with these last digits. Returns its id.
    fn verify(&self, number: u32) -> Option<String> {
        let body = format!(r#"{{"method":"sms","number":"+4670{number:07}"}}"#);
        let answer: Value = serde_json::from_str(&self.ask("POST", "/_emu/try", &body)?).ok()?;
        Some(answer["response"]["id"].as_str()?.to_owned())
    }
}

fn state(folder: &Path) -> PathBuf {
    folder.join("state")
}

/// The ids in a state file or snapshot, up to its last complete save.
fn ids(text: &str) -> HashSet<String> {
    let whole = text.rfind("\n{\"crc32\"").map_or("", |end| &text[..end]);
    let ids = whole.split(r#""uid":""#).skip(1);
    ids.map(|rest| rest[..36].to_owned()).collect()
}

#[test]
fn a_killed_serve_leaves_a_readable_state_that_misses_only_the_latest_changes() {
    let kills = std::env::var("SINCH_VERIFY_KILLS").map_or(3, |kills| kills.parse::<u32>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let next = AtomicU32::new(0);
    let mut expected: HashSet<String> = HashSet::new();
    let (mut oldest, mut lost_in_all, mut starts) = (Duration::ZERO, 0, 0);
    for round in 0..kills {
        let serve = Serve::start(folder.path());
        let answered = Mutex::new(Vec::new());
        let is_over = AtomicBool::new(false);
        let (killed, saved) = std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        if let Some(id) = serve.verify(next.fetch_add(1, Ordering::Relaxed)) {
                            answered.lock().unwrap().push((id, Instant::now()));
                        }
                    }
                });
            }
            // Until this round was saved, and then for another part of the interval each time.
            let saved = loop {
                let saved = ids(&String::from_utf8_lossy(
                    &std::fs::read(state(folder.path())).unwrap(),
                ));
                if answered.lock().unwrap().iter().any(|(id, _)| saved.contains(id)) {
                    break saved;
                }
                std::thread::sleep(Duration::from_millis(50));
            };
            std::thread::sleep(Duration::from_millis(u64::from(round * 373 % 1_100)));
            let killed = Instant::now();
            let pid = serve.child.id().to_string();
            let kill = std::process::Command::new("kill").args(["-9", &pid]).status();
            assert!(kill.unwrap().success());
            is_over.store(true, Ordering::Relaxed);
            (killed, saved)
        });
        drop(serve);

        let serve = Serve::start(folder.path());
        let kept = ids(&serve.ask("GET", "/_emu/snapshot", "").unwrap());
        assert!(expected.is_subset(&kept), "what survived once stays");
        assert!(saved.is_subset(&kept), "what was in the file is there");
        let answered = answered.into_inner().unwrap();
        starts += answered.len();
        for (id, at) in answered.iter().filter(|(id, _)| !kept.contains(id)) {
            let age = killed.saturating_duration_since(*at);
            assert!(age < LONGEST_LOSS, "{id} was answered {age:?} before");
            oldest = oldest.max(age);
            lost_in_all += 1;
        }
        expected = kept;
    }
    println!(
        "{kills} kills, {starts} starts, {lost_in_all} lost, the oldest answered {oldest:?} before its kill"
    );
}

#[test]
fn a_file_that_is_no_state_is_named_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(state(folder.path()), "notes").unwrap();
    let output = command(&["serve", "--port", "0", "--state"])
        .arg(state(folder.path()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("/state: this is no snapshot of the emulator"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(state(folder.path())).unwrap(), "notes");
}
