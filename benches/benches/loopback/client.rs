//! The client: compared with the bare transport, and with the official SDK.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use serde_json::Value;

use crate::fixture;
use crate::hand_written::HandWritten;
use crate::load_generator::{Requests, exchange};
use crate::measurement::{Goal, Measurement, NOT_RUN, Unit, both, each};
use crate::peers::Peer;
use crate::process::{Core, Worker, port};
use crate::serve::bare_hyper::Bare;

/// The number of requests of each side in a round.
const REQUESTS: u64 = 30_000;
/// The number of whole flows of our client in a round.
const FLOWS: u64 = 20_000;

pub(crate) fn run(rounds: u32) -> Result<()> {
    let mut server = Worker::ours(Core::Server, ["serve", "emulator"])?;
    let port = port(&server.answer()?)?;
    let url = format!("http://127.0.0.1:{port}");
    // The server always sends the same recorded answer and needs little CPU time, so the client's core is
    // the busy one. A client that waits for its server sleeps and wakes, and that would be measured.
    let mut first = Series::default();
    let hand = HandWritten::new()?;
    let starting = canned(port, &hand.start(&url, &fixture::number(3, 0), "once")?)?;
    let known = server.ask("codes 3 0 1")?;
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
    let mut official = [
        Official::start(Peer::Node, "@sinch/sdk-core on Node", "client.js", &url, 3_000)?,
        Official::start(Peer::Python, "sinch 1.1.4 on Python", "client.py", &url, 300)?,
    ];

    // Warm up all sides.
    for calls in &mut calls {
        calls.costs(0, REQUESTS / 10, &mut first)?;
    }
    for (_, ours) in &mut flowing {
        ours.ask(&format!("flows 1000 {}", first.next(1000)))?;
    }
    for official in &mut official {
        official.speed(&mut first)?;
    }

    for round in 1..=rounds {
        for calls in &mut calls {
            calls.measure(round, &mut first)?;
        }
        for (transport, ours) in &mut flowing {
            for official in &mut official {
                flows(round, transport, ours, official, &mut first)?;
            }
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
        format!("1 {first}")
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
        let what = match self.call {
            Call::Status(_) => "a signed status query: CPU of the client",
            Call::Start => "a signed start: CPU of the client",
        };
        let name = format!("Client over {}", self.transport);
        Measurement::new(what, Unit::Nanoseconds, &name, ours)
            .beside(&format!("bare {}, signed and read by hand", self.transport), bare)
            .goal(Goal::RatioAtMost(self.goal))
            .print()
    }
}

fn cost(worker: &mut Worker, command: &str, requests: u64) -> Result<f64> {
    let before = worker.cpu()?;
    worker.ask(command)?;
    Ok(each(worker.cpu()? - before, requests))
}

/// An official client; it has no process if it is not installed.
struct Official {
    name: &'static str,
    worker: Option<Worker>,
    /// The number of flows in a round.
    flows: u64,
}

impl Official {
    fn start(peer: Peer, name: &'static str, program: &str, url: &str, flows: u64) -> Result<Self> {
        let mut worker = peer.start(Core::Client, program, &[url, fixture::KEY, fixture::SECRET])?;
        if let Some(worker) = &mut worker {
            worker.answer()?;
        }
        Ok(Self { name, worker, flows })
    }

    fn speed(&mut self, first: &mut Series) -> Result<(f64, f64)> {
        match &mut self.worker {
            Some(worker) => speed(worker, self.flows, &first.next(self.flows)),
            None => Ok((NOT_RUN, NOT_RUN)),
        }
    }
}

fn flows(
    round: u32,
    transport: &str,
    ours: &mut Worker,
    official: &mut Official,
    first: &mut Series,
) -> Result<()> {
    let numbers = first.next(FLOWS);
    let ((rate, cpu), (their_rate, their_cpu)) =
        both(round, || speed(ours, FLOWS, &numbers), || official.speed(first))?;
    let name = format!("Client over {transport}");
    let what = "whole SMS flows (start, read the code, report) in a second";
    Measurement::new(what, Unit::Rate, &name, rate)
        .beside(official.name, their_rate)
        .goal(Goal::RatioAtLeast(8.0))
        .print()?;
    let what = "a whole SMS flow: CPU of the client";
    Measurement::new(what, Unit::Nanoseconds, &name, cpu)
        .beside(official.name, their_cpu)
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
