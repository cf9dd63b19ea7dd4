//! The command as a script sees it: what it prints and how it exits.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Output, Stdio};
use std::time::Duration;

use running::{KEY, SECRET, Served, command, run, stderr, stdout};

/// Runs and compares exit code and standard output.
fn check(args: &[&str], code: i32, expected: &str) {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
    assert_eq!(stdout(&output), expected, "{args:?}");
}

#[test]
fn a_filter_matches_or_not_or_is_an_error() {
    let filter = "(.*)70123(.*)";
    check(&["match", "cli-filter", filter, "+48701230"], 0, "+48701230");
    check(&["match", "cli-filter", filter, "+4812"], 1, "");
    check(&["match", "cli-filter", "(.*4544456(.*)", "+4812"], 2, "");
    // The raw number only, unless asked otherwise.
    check(&["match", "cli-filter", filter, "+46 7 0123"], 1, "");
    check(
        &["match", "cli-filter", "--candidates", filter, "+46 7 0123"],
        0,
        "+4670123",
    );
    // In a country, also as the number that it is there; and what is reported.
    check(
        &[
            "match",
            "cli-filter",
            "--country",
            "BY",
            "+375291234567",
            "8 029 123 45 67",
        ],
        0,
        "+375291234567\n+375291234567",
    );
    check(
        &["match", "cli-filter", "--country", "SE", filter, "070123"],
        0,
        "070123\n070123",
    );
    // The Android dialect, unless asked otherwise.
    check(&["match", "cli-filter", ".*70123.*", "+4670123"], 1, "");
    check(
        &[
            "match",
            "cli-filter",
            "--dialect",
            "regex",
            ".*70123.*",
            "+4670123",
        ],
        0,
        "+4670123",
    );
    check(
        &[
            "match",
            "cli-filter",
            "--dialect",
            "auto",
            ".*70123.*",
            "+4670123",
        ],
        0,
        "+4670123",
    );
    check(
        &["match", "cli-filter", "--dialect", "tea", filter, "+4670123"],
        2,
        "",
    );
}

#[test]
fn a_template_cuts_the_code_out_or_not_or_is_an_error() {
    let template = "Your code is {{CODE}}.";
    check(
        &["match", "sms-template", template, "<#> Your code is 4821.\nhash"],
        0,
        "4821",
    );
    check(
        &["match", "sms-template", template, "Your number is 4821."],
        1,
        "",
    );
    check(
        &[
            "match",
            "sms-template",
            "Your code is CODE.",
            "Your code is 4821.",
        ],
        2,
        "",
    );
}

#[test]
fn a_template_takes_only_codes_of_the_given_type() {
    let cut = |code_type: &[&str], message: &str, code: i32, expected: &str| {
        let args = [
            &["match", "sms-template", "Your code: {{CODE}}", message],
            code_type,
        ]
        .concat();
        check(&args, code, expected);
    };
    // As a flow reads it: spaces around the code, characters that cannot be seen, digits of any script.
    cut(&[], "Your code: 48\u{ad}21 ", 0, "4821");
    cut(&[], "Your code: \u{0664}\u{0668}\u{0662}\u{0661}", 0, "4821");
    cut(
        &["--code-type", "numeric"],
        "Your code: 4821 XtNB5qNssI/",
        0,
        "4821",
    );
    cut(&["--code-type", "numeric"], "Your code: 482-193", 1, "");
    cut(
        &["--code-type", "alpha"],
        "Your code: QWER XtNB5qNssI/",
        0,
        "QWER",
    );
    cut(&["--code-type", "alpha"], "Your code: 4821", 1, "");
    cut(
        &["--code-type", "alphanumeric"],
        "Your code: 7KQ2 XtNB5qNssI/",
        0,
        "7KQ2",
    );
    cut(&["--code-type", "emoji"], "Your code: 4821", 2, "");
}

#[test]
fn matching_reads_standard_input_and_speaks_where_nothing_matched() {
    let args = ["match", "sms-template", "Your code is {{CODE}}.", "-"].map(str::to_owned);
    let found = run_with_body(&args, "<#> Your code is 4821.\n");
    assert_eq!((stdout(&found).as_str(), stderr(&found).as_str()), ("4821", ""));
    let none = run_with_body(&args, "Your number is 4821.\n");
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("template"), "{}", stderr(&none));

    let filter = "(.*)70123(.*)";
    let found = run(&["match", "cli-filter", filter, "+48701230"]);
    assert_eq!(stderr(&found), "");
    let none = run(&["match", "cli-filter", filter, "+4812"]);
    assert!(stderr(&none).contains("dialect: android"), "{}", stderr(&none));
}

/// The published callback example.
fn published(verb: &str) -> Vec<String> {
    [
        "signature",
        verb,
        "--key",
        KEY,
        "--secret",
        SECRET,
        "--method",
        "POST",
        "--path",
        "/sinch/callback/ace",
        "--content-type",
        "application/json",
        "--timestamp",
        "2014-09-24T10:59:41Z",
        "--body-file",
        "-",
    ]
    .map(str::to_owned)
    .to_vec()
}

const BODY: &str = concat!(
    r#"{"event":"ace","callid":"822aa4b7-05b4-4d83-87c7-1f835ee0b6f6_257","#,
    r#""timestamp":"2014-09-24T10:59:41Z","version":1}"#
);
const AUTHORIZATION: &str =
    "Application 669E367E-6BBA-48AB-AF15-266871C28135:Tg6fMyo8mj9pYfWQ9ssbx3Tc1BNC87IEygAfLbJqZb4=";

fn run_with_body(args: &[String], body: &str) -> Output {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut child = command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Err(error) = child.stdin.take().unwrap().write_all(body.as_bytes()) {
        // One that refuses its arguments may be gone before it reads.
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
    child.wait_with_output().unwrap()
}

#[test]
fn the_published_callback_is_signed_and_checked() {
    let signed = run_with_body(&published("sign"), BODY);
    assert_eq!(stdout(&signed), AUTHORIZATION);

    let mut args = published("check");
    args.extend([
        "--authorization".to_owned(),
        AUTHORIZATION.to_owned(),
        "--explain".to_owned(),
    ]);
    let right = run_with_body(&args, BODY);
    assert_eq!(right.status.code(), Some(0), "{}", stderr(&right));
    assert!(
        stderr(&right)
            .contains("REWF+X220L4/Gw1spXOU7g==\napplication/json\nx-timestamp:2014-09-24T10:59:41Z")
    );
    let wrong = run_with_body(&args, &BODY.replace("257", "258"));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!stderr(&wrong).contains(SECRET));
    assert!(stderr(&wrong).contains("no known mistake"), "{}", stderr(&wrong));

    // The same signature on a message whose content type came with a charset.
    args[11] = "application/json; charset=utf-8".to_owned();
    let mistake = run_with_body(&args, BODY);
    assert_eq!(mistake.status.code(), Some(1));
    assert!(
        stderr(&mistake).contains("\"application/json\" was signed"),
        "{}",
        stderr(&mistake)
    );
    let line = "the first line that differs is the content type: expected";
    assert!(stderr(&mistake).contains(line), "{}", stderr(&mistake));
}

#[test]
fn a_request_without_a_timestamp_is_signed_with_the_time_now() {
    let mut args = published("sign");
    // `--timestamp` and its value.
    args.drain(12..14);
    let signed = run_with_body(&args, BODY);
    let headers = stdout(&signed);
    let header = |name: &str| {
        let mut lines = headers.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value.to_owned())
    };
    assert_eq!(headers.lines().count(), 3, "{headers}");
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    let timestamp = header("x-timestamp").unwrap();
    let at = sinch_verify_protocol::timestamp::parse(&timestamp).unwrap();
    assert!(at.elapsed().unwrap() < Duration::from_secs(300), "{timestamp}");

    let mut args = published("check");
    args[13] = timestamp;
    args.extend(["--authorization".to_owned(), header("authorization").unwrap()]);
    let checked = run_with_body(&args, BODY);
    assert_eq!(stdout(&checked), "signature is right", "{}", stderr(&checked));
}

#[test]
fn a_body_written_again_and_a_signature_in_another_form_are_explained() {
    let check = |authorization: &str, body: &str| {
        let mut args = published("check");
        args.extend(["--authorization", authorization, "--explain"].map(str::to_owned));
        let checked = run_with_body(&args, body);
        assert_eq!(checked.status.code(), Some(1));
        stderr(&checked)
    };
    let spaced = BODY.replace(',', ", ").replace("\":", "\": ");
    let explained = check(AUTHORIZATION, &spaced);
    assert!(explained.contains("the body was signed compact"), "{explained}");
    assert!(
        explained.contains("the first line that differs is the body's MD5"),
        "{explained}"
    );
    let explained = check(AUTHORIZATION.trim_end_matches('='), BODY);
    assert!(
        explained.contains("right, but without the `=` at its end"),
        "{explained}"
    );
}

#[test]
fn a_key_from_an_environment_file_says_what_to_remove() {
    for (key, message) in [
        (format!("{KEY}\r"), "a carriage return at offset 36"),
        (format!("\"{KEY}\""), "remove the quotes around it"),
    ] {
        let mut args = published("sign");
        args[3] = key;
        let refused = run_with_body(&args, BODY);
        assert!(stderr(&refused).contains(message), "{}", stderr(&refused));
    }
}

#[test]
fn a_query_is_not_signed() {
    let with_query = |verb: &str| {
        let mut args = published(verb);
        args[9].push_str("?tenant=7");
        args.push("--explain".to_owned());
        args
    };
    let signed = run_with_body(&with_query("sign"), BODY);
    assert_eq!(stdout(&signed), AUTHORIZATION);
    let mut check = with_query("check");
    check.extend(["--authorization".to_owned(), AUTHORIZATION.to_owned()]);
    let checked = run_with_body(&check, BODY);
    assert_eq!(stdout(&checked), "signature is right");
    for output in [&signed, &checked] {
        let explained = stderr(output);
        assert!(
            explained.trim_end().ends_with("\n/sinch/callback/ace"),
            "{explained}"
        );
    }
}

#[test]
fn a_body_is_read_as_what_it_should_be() {
    let decode = |kind: &str, json: bool, body: &str| {
        let mut args = vec!["decode".to_owned(), "--as".to_owned(), kind.to_owned()];
        args.extend(json.then(|| "--json".to_owned()));
        run_with_body(&args, body)
    };
    let start = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"flashCall"}"#;
    let people = decode("start-request", false, start);
    assert_eq!(people.status.code(), Some(0));
    assert!(
        stdout(&people).contains("anomaly: method: value in another spelling"),
        "{}",
        stdout(&people)
    );
    let script = decode("start-request", true, start);
    assert_eq!(stdout(&script), start.replace("flashCall", "flashcall"));
    assert!(stderr(&script).contains("anomaly: method"), "{}", stderr(&script));
    let marked = decode("start-request", false, &format!("\u{feff}{start}"));
    assert!(
        stdout(&marked).contains("anomaly: .: byte order mark, skipped"),
        "{}",
        stdout(&marked)
    );
    for (body, code) in [(start.to_owned(), 1), (stdout(&script), 0)] {
        let args = ["decode", "--as", "start-request", "--strict"].map(str::to_owned);
        assert_eq!(run_with_body(&args, &body).status.code(), Some(code), "{body}");
    }

    let bad = decode(
        "start-request",
        true,
        r#"{"method":"sms","identity":{"type":"number"}}"#,
    );
    assert_eq!(bad.status.code(), Some(1));
    assert!(stderr(&bad).contains("identity.endpoint"), "{}", stderr(&bad));

    // What the service refuses, by the parameter that it names.
    for (from, to, told) in [
        (
            "+46700000001",
            "46700000001",
            "`identity.endpoint`: phone number lacks the leading +",
        ),
        (
            "+46700000001",
            "+4670",
            "`identity.endpoint`: phone number has 4 digits",
        ),
        (r#""number""#, r#""email""#, "`identity.type`: must be number"),
    ] {
        let refused = decode("start-request", false, &start.replace(from, to));
        assert_eq!(refused.status.code(), Some(1), "{to}: {}", stdout(&refused));
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
    }

    let kinds = stdout(&run(&["decode", "--list"]));
    assert_eq!(kinds.lines().count(), 9);
    for kind in kinds.lines() {
        assert_eq!(decode(kind, false, "[]").status.code(), Some(1), "{kind}");
    }
}

#[test]
fn a_body_that_identifies_itself_needs_no_kind() {
    let decode = |body: &str| run_with_body(&["decode", "--json"].map(str::to_owned), body);
    for (kind, body) in [
        (
            "callback-event",
            concat!(
                r#"{"event":"VerificationRequestEvent","id":"1","method":"sms","#,
                r#""identity":{"type":"number","endpoint":"+46700000001"}}"#
            ),
        ),
        ("callback-decision", r#"{"action":"allow"}"#),
        (
            "start-request",
            r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms"}"#,
        ),
        ("start-response", r#"{"id":"1","method":"callout"}"#),
        ("report-request", r#"{"method":"sms","sms":{"code":"4821"}}"#),
        (
            "status-response",
            r#"{"id":"1","status":"FAIL","reason":"Expired"}"#,
        ),
        (
            "call-outcome",
            r#"{"data":{"lateCall":false,"noCall":true},"method":"flashcall"}"#,
        ),
        ("api-error", r#"{"errorCode":40003,"message":"no"}"#),
    ] {
        let output = decode(body);
        assert_eq!(output.status.code(), Some(0), "{kind}: {}", stderr(&output));
        assert_eq!(stdout(&output), body);
        assert_eq!(stderr(&output), format!("read as {kind}\n"));
    }
    // What is recognised is read as that, and not as something else that it could be.
    let no_identity = decode(r#"{"event":"VerificationRequestEvent","id":"1","method":"sms"}"#);
    assert_eq!(no_identity.status.code(), Some(1));
    assert!(
        stderr(&no_identity).contains("`identity`"),
        "{}",
        stderr(&no_identity)
    );

    let unknown = decode(r#"{"code":"4821"}"#);
    assert_eq!(unknown.status.code(), Some(1));
    for kind in stdout(&run(&["decode", "--list"])).lines() {
        assert!(stderr(&unknown).contains(kind), "{}", stderr(&unknown));
    }
    assert!(!stderr(&unknown).contains("4821"), "{}", stderr(&unknown));
}

#[test]
fn a_shell_completes_commands_and_their_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = command(&["completions", shell])
            .env("SINCH_APPLICATION_KEY", KEY)
            .env("SINCH_APPLICATION_SECRET", SECRET)
            .output()
            .unwrap();
        assert_eq!(script.status.code(), Some(0), "{shell}: {}", stderr(&script));
        let script = stdout(&script);
        for part in ["cli-filter", "press", "callback-url"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
        assert!(!script.contains(SECRET) && !script.contains(KEY), "{shell}");
    }
    // Bash notes the command it has read so far, and has an arm for each of them.
    let bash = stdout(&run(&["completions", "bash"]));
    let noted: Vec<&str> = bash
        .lines()
        .filter_map(|line| line.trim().strip_prefix("cmd=\"")?.strip_suffix('"'))
        .filter(|name| !name.is_empty())
        .collect();
    assert!(noted.len() > 20, "{bash}");
    for name in noted {
        let arm = format!("{name})");
        assert!(bash.lines().any(|line| line.trim() == arm), "{arm}");
    }
    let unknown = run(&["completions", "csh"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("powershell"), "{}", stderr(&unknown));
}

#[test]
fn a_secret_that_is_not_strict_base64_needs_a_flag() {
    let mut args = published("sign");
    args[5] = "app-secret".to_owned();
    let strict = run_with_body(&args, BODY);
    assert_eq!(strict.status.code(), Some(2));
    assert!(
        stderr(&strict).contains("--lenient-secret"),
        "{}",
        stderr(&strict)
    );
    args.push("--lenient-secret".to_owned());
    assert_eq!(run_with_body(&args, BODY).status.code(), Some(0));
}

#[test]
fn a_host_that_is_not_this_machine_needs_live() {
    let output = command(&[
        "status",
        "--id",
        "1",
        "--url",
        "https://verification.api.sinch.com",
    ])
    .envs([
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", SECRET),
    ])
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--live"), "{}", stderr(&output));
}

#[test]
fn another_host_takes_https_only() {
    for auth in ["signed", "basic", "public"] {
        let output = command(&["status", "--id", "1", "--live", "--auth", auth])
            .envs([
                ("SINCH_APPLICATION_KEY", KEY),
                ("SINCH_APPLICATION_SECRET", SECRET),
                ("SINCH_VERIFICATION_URL", "http://sinch.invalid"),
            ])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{auth}: {}", stderr(&output));
        assert!(
            stderr(&output).contains("https://sinch.invalid"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn missing_credentials_and_a_bad_number_say_what_to_do() {
    // The development application is not for this host.
    let elsewhere = |args: &[&str]| {
        let mut command = command(args);
        command.args(["--live", "--url", "https://sinch.invalid"]);
        command.output().unwrap()
    };
    let output = elsewhere(&["start", "+46700000001"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("SINCH_APPLICATION_KEY is not set"),
        "{}",
        stderr(&output)
    );
    for (args, hint) in [
        (&["start", "46700000001"][..], "did you mean +46700000001?"),
        (&["start", "+460700000001"], "did you mean +46700000001?"),
        (&["start", "0700000001"], "name the country"),
        (&["start", "07000", "--country", "SE"], "none of SE"),
        // With its country the number is read, and what is missing next is named.
        (
            &["start", "0700-00 00 01", "--country", "se"],
            "SINCH_APPLICATION_KEY",
        ),
        (
            &["start", "\u{202a}+46700000001\u{202c}"],
            "SINCH_APPLICATION_KEY",
        ),
    ] {
        let output = elsewhere(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(hint), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn the_demo_tells_the_whole_story_as_json() {
    let output = run(&["demo", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ok"], true);
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 15);
    for row in rows {
        assert_eq!(row["ok"], true, "{row}");
        assert_eq!(row["expected"], row["got"]);
        assert!(row["ms"].as_f64().is_some() && row["setting"].is_string() && row["method"].is_string());
        assert!(row["timeline"].as_array().unwrap().len() >= 3, "{row}");
    }
}

#[test]
fn the_demo_stays_open_with_its_flows() {
    let mut child = command(&["demo", "--keep-open"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map(Result::unwrap).find_map(|line| {
        Some(
            line.strip_prefix("The flows are on the page at ")?
                .split_once(' ')?
                .0
                .to_owned(),
        )
    });
    let page = told.expect("the demo names its page");
    assert!(ask(&page, "/", "text/html").contains("<!doctype html>"));
    let verifications = ask(&page, "/_emu/verifications", "*/*");
    for status in ["SUCCESSFUL", "DENIED", "FAIL", "ABORTED"] {
        assert!(verifications.contains(status), "{status}: {verifications}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_verification_is_started_reported_and_asked_for() {
    let served = Served::start(&["--app-key", KEY, "--app-secret", SECRET]);
    let json = |args: &[&str]| -> serde_json::Value {
        let output = served.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let started = json(&[
        "start",
        "+46700000001",
        "--reference",
        "r-1",
        "--language",
        "sv-SE",
        "--json",
    ]);
    let id = started["id"].as_str().unwrap();
    assert!(started["sms"]["template"].as_str().unwrap().contains("{{CODE}}"));

    let wrong = served.run(&["report", "--id", id, "--code", "wrong"]);
    assert_eq!(wrong.status.code(), Some(3), "{}", stderr(&wrong));
    assert!(stderr(&wrong).contains("40003"), "{}", stderr(&wrong));
    // By reference the command asks for the id first.
    let wrong = served.run(&["report", "--reference", "r-1", "--code", "wrong"]);
    assert!(stderr(&wrong).contains("40003"), "{}", stderr(&wrong));
    let unknown = served.run(&["report", "--reference", "r-2", "--code", "1234"]);
    assert!(stderr(&unknown).contains("40400"), "{}", stderr(&unknown));
    let asked = json(&["status", "--reference", "r-1", "--json"]);
    assert_eq!(
        (&asked["status"], &asked["id"]),
        (&"PENDING".into(), &started["id"])
    );
    let asked = json(&["status", "--number", "+46700000001", "--json", "--auth", "public"]);
    assert_eq!(asked["id"], started["id"]);

    let table = served.run(&["status", "--id", id]);
    assert!(
        stdout(&table).contains("PENDING") && !stdout(&table).contains('{'),
        "{}",
        stdout(&table)
    );
    let unknown = served.run(&["status", "--id", "unknown"]);
    assert_eq!(unknown.status.code(), Some(1));
    let refused = served.run(&["status", "--id", id, "--auth", "public"]);
    assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));

    let greeting = std::fs::read_to_string(&served.greeting).unwrap();
    assert!(greeting.contains(&served.url) && greeting.contains(KEY));
    assert!(!greeting.contains(SECRET), "a given secret is not repeated");
}

#[test]
fn a_made_up_secret_is_shown() {
    let served = Served::start(&["--random-credentials"]);
    let greeting = std::fs::read_to_string(&served.greeting).unwrap();
    let line = greeting
        .lines()
        .find(|line| line.contains("SINCH_APPLICATION_SECRET="))
        .unwrap();
    assert!(line.ends_with("=='"), "{line}");
}

#[test]
fn nobody_there_is_a_network_error() {
    // A port that no system hands out by itself.
    let output = command(&["status", "--id", "1", "--url", "http://127.0.0.1:1"])
        .envs([
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", SECRET),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("sinch-verify serve"), "it names the fix");
}

/// What `curl` would show.
fn get(url: &str, path: &str) -> serde_json::Value {
    let answer = ask(url, path, "*/*");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

/// The answer with its head.
fn ask(url: &str, path: &str, accept: &str) -> String {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Runs a `serve` that ends by itself.
fn run_serve(args: &[&str]) -> Output {
    run(&[&["serve", "--port", "0"], args].concat())
}

#[test]
fn the_emulator_begins_as_told() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults.json");
    let rules = r#"[{"on":"api","operation":"status","count":1,"fault":{"kind":"status","status":503}}]"#;
    std::fs::write(&faults, rules).unwrap();
    let faults = faults.to_str().unwrap();
    let args = [
        "--app-key",
        KEY,
        "--app-secret",
        SECRET,
        "--seed",
        "7",
        "--strictness",
        "strict",
    ];
    let run = || {
        let told = [
            &args[..],
            &["--clock", "2026-01-02T03:04:05Z", "--faults", faults],
        ]
        .concat();
        let served = Served::start(&told);
        let started = served.run(&["start", "+46700000001", "--json"]);
        let started: serde_json::Value = serde_json::from_slice(&started.stdout).unwrap();
        (served, started["id"].clone())
    };
    let (served, first) = run();
    let clock = get(&served.url, "/_emu/clock");
    assert_eq!(
        (&clock["manual"], &clock["service"]),
        (&true.into(), &"2026-01-02T03:04:05.000Z".into())
    );
    assert_eq!(get(&served.url, "/_emu/info")["strictness"], "strict");
    assert_eq!(get(&served.url, "/_emu/faults")["faults"][0]["rule"]["count"], 1);
    let (_, second) = run();
    assert_eq!(first, second, "the seed and the clock fix the id");
    let greeting = std::fs::read_to_string(&served.greeting).unwrap();
    assert!(greeting.contains(&format!("  export SINCH_APPLICATION_KEY={KEY}\n")));
    // A secret that was given is not repeated, and pasting the lines does not replace it.
    assert!(!greeting.contains(SECRET) && !greeting.contains("export SINCH_APPLICATION_SECRET"));

    for (rules, why) in [
        (
            "[\n {\"on\":\"api\",\"fault\":{\"kind\":\"stall\"}},\n {\"on\":\"api\",\"count\":\"x\"}\n]",
            &["[1].count", "line 3"][..],
        ),
        (
            "[{\"on\":\"api\",\"fault\":{\"kind\":\"status\",\"status\":200}}]",
            &["rule 1", "status"],
        ),
        ("[] []", &["trailing", "line 1"]),
    ] {
        std::fs::write(faults, rules).unwrap();
        let output = run_serve(&["--faults", faults]);
        assert_eq!(output.status.code(), Some(2), "{rules}");
        let told = stderr(&output);
        assert!(why.iter().all(|why| told.contains(why)), "{told}");
    }
    for wrong in [
        &["--clock", "noon"][..],
        &["--strictness", "very"],
        &["--faults", "/nowhere/at/all"],
        &["--faults", env!("CARGO_MANIFEST_PATH")],
    ] {
        let output = run_serve(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(
            stderr(&output).contains(wrong[0].trim_start_matches('-')),
            "{}",
            stderr(&output)
        );
    }
}
