//! Faults of the Redis that receivers share, under traffic: authentic callbacks that are lost, and
//! replays that are taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::{Request, Uri};
use sinch_verify_benches::fixture;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Scale;
use crate::receiver::{Receiver, Store, callback, to};
use crate::redis_server::{MISSING, Redis};
use crate::row::{Row, not_run};
use crate::traffic::Sender;

/// The time between callbacks in the attack on idle connections: longer than a connection may be idle.
const IDLE: Duration = Duration::from_millis(2800);

/// The time between callbacks in all other attacks.
const PACE: Duration = Duration::from_millis(5);

/// The time limit for receivers to work again once Redis works.
const RECOVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    IdleClose,
    ClientKill,
    RestartBetween,
    Crash,
    Failover,
    Stopped,
    Full,
}

const FAULTS: [Fault; 7] = [
    Fault::IdleClose,
    Fault::ClientKill,
    Fault::RestartBetween,
    Fault::Crash,
    Fault::Failover,
    Fault::Stopped,
    Fault::Full,
];

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::IdleClose => "Redis closes idle connections",
            Self::ClientKill => "Redis kills connections",
            Self::RestartBetween => "Redis restarts between two callbacks",
            Self::Crash => "Redis crashes and restarts under traffic",
            Self::Failover => "a replica takes over, behind a proxy that switches",
            Self::Stopped => "Redis stands still for two seconds",
            Self::Full => "the memory of Redis is full for a second",
        }
    }

    /// Whether Redis works for each callback, so that every guard must know each signature.
    fn must_heal(self) -> bool {
        matches!(self, Self::IdleClose | Self::ClientKill | Self::RestartBetween)
    }
}

pub(crate) async fn run(scale: Scale) -> Result<()> {
    for fault in FAULTS {
        let attack = format!("outages: {}", fault.name());
        match Redis::start()? {
            Some(redis) => measure(fault, &attack, redis, scale).await?,
            None => not_run(&attack, MISSING),
        }
    }
    Ok(())
}

async fn measure(fault: Fault, attack: &str, mut redis: Redis, scale: Scale) -> Result<()> {
    let start = Instant::now();
    let switch = Switch::to(redis.port()).await?;
    let url = match fault {
        Fault::Failover => switch.url(),
        _ => redis.url(),
    };
    let mut sides = [Side::start(&url, false)?, Side::start(&url, true)?];
    resume(&mut sides, fault)?;
    // All connect to Redis before the fault.
    sleep(Duration::from_millis(500)).await;
    let broken = Instant::now();
    // Kept alive during the traffic.
    let _standby = strike(fault, &mut redis, &switch, &mut sides, scale).await?;
    let recovered = Instant::now() + RECOVERY;
    sleep(2 * RECOVERY).await;
    pause(&mut sides).await?;
    for side in &mut sides {
        side.replay().await?;
        let apart = |sent: &Sent| sent.end < broken || sent.begin > recovered;
        let in_doubt = if side.accepts { "accept" } else { "refuse" };
        for (counted, count, goal) in side.counts(fault, apart)? {
            Row {
                attack: &format!("{attack}; receivers {in_doubt} in doubt"),
                sent: side.sent.len() as u64,
                counted,
                count,
                goal,
                took: start.elapsed(),
                memory: side.receivers.iter().map(Receiver::peak).sum(),
            }
            .print()?;
        }
    }
    Ok(())
}

/// Causes the fault. Returns the server that took over, if any.
async fn strike(
    fault: Fault,
    redis: &mut Redis,
    switch: &Switch,
    sides: &mut [Side; 2],
    scale: Scale,
) -> Result<Option<Redis>> {
    match fault {
        Fault::IdleClose => {
            redis.command::<()>("CONFIG SET timeout 1")?;
            for _ in 0..scale.of(8, 2) {
                sleep(IDLE).await;
            }
        }
        Fault::ClientKill => {
            for _ in 0..scale.of(50, 5) {
                redis.command::<u64>("CLIENT KILL TYPE normal")?;
                sleep(Duration::from_millis(100)).await;
            }
        }
        Fault::RestartBetween => {
            for _ in 0..scale.of(10, 2) {
                pause(sides).await?;
                redis.restart()?;
                resume(sides, fault)?;
                sleep(Duration::from_millis(200)).await;
            }
        }
        Fault::Crash => redis.restart()?,
        Fault::Failover => {
            let standby = Redis::start()?.context(MISSING)?;
            take_over(redis, &standby).await?;
            switch.target.store(standby.port(), Ordering::SeqCst);
            return Ok(Some(standby));
        }
        Fault::Stopped => {
            redis.signal("STOP")?;
            sleep(Duration::from_secs(2)).await;
            redis.signal("CONT")?;
        }
        Fault::Full => {
            redis.command::<()>("CONFIG SET maxmemory 1")?;
            sleep(Duration::from_secs(1)).await;
            redis.command::<()>("CONFIG SET maxmemory 0")?;
        }
    }
    Ok(None)
}

fn resume(sides: &mut [Side; 2], fault: Fault) -> Result<()> {
    let pace = if fault == Fault::IdleClose { IDLE } else { PACE };
    sides.iter_mut().try_for_each(|side| side.resume(pace))
}

async fn pause(sides: &mut [Side; 2]) -> Result<()> {
    for side in sides {
        side.pause().await?;
    }
    Ok(())
}

/// Makes `other` the primary, with all data, and `redis` its replica.
async fn take_over(redis: &Redis, other: &Redis) -> Result<()> {
    let is = async |server: &Redis, what: &str| -> Result<()> {
        for _ in 0..2000 {
            if server.command::<String>("INFO replication")?.contains(what) {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
        bail!("a redis-server does not become `{what}`")
    };
    other.command::<()>(&format!("REPLICAOF 127.0.0.1 {}", redis.port()))?;
    is(redis, "state=online").await?;
    redis.command::<()>("FAILOVER TIMEOUT 10000")?;
    is(other, "role:master").await
}

/// Two receivers that share a Redis and have the same setting for doubt, and the traffic to them.
struct Side {
    accepts: bool,
    receivers: [Receiver; 2],
    sent: Vec<Sent>,
    traffic: Option<Traffic>,
    /// The number of the next callback.
    next: Arc<AtomicU64>,
}

/// A callback that went to one receiver and, at once, as a replay to the other.
struct Sent {
    request: Request<Bytes>,
    begin: Instant,
    end: Instant,
    is_first_taken: bool,
    taken: u64,
}

impl Side {
    fn start(url: &str, accepts: bool) -> Result<Self> {
        let store = Store::Redis {
            url: url.to_owned(),
            prefix: format!("accepts-{accepts}:"),
            accepts,
            patience: None,
        };
        Ok(Self {
            accepts,
            receivers: [Receiver::start(&store)?, Receiver::start(&store)?],
            sent: Vec::new(),
            traffic: None,
            next: Arc::default(),
        })
    }

    fn urls(&self) -> [Uri; 2] {
        self.receivers.each_ref().map(|receiver| receiver.url().clone())
    }

    fn resume(&mut self, pace: Duration) -> Result<()> {
        let [one, two] = self.urls();
        let both_ways = [[one.clone(), two.clone()], [two, one]];
        let mut traffic = Traffic::default();
        // Slow traffic has no second sender, which would keep the connections busy.
        let senders = if pace == IDLE { 1 } else { 2 };
        for urls in both_ways.into_iter().take(senders) {
            traffic.begin(urls, pace, &self.next)?;
        }
        self.traffic = Some(traffic);
        Ok(())
    }

    async fn pause(&mut self) -> Result<()> {
        if let Some(traffic) = self.traffic.take() {
            self.sent.extend(traffic.end().await?);
        }
        ensure!(!self.sent.is_empty(), "no callback was sent");
        Ok(())
    }

    /// Sends everything again to both.
    async fn replay(&mut self) -> Result<()> {
        let (sender, urls) = (Sender::new(), self.urls());
        for sent in &mut self.sent {
            for url in &urls {
                sent.taken += u64::from(sender.is_taken(to(url, &sent.request)).await);
            }
        }
        Ok(())
    }

    /// The counts, with the largest allowed value of each. `apart` selects callbacks that came neither
    /// during the fault nor in the second after it.
    fn counts(
        &mut self,
        fault: Fault,
        apart: impl Fn(&Sent) -> bool,
    ) -> Result<Vec<(&'static str, u64, Option<u64>)>> {
        let mut doubts = 0;
        for receiver in &mut self.receivers {
            doubts += receiver.counts()?.doubts;
        }
        let count = |is: &dyn Fn(&Sent) -> bool| self.sent.iter().filter(|sent| is(sent)).count() as u64;
        let lost = |sent: &Sent| !sent.is_first_taken;
        let twice = |sent: &Sent| sent.taken > 1;
        let (all_lost, all_twice) = (count(&lost), count(&twice));
        let required = |required: bool| required.then_some(0);
        let heals = fault.must_heal();
        let mut counts = vec![
            (
                "authentic callbacks lost",
                all_lost,
                required(heals || self.accepts),
            ),
            ("replays taken", all_twice, required(heals || !self.accepts)),
        ];
        if heals {
            return Ok(counts);
        }
        if self.accepts {
            let counted = "replays taken, but for those of the fault and of the second after it";
            counts.push((counted, count(&|sent| twice(sent) && apart(sent)), Some(0)));
        } else {
            let counted = "lost, but for those of the fault and of the second after it";
            counts.push((counted, count(&|sent| lost(sent) && apart(sent)), Some(0)));
            counts.push(("lost and not counted", all_lost.saturating_sub(doubts), Some(0)));
        }
        Ok(counts)
    }
}

/// Sends callbacks until it is stopped.
#[derive(Default)]
struct Traffic {
    ended: Arc<AtomicBool>,
    senders: JoinSet<Result<Vec<Sent>>>,
}

impl Traffic {
    fn begin(&mut self, [one, two]: [Uri; 2], pace: Duration, next: &Arc<AtomicU64>) -> Result<()> {
        let (ended, next) = (Arc::clone(&self.ended), Arc::clone(next));
        let signer = fixture::signer()?;
        self.senders.spawn(async move {
            let sender = Sender::new();
            let mut all = Vec::new();
            while !ended.load(Ordering::SeqCst) {
                let begin = Instant::now();
                let request = callback(&signer, &one, next.fetch_add(1, Ordering::SeqCst))?;
                let is_first_taken = sender.is_taken(request.clone()).await;
                let is_replay_taken = sender.is_taken(to(&two, &request)).await;
                all.push(Sent {
                    request,
                    begin,
                    end: Instant::now(),
                    is_first_taken,
                    taken: u64::from(is_first_taken) + u64::from(is_replay_taken),
                });
                sleep(pace).await;
            }
            Ok(all)
        });
        Ok(())
    }

    async fn end(mut self) -> Result<Vec<Sent>> {
        self.ended.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        while let Some(sent) = self.senders.join_next().await {
            all.extend(sent??);
        }
        Ok(all)
    }
}

/// A proxy. Once switched, new connections go to another server; open connections stay.
struct Switch {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Switch {
    async fn to(target: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let target = Arc::new(AtomicU16::new(target));
        let targets = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let target = targets.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(("127.0.0.1", target)).await?;
                    copy_bidirectional(&mut near, &mut far).await
                });
            }
        });
        Ok(Self { port, target })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}
