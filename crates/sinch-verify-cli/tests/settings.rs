//! `config`: where settings come from, and what a file may not do.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use running::{KEY, SECRET, Served, command, stderr, stdout};

const LIVE: &str = "https://verification.api.sinch.com";

/// A user, and a project in which the user works.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("project")).unwrap();
        Self(folder)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.env("XDG_CONFIG_HOME", self.0.path());
        command.current_dir(self.0.path().join("project"));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        stdout(&output)
    }

    /// What is said by a command that is used wrongly.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stdout(&output));
        stderr(&output)
    }

    /// Sets a secret by standard input.
    fn set_secret(&self, profile: &str, secret: &str) -> Output {
        let mut child = self
            .command(&["config", "set", "application-secret", "--profile", profile])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{secret}").unwrap();
        child.wait_with_output().unwrap()
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("sinch-verify/config.toml")
    }

    fn project(&self, text: &str) {
        std::fs::write(self.0.path().join("project/sinch-verify.toml"), text).unwrap();
    }
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_flag_counts_before_the_environment_the_project_the_user_and_the_default() {
    let desk = Desk::new();
    let url = |desk: &Desk| desk.ok(&["config", "get", "url"]);
    assert_eq!(url(&desk), "http://127.0.0.1:9901");
    desk.ok(&["config", "set", "url", "http://127.0.0.1:1001"]);
    assert_eq!(url(&desk), "http://127.0.0.1:1001");
    desk.project("url = \"http://127.0.0.1:1002\"\n");
    assert_eq!(url(&desk), "http://127.0.0.1:1002");
    let list = desk.ok(&["config", "list", "--show-origin"]);
    assert!(
        list.contains("url\thttp://127.0.0.1:1002\tproject file, sinch-verify.toml"),
        "{list}"
    );
    let with = |args: &[&str]| {
        let mut command = desk.command(args);
        stdout(
            &command
                .env("SINCH_VERIFICATION_URL", "http://127.0.0.1:1003")
                .output()
                .unwrap(),
        )
    };
    assert_eq!(with(&["config", "get", "url"]), "http://127.0.0.1:1003");
    // A profile that is named is a flag.
    desk.ok(&[
        "config",
        "set",
        "url",
        "http://127.0.0.1:1004",
        "--profile",
        "other",
    ]);
    assert_eq!(
        with(&["config", "get", "url", "--profile", "other"]),
        "http://127.0.0.1:1004"
    );
    let started = desk.run(&[
        "start",
        "+46700000001",
        "--profile",
        "other",
        "--url",
        "http://127.0.0.1:1",
    ]);
    assert!(
        stderr(&started).contains("no connection to http://127.0.0.1:1:"),
        "{}",
        stderr(&started)
    );
    assert!(
        desk.refused(&["config", "get", "url", "--profile", "nothing"])
            .contains("nothing")
    );
}

#[test]
fn key_and_secret_of_a_profile_authorize_at_its_address_and_nowhere_else() {
    let own = Served::start(&["--app-key", KEY, "--app-secret", SECRET]);
    let desk = Desk::new();
    desk.ok(&["config", "set", "url", &own.url, "--profile", "own"]);
    desk.ok(&["config", "set", "application-key", KEY, "--profile", "own"]);
    assert_eq!(desk.set_secret("own", SECRET).status.code(), Some(0));
    desk.ok(&["start", "+46700000001", "--profile", "own"]);

    // Another address: the development application, of which this emulator knows nothing.
    let other = Served::start(&["--app-key", KEY, "--app-secret", SECRET]);
    let refused = desk.run(&["start", "+46700000001", "--profile", "own", "--url", &other.url]);
    assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
    // Nor does a project take them there.
    desk.ok(&["config", "set", "url", &own.url]);
    desk.ok(&["config", "set", "application-key", KEY]);
    assert_eq!(desk.set_secret("default", SECRET).status.code(), Some(0));
    desk.ok(&["start", "+46700000001"]);
    desk.project(&format!("url = \"{}\"\n", other.url));
    let refused = desk.run(&["start", "+46700000001", "--auth", "basic"]);
    assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
    let seen =
        stdout(&own.run_bare(&["requests", "--json"])) + &stdout(&other.run_bare(&["requests", "--json"]));
    assert!(seen.contains("401"), "{seen}");
    // The environment counts before a profile, unless a flag names that.
    let other_secret = [
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    std::fs::remove_file(desk.0.path().join("project/sinch-verify.toml")).unwrap();
    for (args, code) in [
        (&["start", "+46700000001"][..], 4),
        (&["start", "+46700000001", "--profile", "own"], 0),
    ] {
        let output = desk.command(args).envs(other_secret).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
    }
    desk.project(&format!("url = \"{}\"\n", other.url));
    let given = desk
        .command(&["start", "+46700000001"])
        .envs([
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", SECRET),
        ])
        .output()
        .unwrap();
    assert_eq!(given.status.code(), Some(0), "{}", stderr(&given));
}

#[test]
fn a_profile_with_half_an_application_is_refused() {
    let desk = Desk::new();
    let start = [
        "start",
        "+46700000001",
        "--url",
        "http://127.0.0.1:1",
        "--profile",
        "half",
    ];
    desk.ok(&["config", "set", "url", "http://127.0.0.1:1", "--profile", "half"]);
    assert_eq!(desk.set_secret("half", SECRET).status.code(), Some(0));
    let said = desk.refused(&start);
    assert!(said.contains("config set application-key"), "{said}");
    std::fs::remove_file(desk.file()).unwrap();
    desk.ok(&["config", "set", "url", "http://127.0.0.1:1", "--profile", "half"]);
    desk.ok(&["config", "set", "application-key", KEY, "--profile", "half"]);
    let said = desk.refused(&start);
    assert!(said.contains("config set application-secret"), "{said}");
    let list = desk.ok(&["config", "list", "--profile", "half"]);
    assert!(list.contains("application-secret\t(not set)"), "{list}");
}

#[test]
fn another_machine_must_be_declared_live() {
    let desk = Desk::new();
    let said = desk.refused(&["config", "set", "url", LIVE, "--profile", "live"]);
    assert!(said.contains("config set --profile live live true"), "{said}");
    assert!(!desk.file().exists(), "nothing was written");
    desk.ok(&["config", "set", "live", "true", "--profile", "live"]);
    desk.ok(&["config", "set", "url", LIVE, "--profile", "live"]);
    // It needs an application of its own.
    let said = desk.refused(&["start", "+46700000001", "--profile", "live"]);
    assert!(said.contains("SINCH_APPLICATION_KEY is not set"), "{said}");
    // The declaration is for this address only.
    let said = desk.refused(&[
        "start",
        "+46700000001",
        "--profile",
        "live",
        "--url",
        "https://sinch.invalid",
    ]);
    assert!(said.contains("--live"), "{said}");
    let said = desk.refused(&["config", "set", "live", "false", "--profile", "live"]);
    assert!(said.contains("is not this machine"), "{said}");
}

#[test]
fn a_project_cannot_lead_to_another_machine() {
    let desk = Desk::new();
    desk.ok(&["config", "set", "live", "true"]);
    for text in [
        "url = \"https://verification.api.sinch.com\"",
        "url = \"http://localhost.evil.com\"",
        "url = \"http://127.0.0.1.nip.io\"",
        "url = \"http://127.0.0.1\"\nlive = true",
        "url = \"http://127.0.0.1\"\nprofile = \"live\"",
        "url = \"http://127.0.0.1\"\napplication-secret = \"BeIukql3pTKJ8RGL5zo0DA==\"",
    ] {
        desk.project(text);
        for args in [
            &["start", "+46700000001", "--live"][..],
            &["listen", "--port", "0"],
            &["inbox"],
        ] {
            let said = desk.refused(args);
            assert!(
                said.contains("sinch-verify.toml") && !said.contains(SECRET),
                "{text}: {said}"
            );
        }
    }
}

#[test]
fn a_secret_is_read_from_a_file_or_standard_input_and_kept_from_others() {
    let desk = Desk::new();
    let said = desk.refused(&["config", "set", "application-secret", SECRET]);
    assert!(said.contains("--file") && !said.contains(SECRET), "{said}");
    let wrong = desk.set_secret("default", "not base64!");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(!stderr(&wrong).contains("not base64!"), "{}", stderr(&wrong));

    let file = desk.0.path().join("secret.txt");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let output = desk.run(&[
        "config",
        "set",
        "application-secret",
        "--file",
        file.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains(SECRET));
    assert_eq!(mode(&desk.file()), 0o600);
    desk.ok(&["config", "set", "application-key", KEY]);
    assert_eq!(mode(&desk.file()), 0o600, "also when it is written again");

    let list = desk.ok(&["config", "list", "--show-origin"]);
    assert!(
        list.contains("application-secret\t(hidden)\tprofile default, "),
        "{list}"
    );
    let json = desk.ok(&["config", "list", "--json"]);
    assert!(!list.contains(SECRET) && !json.contains(SECRET));
    assert!(
        desk.refused(&["config", "get", "application-secret"])
            .contains("never printed")
    );

    std::fs::set_permissions(desk.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = desk.refused(&["start", "+46700000001", "--url", "http://127.0.0.1:1"]);
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn what_a_person_wrote_into_the_file_stays() {
    let desk = Desk::new();
    desk.ok(&["config", "set", "url", "http://127.0.0.1:1001"]);
    let text = std::fs::read_to_string(desk.file()).unwrap();
    std::fs::write(
        desk.file(),
        format!("# mine\n{text}\n[profile.other] # also mine\nlive = false\n"),
    )
    .unwrap();
    desk.ok(&["config", "set", "url", "http://127.0.0.1:1002"]);
    let text = std::fs::read_to_string(desk.file()).unwrap();
    assert!(
        text.starts_with("# mine\n") && text.contains("# also mine") && text.contains(":1002"),
        "{text}"
    );

    for (wrong, named) in [
        ("[profile.a]\nurll = \"x\"\n", "urll"),
        ("[profile.a]\nurl = \"x\"\n", "profile.a.url"),
        ("[profile.a\n", "line 1"),
    ] {
        std::fs::write(desk.file(), wrong).unwrap();
        let said = desk.refused(&["config", "list"]);
        assert!(said.contains(named) && said.contains("config.toml"), "{said}");
    }
    for args in [
        &["config", "set", "url"][..],
        &["config", "set", "live", "yes"],
        &["config", "set", "colour", "x"],
    ] {
        std::fs::write(desk.file(), "").unwrap();
        desk.refused(args);
    }
}
