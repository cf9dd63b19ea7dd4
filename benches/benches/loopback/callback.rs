//! The callback receiver: compared with bare hyper, and with the official validator.

use std::time::SystemTime;
use std::{env, fs};

use anyhow::{Result, ensure};
use http::Uri;
use sinch_verify_callback::testing::CallbackSigner;

use crate::fixture;
use crate::load_generator::{self, Outcome, Requests, exchange};
use crate::measurement::{Figure, Goal, Measurement, NOT_RUN, Unit, both, each};
use crate::peers::Peer;
use crate::process::{Core, Worker, port};
use crate::serve::bare_hyper::Bare;
use crate::verify::Recorded;

/// The number of connections, as a service that posts events keeps open.
const CONNECTIONS: usize = 32;
/// The number of requests in a round: to our receiver and bare hyper, to axum routes, and to Express and Flask.
const REQUESTS: usize = 80_000;
const AXUM_REQUESTS: usize = 40_000;
const SCRIPT_REQUESTS: usize = 6_000;
/// The number of schedules for each server in a round, in turns, and the seconds of each. The median
/// counts, so that a busy moment of the machine affects one schedule and not the round.
const SCHEDULES: (u32, f64) = (7, 0.5);
/// The number of callbacks that are checked in a round: in Rust, and by the official validator.
const CHECKS: (u64, u64) = (1_000_000, 100_000);

pub(crate) fn run(rounds: u32) -> Result<()> {
    let mut signing = Signing::new()?;
    let ours = Server::start(["serve", "callback"])?;
    let protected = Server::start(["serve", "callback", "policy"])?;
    let bare = exchange(ours.port, signing.requests(1)?.get(0), Bare::like)?;
    let (worker, bare_port) = bare.start()?;
    let bare = Server {
        worker,
        port: bare_port,
    };
    let scripts = [
        ("Express with the official validator", Peer::Node, "receiver.js"),
        ("Flask, checked and decoded by hand", Peer::Flask, "receiver.py"),
    ];
    let mut others = Vec::new();
    for (name, peer, program) in scripts {
        let worker = peer.start(Core::Server, program, &[fixture::KEY, fixture::SECRET])?;
        others.push((name, worker.map(Server::of).transpose()?));
    }
    let routes = Routes::start()?;
    let mut checks = Checks::start(&mut signing)?;

    for server in [&ours, &protected, &bare]
        .into_iter()
        .chain(others.iter().filter_map(|(_, server)| server.as_ref()))
        .chain(routes.all())
    {
        server.answers(&signing.requests(SCRIPT_REQUESTS)?)?;
    }
    for round in 1..=rounds {
        service(round, &mut signing, &ours, &bare, &others)?;
        routes.measure(round, &mut signing)?;
        policy(round, &mut signing, &protected, &ours)?;
        schedule(round, &mut signing, &ours, &bare)?;
        checks.measure(round)?;
    }
    memory()
}

/// A receiver of callbacks.
struct Server {
    worker: Worker,
    port: u16,
}

impl Server {
    fn start<const N: usize>(args: [&str; N]) -> Result<Self> {
        Self::of(Worker::ours(Core::Server, args)?)
    }

    /// The server that the worker says it has started.
    fn of(mut worker: Worker) -> Result<Self> {
        let port = port(&worker.answer()?)?;
        Ok(Self { worker, port })
    }

    /// Requests in a second of wall time, and in a second of the server's CPU time.
    fn answers(&self, requests: &Requests) -> Result<(f64, f64)> {
        let before = self.worker.cpu()?;
        let outcome = load_generator::closed(self.port, CONNECTIONS, requests)?;
        let cpu = each(self.worker.cpu()? - before, requests.len() as u64);
        Ok((outcome.rate(), 1e9 / cpu))
    }

    /// The latencies of a schedule with `rate` requests in a second.
    fn keeps_up(&self, signing: &mut Signing, rate: f64, seed: u64) -> Result<Outcome> {
        let due = load_generator::poisson(rate, (rate * SCHEDULES.1) as usize, seed);
        let requests = signing.requests(due.len())?;
        // More connections than needed, so that requests wait only for the server.
        load_generator::open(self.port, 4 * CONNECTIONS, &requests, &due)
    }
}

/// Makes distinct callbacks.
struct Signing {
    signer: CallbackSigner,
    next: u64,
}

impl Signing {
    fn new() -> Result<Self> {
        Ok(Self {
            signer: fixture::signer()?,
            next: 0,
        })
    }

    fn request(&mut self) -> Result<http::Request<bytes::Bytes>> {
        self.next += 1;
        let path = Uri::from_static(fixture::CALLBACK_PATH);
        Ok(self
            .signer
            .post(path, fixture::event(self.next)?, SystemTime::now()))
    }

    fn requests(&mut self, count: usize) -> Result<Requests> {
        let mut requests = Requests::default();
        for _ in 0..count {
            requests.push(&self.request()?);
        }
        Ok(requests)
    }
}

/// No goal: a server that checks cannot be nearly as fast as one that does not, and how far it is ahead of
/// Node's says nothing about it.
fn service(
    round: u32,
    signing: &mut Signing,
    ours: &Server,
    bare: &Server,
    others: &[(&str, Option<Server>)],
) -> Result<()> {
    let (a, b) = (signing.requests(REQUESTS)?, signing.requests(REQUESTS)?);
    let (own, floor) = both(round, || ours.answers(&a), || bare.answers(&b))?;
    beside(
        WHOLE,
        "bare hyper: reads the body, answers the same",
        None,
        own,
        floor,
    )?;
    for (name, server) in others {
        let rival = match server {
            Some(server) => server.answers(&signing.requests(SCRIPT_REQUESTS)?)?,
            None => (NOT_RUN, NOT_RUN),
        };
        beside(WHOLE, name, None, own, rival)?;
    }
    Ok(())
}

/// Our receiver as a route of axum, and handlers that a careful user writes by hand.
struct Routes {
    unguarded: Server,
    guarded: Server,
    check: Server,
    guard: Server,
    moka: Server,
    decisions: Server,
}

impl Routes {
    fn start() -> Result<Self> {
        let ours = |guard| Server::start(["serve", "callback", "axum", guard]);
        let by_hand = |level| Server::start(["serve", "callback", "hand-written", level]);
        Ok(Self {
            unguarded: ours("unguarded")?,
            guarded: ours("guarded")?,
            check: by_hand("check")?,
            guard: by_hand("guard")?,
            moka: by_hand("moka")?,
            decisions: by_hand("decisions")?,
        })
    }

    fn all(&self) -> [&Server; 6] {
        [
            &self.unguarded,
            &self.guarded,
            &self.check,
            &self.guard,
            &self.moka,
            &self.decisions,
        ]
    }

    fn measure(&self, round: u32, signing: &mut Signing) -> Result<()> {
        const UNGUARDED: &str = "axum route without a guard";
        const GUARDED: &str = "axum route";
        for (ours, own, other, name, goal) in [
            (
                UNGUARDED,
                &self.unguarded,
                &self.check,
                "by hand: checked, decoded",
                0.95,
            ),
            (
                GUARDED,
                &self.guarded,
                &self.guard,
                "by hand: guarded by a HashMap too",
                0.90,
            ),
            (
                GUARDED,
                &self.guarded,
                &self.moka,
                "by hand: guarded by moka too",
                1.05,
            ),
            (
                GUARDED,
                &self.guarded,
                &self.decisions,
                "by hand: guarded by a HashMap too, with deadlines and decisions that are kept",
                1.08,
            ),
        ] {
            let (a, b) = (signing.requests(AXUM_REQUESTS)?, signing.requests(AXUM_REQUESTS)?);
            let (own, other) = both(round, || own.answers(&a), || other.answers(&b))?;
            beside(ours, name, Some(goal), own, other)?;
        }
        Ok(())
    }
}

/// What a policy with all kinds of rules in memory adds.
fn policy(round: u32, signing: &mut Signing, protected: &Server, ours: &Server) -> Result<()> {
    let (a, b) = (signing.requests(REQUESTS)?, signing.requests(REQUESTS)?);
    let (with, without) = both(round, || protected.answers(&a), || ours.answers(&b))?;
    Measurement {
        what: "time of a callback on the server's CPU, with a fraud policy of all kinds of rules in memory",
        unit: Unit::Nanoseconds,
        goal: Some(Goal::RatioAtMost(1.15)),
        ours: Figure {
            name: "with the policy",
            value: 1e9 / with.1,
        },
        beside: Some(Figure {
            name: "without it",
            value: 1e9 / without.1,
        }),
    }
    .print()
}

/// What our receiver on its own server does.
const WHOLE: &str = "verified, guarded, decoded, decided";

/// The rates by wall time and by CPU time.
fn beside(ours: &str, name: &str, goal: Option<f64>, own: (f64, f64), other: (f64, f64)) -> Result<()> {
    let what = [
        "callbacks answered over HTTP, on one core",
        "callbacks answered over HTTP, in a second of CPU time",
    ];
    for (what, (own, other)) in what.into_iter().zip([(own.0, other.0), (own.1, other.1)]) {
        Measurement {
            what,
            unit: Unit::Rate,
            goal: goal.map(Goal::RatioAtLeast),
            ours: Figure {
                name: ours,
                value: own,
            },
            beside: Some(Figure { name, value: other }),
        }
        .print()?;
    }
    Ok(())
}

fn schedule(round: u32, signing: &mut Signing, ours: &Server, bare: &Server) -> Result<()> {
    let mut rate = |server: &Server| -> Result<f64> {
        let (most, _) = server.answers(&signing.requests(REQUESTS / 2)?)?;
        Ok(most * 0.7)
    };
    let (own_rate, bare_rate) = (rate(ours)?, rate(bare)?);
    let (mut own, mut floor) = (Vec::new(), Vec::new());
    for turn in 1..=SCHEDULES.0 {
        let seed = u64::from(round) << 32 | u64::from(turn);
        // Not with `both`, because both sides need the signer.
        if turn.is_multiple_of(2) {
            floor.push(bare.keeps_up(signing, bare_rate, seed)?);
            own.push(ours.keeps_up(signing, own_rate, seed)?);
        } else {
            own.push(ours.keeps_up(signing, own_rate, seed)?);
            floor.push(bare.keeps_up(signing, bare_rate, seed)?);
        }
    }
    for (what, share) in [
        ("p50 at 70 % of capacity, arrivals as they come", 0.50),
        ("p99 at 70 % of capacity, arrivals as they come", 0.99),
    ] {
        Measurement {
            what,
            unit: Unit::Nanoseconds,
            // None for the p99 either: it grows with the time of a callback, which is not that of bare hyper.
            goal: None,
            ours: Figure {
                name: WHOLE,
                value: middle(&own, share),
            },
            beside: Some(Figure {
                name: "bare hyper at 70 % of its capacity",
                value: middle(&floor, share),
            }),
        }
        .print()?;
    }
    Ok(())
}

/// The median over the schedules of this quantile of the latency.
fn middle(schedules: &[Outcome], share: f64) -> f64 {
    let mut kept: Vec<_> = schedules.iter().map(|outcome| outcome.quantile(share)).collect();
    kept.sort_by(f64::total_cmp);
    kept.get(kept.len() / 2).copied().unwrap_or_default()
}

/// The programs that check callbacks without a socket.
struct Checks {
    ours: Worker,
    official: Option<Worker>,
    standard: Worker,
}

impl Checks {
    /// Ours and the official validator check the same callbacks, standardwebhooks the same bodies.
    fn start(signing: &mut Signing) -> Result<Self> {
        let recorded = (0..500).map(|_| {
            let request = signing.request()?;
            // With the headers that a server passes on beside the signed ones.
            let length = request.body().len().to_string();
            let others = [
                ("host", "127.0.0.1"),
                ("user-agent", "bench"),
                ("accept", "*/*"),
                ("content-length", &length),
            ];
            let others = others.map(|(name, value)| Ok((name.to_owned(), value.to_owned())));
            let signed = request.headers().iter();
            let headers = signed
                .map(|(name, value)| Ok((name.as_str().to_owned(), value.to_str()?.to_owned())))
                .chain(others);
            Ok(Recorded {
                method: request.method().to_string(),
                path: request.uri().path().to_owned(),
                headers: headers.collect::<Result<_>>()?,
                body: String::from_utf8(request.body().to_vec())?,
            })
        });
        let file = env::temp_dir().join(format!("sinch-verify-bench-{}.json", std::process::id()));
        fs::write(&file, serde_json::to_vec(&recorded.collect::<Result<Vec<_>>>()?)?)?;
        let path = file.to_string_lossy();
        let mut ours = Worker::ours(Core::Client, ["check", &path])?;
        let args = [&*path, fixture::KEY, fixture::SECRET];
        let mut official = Peer::Node.start(Core::Client, "verify.js", &args)?;
        let mut standard = Worker::ours(Core::Client, ["check-standard", &path])?;
        // After the first check, the programs have read the file.
        ours.ask("check 1000")?;
        if let Some(official) = &mut official {
            official.ask("check 20000")?;
        }
        standard.ask("check 1000")?;
        fs::remove_file(&file)?;
        Ok(Self {
            ours,
            official,
            standard,
        })
    }

    fn measure(&mut self, round: u32) -> Result<()> {
        let rivals = [
            (
                self.official.as_mut(),
                CHECKS.1,
                "@sinch/sdk-core: validateAuthenticationHeader",
                None,
            ),
            (
                Some(&mut self.standard),
                CHECKS.0,
                "standardwebhooks: Webhook::verify, its own scheme without an MD5",
                Some(Goal::RatioAtLeast(1.0)),
            ),
        ];
        for (rival, count, name, goal) in rivals {
            let (ours, rival) = both(
                round,
                || checks(&mut self.ours, CHECKS.0),
                || rival.map_or(Ok(NOT_RUN), |rival| checks(rival, count)),
            )?;
            Measurement {
                what: "callbacks checked in process, in a second of CPU time",
                unit: Unit::Rate,
                goal,
                ours: Figure {
                    name: "Receiver: headers, window and signature",
                    value: ours,
                },
                beside: Some(Figure { name, value: rival }),
            }
            .print()?;
        }
        Ok(())
    }
}

fn checks(worker: &mut Worker, count: u64) -> Result<f64> {
    let before = worker.cpu()?;
    worker.ask(&format!("check {count}"))?;
    Ok(1e9 / each(worker.cpu()? - before, count))
}

/// The most memory for a signature while their number doubles, which includes the growth of the tables.
fn memory() -> Result<()> {
    const STEP: u64 = 20_000;
    let mut worker = Worker::ours(Core::Client, ["remember"])?;
    worker.ask("remember 0")?;
    let empty = worker.resident()?;
    let mut most = 0.0_f64;
    for held in (STEP..=1_000_000).step_by(STEP as usize) {
        worker.ask(&format!("remember {STEP}"))?;
        if held >= 500_000 {
            most = most.max((worker.resident()? - empty) as f64 / held as f64);
        }
    }
    ensure!(most > 16.0, "less than the digests alone take");
    Measurement {
        what: "memory for each of half a million to a million signatures, at the worst",
        unit: Unit::Bytes,
        goal: Some(Goal::AtMost(64.0)),
        ours: Figure {
            name: "MemoryStore",
            value: most,
        },
        beside: None,
    }
    .print()
}
