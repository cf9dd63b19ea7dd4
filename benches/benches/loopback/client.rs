//! The client: compared with the bare transport, and with the official SDK.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use serde_json::Value;

use crate::fixture;
use crate::hand_written::HandWritten;
use crate::load_generator::{Requests, exchange};
use crate::measurement::{Figure, Goal, Measurement, Unit, both, each};
use crate::node_sdk::Node;
use crate::process::{Core, Worker, port};
use crate::serve::bare_hyper::Bare;

/// The number of requests of each side in a round.
const REQUESTS: u64 = 30_000;
/// The number of whole flows in a round: of our client, and of the official client.
const FLOWS: (u64, u64) = (20_000, 3_000);

pub(crate) fn run(rounds: u32) -> Result<()> {
    let node = Node::installed()?;
    let mut server = Worker::ours(Core::Server, ["serve", "emulator"])?;
    let port = port(&server.answer()?)?;
    let url = format!("http://127.0.0.1:{port}");
    // The server always sends the same recorded answer and needs little CPU time, so the client's core is
    // the busy one. A client that waits for its server sleeps and wakes, and that would be measured.
    let mut first = Series::default();
    let hand = HandWritten::new()?;
    let starting = canned(port, &hand.start(&url, &fixture::number(90, 0), "once")?)?;
    let known = server.ask("codes 90 0 1")?;
    let id = known[0][0]
        .as_str()
        .context("no verification was started")?
        .to_owned();
    let telling = canned(port, &hand.status(&url, &id)?)?;
    let mut calls = Vec::new();
    for (transport, goal) in [("reqwest", 1.10), ("hyper", 1.15)] {
        calls.push(Calls::new(Call::Status(id.clone()), transport, goal, &telling.1)?);
        calls.push(Calls::new(Call::Start, transport, goal, &starting.1)?);
    }
    let mut flowing = ["reqwest", "hyper"]
        .into_iter()
        .map(|transport| {
            let how = format!("ours-{transport}");
            Ok((transport, Worker::ours(Core::Client, ["request", &how, &url])?))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut official = node.start(Core::Client, "client.js", &[&url, fixture::KEY, fixture::SECRET])?;
    official.answer()?;

    // Warm up all sides.
    for calls in &mut calls {
        calls.costs(0, REQUESTS / 10, &mut first)?;
    }
    for (_, ours) in &mut flowing {
        ours.ask(&format!("flows 1000 {}", first.next(1000)))?;
    }
    official.ask(&format!("flows 3000 {}", first.next(3000)))?;

    for round in 1..=rounds {
        for calls in &mut calls {
            calls.measure(round, &mut first)?;
        }
        for (transport, ours) in &mut flowing {
            flows(round, transport, ours, &mut official, &mut first)?;
        }
    }
    Ok(())
}

/// A server that always sends the answer of the server at `port` to `request`; and its URL.
fn canned(port: u16, request: &http::Request<Bytes>) -> Result<(Worker, String)> {
    let mut requests = Requests::default();
    requests.push(request);
    let answer = exchange(port, requests.get(0), Bare::like)?;
    let (worker, port) = answer.start()?;
    Ok((worker, format!("http://127.0.0.1:{port}")))
}

/// Phone numbers that no other part of the bench uses.
#[derive(Default)]
struct Series(u64);

impl Series {
    /// A series and its first number, for `count` numbers.
    fn next(&mut self, count: u64) -> String {
        let first = self.0;
        self.0 += count;
        format!("10 {first}")
    }
}

/// The request of a bench.
enum Call {
    /// The status of this verification.
    Status(String),
    Start,
}

/// Our client and the hand-written one, over the same transport, with the same request.
struct Calls {
    call: Call,
    transport: &'static str,
    goal: f64,
    ours: Worker,
    bare: Worker,
}

impl Calls {
    fn new(call: Call, transport: &'static str, goal: f64, url: &str) -> Result<Self> {
        let start = |whose: &str| {
            let how = format!("{whose}-{transport}");
            Worker::ours(Core::Client, ["request", &how, url])
        };
        Ok(Self {
            call,
            transport,
            goal,
            ours: start("ours")?,
            bare: start("bare")?,
        })
    }

    /// The CPU time of either for each request, in nanoseconds.
    fn costs(&mut self, round: u32, requests: u64, first: &mut Series) -> Result<(f64, f64)> {
        let mut command = || match &self.call {
            Call::Status(id) => format!("status {requests} {id}"),
            Call::Start => format!("start {requests} {}", first.next(requests)),
        };
        let commands = [command(), command()];
        both(
            round,
            || cost(&mut self.ours, &commands[0], requests),
            || cost(&mut self.bare, &commands[1], requests),
        )
    }

    fn measure(&mut self, round: u32, first: &mut Series) -> Result<()> {
        let (ours, bare) = self.costs(round, REQUESTS, first)?;
        Measurement {
            what: match self.call {
                Call::Status(_) => "a signed status query: CPU of the client",
                Call::Start => "a signed start: CPU of the client",
            },
            unit: Unit::Nanoseconds,
            goal: Some(Goal::RatioAtMost(self.goal)),
            ours: Figure {
                name: &format!("Client over {}", self.transport),
                value: ours,
            },
            beside: Some(Figure {
                name: &format!("bare {}, signed and read by hand", self.transport),
                value: bare,
            }),
        }
        .print()
    }
}

fn cost(worker: &mut Worker, command: &str, requests: u64) -> Result<f64> {
    let before = worker.cpu()?;
    worker.ask(command)?;
    Ok(each(worker.cpu()? - before, requests))
}

fn flows(
    round: u32,
    transport: &str,
    ours: &mut Worker,
    official: &mut Worker,
    first: &mut Series,
) -> Result<()> {
    let numbers = (first.next(FLOWS.0), first.next(FLOWS.1));
    let ((rate, cpu), (their_rate, their_cpu)) = both(
        round,
        || speed(ours, FLOWS.0, &numbers.0),
        || speed(official, FLOWS.1, &numbers.1),
    )?;
    let name = format!("Client over {transport}");
    let official = "@sinch/sdk-core";
    Measurement {
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
    Measurement {
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

/// Flows in a second of wall time, and the CPU time of each in nanoseconds.
fn speed(worker: &mut Worker, count: u64, numbers: &str) -> Result<(f64, f64)> {
    let before = worker.cpu()?;
    let answer: Value = worker.ask(&format!("flows {count} {numbers}"))?;
    let cpu = each(worker.cpu()? - before, count);
    let seconds = answer["seconds"].as_f64().context("no seconds")?;
    Ok((count as f64 / seconds, cpu))
}
