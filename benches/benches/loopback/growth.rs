//! How costs grow with the work: readers of the feed, events that wait for a slow receiver, connections, pending
//! verifications, remembered signatures. `cargo xtask bench` fits the exponents.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use http::Uri;

use crate::emulator::{Server, Signing};
use crate::fixture;
use crate::load_generator::{self, Requests};
use crate::measurement::{Goal, Measurement, Unit, each};
use crate::process::peak;
use crate::slow_receiver::SlowReceiver;

const CONNECTIONS: usize = 32;
/// From a thousand to a million.
const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// The largest exponent of the cost of one operation: from a thousand to a million, log n is n to the power of 0.10.
const LOGARITHMIC: Goal = Goal::ExponentAtMost(0.10);
/// The largest exponent of a cost that is the same for each unit.
const LINEAR: Goal = Goal::ExponentAtMost(1.0);
/// The number of requests that are prepared at once.
const AT_ONCE: u64 = 50_000;
/// Service time after which every verification has expired.
const EXPIRED: u64 = 600;

const PENDING: &str = "pending verifications";
const REMEMBERED: &str = "remembered signatures and numbers";
const OPEN: &str = "open connections";

pub(crate) fn run(rounds: u32) -> Result<()> {
    for _ in 1..=rounds {
        for readers in [1, 2, 4, 8, 16] {
            feed(readers)?;
        }
        for events in [1_000, 10_000, 50_000] {
            waiting(events)?;
        }
        for connections in [1, 10, 100, 1_000, 10_000] {
            open(connections)?;
        }
        for size in SIZES {
            pending(size)?;
            remembered(size)?;
        }
    }
    Ok(())
}

/// Prints a cost in nanoseconds of CPU time at this size.
fn cpu(what: &str, name: &str, goal: Goal, value: f64, units: &str, number: u64) -> Result<()> {
    Measurement::new(what, Unit::Nanoseconds, name, value)
        .goal(goal)
        .print_at(units, number)
}

/// Prints the bytes of each unit at this size.
fn bytes(what: &str, name: &str, value: f64, units: &str, number: u64) -> Result<()> {
    Measurement::new(what, Unit::Bytes, name, value)
        .goal(LOGARITHMIC)
        .print_at(units, number)
}

/// The server's CPU time of each request, in nanoseconds.
fn cost(server: &Server, connections: usize, requests: &Requests) -> Result<f64> {
    let before = server.worker.cpu()?;
    load_generator::closed(server.port, connections, requests)?;
    Ok(each(server.worker.cpu()? - before, requests.len() as u64))
}

/// Numbers below `size`, in an order without a pattern.
fn spread(size: u64, count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % size)
}

fn pending(size: u64) -> Result<()> {
    const NAME: &str = "emulator";
    const REQUESTS: u64 = 10_000;
    let client = Signing::new()?;
    let mut server = Server::start(&["serve", "emulator", "manual"])?;
    // The last part is measured, when the others are pending.
    let last = (size / 10).min(REQUESTS);
    let memory = each_of(&server, size - last, |numbers| server.fill(&client, numbers))?;
    let start = cost(&server, CONNECTIONS, &client.starts(size - last..size)?)?;
    let status = cost(&server, CONNECTIONS, &client.polls(spread(size, REQUESTS))?)?;
    let before = server.worker.cpu()?;
    server.worker.ask(&format!("advance {EXPIRED}"))?;
    let expiry = each(server.worker.cpu()? - before, size);
    let cpu = |what: &str, value: f64| cpu(what, NAME, LOGARITHMIC, value, PENDING, size);
    cpu("CPU of a start", start)?;
    cpu("CPU of a status query", status)?;
    cpu("CPU of each expiry when all expire at one instant", expiry)?;
    bytes("memory of each verification", NAME, memory, PENDING, size)
}

/// Callbacks with a replay guard and a policy, each about another number.
fn remembered(size: u64) -> Result<()> {
    const NAME: &str = "receiver with guard and policy";
    const REQUESTS: u64 = 10_000;
    let signer = fixture::signer()?;
    let callbacks = |numbers: Range<u64>| -> Result<Requests> {
        let mut requests = Requests::default();
        for n in numbers {
            let path = Uri::from_static(fixture::CALLBACK_PATH);
            requests.push(&signer.post(path, fixture::event(n)?, SystemTime::now()));
        }
        Ok(requests)
    };
    let server = Server::start(&["serve", "callback", "policy"])?;
    let last = (size / 10).min(REQUESTS);
    let memory = each_of(&server, size - last, |numbers| {
        for first in numbers.clone().step_by(AT_ONCE as usize) {
            let part = callbacks(first..(first + AT_ONCE).min(numbers.end))?;
            load_generator::closed(server.port, CONNECTIONS, &part)?;
        }
        Ok(())
    })?;
    let callback = cost(&server, CONNECTIONS, &callbacks(size - last..size)?)?;
    cpu("CPU of a callback", NAME, LOGARITHMIC, callback, REMEMBERED, size)?;
    bytes(
        "memory of each signature and number",
        NAME,
        memory,
        REMEMBERED,
        size,
    )
}

/// Adds the units from 0 to `end`. Returns the memory that each of the latter nine tenths takes, because the first
/// ones pay for the connections and for code that runs for the first time.
fn each_of(server: &Server, end: u64, add: impl Fn(Range<u64>) -> Result<()>) -> Result<f64> {
    let first = end / 10;
    add(0..first)?;
    let before = server.worker.resident()?;
    add(first..end)?;
    Ok(server.worker.resident()?.saturating_sub(before) as f64 / (end - first) as f64)
}

fn open(connections: u64) -> Result<()> {
    const NAME: &str = "emulator";
    let client = Signing::new()?;
    let server = Server::start(&["serve", "emulator", "manual"])?;
    server.fill(&client, 0..1_000)?;
    let requests = client.polls(spread(1_000, (2 * connections).max(10_000)))?;
    let empty = server.worker.resident()?;
    let status = cost(&server, usize::try_from(connections)?, &requests)?;
    cpu(
        "CPU of a status query, all connections busy",
        NAME,
        LOGARITHMIC,
        status,
        OPEN,
        connections,
    )?;
    // A few connections take less than a page of memory.
    if connections >= 100 {
        let most = peak(server.worker.id()).context("/proc names no peak of memory")?;
        let memory = most.saturating_sub(empty) as f64 / connections as f64;
        bytes("memory of each connection", NAME, memory, OPEN, connections)?;
    }
    Ok(())
}

/// Starts verifications while as many readers as given receive the feed.
fn feed(readers: u64) -> Result<()> {
    const STARTS: u64 = 5_000;
    const REQUEST: &[u8] = b"GET /_emu/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let client = Signing::new()?;
    let server = Server::start(&["serve", "emulator", "manual"])?;
    let received = Arc::new(AtomicU64::new(0));
    for _ in 0..readers {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port))?;
        stream.write_all(REQUEST)?;
        let mut part = vec![0; 1 << 16];
        // The head says that the reader is registered.
        ensure!(
            stream.read(&mut part)? > 0 && part.starts_with(b"HTTP/1.1 200"),
            "the feed refused a reader"
        );
        let received = Arc::clone(&received);
        thread::spawn(move || {
            while let Ok(count @ 1..) = stream.read(&mut part) {
                received.fetch_add(count as u64, Ordering::Relaxed);
            }
        });
    }
    let start = cost(&server, CONNECTIONS, &client.starts(0..STARTS)?)?;
    drop(server);
    ensure!(
        received.load(Ordering::Relaxed) > readers * STARTS,
        "the readers received too little of the feed"
    );
    cpu(
        "CPU of a start and of showing it to all readers",
        "emulator",
        LINEAR,
        start,
        "readers of the feed",
        readers,
    )
}

/// Lets verifications expire whose result events go to a receiver that does not answer them.
fn waiting(events: u64) -> Result<()> {
    let receiver = SlowReceiver::start()?;
    let url = receiver.url();
    let client = Signing::new()?;
    let mut server = Server::start(&["serve", "emulator", "manual", "callback", &url])?;
    server.fill(&client, 0..events)?;
    let (memory, before) = (server.worker.resident()?, server.worker.cpu()?);
    server.worker.ask(&format!("advance {EXPIRED}"))?;
    let expiry = each(server.worker.cpu()? - before, events);
    let memory = server.worker.resident()?.saturating_sub(memory);
    ensure!(receiver.held() > 0, "no event reached the receiver");
    const NAME: &str = "emulator, its receiver does not answer";
    const WAITING: &str = "undelivered events";
    cpu(
        "CPU of each expiry with an event",
        NAME,
        LOGARITHMIC,
        expiry,
        WAITING,
        events,
    )?;
    bytes(
        "memory of each undelivered event",
        NAME,
        memory as f64 / events as f64,
        WAITING,
        events,
    )
}
