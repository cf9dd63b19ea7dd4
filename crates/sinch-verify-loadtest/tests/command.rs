//! The binary, as a person or a script runs it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exit;
mod fixtures;
#[path = "../../../xtask/src/test/not_run.rs"]
mod not_run;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use exit::{assert_exit, assert_shard_exit};
use fixtures::{KEY, SECRET};
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_loadtest::FailureKind;
use sinch_verify_loadtest::runfile::{
    Counters, Exit, Load, Rate, RunFile, ScenarioName, Second, StepName, TransportName,
};
use sinch_verify_protocol::method::MethodInfo;

/// The command with these arguments, which are split at spaces.
fn command(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"));
    command
        .args(line.split_whitespace())
        .env_remove("SINCH_APPLICATION_KEY")
        .env_remove("SINCH_APPLICATION_SECRET")
        .env_remove("SINCH_LOAD_CODE")
        // Nothing may go through a proxy; a flow that tried would fail.
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9");
    command
}

/// The same with a key and a secret in its environment.
fn keyed(line: &str) -> Command {
    let mut command = command(line);
    command
        .env("SINCH_APPLICATION_KEY", KEY)
        .env("SINCH_APPLICATION_SECRET", SECRET);
    command
}

/// A directory for the files of a test.
fn directory(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn read(file: impl AsRef<Path>) -> RunFile {
    RunFile::from_json(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The run file on standard output.
fn printed(output: &Output) -> RunFile {
    RunFile::from_json(text(&output.stdout)).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn assert_usage(command: &mut Command, says: &str) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{command:?}");
    assert!(output.stdout.is_empty());
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("error: "), "{command:?} says {stderr}");
    assert!(stderr.contains(says), "{command:?} says {stderr}");
}

/// Runs, reads the run file, and checks what holds for every run that goes well.
fn run(arguments: &str) -> RunFile {
    let output = command("run --json -")
        .args(arguments.split(' '))
        .output()
        .unwrap();
    let file = printed(&output);
    assert_exit(&output, &file, 0);
    assert_eq!(file.counters.failed, 0, "{arguments}: {:?}", file.errors());
    assert_conserved(&file);
    file
}

/// Nothing that was counted is lost.
fn assert_conserved(file: &RunFile) {
    for counters in [file.counters, file.warm_up] {
        assert_eq!(
            counters.scheduled,
            counters.started + counters.dropped,
            "{counters:?}"
        );
        assert_eq!(
            counters.started,
            counters.finished + counters.aborted,
            "{counters:?}"
        );
    }
    let total = file.flows.total();
    assert_eq!(total.finished(), file.counters.finished);
    assert_eq!(total.failed, file.counters.failed);
    let second = |of: fn(&Second) -> u64| file.series.iter().map(of).sum::<u64>();
    let both = |of: fn(&Counters) -> u64| of(&file.counters) + of(&file.warm_up);
    assert_eq!(second(|s| s.scheduled), both(|c| c.scheduled));
    assert_eq!(second(|s| s.started), both(|c| c.started));
    assert_eq!(second(|s| s.finished), both(|c| c.finished));
    assert_eq!(second(|s| s.callbacks), both(|c| c.callbacks));
}

#[test]
fn closed_model_passes_and_writes_its_file() {
    let directory = directory("closed");
    let mut command = command("run --scenario sms --users 4 --duration 3s --warm-up 0s --out");
    let output = command.arg(&directory).output().unwrap();
    let table = text(&output.stdout);
    let file = read(directory.join("run.json"));
    assert_exit(&output, &file, 0);
    let verdict = format!("verdict: {}", file.verdict.as_ref().unwrap().exit);
    assert!(table.contains(&verdict), "{table}");
    assert_eq!(file.setup.load, Load::closed(4));
    assert!(file.setup.load.label().starts_with("closed"));
    assert_eq!(file.setup.transport, TransportName::Goose);
    assert_eq!((file.counters.failed, file.counters.dropped), (0, 0));
    assert!(file.seconds >= 3.0, "the run went on for {} s", file.seconds);
    assert!(file.generator.in_flight_max <= 4);
    let sms = file.flows.flow(ScenarioName::new("sms").unwrap()).unwrap();
    assert!(sms.succeeded > 0);
    assert!(sms.requests >= 3 * sms.succeeded);
    let time = |interval| sms.time(interval).unwrap();
    assert_eq!(time(StepName::END_TO_END).count(), sms.succeeded);
    assert!(
        sms.time(StepName::LAG).is_none(),
        "nothing is due, so nothing is late"
    );
    assert_eq!(time(StepName::CALLBACK_IN).count(), sms.succeeded);
}

#[test]
fn open_model_keeps_its_rate_on_both_transports() {
    for transport in ["goose", "direct"] {
        let file = run(&format!(
            "--scenario mixed --seed 3 --rate 100/s --users 64 --duration 2s --transport {transport}"
        ));
        assert_eq!(file.setup.transport.to_string(), transport);
        assert_eq!(
            file.counters.scheduled + file.warm_up.scheduled,
            200,
            "{transport}"
        );
        assert_eq!(file.warm_up.scheduled, 20, "a tenth of the run");
        // A busy machine drops some, and they are counted.
        let started = 180 - file.counters.dropped;
        let total = file.flows.total();
        assert_eq!(total.time(StepName::LAG).unwrap().count(), started);
        let mean = |interval| total.time(interval).unwrap().mean();
        let sum = mean(StepName::LAG) + mean(StepName::FROM_SEND);
        let apart = sum.abs_diff(mean(StepName::END_TO_END));
        assert!(
            apart.as_micros() <= 2,
            "end to end is lag and the rest: {apart:?}"
        );
    }
}

#[test]
fn default_is_an_open_model_at_fifty() {
    let file = run("--duration 1s --warm-up 0s --transport direct");
    let rate = Rate::Constant { per_second: 50.0 };
    assert!(matches!(&file.setup.load, Load::Open { rate: wanted, .. } if *wanted == rate));
    assert_eq!(file.counters.scheduled, 50);
}

#[test]
fn every_scenario_passes_in_both_settings() {
    let abuse = "wrong-code resend-storm expire deny bad-callback replay pumping";
    let methods = MethodInfo::single().map(|info| info.name);
    let others = abuse.split(' ').chain(["query-only", "mixed"]);
    for scenario in methods.chain(others) {
        for setting in ["backend", "device"] {
            let file = run(&format!(
                "--scenario {scenario} --setting {setting} --transport direct --rate 40/s --duration 300ms"
            ));
            assert_eq!(file.setup.scenario.as_str(), scenario);
            assert_eq!(file.setup.setting.to_string(), setting);
            assert!(file.counters.finished > 0);
        }
    }
}

#[test]
fn no_artifact_holds_a_number() {
    let directory = directory("no-number");
    for phone in ["inbox", "callback"] {
        let output = command("run --duration 300ms --transport direct --json -")
            .args(["--phone", phone, "--out"])
            .arg(&directory)
            .output()
            .unwrap();
        assert_exit(&output, &printed(&output), 0);
        let files = std::fs::read_dir(&directory).unwrap();
        let mut written: Vec<_> = files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect();
        assert_eq!(written.len(), 4);
        written.extend([output.stdout, output.stderr]);
        for artifact in &written {
            for prefix in ["+999", "+888"] {
                assert!(!text(artifact).contains(prefix));
            }
        }
    }
}

#[test]
fn flows_that_fail_fail_the_run() {
    // A code that no message holds.
    let output = command("run --duration 300ms --transport direct --json - --phone fixed --no-callbacks")
        .env("SINCH_LOAD_CODE", "00000")
        .output()
        .unwrap();
    let file = printed(&output);
    assert_exit(&output, &file, 1);
    let errors = file.errors();
    assert_eq!(
        errors.get(&FailureKind::OutcomeMismatch),
        Some(&file.counters.finished)
    );
    assert!(!text(&output.stdout).contains("00000\""));
}

/// Shards as processes of their own: together they are the run, and one judgement.
#[test]
fn shards_merge_to_the_run() {
    let directory = directory("shards");
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let soon = jiff::Timestamp::try_from(soon).unwrap().to_string();
    let shards: Vec<_> = (0..3)
        .map(|index| {
            let out = directory.join(index.to_string());
            let child = command("run --scenario mixed --rate poisson:90/s --duration 1s --warm-up 0s")
                .args("--transport direct --seed 5 --start-at".split(' '))
                .args([&soon, "--shard", &format!("{index}/3"), "--out"])
                .arg(&out)
                .spawn()
                .unwrap();
            (child, out.join("run.json"))
        })
        .collect();
    let mut files = Vec::new();
    for (child, file) in shards {
        let output = child.wait_with_output().unwrap();
        assert_shard_exit(&output, &read(&file), &soon);
        files.push(file);
    }
    let merge = |files: &[PathBuf]| command("merge --json -").args(files).output().unwrap();
    let output = merge(&files);
    let merged = printed(&output);
    assert_exit(&output, &merged, 0);
    assert!(merged.shards.is_whole());
    assert_conserved(&merged);
    // 90 on average, and six standard deviations.
    assert!((33..=147).contains(&merged.counters.scheduled));
    assert!(merged.verdict.is_some());

    for some in [&files[..2], &files[..1]] {
        let output = merge(some);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
        let reasons = printed(&output).verdict.unwrap().reasons.join("; ");
        assert!(reasons.contains("missing"), "{reasons}");
    }
    assert_eq!(
        merged.setup.what(),
        "mixed sms=70,flashcall=15,callout=10,seamless=5"
    );
    let mut command = command("merge --threshold expire.e2e.p99<9s");
    assert_usage(command.args(&files), "no such scenario in this run");

    let output = merge(&[files[0].clone(), files[0].clone()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("shard 0 is there already"));

    // The same shard of a run with another seed.
    let mut other = read(&files[1]);
    other.run = "ffffffffffffffff".parse().unwrap();
    let foreign = directory.join("foreign.json");
    std::fs::write(&foreign, other.to_json().unwrap()).unwrap();
    let output = merge(&[files[0].clone(), foreign]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("foreign.json: it is of run ffffffffffffffff"),
        "{stderr}"
    );
}

#[test]
fn comparison_says_what_became_worse() {
    let directory = directory("compared");
    std::fs::create_dir_all(&directory).unwrap();
    let (before, after) = (directory.join("before.json"), directory.join("after.json"));
    let mut run = command("run --duration 300ms --warm-up 0s --transport direct --json");
    run.arg(&before).output().unwrap();
    let mut file = read(&before);
    // Whether this machine was busy is not tested here.
    file.verdict.as_mut().unwrap().exit = Exit::Pass;
    std::fs::write(&before, file.to_json().unwrap()).unwrap();
    let mut failing = serde_json::to_value(&file).unwrap();
    failing["flows"]["sms"]["failed"] = 5.into();
    std::fs::write(&after, failing.to_string()).unwrap();
    let compare = |first: &PathBuf, second: &PathBuf, worse: &str| {
        let mut compare = command("compare --worse");
        let output = compare.arg(worse).args([first, second]).output().unwrap();
        let table = text(&output.stdout).to_owned();
        (output.status.code(), table)
    };
    assert_eq!(compare(&before, &before, "0%").0, Some(0));
    file.setup.load = Load::closed(1);
    let closed = directory.join("closed.json");
    std::fs::write(&closed, file.to_json().unwrap()).unwrap();
    assert_eq!(compare(&before, &closed, "10%"), (Some(2), String::new()));
    let (code, table) = compare(&before, &after, "10%");
    assert_eq!(code, Some(1), "{table}");
    let row = table.lines().find(|line| line.contains("error-rate")).unwrap();
    assert!(row.ends_with("WORSE"), "{table}");
    let row = table.lines().find(|line| line.contains("e2e.p99")).unwrap();
    assert!(row.ends_with(" of 500 samples needed"), "{table}");
}

#[test]
fn file_that_is_not_a_run_file_is_refused() {
    let directory = directory("no-run-file");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, content, says) in [
        ("absent.json", None, "failed to read"),
        ("empty.json", Some(""), "as the file of a run"),
        ("other.json", Some(r#"{"schema":1}"#), "schema 1"),
    ] {
        let file = directory.join(name);
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        assert_usage(command("merge").arg(&file), says);
    }
}

#[test]
fn wrong_usage_is_refused() {
    for (arguments, says) in [
        ("--scenario smss", "the nearest is `sms`"),
        ("--scenario bad_callback", "the nearest is `bad-callback`"),
        (
            "--scenario mixed --mix sms=1,calout=1",
            "the nearest is `callout`",
        ),
        ("--mix sms=1", "--scenario mixed"),
        ("--transport hyper", "[possible values: goose, direct]"),
        ("--users 0", "from 1 to"),
        ("--rate 9/s --ramp 1s", "--rate 10/s..300/s"),
        ("--users 4 --ramp 10s", "shorter than --duration"),
        ("--rate 0/s", "a rate of zero starts nothing"),
        ("--rate 300", "not a rate such as 300/s"),
        ("--duration 0s", "from 100ms"),
        ("--duration 10", "unit"),
        ("--shard 4/4", "a shard is i/n"),
        ("--shard 0/4", "--seed and --start-at"),
        ("--start-at 2020-01-01T00:00:00Z", "--start-at has passed"),
        ("--scenario deny --no-callbacks", "needs callbacks"),
        ("--warm-up 10s", "the warm-up must end before"),
        ("--phone fixed", "SINCH_LOAD_CODE"),
    ] {
        assert_usage(command("run").args(arguments.split(' ')), says);
    }
}

/// An output that cannot be written is an error before anything is sent.
#[test]
fn output_that_cannot_be_written_is_refused_before_the_run() {
    let directory = directory("unwritable");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("out");
    let absent = directory.join("absent").join("run.json");
    for (flag, path) in [("--out", &below), ("--json", &absent)] {
        assert_usage(command("run --duration 100ms").arg(flag).arg(path), flag);
    }
}

#[test]
fn files_stay_as_they_were_when_there_is_no_run() {
    let directory = directory("no-run");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("run.json"), "of yesterday").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // A port in use is wrong usage; nothing was sent.
    let mut command = command("run --callback-listen");
    assert_usage(command.args([&address, "--out"]).arg(&directory), &address);
    let left: Vec<_> = std::fs::read_dir(&directory).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let json = std::fs::read_to_string(directory.join("run.json")).unwrap();
    assert_eq!(json, "of yesterday");
}

/// A disk that fills up during the run takes only what is written to it.
#[cfg(target_os = "linux")]
#[test]
fn file_that_cannot_be_written_keeps_no_other_from_being_written() {
    let directory = directory("full");
    let mut command = command("run --duration 200ms --transport direct --json /dev/full --out");
    let output = command.arg(&directory).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("failed to write /dev/full"));
    assert!(
        text(&output.stdout).contains("verdict: "),
        "{}",
        text(&output.stdout)
    );
    assert!(read(directory.join("run.json")).counters.finished > 0);
    assert!(directory.join("report.html").metadata().unwrap().len() > 1000);
}

#[test]
fn live_target_is_refused() {
    for url in [
        "https://verification.api.sinch.com",
        "http://192.0.2.1:9901",
        "http://127.0.0.1.example.com",
    ] {
        assert_usage(
            command("run --users 1 --target").arg(url),
            "is a live target, where every verification costs money",
        );
    }
    // One of the two is no application.
    assert_usage(
        command("run --users 1 --target http://127.0.0.1:9").env("SINCH_APPLICATION_SECRET", SECRET),
        "SINCH_APPLICATION_KEY",
    );
    // The development application is for this machine.
    assert_usage(
        &mut command("run --users 1 --target http://mock.example:9 --mock-host mock.example"),
        "SINCH_APPLICATION_KEY is not set",
    );
    let output = command("run --users 1 --target http://127.0.0.1:9")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
}

#[test]
fn shards_with_callbacks_need_an_application_each() {
    let line = "run --target http://127.0.0.1:9 --shard 0/2 --seed 1 --start-at 2126-11-24T06:00:00Z \
                --callback-listen 127.0.0.1:0";
    assert_usage(&mut keyed(line), "--application-per-shard");
    // With the flag, the run gets as far as the target, which does not exist.
    let output = keyed(line).arg("--application-per-shard").output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
}

#[test]
fn absent_target_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = keyed("run --users 1 --target").arg(url).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("error: failed to reach the target: connect: "),
        "{stderr}"
    );
    assert!(
        stderr.contains("\nhint: `sinch-verify serve` starts an emulator"),
        "{stderr}"
    );
}

#[test]
fn command_in_the_report_repeats_the_run() {
    let directory = directory("again");
    let mut run = command("run --scenario mixed --rate poisson:40/s --duration 600ms --warm-up 200ms");
    run.args("--transport direct --no-callbacks --out".split(' '));
    let output = run.arg(&directory).output().unwrap();
    let first = read(directory.join("run.json"));
    assert_exit(&output, &first, 0);
    let page = std::fs::read_to_string(directory.join("report.html")).unwrap();
    let (_, line) = page
        .split_once("<code><span>sinch-verify-load run</span> ")
        .unwrap();
    let (line, _) = line.split_once("</code>").unwrap();
    let line = line.replace("<span>", "").replace("</span>", "");
    let output = command("run --json -").args(line.split(' ')).output().unwrap();
    let again = printed(&output);
    assert_eq!(again.setup, first.setup);
    let due = |run: &RunFile| (run.counters.scheduled, run.warm_up.scheduled);
    assert_eq!(due(&again), due(&first));
}

/// A run that is interrupted in its warm-up has counted nothing, and says what it started.
#[cfg(unix)]
#[test]
fn run_that_is_interrupted_in_its_warm_up_says_how_many_flows_it_started() {
    let mut run = command("run --rate 50/s --duration 1m --warm-up 50s --transport direct");
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Its first line, after which it listens for signals.
    let mut stderr = BufReader::new(run.stderr.take().unwrap());
    stderr.read_line(&mut String::new()).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let killed = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let table = text(&output.stdout);
    let flows = table.lines().find(|line| line.starts_with("flows ")).unwrap();
    let flows = flows.strip_prefix("flows").unwrap().trim();
    let (started, rest) = flows.split_once(' ').unwrap();
    assert!(started.parse::<u64>().unwrap() > 0, "{table}");
    assert_eq!(rest, "started, all of them in the warm-up, which does not count");
}

#[test]
fn shells_complete_commands_and_their_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = command("completions").arg(shell).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}: {}", text(&output.stderr));
        for part in ["compare", "warm-up", "callback-listen"] {
            assert!(text(&output.stdout).contains(part), "{shell}: {part}");
        }
    }
    // Bash notes the command that it has read so far, and has an arm for each.
    let output = command("completions bash").output().unwrap();
    let bash = text(&output.stdout);
    let noted = bash
        .lines()
        .filter_map(|line| line.trim().strip_prefix("cmd=\"")?.strip_suffix('"'))
        .filter(|name| !name.is_empty());
    for name in noted {
        let arm = format!("{name})");
        assert!(bash.lines().any(|line| line.trim() == arm), "{arm}");
    }
    assert_usage(&mut command("completions csh"), "powershell");
}

#[test]
fn manual_pages_are_written_for_all_commands() {
    let folder = directory("manual");
    let output = command("man").arg(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(folder.join("sinch-verify-load-run.1")).unwrap();
    assert!(page.contains("scenario"), "{page}");
}

#[test]
fn colours_are_used_as_asked() {
    // An error, for which no run is needed.
    let wrong = |color: &str| {
        let mut command = command("run --target https://sinch.invalid --users 1 --color");
        text(&command.arg(color).output().unwrap().stderr).to_owned()
    };
    assert!(wrong("always").contains('\u{1b}'), "{}", wrong("always"));
    assert!(!wrong("never").contains('\u{1b}') && !wrong("auto").contains('\u{1b}'));
}

/// On a terminal the state of the run is one block, which is drawn over and gone at the end.
#[cfg(target_os = "linux")]
#[test]
fn progress_redraws_on_a_terminal_with_colours_unless_they_are_unwanted() {
    let directory = directory("terminal");
    std::fs::create_dir_all(&directory).unwrap();
    let shown = |no_colour: &str| {
        let line = format!(
            "{} run --duration 2500ms --transport direct >{}",
            env!("CARGO_BIN_EXE_sinch-verify-load"),
            directory.join("report.txt").display()
        );
        let mut terminal = Command::new("script");
        terminal
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("NO_COLOR", no_colour)
            .stdin(Stdio::null());
        let output = match terminal.output() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                not_run::report("script is missing: install the package bsdutils or util-linux");
                return None;
            }
            output => output.unwrap(),
        };
        Some(text(&output.stdout).to_owned())
    };
    let Some(coloured) = shown("") else { return };
    assert!(coloured.contains(" in flight  p50 "), "{coloured:?}");
    assert!(coloured.contains("/2 s"), "{coloured:?}");
    // The cursor goes up and a line is cleared.
    assert!(
        coloured.contains("\u{1b}[1A") && coloured.contains("\u{1b}[2K"),
        "{coloured:?}"
    );
    let colours = |shown: &str| {
        let sequences = shown.split("\u{1b}[").skip(1);
        let ends = sequences.filter_map(|sequence| {
            sequence
                .find(char::is_alphabetic)
                .map(|end| sequence[end..].starts_with('m'))
        });
        ends.filter(|is_colour| *is_colour).count()
    };
    assert!(colours(&coloured) > 0, "{coloured:?}");
    let plain = shown("1").unwrap();
    assert!(plain.contains(" in flight  p50 "), "{plain:?}");
    assert_eq!(colours(&plain), 0, "{plain:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emulator_elsewhere_can_be_the_target() {
    let application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap());
    let emulator = Emulator::builder()
        .application(application)
        .start()
        .await
        .unwrap();
    let url = emulator.url();
    let run = move || {
        let mut command = keyed("run --users 2 --duration 500ms --json - --target");
        command.arg(url).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let file = printed(&output);
    assert_exit(&output, &file, 0);
    assert_eq!(file.setup.target, format!("the emulator at {}", emulator.url()));
    assert!(file.counters.finished > 0);
    assert!(!text(&output.stderr).contains(SECRET));
}
