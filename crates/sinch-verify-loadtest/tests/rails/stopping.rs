//! The rules that end a run.

use std::sync::Arc;
use std::time::Duration;

use sinch_verify_emulator::{Fault, FaultRule, MagicNumber, Operation, Settings};
use sinch_verify_loadtest::model::{Delivered, Failure, FlowEnd};
use sinch_verify_loadtest::phone::{InboxPhone, Phone, Wanted};
use sinch_verify_loadtest::safety::{Budget, Stop};
use sinch_verify_loadtest::wire::BoxFuture;
use sinch_verify_protocol::{Code, PhoneNumber};
use tokio::sync::Semaphore;

use crate::support::{Held, Service, budget};

fn fault(operation: Operation, fault: Fault) -> FaultRule {
    let mut rule = FaultRule::api(fault);
    rule.operation = Some(operation);
    rule
}

#[tokio::test]
async fn bursts_of_refusals_stop() {
    for status in [401, 402, 429] {
        let service = Service::new().await;
        service
            .emulator
            .add_fault(fault(Operation::Start, Fault::Status { status }))
            .unwrap();
        let live = service.live(budget());
        let stop = live.one_by_one(50).await;
        // A 402 says that there is no credit, at the first of them.
        if status == 402 {
            assert_eq!(stop, Some(Stop::NoCredit));
            assert_eq!(service.starts(), 1);
        } else {
            assert_eq!(stop, Some(Stop::Refusals { status }));
            assert_eq!(service.starts(), 3);
        }
        assert_eq!(live.spending().spent, "0.00", "what was refused costs nothing");
    }
}

#[tokio::test]
async fn account_without_credit_stops() {
    let service = Service::new().await;
    let broke = MagicNumber::all()
        .into_iter()
        .find(|magic| magic.outcome == "no-credit")
        .unwrap();
    let live = service.live(Budget {
        numbers: format!("{}\n+46700000001\n", broke.number).parse().unwrap(),
        ..budget()
    });
    assert_eq!(live.one_by_one(50).await, Some(Stop::NoCredit));
    assert_eq!(service.starts(), 1);
}

#[tokio::test]
async fn run_that_fails_stops() {
    let mut settings = Settings::default();
    settings.attempts = 1;
    let service = Service::with(settings).await;
    let live = service.live(budget());
    for _ in 0..50 {
        let Ok(admitted) = live.rails().admit().await else {
            break;
        };
        live.flow(admitted, Forgetful).await;
    }
    // Every verification ends, and is paid for; none as it should.
    assert_eq!(live.rails().stopped(), Some(Stop::Failures { failed: 5, of: 5 }));
    assert_eq!(service.starts(), 5);
    assert_eq!(live.spending().spent, "0.2265");
}

/// A phone whose owner types something else. Codes have four digits here, so this one is wrong.
struct Forgetful;

impl Phone for Forgetful {
    fn delivered<'a>(
        &'a self,
        _: &'a PhoneNumber,
        _: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async move { Ok(Delivered::code(Code::new("00000").unwrap())) })
    }
}

#[tokio::test]
async fn lost_answer_counts_as_spent() {
    let service = Service::new().await;
    service
        .emulator
        .add_fault(fault(Operation::Start, Fault::Reset { handled: true }))
        .unwrap();
    let live = service.live(budget());
    assert_eq!(live.one_by_one(50).await, Some(Stop::UnknownPrice));
    assert_eq!(service.starts(), 1);
    assert_eq!(live.spending().spent, "0.20");
}

#[tokio::test]
async fn what_is_under_way_may_finish() {
    let service = Service::new().await;
    let live = Arc::new(service.live(budget()));
    let admitted = live.rails().admit().await.unwrap();
    let next = live.rails().admit().await.unwrap();
    let number = admitted.number();
    let rings = Arc::new(Semaphore::new(0));
    let flow = {
        let phone = Late(Arc::clone(&rings), InboxPhone::new(Arc::clone(&service.emulator)));
        let live = Arc::clone(&live);
        tokio::spawn(async move { live.flow(admitted, phone).await })
    };
    service
        .emulator
        .wait_message(&number, 0, Duration::from_secs(5))
        .await
        .unwrap();
    live.rails().stop(Stop::Interrupted);
    rings.add_permits(1);
    let record = flow.await.unwrap();
    assert_eq!(record.end, FlowEnd::Succeeded);
    assert_eq!(live.spending().spent, "0.0453", "and its price is known");
    // But nothing begins any more.
    let phone = Held(Semaphore::new(1));
    live.flow(next, phone).await;
    assert_eq!(service.starts(), 1);
}

/// A phone that shows what it received once the test says so.
struct Late(Arc<Semaphore>, InboxPhone);

impl Phone for Late {
    fn delivered<'a>(
        &'a self,
        number: &'a PhoneNumber,
        wanted: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async move {
            let _permit = self.0.acquire().await;
            self.1.delivered(number, wanted).await
        })
    }
}
