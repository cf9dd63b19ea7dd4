//! `verify` and `listen` on a terminal, as a person uses them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use running::{Served, command, stderr, stdout};

const NUMBER: &str = "+46700000001";

/// How long a terminal may take to show what is expected, in milliseconds: the machine may be busy.
const PATIENCE: u64 = 60_000;

fn on_terminal(served: &Served, args: &[&str]) -> PtySession {
    let plain = command(args);
    // A terminal in place of the input that the helper has closed.
    let mut command = Command::new(plain.get_program());
    command.args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .env("SINCH_VERIFICATION_URL", &served.url)
        .env("TERM", "xterm");
    spawn_command(command, Some(PATIENCE)).unwrap()
}

fn exit_code(session: &mut PtySession) -> i32 {
    session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("{other:?}"),
    }
}

/// The newest code or caller id that reached the phone after `seen` messages.
fn proof(served: &Served, after: &str) -> String {
    let output = served.run_bare(&["inbox", "wait", NUMBER, "--after", after, "--timeout", "30s"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn a_number_is_verified_by_the_code_that_a_person_types() {
    let served = Served::start(&[]);
    let mut session = on_terminal(&served, &["verify", NUMBER]);
    session
        .exp_regex(
            r"Type the code that \+46700000001 got by sms\r\n\[\d+:\d\d\] r sends again, q gives up\r\n> ",
        )
        .unwrap();
    // The time left is counted down, above what is typed.
    session
        .exp_regex(r"\x1b7\x1b\[1A\r\x1b\[2K\[\d+:\d\d\] r sends again, q gives up\x1b8")
        .unwrap();
    session.send_line("no code!").unwrap();
    session.exp_string("code").unwrap();
    session.send_line("000000").unwrap();
    session.exp_string("Wrong; 2 attempts are left").unwrap();
    session.exp_string("Type the code").unwrap();
    session.send_line(&proof(&served, "0")).unwrap();
    session.exp_string("SUCCESSFUL").unwrap();
    assert_eq!(exit_code(&mut session), 0);
}

#[test]
fn a_code_is_sent_again_on_request_and_the_next_method_is_tried() {
    let served = Served::start(&[]);
    let mut session = on_terminal(&served, &["verify", NUMBER, "--then", "flashcall"]);
    session
        .exp_string("r sends again, n goes on with flashcall")
        .unwrap();
    proof(&served, "0");
    session.send_line("r").unwrap();
    session.exp_string("Starting a verification by sms").unwrap();
    proof(&served, "1");
    session.exp_string("n goes on with flashcall").unwrap();
    session.send_line("n").unwrap();
    session.exp_string("Type the number that called").unwrap();
    session.send_line(&proof(&served, "2")).unwrap();
    session.exp_string("SUCCESSFUL").unwrap();
    assert_eq!(exit_code(&mut session), 0);
}

#[test]
fn giving_up_is_no_success() {
    let served = Served::start(&[]);
    let mut session = on_terminal(&served, &["verify", NUMBER]);
    session.exp_string("q gives up").unwrap();
    session.send_line("q").unwrap();
    session.exp_string("cancelled").unwrap();
    assert_eq!(exit_code(&mut session), 3);
}

#[test]
fn listen_shows_callbacks_until_ctrl_c() {
    let served = Served::start(&[]);
    let mut session = on_terminal(&served, &["listen", "--port", "0"]);
    session.exp_string("posts here until then").unwrap();
    let started = served.run_bare(&["start", NUMBER]);
    assert_eq!(started.status.code(), Some(0), "{}", stderr(&started));
    session.exp_string("request").unwrap();
    session.exp_string("allow").unwrap();
    session.send_control('c').unwrap();
    assert_eq!(exit_code(&mut session), 0);
    let deliveries = served.run_bare(&["deliveries", "--json"]);
    assert!(stdout(&deliveries).contains("VerificationRequestEvent"));
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let served = Served::start(&[]);
    let started = served.run_bare(&["start", NUMBER, "--json"]);
    let started: serde_json::Value = serde_json::from_slice(&started.stdout).unwrap();
    let args = ["status", "--id", started["id"].as_str().unwrap()];
    let shown = |session: &mut PtySession| session.exp_eof().unwrap();
    assert!(shown(&mut on_terminal(&served, &args)).contains("\u{1b}["));
    let never = [&args[..], &["--color", "never"]].concat();
    assert!(!shown(&mut on_terminal(&served, &never)).contains("\u{1b}["));

    // In a pipe, only if asked for.
    assert!(!stdout(&served.run_bare(&args)).contains("\u{1b}["));
    let always = [&args[..], &["--color", "always"]].concat();
    assert!(stdout(&served.run_bare(&always)).contains("\u{1b}["));
}

#[test]
fn no_color_is_kept() {
    let served = Served::start(&[]);
    let mut plain = command(&["status", "--id", "unknown"]);
    plain.env("SINCH_VERIFICATION_URL", &served.url);
    let mut script = Command::new(plain.get_program());
    script
        .args(plain.get_args())
        .env("SINCH_VERIFICATION_URL", &served.url);
    script.env("TERM", "xterm").env("NO_COLOR", "1");
    let mut session = spawn_command(script, Some(PATIENCE)).unwrap();
    let shown = session.exp_eof().unwrap();
    assert!(shown.contains("error") && !shown.contains("\u{1b}["), "{shown}");
}

#[test]
fn a_secret_that_is_typed_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify"));
    command
        .args(["config", "set", "application-secret"])
        .env("XDG_CONFIG_HOME", folder.path());
    let mut session = spawn_command(command, Some(PATIENCE)).unwrap();
    session.exp_string("it is not shown").unwrap();
    session.send_line(running::SECRET).unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(!rest.contains(running::SECRET), "{rest}");
    let file = folder.path().join("sinch-verify/config.toml");
    assert!(std::fs::read_to_string(file).unwrap().contains(running::SECRET));
}
