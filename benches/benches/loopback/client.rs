//! The client: its price above the transport, and beside the official SDK.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::fixture;
use crate::node::Node;
use crate::pair::{Figure, Goal, Pair, Unit, both, each};
use crate::process::{Core, Worker};

/// How many requests one side sends in a round.
const REQUESTS: u64 = 30_000;
/// How many flows ours goes through in a round, and how many the official client does.
const FLOWS: (u64, u64) = (20_000, 3_000);

/// Our client and the hand-written one over the same transport.
struct Sides {
    transport: &'static str,
    goal: f64,
    ours: Worker,
    bare: Worker,
}

pub(crate) fn run(rounds: u32) -> Result<()> {
    let node = Node::installed()?;
    let mut server = Worker::ours(Core::Server, ["serve", "emulator"])?;
    let url = format!("http://127.0.0.1:{}", server.answer()?["port"]);
    let start = |how| Worker::ours(Core::Client, ["request", how, &url]);
    let mut over = [
        Sides {
            transport: "reqwest",
            goal: 1.10,
            ours: start("ours-reqwest")?,
            bare: start("bare-reqwest")?,
        },
        Sides {
            transport: "hyper",
            goal: 1.15,
            ours: start("ours-hyper")?,
            bare: start("bare-hyper")?,
        },
    ];
    let mut official = node.start(Core::Client, "client.js", &[&url, fixture::KEY, fixture::SECRET])?;
    official.answer()?;

    // One verification to ask for, and everybody warm.
    over[0].ours.ask("start 1 90 0")?;
    let known = server.ask("codes 90 0 1")?;
    let id = known[0][0]
        .as_str()
        .context("no verification was started")?
        .to_owned();
    let mut first = Series::default();
    for side in &mut over {
        for worker in [&mut side.ours, &mut side.bare] {
            worker.ask(&format!("status 2000 {id}"))?;
        }
        side.ours.ask(&format!("flows 1000 {}", first.next(1000)))?;
    }
    official.ask(&format!("flows 3000 {}", first.next(3000)))?;

    for round in 1..=rounds {
        for sides in &mut over {
            status(round, sides, &id)?;
            start_calls(round, sides, &mut first)?;
        }
        for sides in &mut over {
            flows(round, sides, &mut official, &mut first)?;
        }
    }
    Ok(())
}

/// Numbers that nobody else uses.
#[derive(Default)]
struct Series(u64);

impl Series {
    /// A series and its first number, for as many as these.
    fn next(&mut self, count: u64) -> String {
        let first = self.0;
        self.0 += count;
        format!("10 {first}")
    }
}

fn status(round: u32, sides: &mut Sides, id: &str) -> Result<()> {
    let command = format!("status {REQUESTS} {id}");
    let (ours, bare) = both(
        round,
        || cost(&mut sides.ours, &command),
        || cost(&mut sides.bare, &command),
    )?;
    overhead("a signed status query: CPU of the client", sides, ours, bare)
}

fn start_calls(round: u32, sides: &mut Sides, first: &mut Series) -> Result<()> {
    let commands = [first.next(REQUESTS), first.next(REQUESTS)];
    let [ours, bare] = commands.map(|numbers| format!("start {REQUESTS} {numbers}"));
    let (ours, bare) = both(
        round,
        || cost(&mut sides.ours, &ours),
        || cost(&mut sides.bare, &bare),
    )?;
    overhead("a signed start: CPU of the client", sides, ours, bare)
}

/// The CPU time of the worker for each request, in nanoseconds.
fn cost(worker: &mut Worker, command: &str) -> Result<f64> {
    let before = worker.cpu()?;
    worker.ask(command)?;
    Ok(each(worker.cpu()? - before, REQUESTS))
}

fn overhead(what: &str, sides: &Sides, ours: f64, bare: f64) -> Result<()> {
    Pair {
        what,
        unit: Unit::Nanoseconds,
        goal: Some(Goal::RatioAtMost(sides.goal)),
        ours: Figure {
            name: &format!("Client over {}", sides.transport),
            value: ours,
        },
        beside: Some(Figure {
            name: &format!("bare {}, signed and read by hand", sides.transport),
            value: bare,
        }),
    }
    .print()
}

fn flows(round: u32, sides: &mut Sides, official: &mut Worker, first: &mut Series) -> Result<()> {
    let (ours, theirs) = (first.next(FLOWS.0), first.next(FLOWS.1));
    let ((rate, cpu), (their_rate, their_cpu)) = both(
        round,
        || speed(&mut sides.ours, FLOWS.0, &ours),
        || speed(official, FLOWS.1, &theirs),
    )?;
    let name = format!("Client over {}", sides.transport);
    let official = "@sinch/sdk-core";
    Pair {
        what: "whole SMS flows (start, read the code, report) in a second",
        unit: Unit::Rate,
        goal: Some(Goal::RatioAtLeast(8.0)),
        ours: Figure {
            name: &name,
            value: rate,
        },
        beside: Some(Figure {
            name: official,
            value: their_rate,
        }),
    }
    .print()?;
    Pair {
        what: "a whole SMS flow: CPU of the client",
        unit: Unit::Nanoseconds,
        goal: None,
        ours: Figure {
            name: &name,
            value: cpu,
        },
        beside: Some(Figure {
            name: official,
            value: their_cpu,
        }),
    }
    .print()
}

/// Flows in a second by the clock, and the CPU time of each in nanoseconds.
fn speed(worker: &mut Worker, count: u64, numbers: &str) -> Result<(f64, f64)> {
    let before = worker.cpu()?;
    let answer: Value = worker.ask(&format!("flows {count} {numbers}"))?;
    let cpu = each(worker.cpu()? - before, count);
    let seconds = answer["seconds"].as_f64().context("no seconds")?;
    Ok((count as f64 / seconds, cpu))
}
