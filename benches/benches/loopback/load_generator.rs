//! The load generator: sends prepared requests with as little work as possible, so that the server is
//! measured.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::Request;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// Requests as bytes.
#[derive(Default)]
pub(crate) struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    pub(crate) fn push(&mut self, request: &Request<Bytes>) {
        let out = &mut self.bytes;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let mut line = |parts: [&[u8]; 4]| parts.iter().for_each(|part| out.extend_from_slice(part));
        line([
            request.method().as_str().as_bytes(),
            b" ",
            path.as_bytes(),
            b" HTTP/1.1\r\n",
        ]);
        line([b"host: 127.0.0.1\r\n", b"", b"", b""]);
        for (name, value) in request.headers() {
            line([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
        }
        let length = request.body().len().to_string();
        line([
            b"content-length: ",
            length.as_bytes(),
            b"\r\n\r\n",
            request.body(),
        ]);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, n: usize) -> &[u8] {
        let begin = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[n]]
    }
}

/// The result of a run.
pub(crate) struct Outcome {
    /// The time from the first request to the last answer.
    pub(crate) took: Duration,
    /// The latencies in nanoseconds, the shortest first: from the time that a request is due (or sent, if
    /// there is no schedule) to the end of its answer.
    pub(crate) latencies: Vec<u64>,
}

impl Outcome {
    /// Answers in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// This quantile of the latencies.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share).ceil() as usize;
        let latency = self.latencies.get(place.saturating_sub(1));
        latency.copied().unwrap_or_default() as f64
    }
}

/// Sends each request as soon as a connection is free, so as many at once as there are connections.
pub(crate) fn closed(port: u16, connections: usize, requests: &Requests) -> Result<Outcome> {
    Generator::connect(port, connections)?.run(requests, None)
}

/// Sends each request when it is due, however long the others take. Waiting for a free connection counts
/// as latency.
pub(crate) fn open(port: u16, connections: usize, requests: &Requests, due: &[Duration]) -> Result<Outcome> {
    Generator::connect(port, connections)?.run(requests, Some(due))
}

/// The times of independent requests (a Poisson process), `rate` in a second on average. The seed
/// determines them.
pub(crate) fn poisson(rate: f64, count: usize, seed: u64) -> Vec<Duration> {
    let (mut state, mut at) = (seed, 0.0);
    let mut due = Vec::with_capacity(count);
    for _ in 0..count {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // In (0, 1], so the logarithm is finite.
        let uniform = ((mixed >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        at -= uniform.ln() / rate;
        due.push(Duration::from_secs_f64(at));
    }
    due
}

/// The time limit for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it polls for answers without sleeping.
const AWAKE: Duration = Duration::from_micros(200);

struct Generator {
    poll: Poll,
    connections: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    /// The received part of the answer.
    input: Vec<u8>,
    /// When the current request was due.
    since: Duration,
}

impl Generator {
    fn connect(port: u16, connections: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connect = |n| {
            let stream = std::net::TcpStream::connect(address).context("failed to connect to the server")?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(n), Interest::READABLE)?;
            Ok(Connection {
                stream,
                input: Vec::with_capacity(4096),
                since: Duration::ZERO,
            })
        };
        let connections = (0..connections).map(connect).collect::<Result<_>>()?;
        Ok(Self { poll, connections })
    }

    fn run(&mut self, requests: &Requests, due: Option<&[Duration]>) -> Result<Outcome> {
        let mut idle: VecDeque<usize> = (0..self.connections.len()).collect();
        let mut latencies = Vec::with_capacity(requests.len());
        let mut events = Events::with_capacity(self.connections.len());
        let mut next = 0;
        let begun = Instant::now();
        let mut last_answer = begun;
        while latencies.len() < requests.len() {
            let now = begun.elapsed();
            while next < requests.len() && due.is_none_or(|due| due[next] <= now) {
                let Some(free) = idle.pop_front() else { break };
                let connection = &mut self.connections[free];
                connection.since = due.map_or(now, |due| due[next]);
                let sent = connection.stream.write(requests.get(next))?;
                ensure!(
                    sent == requests.get(next).len(),
                    "a request did not fit into the socket"
                );
                next += 1;
            }
            // Does not sleep while answers arrive: this keeps the schedule exact, and the server does not
            // spend time on waking this process. Sleeps if the server does not run.
            let silent = last_answer.elapsed();
            ensure!(
                silent < PATIENCE,
                "the server has answered nothing for {PATIENCE:?}"
            );
            let awake = due.is_some() || silent < AWAKE;
            let timeout = if awake { Duration::ZERO } else { PATIENCE };
            if let Err(error) = self.poll.poll(&mut events, Some(timeout)) {
                ensure!(error.kind() == ErrorKind::Interrupted, error);
                continue;
            }
            if !events.is_empty() {
                last_answer = Instant::now();
            }
            for event in &events {
                let Token(at) = event.token();
                let connection = &mut self.connections[at];
                if connection.read()? {
                    let took = begun.elapsed().saturating_sub(connection.since);
                    latencies.push(u64::try_from(took.as_nanos())?);
                    idle.push_back(at);
                }
            }
        }
        let took = begun.elapsed();
        latencies.sort_unstable();
        Ok(Outcome { took, latencies })
    }
}

impl Connection {
    /// Reads the available bytes. Returns whether the answer is complete.
    fn read(&mut self) -> Result<bool> {
        let mut part = [0; 4096];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(count) => self.input.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            if let Some(answer) = Answer::parse(&self.input)? {
                ensure!(
                    answer.is_success(),
                    "the server refused: {}",
                    String::from_utf8_lossy(&self.input)
                );
                self.input.clear();
                return Ok(true);
            }
        }
    }
}

/// An answer.
pub(crate) struct Answer<'a> {
    head: &'a str,
    pub(crate) body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The answer, once it is complete. It must have a `Content-Length`.
    fn parse(input: &'a [u8]) -> Result<Option<Self>> {
        let Some(end) = memchr::memmem::find(input, b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&input[..end])?;
        let answer = Self { head, body: &[] };
        let length = answer
            .headers()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let (_, length) = length.context("an answer has no length")?;
        let body = input.get(end + 4..end + 4 + length.parse::<usize>()?);
        Ok(body.map(|body| Self { body, ..answer }))
    }

    fn is_success(&self) -> bool {
        self.head.as_bytes().get(9) == Some(&b'2')
    }

    /// Its headers.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.head.lines().filter_map(|line| line.split_once(": "))
    }
}

/// Sends one request. Returns the bytes of the answer.
pub(crate) fn exchange<T>(
    port: u16,
    request: &[u8],
    read: impl FnOnce(&Answer<'_>) -> Result<T>,
) -> Result<T> {
    let mut stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(request)?;
    let (mut input, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut part)?;
        ensure!(count > 0, "the server closed the connection");
        input.extend_from_slice(&part[..count]);
        if let Some(answer) = Answer::parse(&input)? {
            ensure!(
                answer.is_success(),
                "the server refused: {}",
                String::from_utf8_lossy(&input)
            );
            return read(&answer);
        }
    }
}
