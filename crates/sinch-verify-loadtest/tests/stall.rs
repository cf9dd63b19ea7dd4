//! A target that freezes, under injected time: what an open model reports is what arithmetic says,
//! and what a closed one hides.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixtures;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use fixtures::KEY;
use http::{Request, Response};
use sinch_verify_loadtest::arrivals::{Arrival, Queue, Rate, Schedule};
use sinch_verify_loadtest::crew::{Crew, Source, Turns, Work};
use sinch_verify_loadtest::flows::{Cast, Flow, Known};
use sinch_verify_loadtest::measure::{FlowTally, Interval};
use sinch_verify_loadtest::runfile::{Load, Setting, Shard};
use sinch_verify_loadtest::{
    Board, Clock, Counted, Delivered, Failure, Mix, Numbers, Options, Phase, Phone, Scenario, Target, Wire,
};
use sinch_verify_protocol::{ApplicationKey, Credentials, PhoneNumber, VerificationId};
use tokio::task::JoinSet;

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
    async fn send(&mut self, _: &'static str, _: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let now = Paused.now();
        tokio::time::sleep(Self::delay(now.saturating_duration_since(self.origin))).await;
        let body = br#"{"id":"1","method":"sms","status":"PENDING"}"#;
        Ok(Response::new(Bytes::from_static(body)))
    }
}

struct NoPhone;

impl Phone for NoPhone {
    async fn delivered(&self, _: &PhoneNumber, _: &VerificationId) -> Result<Delivered, Failure> {
        std::future::pending().await
    }
}

fn crew(load: Load, source: Source) -> Arc<Crew<NoPhone>> {
    let mut options = Options::new(Scenario::Only(Flow::QueryOnly), WHOLE);
    options.load = load;
    let key = ApplicationKey::new(KEY).unwrap();
    let target = Target::new("http://127.0.0.1:9".parse().unwrap(), Credentials::public(key));
    let mut cast = Cast::new(target, NoPhone, "0123456789abcdef".parse().unwrap());
    cast.clock = Arc::new(Paused);
    // One question for each flow.
    cast.setting = Setting::Device;
    cast.known = vec![Known {
        id: VerificationId::new("1").unwrap(),
        reference: "r".parse().unwrap(),
        number: "+46700000001".parse().unwrap(),
    }];
    let board = Arc::new(Board::new(&options.setup(1)));
    board.open(Paused.now());
    Arc::new(Crew {
        cast,
        work: Work {
            scenario: Scenario::Only(Flow::QueryOnly),
            mix: Mix::default(),
            seed: 1,
            numbers: Numbers::made_up(0),
            source,
        },
        board,
        limits: None,
    })
}

fn users(crew: &Arc<Crew<NoPhone>>, count: usize) -> JoinSet<()> {
    let mut users = JoinSet::new();
    for _ in 0..count {
        let crew = Arc::clone(crew);
        let origin = crew.board.origin().unwrap();
        users.spawn(async move { crew.work(Freezing { origin }).await });
    }
    users
}

/// Runs an open model with so many users, and gives what was counted.
async fn open_model(pool: usize, room: usize) -> Counted {
    let rate = Rate::Constant { per_second: RATE };
    let queue = Arc::new(Queue::new(room));
    let load = Load::Open {
        rate: rate.clone(),
        users: pool,
    };
    let crew = crew(load, Source::Queue(Arc::clone(&queue)));
    let users = users(&crew, pool);
    let origin = crew.board.origin().unwrap();
    for slot in Schedule::new(rate, WHOLE, 1, Shard::WHOLE) {
        let due = origin + slot.at;
        tokio::time::sleep_until(due.into()).await;
        crew.board.scheduled(due);
        if !queue.push(Arrival {
            slot: slot.index,
            due,
        }) {
            crew.board.dropped(due);
        }
    }
    queue.close();
    users.join_all().await;
    crew.board.counted()
}

/// The end to end times that arithmetic gives: each flow waits for the end of the freeze it is in.
fn truth() -> Vec<Duration> {
    let rate = Rate::Constant { per_second: RATE };
    let mut times: Vec<_> = Schedule::new(rate, WHOLE, 1, Shard::WHOLE)
        .map(|slot| Freezing::delay(slot.at))
        .collect();
    times.sort_unstable();
    times
}

fn close(tally: &FlowTally, percent: f64, truth: &[Duration]) {
    let got = tally
        .time(Interval::EndToEnd)
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
    let p99 = tally.time(Interval::EndToEnd).unwrap().percentile(99.0);
    assert!(
        (1.8..2.0).contains(&p99.as_secs_f64()),
        "a stall of 2 s in every 10 s: {p99:?}"
    );
    let lag = tally.time(Interval::Lag).unwrap().max();
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
    let p99 = |interval| tally.time(interval).unwrap().percentile(99.0);
    assert!(p99(Interval::EndToEnd) >= Duration::from_millis(1800));
    assert!(
        p99(Interval::Lag) >= Duration::from_millis(1500),
        "{:?}",
        p99(Interval::Lag)
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
    let crew = crew(load, Source::Always(Turns::from(Shard::WHOLE)));
    let users = users(&crew, 2);
    tokio::time::sleep(PERIOD * 2).await;
    crew.board.close();
    users.join_all().await;
    assert_eq!(crew.board.phase(), Phase::Draining);
    let tally = crew.board.counted().flows.total();
    let p99 = tally.time(Interval::EndToEnd).unwrap().percentile(99.0);
    assert!(p99 < Duration::from_millis(10), "{p99:?}");
    assert!(tally.time(Interval::Lag).is_none());
}
