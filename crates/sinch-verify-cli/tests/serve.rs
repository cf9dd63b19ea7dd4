//! `serve` as those see it who start it: its files, its environment, what it says of callbacks.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use running::{KEY, SECRET, command, stderr, stdout};
use serde_json::Value;

/// A `serve` whose two outputs are read.
struct Serve {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    /// What it said until it was ready.
    greeting: String,
}

impl Serve {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        // Its last lines are about callbacks.
        while !["\nNo callbacks", "\nA callback"]
            .iter()
            .any(|last| greeting.contains(last))
        {
            assert_ne!(out.read_line(&mut greeting).unwrap(), 0, "it ended: {greeting}");
        }
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err, greeting }
    }

    /// The value of an `export` line.
    fn exported(&self, name: &str) -> Option<String> {
        let lines = self.greeting.lines();
        let value = lines
            .filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='))
            .find(|(own, _)| *own == name);
        value.map(|(_, value)| value.trim_matches('\'').to_owned())
    }

    fn url(&self) -> String {
        self.exported("SINCH_VERIFICATION_URL").unwrap()
    }

    /// The next line on stderr.
    fn remark(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).unwrap();
        line
    }

    /// Ends it as others end a process, and waits for that.
    fn end(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn known(args: &[&str]) -> Command {
    let mut command = command(&[&["serve", "--port", "0"], args].concat());
    command.envs([
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", SECRET),
    ]);
    command
}

fn ask(url: &str, key: &str, secret: &str, args: &[&str]) -> Output {
    let mut command = command(args);
    command.envs([
        ("SINCH_VERIFICATION_URL", url),
        ("SINCH_APPLICATION_KEY", key),
        ("SINCH_APPLICATION_SECRET", secret),
    ]);
    command.output().unwrap()
}

#[test]
fn key_and_secret_are_those_of_the_environment() {
    let serve = Serve::start(known(&[]));
    assert_eq!(serve.exported("SINCH_APPLICATION_KEY").as_deref(), Some(KEY));
    assert_eq!(serve.exported("SINCH_APPLICATION_SECRET"), None);
    let started = ask(&serve.url(), KEY, SECRET, &["start", "+46700000001"]);
    assert_eq!(started.status.code(), Some(0), "{}", stderr(&started));

    // What an earlier run made up names the variable and how to mend it.
    let other = "AAAAAAAAAAAAAAAAAAAAAA==";
    for (key, secret, auth, error, names) in [
        ("another-key", SECRET, "signed", "40107", "SINCH_APPLICATION_KEY"),
        (KEY, other, "basic", "40107", "SINCH_APPLICATION_SECRET"),
        (KEY, other, "signed", "40102", "SINCH_APPLICATION_SECRET"),
    ] {
        let refused = ask(
            &serve.url(),
            key,
            secret,
            &["start", "+46700000001", "--auth", auth],
        );
        assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
        let told = stderr(&refused);
        assert!(
            told.contains(error) && told.contains(names) && told.contains("sinch-verify serve"),
            "{told}"
        );
    }
    let device = ask(
        &serve.url(),
        KEY,
        "",
        &["status", "--id", "1", "--auth", "public"],
    );
    assert!(stderr(&device).contains("--auth signed"), "{}", stderr(&device));
}

#[test]
fn a_callback_that_fails_is_told_with_its_cause() {
    // Nobody is there, and no system hands this port out by itself.
    let closed = "http://127.0.0.1:1/sinch/callback";
    let mut serve = Serve::start(known(&["--callback-url", closed]));
    let denied = ask(&serve.url(), KEY, SECRET, &["start", "+46700000001"]);
    assert_eq!(denied.status.code(), Some(3), "{}", stderr(&denied));
    assert!(stderr(&denied).contains("callback"), "{}", stderr(&denied));
    let remark = serve.remark();
    assert!(
        remark.contains(closed) && remark.contains("refused") && remark.contains("running"),
        "{remark}"
    );

    // Somebody is there, with another secret.
    let address = refusing();
    let mut serve = Serve::start(known(&[
        "--callback-url",
        &format!("http://{address}/sinch/callback"),
    ]));
    ask(&serve.url(), KEY, SECRET, &["start", "+46700000001"]);
    let remark = serve.remark();
    assert!(
        remark.contains("answered 401") && remark.contains("secret"),
        "{remark}"
    );
    assert!(!remark.contains("+4670"), "{remark}");
}

/// A receiver that takes no signature.
fn refusing() -> SocketAddr {
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
            let answer = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).unwrap();
        }
    });
    address
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn the_ready_file_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("mine.json");
    let other = folder.path().join("mine.part");
    std::fs::write(&other, "mine").unwrap();
    // A run that was killed left it behind.
    std::fs::write(&ready, "{}").unwrap();
    let args = ["serve", "--port", "0", "--ready-file", ready.to_str().unwrap()];
    let serve = Serve::start(command(&args));
    let port = serve.url().rsplit_once(':').unwrap().1.to_owned();
    wait_for(&ready, serve.child.id());
    let mode = std::fs::metadata(&ready).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds the secret");
    assert_eq!(
        read(&ready)["applicationSecret"].as_str().map(str::to_owned),
        serve.exported("SINCH_APPLICATION_SECRET")
    );

    // The port is taken: the file is still the first one's.
    let second = command(&["serve", "--port", &port, "--ready-file", ready.to_str().unwrap()]);
    let second = { second }.output().unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", stdout(&second));
    assert_eq!(read(&ready)["url"], serve.url());

    // Another run takes the file over: the first leaves it.
    let third = Serve::start(command(&args));
    wait_for(&ready, third.child.id());
    serve.end();
    assert_eq!(read(&ready)["url"], third.url());
    third.end();
    assert!(!ready.exists());
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left"
    );
}

/// The status of a request for the messages of a number, to this host.
fn status_for(port: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let request = format!("GET /_emu/phones HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn others_reach_the_phones_by_an_allowed_name_only() {
    let name = "emulator.test.svc";
    let mut serve = Serve::start(known(&["--bind", "0.0.0.0", "--allow-host", name]));
    let warning = serve.remark();
    assert!(warning.contains("reads every code"), "{warning}");
    let port = serve.url().rsplit_once(':').unwrap().1.to_owned();
    for (head, status) in [
        (format!("Host: {name}:{port}"), "200"),
        (format!("Host: {}", name.to_uppercase()), "200"),
        (format!("Host: 127.0.0.1:{port}"), "200"),
        (
            format!("Host: {name}:{port}\r\nOrigin: http://{name}:{port}"),
            "200",
        ),
        (
            format!("Host: {name}:{port}\r\nOrigin: http://other.test.svc"),
            "403",
        ),
        (format!("Host: other.{name}:{port}"), "403"),
        (format!("Host: {name}.evil.example"), "403"),
    ] {
        assert_eq!(status_for(&port, &head), status, "{head}");
    }
    // What a device is told leads there from where it is.
    let args = ["start", "+46700000001", "--method", "data", "--json"];
    let started = stdout(&ask(&serve.url(), KEY, SECRET, &args));
    assert!(started.contains(&format!("http://{name}:{port}/")), "{started}");

    // Without the name, the address alone opens nothing.
    let serve = Serve::start(known(&["--bind", "0.0.0.0"]));
    let port = serve.url().rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(status_for(&port, &format!("Host: {name}:{port}")), "403");

    let url = command(&["serve", "--allow-host", "http://emulator.test.svc"])
        .output()
        .unwrap();
    assert_eq!(url.status.code(), Some(2));
    assert!(stderr(&url).contains("emulator.test.svc"), "{}", stderr(&url));
}

/// Waits until the file is that of a process.
fn wait_for(ready: &Path, pid: u32) {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while read(ready)["pid"] != pid {
        assert!(std::time::Instant::now() < patience, "it did not get ready");
        std::thread::yield_now();
    }
}
