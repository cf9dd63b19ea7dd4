//! The emulator: compared with bare hyper, with a million verifications, and while many end at once.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{
    BaseUrl, Code, Credentials, Endpoint, Method, Report, Start, StatusById, StatusByNumber, VerificationId,
};
use sinch_verify_emulator::{Application, Emulator};
use tokio::runtime::Builder;

use crate::fixture;
use crate::load_generator::{self, Outcome, Requests, exchange};
use crate::measurement::{Figure, Goal, Measurement, Unit, both, each};
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
    let mut emulator = Server::emulator(&["serve", "emulator", "manual"])?;
    let polled = client.pending(&mut emulator)?;
    // Both queries are for the same verification and have the same answer.
    let status = Server::bare(&exchange(
        emulator.port,
        client.status(&polled.id, 1)?.get(0),
        Bare::like,
    )?)?;
    let echo = Server::bare(&Bare::Echo)?;
    let few = Server::emulator(&["serve", "emulator", "manual"])?;
    few.fill(&mut client, FEW)?;
    let many = Server::emulator(&["serve", "emulator", "manual"])?;
    let empty = many.worker.resident()?;
    many.fill(&mut client, MANY)?;
    memory(many.worker.resident()?, empty)?;
    // Warm up: every kind of request is sent once before the measurement.
    for server in [&emulator, &status] {
        server.answers(&client.status(&polled.id, REQUESTS / 4)?)?;
        server.answers(&client.poll(&polled, REQUESTS / 4)?)?;
    }
    verify(&mut client, &mut emulator, &echo, REQUESTS / 4)?;

    for round in 1..=rounds {
        queries(round, &client, &emulator, &status, &polled)?;
        let (ours, bare) = verify(&mut client, &mut emulator, &echo, REQUESTS)?;
        rates(
            "starts and reports, signatures checked",
            "bare hyper: a JSON echo",
            0.40,
            ours,
            bare,
        )?;
        growth(round, &mut client, &few, &many)?;
        ending(&mut client)?;
        readiness()?;
    }
    Ok(())
}

/// The sender of the requests.
struct Signing {
    /// A backend's.
    credentials: Credentials,
    /// A device's.
    public: Credentials,
    base: BaseUrl,
    /// The unused phone numbers: the series, and the next one.
    next: u64,
}

impl Signing {
    fn new() -> Result<Self> {
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
    fn starts(&self, numbers: impl IntoIterator<Item = u64>) -> Result<Requests> {
        let mut requests = Requests::default();
        for n in numbers {
            let start = Start::sms(fixture::number(30, n).parse()?);
            self.push(&mut requests, &start)?;
        }
        Ok(requests)
    }

    /// Unused phone numbers.
    fn fresh(&mut self, count: u64) -> std::ops::Range<u64> {
        let first = self.next;
        self.next += count;
        first..self.next
    }

    /// A verification that stays pending.
    fn pending(&mut self, emulator: &mut Server) -> Result<Polled> {
        let numbers = self.fresh(1);
        let number = fixture::number(30, numbers.start).parse()?;
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
struct Polled {
    id: VerificationId,
    query: StatusByNumber,
}

struct Server {
    worker: Worker,
    port: u16,
}

impl Server {
    fn emulator<const N: usize>(args: &[&str; N]) -> Result<Self> {
        let mut worker = Worker::ours(Core::Server, *args)?;
        let port = port(&worker.answer()?)?;
        Ok(Self { worker, port })
    }

    fn bare(what: &Bare) -> Result<Self> {
        let (worker, port) = what.start()?;
        Ok(Self { worker, port })
    }

    /// Starts verifications of the numbers from 0 on.
    fn fill(&self, client: &mut Signing, count: u64) -> Result<()> {
        const AT_ONCE: u64 = 50_000;
        for first in (0..count).step_by(AT_ONCE as usize) {
            let requests = client.starts(first..(first + AT_ONCE).min(count))?;
            load_generator::closed(self.port, CONNECTIONS, &requests)?;
        }
        Ok(())
    }

    /// The id and the code of the latest message to each of these numbers.
    fn codes(&mut self, numbers: std::ops::Range<u64>) -> Result<Vec<(VerificationId, Code)>> {
        let count = numbers.end - numbers.start;
        let answer = self.worker.ask(&format!("codes 30 {} {count}", numbers.start))?;
        let messages = answer.as_array().context("no messages")?;
        let read = |message: &serde_json::Value| {
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

/// The latencies of requests.
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

/// Prints the rates by wall time and by CPU time.
fn rates(what: &str, beside: &str, goal: f64, ours: Rates, other: Rates) -> Result<()> {
    let by_clock = |rates: Rates| rates.requests as f64 / rates.took.as_secs_f64();
    let by_cpu = |rates: Rates| 1e9 / each(rates.cpu, rates.requests);
    for (what, ours, other) in [
        (format!("{what}, on one core"), by_clock(ours), by_clock(other)),
        (
            format!("{what}, in a second of CPU time"),
            by_cpu(ours),
            by_cpu(other),
        ),
    ] {
        Measurement {
            what: &what,
            unit: Unit::Rate,
            goal: Some(Goal::RatioAtLeast(goal)),
            ours: Figure {
                name: OURS,
                value: ours,
            },
            beside: Some(Figure {
                name: beside,
                value: other,
            }),
        }
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
        rates(what, "bare hyper: the same bytes", 0.70, ours, other)?;
    }
    Ok(())
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
fn growth(round: u32, client: &mut Signing, few: &Server, many: &Server) -> Result<()> {
    // The numbers are pending, so each start ends one verification and begins one.
    let spread = |of: u64| (0..STARTS).map(move |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % of);
    let (among_few, among_many) = (client.starts(spread(FEW))?, client.starts(spread(MANY))?);
    let (many, few) = both(
        round,
        || load_generator::closed(many.port, 1, &among_many),
        || load_generator::closed(few.port, 1, &among_few),
    )?;
    Measurement {
        what: "p99 of a start with a million verifications pending",
        unit: Unit::Nanoseconds,
        goal: Some(Goal::RatioAtMost(2.0)),
        ours: Figure {
            name: OURS,
            value: many.quantile(0.99),
        },
        beside: Some(Figure {
            name: "with a thousand",
            value: few.quantile(0.99),
        }),
    }
    .print()
}

fn memory(resident: u64, empty: u64) -> Result<()> {
    ensure!(resident > empty, "a million verifications took no memory");
    Measurement {
        what: "memory of the whole process with a million verifications pending",
        unit: Unit::Bytes,
        goal: Some(Goal::AtMost(1e9)),
        ours: Figure {
            name: OURS,
            value: resident as f64,
        },
        beside: None,
    }
    .print()
}

/// Measures the longest request while the clock is moved past the end of many verifications, and of none.
fn ending(client: &mut Signing) -> Result<()> {
    let mut server = Server::emulator(&["serve", "emulator", "manual"])?;
    server.fill(client, ENDING)?;
    // A separate verification for the queries.
    let (id, _) = server.codes(0..1)?.pop().context("no verification")?;
    let requests = client.status(&id, MEETING)?;
    let quiet = longest(&server, &requests, None)?;
    let stalled = longest(&server, &requests, Some(EXPIRY))?;
    Measurement {
        what: "the longest status query while 100,000 verifications expire at one instant",
        unit: Unit::Nanoseconds,
        goal: Some(Goal::AtMost(50e6)),
        ours: Figure {
            name: OURS,
            value: stalled.quantile(1.0),
        },
        beside: Some(Figure {
            name: "while none does",
            value: quiet.quantile(1.0),
        }),
    }
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
    Measurement {
        what: "from the builder to the first answer",
        unit: Unit::Nanoseconds,
        goal: Some(Goal::AtMost(20e6)),
        ours: Figure {
            name: OURS,
            value: times[times.len() / 2].as_nanos() as f64,
        },
        beside: None,
    }
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
