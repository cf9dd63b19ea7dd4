//! `serve` as those see it who start it: its files, its environment, what it says of callbacks.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::FileType;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use running::{KEY, SECRET, answering, command, stderr, stdout};
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
    // No program listens here, and no system hands this port out by itself.
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

    // A receiver listens here, with another secret.
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
    let answer = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    answering(answer.to_owned())
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// A `serve` with this ready file.
fn with_ready_file(ready: &Path) -> Command {
    command(&["serve", "--port", "0", "--ready-file", ready.to_str().unwrap()])
}

/// What a `serve` says that ends by itself.
fn refused(mut command: Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > patience {
            child.kill().unwrap();
            panic!("it was not refused");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn the_ready_file_is_there_while_the_emulator_runs() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("mine.json");
    let serve = Serve::start(with_ready_file(&ready));
    wait_for(&ready, serve.child.id());
    let mode = std::fs::metadata(&ready).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds the secret");
    let content = read(&ready);
    assert_eq!(content["url"], serve.url());
    assert_eq!(
        content["applicationKey"].as_str().map(str::to_owned),
        serve.exported("SINCH_APPLICATION_KEY")
    );
    assert_eq!(
        content["applicationSecret"].as_str().map(str::to_owned),
        serve.exported("SINCH_APPLICATION_SECRET")
    );

    // Another run cannot have it.
    let second = refused(with_ready_file(&ready));
    assert_eq!(second.status.code(), Some(2), "{}", stdout(&second));
    let told = stderr(&second);
    assert!(told.contains(&format!("process {}", serve.child.id())), "{told}");
    assert_eq!(read(&ready), content);

    serve.end();
    let left = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.count(), 0, "nothing is left");
}

#[test]
fn a_ready_file_that_a_killed_run_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("mine.json");
    let mut killed = Serve::start(with_ready_file(&ready));
    wait_for(&ready, killed.child.id());
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let mut left: Value = read(&ready);

    // Its process id may be another process's by now, as this one's.
    left["pid"] = std::process::id().into();
    std::fs::write(&ready, left.to_string()).unwrap();
    let serve = Serve::start(with_ready_file(&ready));
    wait_for(&ready, serve.child.id());
    assert_eq!(read(&ready)["url"], serve.url());
    serve.end();
    assert!(!ready.exists());
}

#[test]
fn what_is_at_the_path_of_the_ready_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("empty"), "").unwrap();
    std::fs::write(at("text"), "mine").unwrap();
    std::fs::write(at("json"), r#"{"url":"http://127.0.0.1:1","mine":true}"#).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    std::os::unix::fs::symlink(at("text"), at("link")).unwrap();
    std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
    // As little of a file as a device is, and harmless if it is lost.
    let _socket = UnixListener::bind(at("socket")).unwrap();
    let before = listing(folder.path());
    for name in ["empty", "text", "json", "folder", "link", "dangling", "socket"] {
        let output = refused(with_ready_file(&at(name)));
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stdout(&output));
        assert_eq!(stdout(&output), "", "{name}");
        let told = stderr(&output);
        assert!(
            told.contains("--ready-file") && told.contains("exists"),
            "{name}: {told}"
        );
        assert_eq!(listing(folder.path()), before, "{name}");
    }

    // Nor does a run remove what was put in the place of its own.
    let ready = at("mine.json");
    let serve = Serve::start(with_ready_file(&ready));
    wait_for(&ready, serve.child.id());
    std::fs::rename(at("text"), &ready).unwrap();
    serve.end();
    assert_eq!(std::fs::read_to_string(&ready).unwrap(), "mine");
}

/// What is in a folder: names, and what they are.
fn listing(folder: &Path) -> BTreeMap<OsString, (FileType, u64, u64)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let it = entry.metadata().unwrap();
        (entry.file_name(), (it.file_type(), it.ino(), it.len()))
    });
    entries.collect()
}

#[test]
fn a_ready_file_that_cannot_be_written_is_said_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no/such/folder.json");
    let args = ["serve", "--port", "0", "--ready-file", nowhere.to_str().unwrap()];
    let output = command(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("--ready-file"), "{}", stderr(&output));
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
    assert!(warning.contains("can read every code"), "{warning}");
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

#[test]
fn links_use_the_public_url_of_the_command_line_or_else_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emulator.json");
    std::fs::write(&file, r#"{"publicUrl":"https://emulator.example/sinch"}"#).unwrap();
    let settings = ["--settings", file.to_str().unwrap()];
    let flag = ["--public-url", "http://10.0.2.2:9901"];
    for (args, public) in [
        (&settings[..], Some("https://emulator.example/sinch")),
        (&flag, Some("http://10.0.2.2:9901")),
        (&[settings, flag].concat(), Some("http://10.0.2.2:9901")),
        (&[], None),
    ] {
        let serve = Serve::start(known(args));
        let public = public.map_or_else(|| serve.url(), str::to_owned);
        let started = ["start", "+46700000001", "--method", "data", "--json"];
        let started = stdout(&ask(&serve.url(), KEY, SECRET, &started));
        assert!(
            started.contains(&format!("\"{public}/_emu/seamless/")),
            "{started}"
        );
    }
    let pasted = "https://emulator.example/verification/v1/verifications";
    std::fs::write(&file, format!(r#"{{"publicUrl":"{pasted}"}}"#)).unwrap();
    for args in [&settings[..], &["--public-url", pasted]] {
        let refused = known(args).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        let error = stderr(&refused);
        assert!(error.contains("give https://emulator.example"), "{error}");
    }
}

/// Waits until the file is that of a process.
fn wait_for(ready: &Path, pid: u32) {
    let patience = Instant::now() + Duration::from_secs(20);
    let is_there = || {
        let text = std::fs::read(ready).ok()?;
        Some(serde_json::from_slice::<Value>(&text).unwrap()["pid"] == pid)
    };
    while is_there() != Some(true) {
        assert!(Instant::now() < patience, "it did not get ready");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The file that the guide shows.
fn example() -> String {
    let guide = include_str!("../../../docs/guides/emulator.md");
    let (_, section) = guide.split_once("## Settings in a file").unwrap();
    let (_, example) = section.split_once("```json\n").unwrap();
    example.split_once("```").unwrap().0.to_owned()
}

#[test]
fn settings_of_the_guide_are_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emulator.json");
    std::fs::write(&file, example().replace("127.0.0.1:8000", "127.0.0.1:1")).unwrap();
    let serve = Serve::start(command(&[
        "serve",
        "--port",
        "0",
        "--settings",
        file.to_str().unwrap(),
    ]));
    let whole: Value = serde_json::from_str(&example()).unwrap();
    let of = |n: usize, name: &str| whole["applications"][n][name].as_str().unwrap().to_owned();
    let (key, secret) = (of(1, "key"), of(1, "secret"));
    let url = serve.url();
    let start = |auth: &str| ask(&url, &key, &secret, &["start", "+46700000001", "--auth", auth]);
    assert_ne!(start("public").status.code(), Some(0), "minimumAuthorization");
    assert_eq!(start("basic").status.code(), Some(0));
    // A second within 30 s.
    let quick = start("basic");
    assert!(stderr(&quick).contains("42901"), "velocity: {}", stderr(&quick));
    let inbox = ask(&url, &key, &secret, &["inbox", "+46700000001", "--json"]);
    let inbox: Value = serde_json::from_str(&stdout(&inbox)).unwrap();
    let text = inbox.to_string();
    let code = text
        .split("\"code\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(code.len(), 6, "codeLength");
    let weak = ask(
        &url,
        &of(0, "key"),
        &of(0, "secret"),
        &["start", "+46700000002", "--auth", "basic"],
    );
    assert!(stderr(&weak).contains("40301"), "{}", stderr(&weak));
}

#[test]
fn wrong_settings_name_file_place_and_nearest_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emulator.json");
    let application = r#"{"key":"k","secret":"BeIukql3pTKJ8RGL5zo0DA=="}"#;
    for (text, told) in [
        (r#"{"expirry":"5m"}"#, "the nearest is `expiry`"),
        (
            r#"{"expiry":300}"#,
            "expiry: invalid type: integer `300`, expected a duration with its unit, such as 250ms",
        ),
        (
            r#"{"expiry":"300"}"#,
            "expiry: must be a duration with its unit, such as 250ms",
        ),
        (r#"{"codeLength":11}"#, "codeLength: must be 1 to 10"),
        (
            r#"{"calloutPolling":{"interval":"3"}}"#,
            "calloutPolling.interval: ",
        ),
        (r#"{"aplications":[]}"#, "the nearest is `applications`"),
        (
            r#"{"allowRemoteCalbacks":true}"#,
            "the nearest is `allowRemoteCallbacks`",
        ),
        // Not there, but where it would have to be.
        (
            r#"{"calloutPolling":{"applications":[]}}"#,
            "the nearest is `startAfter`",
        ),
        (
            r#"{"applications":[{"key":"k","secret":"?"}]}"#,
            "applications[0].secret: ",
        ),
        (
            r#"{"applications":[{"key":"k","secret":"BeIukql3pTKJ8RGL5zo0DA==","callbackUrl":"http://example.com/"}]}"#,
            "applications[0].callbackUrl: ",
        ),
        (
            r#"{"applications":[{"key":"k","secret":"BeIukql3pTKJ8RGL5zo0DA==","callbackAuth":"none"}]}"#,
            "applications[0].callbackAuth: ",
        ),
        (
            r#"{"publicUrl":"emulator.example"}"#,
            "publicUrl: base URL must start with",
        ),
        (
            r#"{"applications":[{"key":"k","secret":"BeIukql3pTKJ8RGL5zo0DA==","callbackURL":null}]}"#,
            "the nearest is `callbackUrl`",
        ),
        (
            r#"{"applications":[{"key":"k","secret":"BeIukql3pTKJ8RGL5zo0DA==","alsoSecrets":"BeIukql3pTKJ8RGL5zo0DA=="}]}"#,
            "applications[0].alsoSecrets: expected a sequence",
        ),
        (
            r#"{"applications":[{"key":"k","secret":12345678}]}"#,
            "applications[0].secret: expected a string",
        ),
        ("[]", "invalid type"),
        (
            &format!(r#"{{"applications":[{application},{application}]}}"#),
            "k",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut served = known(&["--settings", file.to_str().unwrap()]);
        let output = served.output().unwrap();
        let error = stderr(&output);
        assert_ne!(output.status.code(), Some(0), "{text}");
        assert!(error.contains(told), "{text}: {error}");
        assert!(
            !error.contains("BeIukql3pTKJ8RGL5zo0DA") && !error.contains("12345678"),
            "{error}"
        );
    }
}

#[test]
fn printed_settings_are_such_a_file() {
    let printed = command(&["serve", "--print-settings"]).output().unwrap();
    let settings: Value = serde_json::from_str(&stdout(&printed)).unwrap();
    assert_eq!(settings["expiry"], "5m");
    assert_eq!(settings["velocity"], Value::Null);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emulator.json");
    std::fs::write(&file, stdout(&printed)).unwrap();
    let serve = Serve::start(known(&["--settings", file.to_str().unwrap()]));
    assert_eq!(serve.exported("SINCH_APPLICATION_KEY").as_deref(), Some(KEY));
}

#[test]
fn a_byte_order_mark_before_a_file_is_skipped_and_utf_16_is_called_that() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.into_os_string().into_string().unwrap()
    };
    let settings = file("settings.json", b"\xef\xbb\xbf{\"expiry\":\"5m\"}");
    let faults = file("faults.json", b"\xef\xbb\xbf[]");
    let serve = Serve::start(known(&["--settings", &settings, "--faults", &faults]));
    assert_eq!(serve.exported("SINCH_APPLICATION_KEY").as_deref(), Some(KEY));

    let utf16 = file("utf16.json", b"\xff\xfe{\0}\0");
    for flag in ["--settings", "--faults"] {
        let refused = known(&[flag, &utf16]).output().unwrap();
        assert!(
            stderr(&refused).contains("it is UTF-16\nhint: save it as UTF-8"),
            "{}",
            stderr(&refused)
        );
    }
}
