//! The load tester: compared with oha and a bare goose attack, and with calculated values.
//!
//! It is started as a process, see [`BINARY`], and its run file is read.

use std::process::Command;
use std::time::{Duration, SystemTime};
use std::{env, fs, thread};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::fixture;
use crate::load_generator::exchange;
use crate::measurement::{Figure, Goal, Measurement, Unit, both, each};
use crate::process::{Core, Worker, port};

/// The variables with the paths of `sinch-verify-load` and of the example `bare_goose`.
const BINARY: &str = "SINCH_VERIFY_LOAD";
const BARE_GOOSE: &str = "BARE_GOOSE";

const CONNECTIONS: u64 = 32;
/// The duration of a run, and of the warm-up in it, in seconds.
const SECONDS: u64 = 6;
const WARM_UP: u64 = 1;
/// The target freezes for 2 s in every 10 s, twice.
const FROZEN: Duration = Duration::from_secs(2);
const FREE: Duration = Duration::from_secs(8);
/// One fifth of evenly distributed arrivals meets the freeze and waits for the rest of it. This is the
/// resulting 99th percentile, in nanoseconds.
const FROZEN_P99: f64 = 1.9e9;

const GOOSE: &str = "sinch-verify-load, transport goose";
const DIRECT: &str = "sinch-verify-load, transport direct";

pub(crate) fn run(rounds: u32) -> Result<()> {
    let bench = Bench::start()?;
    let id = bench.pending(41)?;
    for round in 1..=rounds {
        let (ours, oha) = both(round, || bench.query_only("direct"), || bench.oha(&id))?;
        beside(DIRECT, "oha", 0.60, ours, oha)?;
        let (goose, attack) = both(round, || bench.query_only("goose"), || bench.bare_goose())?;
        beside(GOOSE, "a bare goose attack", 0.90, goose, attack)?;
        // A new server for each round, so that no connection of the last round is open.
        let mut bare = Worker::ours(Core::Client, ["request", "bare-reqwest", &bench.url])?;
        bare.ask(&format!("status 500 {id}"))?;
        let before = bare.cpu()?;
        bare.ask(&format!("status 20000 {id}"))?;
        let hand_written = each(bare.cpu()? - before, 20_000);
        drop(bare);
        cost(
            GOOSE,
            "bare reqwest, signed and read by hand",
            goose,
            hand_written,
        )?;
        bench.half_of(ours.rate / 3.0)?;
        bench.frozen()?;
        bench.shards(round)?;
    }
    Ok(())
}

/// A target and its load generators.
struct Bench {
    server: Worker,
    port: u16,
    url: String,
}

/// The result of one load generator.
#[derive(Clone, Copy)]
struct Done {
    /// Requests in a second of wall time.
    rate: f64,
    /// The CPU time of one request, in nanoseconds.
    cpu: f64,
}

impl Bench {
    fn start() -> Result<Self> {
        let mut server = Worker::ours(Core::Server, ["serve", "emulator"])?;
        let port = port(&server.answer()?)?;
        Ok(Self {
            server,
            port,
            url: format!("http://127.0.0.1:{port}"),
        })
    }

    /// The id of a new verification.
    fn pending(&self, series: u64) -> Result<String> {
        let mut starter = Worker::ours(Core::Client, ["request", "bare-hyper", &self.url])?;
        starter.ask(&format!("start 1 {series} 0"))?;
        let number = fixture::number(series, 0);
        let request = format!("GET /_emu/numbers/{number}/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        exchange(self.port, request.as_bytes(), |answer| {
            let answer: Value = serde_json::from_slice(answer.body)?;
            let id = answer["messages"][0]["verificationId"].as_str();
            Ok(id.context("no verification was started")?.to_owned())
        })
    }

    /// Runs the load tester with these arguments. Returns its run file and its CPU time.
    fn load(&self, args: &[&str]) -> Result<(Value, Duration)> {
        let mut command = Core::Client.command(program(BINARY)?)?;
        command
            .args(["run", "--no-callbacks", "--json", "-", "--target", &self.url])
            .args(args);
        finished(with_application(&mut command), &[0, 1, 3])
    }

    /// Sends as many status queries as possible.
    fn query_only(&self, transport: &str) -> Result<Done> {
        let (users, seconds, warm_up) = (
            CONNECTIONS.to_string(),
            format!("{SECONDS}s"),
            format!("{WARM_UP}s"),
        );
        let (run, cpu) = self.load(&[
            "--scenario",
            "query-only",
            "--transport",
            transport,
            "--users",
            &users,
            "--duration",
            &seconds,
            "--warm-up",
            &warm_up,
        ])?;
        let requests = run["flows"]["query-only"]["requests"]
            .as_f64()
            .context("no requests were sent")?;
        let counted = (SECONDS - WARM_UP) as f64;
        let rate = requests / counted;
        // The CPU time includes the warm-up, which has the same rate.
        let cpu = cpu.as_nanos() as f64 / (rate * SECONDS as f64);
        Ok(Done { rate, cpu })
    }

    /// Runs oha with one repeated status query.
    fn oha(&self, id: &str) -> Result<Done> {
        let signed = crate::hand_written::HandWritten::new()?.sign(
            "GET",
            &format!("/verification/v1/verifications/id/{id}"),
            "",
            b"",
        )?;
        let mut command = Core::Client.command("oha")?;
        command
            .args([
                "--no-tui",
                "--output-format",
                "json",
                "-z",
                &format!("{SECONDS}s"),
            ])
            .args(["-c", &CONNECTIONS.to_string()])
            .args(["-H", &format!("authorization: {}", signed.authorization)])
            .args(["-H", &format!("x-timestamp: {}", signed.timestamp)])
            .arg(format!("{}/verification/v1/verifications/id/{id}", self.url));
        let (report, cpu) =
            finished(&mut command, &[0]).context("failed to run oha: cargo install oha --locked")?;
        let rate = report["summary"]["requestsPerSec"]
            .as_f64()
            .context("oha names no rate")?;
        let success = report["summary"]["successRate"]
            .as_f64()
            .context("oha names no success")?;
        ensure!(success > 0.99, "the emulator refused what oha sent");
        let seconds = report["summary"]["total"].as_f64().context("oha names no time")?;
        Ok(Done {
            rate,
            cpu: cpu.as_nanos() as f64 / (rate * seconds),
        })
    }

    fn bare_goose(&self) -> Result<Done> {
        let mut command = Core::Client.command(program(BARE_GOOSE)?)?;
        command.args([&self.url, &CONNECTIONS.to_string(), &SECONDS.to_string()]);
        let (report, cpu) = finished(with_application(&mut command), &[0])?;
        let requests = report["requests"].as_f64().context("goose sent no requests")?;
        Ok(Done {
            rate: requests / SECONDS as f64,
            cpu: cpu.as_nanos() as f64 / requests,
        })
    }

    /// Runs an open schedule at half of the rate of the closed model.
    fn half_of(&self, flows: f64) -> Result<()> {
        let rate = format!("{}/s", (flows / 2.0).max(1.0) as u64);
        let seconds = format!("{SECONDS}s");
        let (run, _) = self.load(&[
            "--scenario",
            "query-only",
            "--transport",
            "direct",
            "--rate",
            &rate,
            "--duration",
            &seconds,
            "--warm-up",
            "1s",
            "--users",
            "256",
        ])?;
        let counted = |name: &str| run["counters"][name].as_f64().context("a count is missing");
        Measurement {
            what: "flows of an open schedule at half of capacity",
            unit: Unit::Count,
            goal: Some(Goal::RatioAtLeast(0.999)),
            ours: Figure {
                name: "finished",
                value: counted("finished")?,
            },
            beside: Some(Figure {
                name: "scheduled",
                value: counted("scheduled")?,
            }),
        }
        .print()?;
        Measurement {
            what: "p50 of what the generator adds to a flow",
            unit: Unit::Nanoseconds,
            goal: Some(Goal::RatioAtMost(1.0)),
            ours: Figure {
                name: DIRECT,
                value: time(&run, "lag", "p50Us")?,
            },
            beside: Some(Figure {
                name: "p50 of its first request",
                value: time(&run, "status", "p50Us")?,
            }),
        }
        .print()
    }

    /// Runs against a target that is frozen for 2 s in every 10 s.
    fn frozen(&self) -> Result<()> {
        let server = self.server.id();
        let freezer = thread::spawn(move || -> Result<()> {
            for _ in 0..2 {
                thread::sleep(FREE);
                signal("-STOP", server)?;
                thread::sleep(FROZEN);
                signal("-CONT", server)?;
            }
            Ok(())
        });
        let run = self.load(&[
            "--scenario",
            "query-only",
            "--transport",
            "direct",
            "--rate",
            "200/s",
            "--duration",
            "20s",
            "--warm-up",
            "0s",
            "--users",
            "1000",
        ]);
        freezer.join().ok().context("the target was not frozen")??;
        let (run, _) = run?;
        Measurement {
            what: "p99 of flows while the target freezes for 2 s in every 10 s",
            unit: Unit::Nanoseconds,
            goal: Some(Goal::RatioWithin(0.05)),
            ours: Figure {
                name: DIRECT,
                value: time(&run, "e2e", "p99Us")?,
            },
            beside: Some(Figure {
                name: "arithmetic",
                value: FROZEN_P99,
            }),
        }
        .print()
    }

    /// Compares four merged shards with one process with the same schedule, on a target that adds 50 ms.
    fn shards(&self, round: u32) -> Result<()> {
        let rule = r#"{"on":"api","fault":{"kind":"latency","from":"50ms","to":"50ms"}}"#;
        self.control("POST", rule)?;
        let run = |shard: &str, start: &str, out: &str| -> Result<std::process::Child> {
            let mut command = Core::Client.command(program(BINARY)?)?;
            command
                .args([
                    "run",
                    "--no-callbacks",
                    "--target",
                    &self.url,
                    "--scenario",
                    "query-only",
                ])
                .args([
                    "--transport",
                    "direct",
                    "--rate",
                    "200/s",
                    "--duration",
                    "10s",
                    "--warm-up",
                    "1s",
                ])
                .args([
                    "--users",
                    "128",
                    "--seed",
                    "7",
                    "--shard",
                    shard,
                    "--start-at",
                    start,
                ])
                .args(["--json", out])
                .stdout(std::process::Stdio::null());
            Ok(with_application(&mut command).spawn()?)
        };
        let file = |name: &str| {
            let name = format!("sinch-verify-bench-{}-{round}-{name}.json", std::process::id());
            env::temp_dir().join(name).to_string_lossy().into_owned()
        };
        // Before a run, a load tester starts 64 verifications, each of which takes 50 ms here.
        let soon = || jiff::Timestamp::try_from(SystemTime::now() + Duration::from_secs(6));
        let whole = file("whole");
        ended(run("0/1", &soon()?.to_string(), &whole)?)?;
        let (names, start) = (
            [0, 1, 2, 3].map(|n| file(&format!("shard-{n}"))),
            soon()?.to_string(),
        );
        let mut running = Vec::new();
        for (n, name) in names.iter().enumerate() {
            running.push(run(&format!("{n}/4"), &start, name)?);
        }
        for shard in running {
            ended(shard)?;
        }
        let mut command = Command::new(program(BINARY)?);
        command.args(["merge", "--json", "-"]).args(&names);
        let (merged, _) = finished(&mut command, &[0, 1, 3])?;
        let alone: Value = serde_json::from_slice(&fs::read(&whole)?)?;
        self.control("DELETE", "")?;
        for name in names.iter().chain([&whole]) {
            fs::remove_file(name)?;
        }
        for (what, share) in [
            (
                "p50 of flows on a target that adds 50 ms to each request",
                "p50Us",
            ),
            (
                "p99 of flows on a target that adds 50 ms to each request",
                "p99Us",
            ),
        ] {
            Measurement {
                what,
                unit: Unit::Nanoseconds,
                goal: Some(Goal::RatioWithin(0.03)),
                ours: Figure {
                    name: "four shards, merged",
                    value: time(&merged, "e2e", share)?,
                },
                beside: Some(Figure {
                    name: "one process",
                    value: time(&alone, "e2e", share)?,
                }),
            }
            .print()?;
        }
        Ok(())
    }

    /// Adds a fault rule, or removes all.
    fn control(&self, verb: &str, body: &str) -> Result<()> {
        let request = format!(
            "{verb} /_emu/faults HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        exchange(self.port, request.as_bytes(), |_| Ok(()))
    }
}

fn beside(name: &str, other: &str, goal: f64, ours: Done, theirs: Done) -> Result<()> {
    Measurement {
        what: "status queries in a second, 32 connections",
        unit: Unit::Rate,
        goal: Some(Goal::RatioAtLeast(goal)),
        ours: Figure {
            name,
            value: ours.rate,
        },
        beside: Some(Figure {
            name: other,
            value: theirs.rate,
        }),
    }
    .print()?;
    cost(name, other, ours, theirs.cpu)
}

fn cost(name: &str, other: &str, ours: Done, theirs: f64) -> Result<()> {
    Measurement {
        what: "a status query: CPU of the load generator",
        unit: Unit::Nanoseconds,
        goal: None,
        ours: Figure {
            name,
            value: ours.cpu,
        },
        beside: Some(Figure {
            name: other,
            value: theirs,
        }),
    }
    .print()
}

/// A quantile of the flow durations of a run, in nanoseconds.
fn time(run: &Value, interval: &str, share: &str) -> Result<f64> {
    let micros = run["flows"]["query-only"]["times"][interval][share].as_f64();
    Ok(micros.with_context(|| format!("the run file has no {share} of {interval}"))? * 1e3)
}

fn program(variable: &str) -> Result<String> {
    env::var(variable)
        .with_context(|| format!("{variable} is not set: `cargo xtask bench load` builds and names it"))
}

fn with_application(command: &mut Command) -> &mut Command {
    command
        .env("SINCH_APPLICATION_KEY", fixture::KEY)
        .env("SINCH_APPLICATION_SECRET", fixture::SECRET)
}

/// Waits for a load generator, which prints its errors itself.
fn ended(mut process: std::process::Child) -> Result<()> {
    let code = process.wait()?.code();
    ensure!(
        matches!(code, Some(0 | 1 | 3)),
        "a load generator ended with {code:?}"
    );
    Ok(())
}

/// Runs a command to its end. Returns the JSON that it prints, and its CPU time.
fn finished(command: &mut Command, codes: &[i32]) -> Result<(Value, Duration)> {
    let before = children()?;
    let output = command.stderr(std::process::Stdio::piped()).output()?;
    let code = output.status.code();
    ensure!(
        code.is_some_and(|code| codes.contains(&code)),
        "a load generator ended with {code:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let cpu = children()? - before;
    let printed = String::from_utf8(output.stdout)?;
    // Goose also logs to standard output; the result is the last line.
    let last = printed.trim_end().lines().next_back().unwrap_or_default();
    let read = serde_json::from_str(&printed).or_else(|_| serde_json::from_str(last));
    Ok((read?, cpu))
}

/// The CPU time of all ended child processes.
fn children() -> Result<Duration> {
    // In hundredths of a second, the fixed unit of Linux.
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = stat.rsplit_once(')').context("/proc/self/stat is odd")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let (user, system) = (ticks(13), ticks(14));
    let ticks = user
        .zip(system)
        .context("/proc/self/stat has no times of children")?;
    Ok(Duration::from_millis(10 * (ticks.0 + ticks.1)))
}

/// Sends a signal to one of our processes.
fn signal(name: &str, process: u32) -> Result<()> {
    let status = Command::new("kill").args([name, &process.to_string()]).status()?;
    ensure!(status.success(), "kill {name} failed");
    Ok(())
}
