//! The service behind a proxy that injects faults.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::faults::{self, CarriedOut, Fault, Says, Then};
use crate::wire::{exchange, read_request};

/// The prefix of references. Each reference has the number of its start, so that every request about it
/// can be assigned.
const PREFIX: &str = "attack-";

pub(super) fn reference(n: u64) -> String {
    format!("{PREFIX}{n}")
}

/// The faults of a start so far.
#[derive(Default)]
struct Met {
    starts: u64,
    queries: u64,
    carried_out: u64,
}

/// The proxy. Every start has a fault, and most queries about it too.
#[derive(Clone)]
pub(super) struct FaultyService(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    service: SocketAddr,
    faults: Vec<Fault>,
    /// How many times each fault was triggered by a start.
    struck: Vec<AtomicU64>,
    met: Mutex<HashMap<u64, Met>>,
    /// The number of starts without repetitions.
    came: AtomicU64,
}

impl FaultyService {
    pub(super) async fn start(service: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let faults = faults::all();
        let this = Self(Arc::new(Inner {
            address: listener.local_addr()?,
            service,
            struck: faults.iter().map(|_| AtomicU64::new(0)).collect(),
            faults,
            met: Mutex::default(),
            came: AtomicU64::new(0),
        }));
        let serving = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                // A client that disconnects is part of the attack.
                tokio::spawn(async move { drop(serving.0.serve(BufReader::new(stream)).await) });
            }
        });
        Ok(this)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// The number of faults.
    pub(super) fn kinds(&self) -> u64 {
        self.0.faults.len() as u64
    }

    /// The number of faults that no start had.
    pub(super) fn idle_kinds(&self) -> u64 {
        let idle = self
            .0
            .struck
            .iter()
            .filter(|struck| struck.load(Ordering::Relaxed) == 0);
        idle.count() as u64
    }

    /// How many times the service received the `n`th start.
    pub(super) fn carried_out(&self, n: u64) -> u64 {
        self.0.met(n, |met| met.carried_out)
    }
}

impl Inner {
    async fn serve(&self, mut stream: BufReader<TcpStream>) -> Result<()> {
        let Some(request) = read_request(&mut stream).await else {
            return Ok(());
        };
        let n = number_of(&request).context("a request about no start")?;
        let is_start = request.starts_with("POST ");
        let fault = self.fault(n, is_start);
        let reaches = fault.is_none_or(|fault| fault.carried_out == CarriedOut::Yes);
        let mut answer = Vec::new();
        if reaches {
            if is_start {
                self.met(n, |met| met.carried_out += 1);
            }
            // One exchange on each connection, on both sides.
            let closing = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
            answer = exchange(self.service, closing.as_bytes()).await?;
        }
        let Some(fault) = fault else {
            return Ok(stream.write_all(&answer).await?);
        };
        match &fault.says {
            Says::Nothing => {}
            Says::Part(percent) => stream.write_all(&answer[..answer.len() * percent / 100]).await?,
            Says::Bytes(bytes) => stream.write_all(bytes).await?,
        }
        match fault.then {
            Then::Close => {}
            Then::Reset => stream.get_ref().set_zero_linger()?,
            // Until the other side closes.
            Then::Stall => {
                let silence = async { while let Ok(1..) = stream.read(&mut [0; 256]).await {} };
                let _ = timeout(Duration::from_secs(60), silence).await;
            }
        }
        Ok(())
    }

    /// The fault for a request. The first request of a start has the next fault, in the order of arrival,
    /// and two of three later requests have another.
    fn fault(&self, n: u64, is_start: bool) -> Option<&Fault> {
        let kinds = self.faults.len() as u64;
        let nth = self.met(n, |met| {
            let count = if is_start {
                &mut met.starts
            } else {
                &mut met.queries
            };
            *count += 1;
            *count - 1
        });
        let kind = if is_start && nth == 0 {
            self.came.fetch_add(1, Ordering::Relaxed)
        } else if (n / kinds + nth).is_multiple_of(3) {
            return None;
        } else {
            n / kinds + 7 * nth
        };
        let kind = usize::try_from(kind % kinds).ok()?;
        if is_start {
            self.struck[kind].fetch_add(1, Ordering::Relaxed);
        }
        self.faults.get(kind)
    }

    fn met<T>(&self, n: u64, change: impl FnOnce(&mut Met) -> T) -> T {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        change(met.entry(n).or_default())
    }
}

/// The number of the start that a request is about. Its reference is in the body or in the path.
fn number_of(request: &str) -> Option<u64> {
    let (_, rest) = request.split_once(PREFIX)?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}
