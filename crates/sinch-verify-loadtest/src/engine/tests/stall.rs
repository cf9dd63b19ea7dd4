//! A target that freezes, under injected time: what an open model reports is what arithmetic says,
//! and what a closed one hides.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use sinch_verify_protocol::{ApplicationKey, Credentials, PhoneNumber, StatusByNumber};
use tokio::task::JoinSet;

use crate::arrivals::{Queue, Schedule};
use crate::engine::environment::KEY;
use crate::engine::{Indexes, Source, VirtualUsers};
use crate::model::{
    Clock, Delivered, Failure, FlowTally, Load, Numbers, Rate, Shard, StepName, sample_setup,
};
use crate::phone::{Phone, Wanted};
use crate::recorder::{Counted, Phase, Recorder};
use crate::scenario::{Flow, FlowContext, Registry, Scenario};
use crate::target::Target;
use crate::wire::{Answer, BoxFuture, Wire};

const RATE: f64 = 200.0;
const WHOLE: Duration = Duration::from_secs(60);
/// The target freezes for so long at the end of every period.
const FREEZE: Duration = Duration::from_secs(2);
const PERIOD: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_millis(1);

/// Tokio's clock, which a test can stop.
struct Paused;

impl Clock for Paused {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

/// A simulated target: answers a status query after a millisecond, unless it is frozen.
struct Freezing {
    origin: Instant,
}

impl Freezing {
    /// How long a request that comes `at` this time waits.
    fn delay(at: Duration) -> Duration {
        let within = Duration::from_nanos((at.as_nanos() % PERIOD.as_nanos()) as u64);
        let awake = PERIOD - FREEZE;
        if within < awake {
            ANSWER
        } else {
            PERIOD - within + ANSWER
        }
    }
}

impl Wire for Freezing {
    fn send<'a>(&'a mut self, _: StepName, _: Request<Bytes>) -> BoxFuture<'a, Answer> {
        let now = Paused.now();
        Box::pin(async move {
            tokio::time::sleep(Self::delay(now.saturating_duration_since(self.origin))).await;
            let body = br#"{"id":"1","method":"sms","status":"PENDING"}"#;
            Ok(Response::new(Bytes::from_static(body)))
        })
    }
}

struct NoPhone;

impl Phone for NoPhone {
    fn delivered<'a>(
        &'a self,
        _: &'a PhoneNumber,
        _: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(std::future::pending())
    }
}

/// One query for each flow.
async fn query(mut flow: Flow<'_>) -> Result<(), Failure> {
    let (method, number) = (sinch_verify_protocol::Method::Sms, flow.number());
    let query = StatusByNumber { method, number };
    flow.call("status-by-number", &query).await.map(drop)
}

fn virtual_users(load: Load, source: Source) -> Arc<VirtualUsers> {
    let mut setup = sample_setup();
    setup.load = load;
    setup.duration_seconds = WHOLE.as_secs_f64();
    let key = ApplicationKey::new(KEY).unwrap();
    let target = Target::new("http://127.0.0.1:9".parse().unwrap(), Credentials::public(key));
    let mut context = FlowContext::new(target, NoPhone, "0123456789abcdef".parse().unwrap());
    context.clock = Arc::new(Paused);
    let registry = Registry::new([Scenario::new("query", query)]).unwrap();
    let workload = registry.workload("query", &"sms=1".parse().unwrap());
    let recorder = Arc::new(Recorder::new(&setup, Shard::WHOLE));
    recorder.open(Paused.now());
    Arc::new(VirtualUsers {
        context,
        workload: workload.unwrap(),
        seed: 1,
        numbers: Numbers::made_up(0),
        source,
        recorder,
        limits: None,
    })
}

fn tasks(users: &Arc<VirtualUsers>, count: usize) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let users = Arc::clone(users);
        let origin = users.recorder.origin().unwrap();
        tasks.spawn(async move { users.work(Freezing { origin }).await });
    }
    tasks
}

/// Runs an open model with so many users, and gives what was counted.
async fn open_model(pool: usize, room: usize) -> Counted {
    let rate = Rate::Constant { per_second: RATE };
    let queue = Arc::new(Queue::new(room));
    let load = Load::Open {
        rate: rate.clone(),
        users: pool,
    };
    let users = virtual_users(load, Source::Queue(Arc::clone(&queue)));
    let tasks = tasks(&users, pool);
    let origin = users.recorder.origin().unwrap();
    for arrival in Schedule::new(rate, WHOLE, 1, Shard::WHOLE) {
        let due = arrival.at.unwrap();
        tokio::time::sleep_until((origin + due).into()).await;
        users.recorder.scheduled(due);
        if !queue.push(arrival) {
            users.recorder.dropped(due);
        }
    }
    queue.close();
    tasks.join_all().await;
    users.recorder.counted()
}

/// The end to end times that arithmetic gives: each flow waits for the end of the freeze it is in.
fn truth() -> Vec<Duration> {
    let rate = Rate::Constant { per_second: RATE };
    let mut times: Vec<_> = Schedule::new(rate, WHOLE, 1, Shard::WHOLE)
        .map(|arrival| Freezing::delay(arrival.at.unwrap()))
        .collect();
    times.sort_unstable();
    times
}

fn close(tally: &FlowTally, percent: f64, truth: &[Duration]) {
    let got = tally
        .time(StepName::END_TO_END)
        .unwrap()
        .percentile(percent)
        .as_secs_f64();
    let index = ((percent / 100.0 * truth.len() as f64).ceil() as usize).clamp(1, truth.len()) - 1;
    let want = truth[index].as_secs_f64();
    // Tokio's clock ticks once a millisecond.
    let slack = 0.002 + want * 0.005;
    assert!((got - want).abs() <= slack, "p{percent}: {got} s, not {want} s");
}

#[tokio::test(start_paused = true)]
async fn open_model_reports_what_arithmetic_says() {
    let counted = open_model(1000, 1000).await;
    let tally = counted.flows.total();
    assert_eq!(counted.counters.dropped, 0);
    assert_eq!(tally.succeeded, 12_000);
    let truth = truth();
    for percent in [50.0, 75.0, 80.0, 85.0, 90.0, 95.0, 99.0, 99.9] {
        close(&tally, percent, &truth);
    }
    let p99 = tally.time(StepName::END_TO_END).unwrap().percentile(99.0);
    assert!(
        (1.8..2.0).contains(&p99.as_secs_f64()),
        "a stall of 2 s in every 10 s: {p99:?}"
    );
    let lag = tally.time(StepName::LAG).unwrap().max();
    assert!(
        lag <= Duration::from_millis(2),
        "with users enough nothing waits: {lag:?}"
    );
}

/// With too few users flows wait for them; the wait is the generator's delay, and is in the time
/// from when they were due, so the stall is not hidden.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_user_is_not_hidden() {
    let counted = open_model(20, 1000).await;
    let tally = counted.flows.total();
    assert_eq!(counted.counters.dropped, 0);
    let p99 = |step| tally.time(step).unwrap().percentile(99.0);
    assert!(p99(StepName::END_TO_END) >= Duration::from_millis(1800));
    assert!(
        p99(StepName::LAG) >= Duration::from_millis(1500),
        "{:?}",
        p99(StepName::LAG)
    );
    assert!(counted.counters.late > 2000, "{}", counted.counters.late);
}

/// What finds no room is dropped, and counted: 400 flows are due in each of six freezes, 20 are
/// under way and 30 wait.
#[tokio::test(start_paused = true)]
async fn what_finds_no_room_is_counted() {
    let counted = open_model(20, 30).await;
    let counters = counted.counters;
    assert_eq!(counters.scheduled, 12_000);
    assert_eq!(counters.scheduled, counters.started + counters.dropped);
    assert_eq!(counters.started, counters.finished);
    let expected = 6 * (400 - 50);
    assert!(
        counters.dropped.abs_diff(expected) <= 12,
        "{} dropped",
        counters.dropped
    );
}

/// The same target under users who wait for their answers: the stall is all but invisible, which is
/// why a closed model says so.
#[tokio::test(start_paused = true)]
async fn closed_model_understates_the_stall() {
    let load = Load::closed(2);
    let users = virtual_users(load, Source::Always(Indexes::from(Shard::WHOLE)));
    let tasks = tasks(&users, 2);
    tokio::time::sleep(PERIOD * 2).await;
    users.recorder.close();
    tasks.join_all().await;
    assert_eq!(users.recorder.phase(), Phase::Draining);
    let tally = users.recorder.counted().flows.total();
    let p99 = tally.time(StepName::END_TO_END).unwrap().percentile(99.0);
    assert!(p99 < Duration::from_millis(10), "{p99:?}");
    assert!(tally.time(StepName::LAG).is_none());
}
