//! What a live run waits for itself, under injected time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use sinch_verify_loadtest::arrivals::{Queue, Schedule};
use sinch_verify_loadtest::engine::{Indexes, Options, Source, VirtualUsers};
use sinch_verify_loadtest::model::{Clock, Load, Numbers, Rate, Setting, Shard, StepName};
use sinch_verify_loadtest::phone::FixedPhone;
use sinch_verify_loadtest::recorder::{Counted, Recorder};
use sinch_verify_loadtest::scenario::FlowContext;
use sinch_verify_loadtest::wire::{Answer, BoxFuture, Wire};
use sinch_verify_protocol::Code;
use tokio::task::JoinSet;

use crate::support::{confirm, request, workload};

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

/// How long the service takes for an answer.
const ANSWER: Duration = Duration::from_millis(3);

/// A service that answers as it should, and notes when it was asked to start something.
#[derive(Clone, Default)]
struct Quick {
    starts: Arc<Mutex<Vec<Instant>>>,
    ids: Arc<AtomicU64>,
}

impl Wire for Quick {
    fn send<'a>(&'a mut self, _: StepName, request: Request<Bytes>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let arrived = Paused.now();
            tokio::time::sleep(ANSWER).await;
            let body = if request.method() == http::Method::POST {
                self.starts.lock().unwrap().push(arrived);
                let id = self.ids.fetch_add(1, Ordering::Relaxed);
                format!(r#"{{"id":"{id}","method":"sms","sms":{{"template":"Your code is {{{{CODE}}}}"}}}}"#)
            } else {
                let id = request.uri().path().rsplit('/').next().unwrap();
                let price = r#"{"verificationPrice":{"currencyId":"EUR","amount":0.05}}"#;
                format!(r#"{{"id":"{id}","method":"sms","status":"SUCCESSFUL","price":{price}}}"#)
            };
            Ok(Response::new(body.into()))
        })
    }
}

const DURATION: Duration = Duration::from_secs(5);

/// A run of this load under a cap, and when its starts were sent, after its beginning.
async fn run(load: Load, cap: &str) -> (Counted, Vec<Duration>) {
    let mut live = request(9);
    live.cap = cap.parse().unwrap();
    live.duration = DURATION;
    let live = confirm(live);
    let code = Code::new("1234").unwrap();
    let target = live.service().target(Setting::Backend);
    let mut context = FlowContext::new(target, FixedPhone::new(code), "0123456789abcdef".parse().unwrap());
    context.clock = Arc::new(Paused);
    let workload = workload("sms", "sms=1");
    let mut options = Options::new(workload.clone(), DURATION);
    options.load = load.clone();
    let recorder = Arc::new(Recorder::new(&options.setup(1), Shard::WHOLE));
    let origin = Paused.now();
    recorder.open(origin);
    let queue = Arc::new(Queue::new(100));
    let virtual_users = Arc::new(VirtualUsers {
        context,
        workload,
        seed: 1,
        numbers: Numbers::made_up(0),
        source: match &load {
            Load::Open { .. } => Source::Queue(Arc::clone(&queue)),
            Load::Closed { .. } => Source::Always(Indexes::from(Shard::WHOLE)),
        },
        recorder: Arc::clone(&recorder),
        rails: Some(Arc::clone(live.rails())),
    });
    let wire = Quick::default();
    let mut users = JoinSet::new();
    for _ in 0..load.users() {
        let (virtual_users, wire) = (Arc::clone(&virtual_users), wire.clone());
        users.spawn(async move { virtual_users.work(wire).await });
    }
    if let Load::Open { rate, .. } = load {
        for arrival in Schedule::new(rate, DURATION, 1, Shard::WHOLE) {
            let due = arrival.at.unwrap();
            tokio::time::sleep_until((origin + due).into()).await;
            recorder.scheduled(due);
            assert!(queue.push(arrival));
        }
    }
    // The thread that closes a run may come late.
    tokio::time::sleep_until((origin + DURATION + Duration::from_millis(700)).into()).await;
    recorder.close();
    queue.close();
    users.join_all().await;
    assert_eq!(live.rails().stopped(), None);
    let starts = wire
        .starts
        .lock()
        .unwrap()
        .iter()
        .map(|at| *at - origin)
        .collect();
    (recorder.counted(), starts)
}

fn slowest(counted: &Counted, interval: StepName) -> Duration {
    counted.flows.total().time(interval).unwrap().max()
}

/// In bursts, so that flows are due before the pace lets them begin.
fn bursts() -> Load {
    let rate = Rate::Poisson { per_second: 5.0 };
    Load::Open { rate, users: 16 }
}

/// What takes the service 3 ms must not be reported as what our own pace makes of it.
#[tokio::test(start_paused = true)]
async fn waiting_for_the_pace_is_lag_and_not_the_services_time() {
    for load in [Load::closed(4), bursts()] {
        let (counted, starts) = run(load.clone(), "5/s").await;
        assert!(starts.len() > 15, "{starts:?}");
        for interval in [StepName::START, StepName::REPORT, StepName::STATUS] {
            let slowest = slowest(&counted, interval);
            assert!(slowest < ANSWER * 2, "{load} {interval}: {slowest:?}");
        }
        assert!(slowest(&counted, StepName::FROM_SEND) < ANSWER * 6);
        if let Load::Open { .. } = load {
            // All of the wait is in the time from when the flow was due.
            assert!(slowest(&counted, StepName::LAG) > Duration::from_millis(200));
            assert!(slowest(&counted, StepName::END_TO_END) > Duration::from_millis(200));
            assert!(counted.counters.late > 5, "{:?}", counted.counters);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_after_the_duration() {
    // Four users at half a start a second wait when the time is up, as flows do that fell due last.
    for (load, cap, most) in [
        (Load::closed(4), "2/s", 10),
        (bursts(), "2/s", 10),
        (Load::closed(4), "0.4/s", 2),
    ] {
        let (counted, starts) = run(load.clone(), cap).await;
        assert_eq!(starts.len(), most, "{load}: {starts:?}");
        assert!(starts.iter().all(|at| *at < DURATION), "{load}: {starts:?}");
        let counters = counted.counters;
        assert_eq!(counters.finished, most as u64);
        assert_eq!(counters.started, counters.finished + counters.aborted);
        assert_eq!(counters.scheduled, counters.started, "none is lost");
        assert_eq!(counters.aborted > 0, matches!(load, Load::Open { .. }));
    }
}
