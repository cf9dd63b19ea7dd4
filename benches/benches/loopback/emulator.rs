//! The emulator: compared with bare hyper and with a mock server that reads an OpenAPI document, with a million verifications, and while many end at once.

use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, process, thread};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{
    BaseUrl, Code, Credentials, Endpoint, Method, Report, Start, StatusById, StatusByNumber, VerificationId,
};
use sinch_verify_emulator::{Application, Emulator};
use tokio::runtime::Builder;

use crate::fixture;
use crate::load_generator::{self, Answer, Outcome, Requests, exchange};
use crate::measurement::{Goal, Measurement, NOT_RUN, Unit, both, each};
use crate::peers::Peer;
use crate::process::{Core, Worker, port};
use crate::serve::bare_hyper::Bare;

const CONNECTIONS: usize = 32;
/// The number of requests in a round.
const REQUESTS: u64 = 60_000;
/// The small and the large number of verifications.
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
/// The number of starts that measure the time of a start.
const STARTS: u64 = 20_000;
/// The number of verifications that end at one instant, and the time from their start.
const ENDING: u64 = 100_000;
const EXPIRY: u64 = 300;
/// The number of requests around that instant.
const MEETING: u64 = 40_000;

const OURS: &str = "emulator";

pub(crate) fn run(rounds: u32) -> Result<()> {
    let mut client = Signing::new()?;
    let mut emulator = Server::start(&["serve", "emulator", "manual"])?;
    let polled = client.pending(&mut emulator)?;
    // Both queries are for the same verification and have the same answer.
    let status = Server::bare(&exchange(
        emulator.port,
        client.status(&polled.id, 1)?.get(0),
        Bare::like,
    )?)?;
    let echo = Server::bare(&Bare::Echo)?;
    let prism = Prism::start(&exchange(
        emulator.port,
        client.status(&polled.id, 1)?.get(0),
        Prism::document,
    )?)?;
    let few = Server::start(&["serve", "emulator", "manual"])?;
    few.fill(&client, 0..FEW)?;
    let many = Server::start(&["serve", "emulator", "manual"])?;
    let empty = many.worker.resident()?;
    many.fill(&client, 0..MANY)?;
    memory(many.worker.resident()?, empty)?;
    // Warm up: every kind of request is sent once before the measurement.
    for server in [&emulator, &status] {
        server.answers(&client.status(&polled.id, REQUESTS / 4)?)?;
        server.answers(&client.poll(&polled, REQUESTS / 4)?)?;
    }
    if let Prism(Some(server)) = &prism {
        server.answers(&client.status(&polled.id, Prism::REQUESTS)?)?;
    }
    verify(&mut client, &mut emulator, &echo, REQUESTS / 4)?;

    prism.memory(&emulator)?;

    for round in 1..=rounds {
        queries(round, &client, &emulator, &status, &polled)?;
        prism.measure(round, &client, &emulator, &polled)?;
        let (ours, bare) = verify(&mut client, &mut emulator, &echo, REQUESTS)?;
        rates(
            "starts and reports, signatures checked",
            "bare hyper: a JSON echo",
            0.40,
            ours,
            Some(bare),
        )?;
        latency(round, &client, &few, &many)?;
        ending(&client)?;
        readiness()?;
    }
    Ok(())
}

/// The sender of the requests.
pub(crate) struct Signing {
    /// A backend's.
    credentials: Credentials,
    /// A device's.
    public: Credentials,
    base: BaseUrl,
    /// The unused phone numbers: the series, and the next one.
    next: u64,
}

impl Signing {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            credentials: Credentials::signed(fixture::key()?, fixture::secret()?),
            public: Credentials::public(fixture::key()?),
            base: "http://127.0.0.1".parse()?,
            next: 0,
        })
    }

    fn push(&self, requests: &mut Requests, endpoint: &impl Endpoint) -> Result<()> {
        self.push_as(&self.credentials, requests, endpoint)
    }

    fn push_as(&self, who: &Credentials, requests: &mut Requests, endpoint: &impl Endpoint) -> Result<()> {
        let mut request = endpoint.to_http(&self.base)?;
        who.authorize(&mut request, SystemTime::now())?;
        requests.push(&request);
        Ok(())
    }

    /// Starts for these numbers.
    pub(crate) fn starts(&self, numbers: impl IntoIterator<Item = u64>) -> Result<Requests> {
        let mut requests = Requests::default();
        for n in numbers {
            let start = Start::sms(fixture::number(0, n).parse()?);
            self.push(&mut requests, &start)?;
        }
        Ok(requests)
    }

    /// Unused phone numbers.
    fn fresh(&mut self, count: u64) -> Range<u64> {
        let first = self.next;
        self.next += count;
        first..self.next
    }

    /// A verification that stays pending.
    fn pending(&mut self, emulator: &mut Server) -> Result<Polled> {
        let numbers = self.fresh(1);
        let number = fixture::number(0, numbers.start).parse()?;
        exchange(emulator.port, self.starts(numbers.clone())?.get(0), |_| Ok(()))?;
        let (id, _) = emulator
            .codes(numbers)?
            .pop()
            .context("no verification was started")?;
        let query = StatusByNumber {
            method: Method::Sms,
            number,
        };
        Ok(Polled { id, query })
    }

    /// Status queries of a device.
    fn poll(&self, polled: &Polled, count: u64) -> Result<Requests> {
        let mut requests = Requests::default();
        for _ in 0..count {
            self.push_as(&self.public, &mut requests, &polled.query)?;
        }
        Ok(requests)
    }

    /// Status queries of the devices with these numbers.
    pub(crate) fn polls(&self, numbers: impl IntoIterator<Item = u64>) -> Result<Requests> {
        let mut requests = Requests::default();
        for n in numbers {
            let number = fixture::number(0, n).parse()?;
            let query = StatusByNumber {
                method: Method::Sms,
                number,
            };
            self.push_as(&self.public, &mut requests, &query)?;
        }
        Ok(requests)
    }

    /// Status queries of a backend.
    fn status(&self, id: &VerificationId, count: u64) -> Result<Requests> {
        let mut requests = Requests::default();
        for _ in 0..count {
            self.push(&mut requests, &StatusById { id: id.clone() })?;
        }
        Ok(requests)
    }
}

/// A verification to query.
pub(crate) struct Polled {
    id: VerificationId,
    query: StatusByNumber,
}

/// A server on the core of servers.
pub(crate) struct Server {
    pub(crate) worker: Worker,
    pub(crate) port: u16,
}

impl Server {
    /// Starts this program as a server.
    pub(crate) fn start<const N: usize>(args: &[&str; N]) -> Result<Self> {
        let mut worker = Worker::ours(Core::Server, *args)?;
        let port = port(&worker.answer()?)?;
        Ok(Self { worker, port })
    }

    fn bare(what: &Bare) -> Result<Self> {
        let (worker, port) = what.start()?;
        Ok(Self { worker, port })
    }

    /// Starts verifications of these numbers.
    pub(crate) fn fill(&self, client: &Signing, numbers: Range<u64>) -> Result<()> {
        const AT_ONCE: u64 = 50_000;
        for first in numbers.clone().step_by(AT_ONCE as usize) {
            let requests = client.starts(first..(first + AT_ONCE).min(numbers.end))?;
            load_generator::closed(self.port, CONNECTIONS, &requests)?;
        }
        Ok(())
    }

    /// The id and the code of the latest message to each of these numbers.
    fn codes(&mut self, numbers: Range<u64>) -> Result<Vec<(VerificationId, Code)>> {
        let count = numbers.end - numbers.start;
        let answer = self.worker.ask(&format!("codes 0 {} {count}", numbers.start))?;
        let messages = answer.as_array().context("no messages")?;
        let read = |message: &Value| {
            let part = |n: usize| message[n].as_str().context("half a message");
            Ok((VerificationId::new(part(0)?)?, Code::new(part(1)?)?))
        };
        messages.iter().map(read).collect()
    }

    /// Requests in a second of wall time, and in a second of the server's CPU time.
    fn answers(&self, requests: &Requests) -> Result<Rates> {
        let before = self.worker.cpu()?;
        let outcome = load_generator::closed(self.port, CONNECTIONS, requests)?;
        Ok(Rates {
            requests: requests.len() as u64,
            took: outcome.took,
            cpu: self.worker.cpu()? - before,
        })
    }
}

/// The times that requests took.
#[derive(Clone, Copy)]
struct Rates {
    requests: u64,
    took: Duration,
    cpu: Duration,
}

impl Rates {
    fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            took: self.took + other.took,
            cpu: self.cpu + other.cpu,
        }
    }
}

/// Prints the rates by wall time and by CPU time. The other program may be missing.
fn rates(what: &str, beside: &str, goal: f64, ours: Rates, other: Option<Rates>) -> Result<()> {
    let by_clock = |rates: Rates| rates.requests as f64 / rates.took.as_secs_f64();
    let by_cpu = |rates: Rates| 1e9 / each(rates.cpu, rates.requests);
    let others = |figure: fn(Rates) -> f64| other.map_or(NOT_RUN, figure);
    for (what, ours, other) in [
        (format!("{what}, on one core"), by_clock(ours), others(by_clock)),
        (
            format!("{what}, in a second of CPU time"),
            by_cpu(ours),
            others(by_cpu),
        ),
    ] {
        Measurement::new(&what, Unit::Rate, OURS, ours)
            .beside(beside, other)
            .goal(Goal::RatioAtLeast(goal))
            .print()?;
    }
    Ok(())
}

fn queries(round: u32, client: &Signing, emulator: &Server, bare: &Server, polled: &Polled) -> Result<()> {
    for (what, requests) in [
        (
            "status queries by number, public authorization",
            client.poll(polled, REQUESTS)?,
        ),
        (
            "status queries by id, signed",
            client.status(&polled.id, REQUESTS)?,
        ),
    ] {
        let (ours, other) = both(round, || emulator.answers(&requests), || bare.answers(&requests))?;
        rates(what, "bare hyper: the same bytes", 0.70, ours, Some(other))?;
    }
    Ok(())
}

/// Prism, which answers as an OpenAPI document says. It has no process if it is not installed.
struct Prism(Option<Server>);

impl Prism {
    const NAME: &str = "@stoplight/prism-cli: the same body";
    /// The number of requests in a round.
    const REQUESTS: u64 = 2_000;

    /// The document of a service that answers every status query as the emulator does.
    fn document(answer: &Answer<'_>) -> Result<Value> {
        let body: Value = serde_json::from_slice(answer.body)?;
        Ok(json!({
            "openapi": "3.0.3",
            "info": { "title": "status", "version": "1" },
            "paths": { "/verification/v1/verifications/id/{id}": { "get": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "responses": { "200": {
                    "description": "a verification",
                    "content": { "application/json": { "schema": { "type": "object" }, "example": body } },
                } },
            } } },
        }))
    }

    fn start(document: &Value) -> Result<Self> {
        let Some(mut command) = Peer::Prism.command(Core::Server)? else {
            return Ok(Self(None));
        };
        let file = env::temp_dir().join(format!("sinch-verify-bench-{}-openapi.json", process::id()));
        fs::write(&file, document.to_string())?;
        // It takes no port 0. This one was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        command.args(["mock", "--host", "127.0.0.1", "--port", &port.to_string()]);
        // A process of its own for the log would not be measured.
        command
            .args(["--multiprocess=false", "--verboseLevel", "silent"])
            .arg(&file);
        let worker = Worker::start(command)?;
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(begun.elapsed() < Duration::from_secs(60), "prism does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        fs::remove_file(&file)?;
        let server = Server { worker, port };
        Ok(Self(Some(server)))
    }

    fn measure(&self, round: u32, client: &Signing, emulator: &Server, polled: &Polled) -> Result<()> {
        let (many, few) = (
            client.status(&polled.id, REQUESTS)?,
            client.status(&polled.id, Self::REQUESTS)?,
        );
        let theirs = || self.0.as_ref().map(|server| server.answers(&few)).transpose();
        let (ours, other) = both(round, || emulator.answers(&many), theirs)?;
        rates("status queries by id", Self::NAME, 20.0, ours, other)
    }

    /// The memory after the warm-up.
    fn memory(&self, emulator: &Server) -> Result<()> {
        let theirs = self
            .0
            .as_ref()
            .map(|server| server.worker.resident())
            .transpose()?;
        let ours = emulator.worker.resident()? as f64;
        Measurement::new("memory of the process", Unit::Bytes, OURS, ours)
            .beside(
                "@stoplight/prism-cli",
                theirs.map_or(NOT_RUN, |bytes| bytes as f64),
            )
            .goal(Goal::RatioAtMost(0.5))
            .print()
    }
}

/// Measures starts, then reports. The codes are read in between, which is not measured. The same requests
/// go to the echo server.
fn verify(client: &mut Signing, emulator: &mut Server, echo: &Server, count: u64) -> Result<(Rates, Rates)> {
    let numbers = client.fresh(count / 2);
    let starts = client.starts(numbers.clone())?;
    let ours = emulator.answers(&starts)?;
    let other = echo.answers(&starts)?;
    let mut reports = Requests::default();
    for (id, code) in emulator.codes(numbers)? {
        client.push(&mut reports, &Report::<Sms>::by_id(id, code))?;
    }
    let other = other.and(echo.answers(&reports)?);
    Ok((ours.and(emulator.answers(&reports)?), other))
}

/// Measures the time of single starts with few and with many pending verifications.
fn latency(round: u32, client: &Signing, few: &Server, many: &Server) -> Result<()> {
    // The numbers are pending, so each start ends one verification and begins one.
    let spread = |of: u64| (0..STARTS).map(move |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % of);
    let (among_few, among_many) = (client.starts(spread(FEW))?, client.starts(spread(MANY))?);
    let (many, few) = both(
        round,
        || load_generator::closed(many.port, 1, &among_many),
        || load_generator::closed(few.port, 1, &among_few),
    )?;
    let what = "p99 of a start with a million verifications pending";
    Measurement::new(what, Unit::Nanoseconds, OURS, many.quantile(0.99))
        .beside("with a thousand", few.quantile(0.99))
        .goal(Goal::RatioAtMost(2.0))
        .print()
}

fn memory(resident: u64, empty: u64) -> Result<()> {
    ensure!(resident > empty, "a million verifications took no memory");
    let what = "memory of the whole process with a million verifications pending";
    Measurement::new(what, Unit::Bytes, OURS, resident as f64)
        .goal(Goal::AtMost(1e9))
        .print()
}

/// Measures the longest request while the clock is moved past the end of many verifications, and of none.
fn ending(client: &Signing) -> Result<()> {
    let mut server = Server::start(&["serve", "emulator", "manual"])?;
    server.fill(client, 0..ENDING)?;
    // A separate verification for the queries.
    let (id, _) = server.codes(0..1)?.pop().context("no verification")?;
    let requests = client.status(&id, MEETING)?;
    let quiet = longest(&server, &requests, None)?;
    let stalled = longest(&server, &requests, Some(EXPIRY))?;
    let what = "the longest status query while 100,000 verifications expire at one instant";
    Measurement::new(what, Unit::Nanoseconds, OURS, stalled.quantile(1.0))
        .beside("while none does", quiet.quantile(1.0))
        .goal(Goal::AtMost(50e6))
        .print()
}

/// Measures the start of an emulator in a test, from the builder to an answer of `/readyz`. The median of
/// several.
fn readiness() -> Result<()> {
    const READYZ: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    // The emulator answers while this thread waits.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let mut times = Vec::new();
    for _ in 0..21 {
        let begun = Instant::now();
        let application = Application::new(fixture::key()?, fixture::secret()?);
        let emulator = runtime.block_on(Emulator::builder().application(application).start())?;
        exchange(emulator.addr().port(), READYZ, |_| Ok(()))?;
        times.push(begun.elapsed());
        runtime.block_on(emulator.shutdown());
    }
    times.sort_unstable();
    let what = "from the builder to the first answer";
    let median = times[times.len() / 2].as_nanos() as f64;
    Measurement::new(what, Unit::Nanoseconds, OURS, median)
        .goal(Goal::AtMost(20e6))
        .print()
}

/// Sends the requests, and moves the clock by `seconds` when some of them are answered.
fn longest(server: &Server, requests: &Requests, seconds: Option<u64>) -> Result<Outcome> {
    let port = server.port;
    let advance = seconds.map(|seconds| {
        let body = format!(r#"{{"advance":"{seconds}s"}}"#);
        let request = format!(
            "POST /_emu/clock HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            exchange(port, request.as_bytes(), |_| Ok(()))
        })
    });
    let outcome = load_generator::closed(port, 4, requests)?;
    if let Some(advance) = advance {
        // The move must happen while requests are sent, or nothing is measured.
        ensure!(
            advance.is_finished(),
            "the clock was moved too late: send more requests"
        );
        advance.join().ok().context("the clock was not moved")??;
    }
    Ok(outcome)
}
