//! A live host on loopback, and flows that are run against it.

use std::net::Ipv4Addr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::{Application, Emulator, Fault, FaultRule, Operation, Settings};
use sinch_verify_loadtest::model::{
    Arrival, Delivered, Failure, FlowEnd, FlowRecord, Load, PhoneChoice, ScenarioName, Setting, Shard,
};
use sinch_verify_loadtest::phone::{InboxPhone, Phone, Wanted};
use sinch_verify_loadtest::safety::{
    Admitted, Budget, Destination, Guarded, LiveRequest, LiveTarget, LiveUrl, Rails, Spending, Stop,
};
use sinch_verify_loadtest::scenario::{Flow, FlowContext, Registry, Steps, Workload};
use sinch_verify_loadtest::target::Elsewhere;
use sinch_verify_loadtest::wire::{BoxFuture, DirectWire};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, PhoneNumber};

pub(crate) use crate::fixtures::{KEY, SECRET};

/// Nobody's name, and to the load tester as live as any.
pub(crate) const HOST: &str = "verification.live.test";

/// The service.
pub(crate) struct Service {
    pub(crate) emulator: Arc<Emulator>,
    /// A rule that never strikes and counts the starts that arrive.
    starts: u64,
}

impl Service {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap());
        let emulator = Emulator::builder()
            .application(application)
            .settings(settings)
            .seed(7)
            .start()
            .await
            .unwrap();
        let mut count = FaultRule::api(Fault::Status { status: 500 });
        count.operation = Some(Operation::Start);
        count.probability = Some(0.0);
        let starts = emulator.add_fault(count).unwrap();
        Self {
            emulator: Arc::new(emulator),
            starts,
        }
    }

    /// How many starts arrived, whatever became of them.
    pub(crate) fn starts(&self) -> u64 {
        let faults = self.emulator.faults();
        faults.iter().find(|fault| fault.id == self.starts).unwrap().seen
    }

    /// How many messages went out.
    pub(crate) fn messages(&self, numbers: &[PhoneNumber]) -> usize {
        numbers
            .iter()
            .map(|number| self.emulator.inbox(number).len())
            .sum()
    }

    pub(crate) fn request(&self) -> LiveRequest {
        request(self.emulator.addr().port())
    }

    pub(crate) fn live(&self, budget: Budget) -> Live {
        let mut request = self.request();
        request.budget = budget;
        self.confirmed(request)
    }

    pub(crate) fn confirmed(&self, request: LiveRequest) -> Live {
        Live {
            target: confirm(request),
            emulator: Arc::clone(&self.emulator),
            slots: AtomicU64::new(0),
        }
    }
}

/// A live run against what listens on this port of this machine.
pub(crate) fn request(port: u16) -> LiveRequest {
    let url = format!("http://{HOST}:{port}").parse().unwrap();
    let url = live_url(url);
    let key = ApplicationKey::new(KEY).unwrap();
    let secret = ApplicationSecret::new(SECRET).unwrap();
    LiveRequest {
        service: Elsewhere {
            url,
            pin: Some(format!("{HOST}=127.0.0.1").parse().unwrap()),
            key,
            secret,
        },
        scenario: ScenarioName::new("sms").unwrap(),
        unfit: None,
        phone: PhoneChoice::Callback,
        budget: budget(),
        cap: "100/s".parse().unwrap(),
        load: Load::closed(1),
        seed: None,
        duration: Duration::from_secs(60),
        shard: Shard::WHOLE,
    }
}

pub(crate) fn live_url(url: BaseUrl) -> LiveUrl {
    match Destination::judge(url, None, true) {
        Ok(Destination::Live(url)) => url,
        other => panic!("{HOST} is live, not {other:?}"),
    }
}

pub(crate) fn confirm(request: LiveRequest) -> LiveTarget {
    let plan = request.plan().unwrap();
    let word = plan.confirmation().to_string();
    plan.confirm(&word).unwrap()
}

/// 40 numbers, 100 verifications, 100 EUR in all, 0.20 EUR each.
pub(crate) fn budget() -> Budget {
    let numbers: String = (10..50).map(|last| format!("+467000000{last}\n")).collect();
    Budget {
        verifications: NonZeroU64::new(100).unwrap(),
        cost: "100".parse().unwrap(),
        worst: "0.20".parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        numbers: numbers.parse().unwrap(),
        per_number: "3".parse().unwrap(),
    }
}

/// A confirmed live run.
pub(crate) struct Live {
    target: LiveTarget,
    emulator: Arc<Emulator>,
    slots: AtomicU64,
}

impl Live {
    /// The target, for a run of its own.
    pub(crate) fn target(&self) -> LiveTarget {
        self.target.clone()
    }

    pub(crate) fn rails(&self) -> &Arc<Rails> {
        self.target.rails()
    }

    pub(crate) fn spending(&self) -> Spending {
        self.rails().spending()
    }

    /// Flows one after the other, until `most` of them or the rails end it.
    pub(crate) async fn one_by_one(&self, most: usize) -> Option<Stop> {
        let phone = InboxPhone::new(Arc::clone(&self.emulator)).patience(Duration::from_secs(1));

        for _ in 0..most {
            let Ok(admitted) = self.rails().admit().await else {
                break;
            };
            self.flow(admitted, phone.clone()).await;
        }
        self.rails().stopped()
    }

    /// One flow, as the engine runs it.
    pub(crate) async fn flow(&self, admitted: Admitted, phone: impl Phone + 'static) -> FlowRecord {
        let number = admitted.number();
        self.flow_to(number, admitted, phone).await
    }

    /// The same, of a flow that verifies `number`, whatever it was admitted for.
    pub(crate) async fn flow_to(
        &self,
        number: PhoneNumber,
        admitted: Admitted,
        phone: impl Phone + 'static,
    ) -> FlowRecord {
        let mut wire = Guarded::live(DirectWire::new(self.transport()), admitted);
        let run = "0123456789abcdef".parse().unwrap();
        let target = self.target.service().target(Setting::Backend);
        let context = FlowContext::new(target, phone, run);
        let index = self.slots.fetch_add(1, Ordering::Relaxed);
        let arrival = Arrival { index, at: None };
        let workload = workload("sms", "sms=1");
        let (scenario, steps) = (&workload.scenarios()[0], Steps::default());
        let flow = Flow::new(&context, &mut wire, &steps, scenario.name(), arrival, number);
        let begun = Instant::now();
        let end = match scenario.run(flow).await {
            Ok(()) => FlowEnd::Succeeded,
            Err(failure) => FlowEnd::Failed(failure),
        };
        let record = FlowRecord {
            scenario: scenario.name(),
            arrival,
            started: Duration::ZERO,
            ended: begun.elapsed(),
            end,
            steps: steps.finish(Instant::now()),
        };
        self.rails().flow_ended(matches!(record.end, FlowEnd::Failed(_)));
        record
    }

    pub(crate) fn transport(&self) -> HyperTransport {
        HyperTransport::builder()
            .resolve(HOST, Ipv4Addr::LOCALHOST.into())
            .plain()
    }
}

/// A phone that shows nothing until the test says so.
pub(crate) struct Held(pub(crate) tokio::sync::Semaphore);

impl Phone for Held {
    fn delivered<'a>(
        &'a self,
        _: &'a PhoneNumber,
        _: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async move {
            let _permit = self.0.acquire().await;
            Ok(Delivered::default())
        })
    }
}

/// What a run of this built-in scenario carries out.
pub(crate) fn workload(scenario: &str, mix: &str) -> Workload {
    let registry = Registry::new([]).unwrap();
    registry.workload(scenario, &mix.parse().unwrap()).unwrap()
}
