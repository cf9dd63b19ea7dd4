//! The load tester: compared with oha, wrk and a bare goose attack; and what each reports of a stall.
//!
//! It is started as a process, see [`BINARY`], and its run file is read.

use std::process::{Command, Output, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::fixture;
use crate::hand_written::HandWritten;
use crate::load_generator::exchange;
use crate::measurement::{Goal, Measurement, NOT_RUN, Unit, both, each};
use crate::peers::Peer;
use crate::process::{Core, Worker, port};

/// The variables with the paths of `sinch-verify-load` and of the example `bare_goose`.
const BINARY: &str = "SINCH_VERIFY_LOAD";
const BARE_GOOSE: &str = "BARE_GOOSE";

const CONNECTIONS: u64 = 32;
/// The duration of a run, and of the warm-up in it, in seconds.
const SECONDS: u64 = 6;
const WARM_UP: u64 = 1;

/// The duration of a run with a stall, and the rate of the tools that keep one.
const STALL_RUN: &str = "10s";
const STALL_RATE: &str = "200";
/// The target stops once, for this long, after this time.
const STALL: Duration = Duration::from_secs(2);
const BEFORE_STALL: Duration = Duration::from_secs(4);
/// The 99th percentile of a schedule: one fifth of the evenly spread requests meets the stall and waits for
/// the rest of it. In nanoseconds.
const STALL_P99: f64 = 1.9e9;

const GOOSE: &str = "sinch-verify-load, transport goose";
const DIRECT: &str = "sinch-verify-load, transport direct";

pub(crate) fn run(rounds: u32) -> Result<()> {
    let bench = Bench::start()?;
    for round in 1..=rounds {
        let (ours, oha) = both(round, || bench.query_only("direct"), || bench.oha())?;
        beside(DIRECT, "oha", Some(0.60), ours, oha)?;
        beside(DIRECT, "wrk", None, ours, bench.wrk()?)?;
        let (goose, attack) = both(round, || bench.query_only("goose"), || bench.bare_goose())?;
        beside(GOOSE, "a bare goose attack", Some(0.90), goose, Some(attack))?;
        // A new server for each round, so that no connection of the last round is open.
        let mut bare = Worker::ours(Core::Client, ["request", "bare-reqwest", &bench.url])?;
        let id = &bench.id;
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
        bench.stalls()?;
    }
    Ok(())
}

/// A target and its load generators.
struct Bench {
    server: Worker,
    port: u16,
    url: String,
    /// The id of a pending verification.
    id: String,
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
        let mut bench = Self {
            server,
            port,
            url: format!("http://127.0.0.1:{port}"),
            id: String::new(),
        };
        bench.id = bench.pending(4)?;
        Ok(bench)
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
        command.args(["run", "--no-callbacks", "--json", "-", "--scenario", "query-only"]);
        command.args(["--target", &self.url]).args(args);
        let (output, cpu) = finished(with_application(&mut command), &[0, 1, 3])?;
        Ok((json(&output)?, cpu))
    }

    /// Sends as many status queries as possible.
    fn query_only(&self, transport: &str) -> Result<Done> {
        let (users, seconds, warm_up) = (
            CONNECTIONS.to_string(),
            format!("{SECONDS}s"),
            format!("{WARM_UP}s"),
        );
        let (run, cpu) = self.load(&[
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

    /// Runs oha with one repeated status query; `None` if it is not installed.
    fn oha(&self) -> Result<Option<Done>> {
        let seconds = format!("{SECONDS}s");
        let Some((report, cpu)) = self.run_oha(&seconds, &[])? else {
            return Ok(None);
        };
        let summary = |name: &str| report["summary"][name].as_f64();
        let rate = summary("requestsPerSec").context("oha names no rate")?;
        let seconds = summary("total").context("oha names no time")?;
        Ok(Some(Done {
            rate,
            cpu: cpu.as_nanos() as f64 / (rate * seconds),
        }))
    }

    fn run_oha(&self, seconds: &str, more: &[&str]) -> Result<Option<(Value, Duration)>> {
        let Some(mut command) = Peer::Oha.command(Core::Client)? else {
            return Ok(None);
        };
        command.args(["--no-tui", "--output-format", "json", "-z", seconds]);
        command.args(["-c", &CONNECTIONS.to_string()]).args(more);
        let (output, cpu) = finished(self.one_query(&mut command)?, &[0])?;
        let report = json(&output)?;
        let success = report["summary"]["successRate"].as_f64();
        ensure!(
            success.is_some_and(|share| share > 0.99),
            "the emulator refused what oha sent"
        );
        Ok(Some((report, cpu)))
    }

    /// Runs wrk with one repeated status query; `None` if it is not installed.
    fn wrk(&self) -> Result<Option<Done>> {
        let Some((report, cpu)) = self.run_wrk(&format!("{SECONDS}s"))? else {
            return Ok(None);
        };
        let words: Vec<&str> = report.split_whitespace().collect();
        // `600000 requests in 6.00s, 151.66MB read`
        let at = words.windows(2).position(|pair| pair == ["requests", "in"]);
        let requests = at.and_then(|at| words.get(at.checked_sub(1)?)?.parse::<f64>().ok());
        let rate = words.iter().position(|word| *word == "Requests/sec:");
        let rate = rate.and_then(|at| words.get(at + 1)?.parse().ok());
        Ok(Some(Done {
            rate: rate.context("wrk names no rate")?,
            cpu: cpu.as_nanos() as f64 / requests.context("wrk counts no requests")?,
        }))
    }

    fn run_wrk(&self, seconds: &str) -> Result<Option<(String, Duration)>> {
        let Some(mut command) = Peer::Wrk.command(Core::Client)? else {
            return Ok(None);
        };
        command.args(["--threads", "1", "--latency", "--duration", seconds]);
        command.args(["--connections", &CONNECTIONS.to_string()]);
        let (output, cpu) = finished(self.one_query(&mut command)?, &[0])?;
        let report = String::from_utf8(output.stdout)?;
        ensure!(
            !report.contains("Non-2xx"),
            "the emulator refused what wrk sent:\n{report}"
        );
        Ok(Some((report, cpu)))
    }

    /// Adds the signed status query that oha and wrk repeat.
    fn one_query<'a>(&self, command: &'a mut Command) -> Result<&'a mut Command> {
        let path = format!("/verification/v1/verifications/id/{}", self.id);
        let signed = HandWritten::new()?.sign("GET", &path, "", b"")?;
        Ok(command
            .args(["-H", &format!("authorization: {}", signed.authorization)])
            .args(["-H", &format!("x-timestamp: {}", signed.timestamp)])
            .arg(format!("{}{path}", self.url)))
    }

    fn bare_goose(&self) -> Result<Done> {
        let mut command = Core::Client.command(program(BARE_GOOSE)?)?;
        command.args([&self.url, &CONNECTIONS.to_string(), &SECONDS.to_string()]);
        let (output, cpu) = finished(with_application(&mut command), &[0])?;
        let requests = json(&output)?["requests"]
            .as_f64()
            .context("goose sent no requests")?;
        Ok(Done {
            rate: requests / SECONDS as f64,
            cpu: cpu.as_nanos() as f64 / requests,
        })
    }

    /// The 99th percentile that each tool reports of a run in which the target stops once.
    fn stalls(&self) -> Result<()> {
        let rate = format!("{STALL_RATE}/s");
        let (run, _) = self.stalled(|| {
            let open = ["--transport", "direct", "--rate", &rate, "--users", "1000"];
            self.load(&[&open[..], &["--duration", STALL_RUN, "--warm-up", "0s"]].concat())
        })?;
        let micros = run["flows"]["query-only"]["times"]["e2e"]["p99Us"].as_f64();
        let reported = micros.context("the run file has no p99")? * 1e3;
        stall(DIRECT, reported, Some(Goal::RatioWithin(0.05)))?;
        let corrected = ["-q", STALL_RATE, "--latency-correction"];
        for (name, options) in [
            ("oha without a rate", &[][..]),
            ("oha at the same rate, with --latency-correction", &corrected[..]),
        ] {
            let report = self.stalled(|| self.run_oha(STALL_RUN, options))?;
            let seconds = report.map(|(report, _)| {
                let seconds = report["latencyPercentiles"]["p99"].as_f64();
                seconds.context("oha names no p99")
            });
            stall(
                name,
                seconds.transpose()?.map_or(NOT_RUN, |seconds| seconds * 1e9),
                None,
            )?;
        }
        let report = self.stalled(|| self.run_wrk(STALL_RUN))?;
        let reported = report.map(|(report, _)| wrk_p99(&report)).transpose()?;
        stall("wrk, which has no rate", reported.unwrap_or(NOT_RUN), None)
    }

    /// Runs a load generator, and stops the target once meanwhile.
    fn stalled<T>(&self, generate: impl FnOnce() -> Result<T>) -> Result<T> {
        let server = self.server.id();
        let freezer = thread::spawn(move || -> Result<()> {
            thread::sleep(BEFORE_STALL);
            signal("-STOP", server)?;
            thread::sleep(STALL);
            signal("-CONT", server)
        });
        let result = generate();
        freezer.join().ok().context("the target was not stopped")??;
        result
    }
}

fn stall(name: &str, reported: f64, goal: Option<Goal>) -> Result<()> {
    let what = "p99 reported of a run of 10 s in which the target stops for 2 s";
    let measured = Measurement::new(what, Unit::Nanoseconds, name, reported);
    let measured = measured.beside("p99 of the schedule, calculated", STALL_P99);
    Measurement { goal, ..measured }.print()
}

/// The 99th percentile that wrk prints, in nanoseconds.
fn wrk_p99(report: &str) -> Result<f64> {
    // `     99%    1.93s`
    let mut words = report.split_whitespace().skip_while(|word| *word != "99%");
    let shown = words.nth(1).context("wrk names no p99")?;
    for (unit, factor) in [("us", 1e3), ("ms", 1e6), ("s", 1e9)] {
        if let Some(number) = shown.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * factor);
        }
    }
    bail!("wrk names the p99 {shown:?}")
}

/// Prints the rates and the CPU times. The other program may be missing.
fn beside(name: &str, other: &str, goal: Option<f64>, ours: Done, theirs: Option<Done>) -> Result<()> {
    let measured = Measurement::new(
        "status queries in a second, 32 connections",
        Unit::Rate,
        name,
        ours.rate,
    )
    .beside(other, theirs.map_or(NOT_RUN, |done| done.rate));
    Measurement {
        goal: goal.map(Goal::RatioAtLeast),
        ..measured
    }
    .print()?;
    cost(name, other, ours, theirs.map_or(NOT_RUN, |done| done.cpu))
}

fn cost(name: &str, other: &str, ours: Done, theirs: f64) -> Result<()> {
    let what = "a status query: CPU of the load generator";
    Measurement::new(what, Unit::Nanoseconds, name, ours.cpu)
        .beside(other, theirs)
        .print()
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

/// Runs a command to its end. Returns its output and its CPU time.
fn finished(command: &mut Command, codes: &[i32]) -> Result<(Output, Duration)> {
    let before = children()?;
    let output = command.stderr(Stdio::piped()).output()?;
    let code = output.status.code();
    ensure!(
        code.is_some_and(|code| codes.contains(&code)),
        "a load generator ended with {code:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((output, children()? - before))
}

/// The JSON that a load generator prints.
fn json(output: &Output) -> Result<Value> {
    let printed = std::str::from_utf8(&output.stdout)?;
    // Goose also logs to standard output; the result is the last line.
    let last = printed.trim_end().lines().next_back().unwrap_or_default();
    let read = serde_json::from_str(printed).or_else(|_| serde_json::from_str(last));
    Ok(read?)
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
