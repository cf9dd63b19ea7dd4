//! Money, numbers and pace.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sinch_verify_emulator::Settings;
use sinch_verify_loadtest::safety::{Budget, Stop};
use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::price::Money;

use crate::support::{Held, Service, budget};

fn priced(price: Option<Money>) -> Settings {
    let mut settings = Settings::default();
    settings.price = price;
    settings
}

fn euros(amount: &str) -> Option<Money> {
    Some(Money::new("EUR", amount.parse().unwrap()))
}

#[tokio::test]
async fn flows_at_once_cannot_overrun_the_budget() {
    let service = Service::new().await;
    let live = Arc::new(service.live(Budget {
        cost: "1.00".parse().unwrap(),
        ..budget()
    }));
    // Nobody's phone rings before all twenty have tried, so nothing is settled in between.
    let phone = Arc::new(Held(tokio::sync::Semaphore::new(0)));
    let mut admitted = Vec::new();
    for _ in 0..20 {
        admitted.push(live.rails().admit().await.unwrap());
    }
    let flows: Vec<_> = admitted
        .into_iter()
        .map(|admitted| {
            let (live, phone) = (Arc::clone(&live), Arc::clone(&phone));
            tokio::spawn(async move { live.flow(admitted, phone).await })
        })
        .collect();
    live.rails().wait().await;
    // 15 flows end without a start; the other 5 wait for the phone.
    while flows.iter().filter(|flow| flow.is_finished()).count() < 15 || service.starts() < 5 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.starts(), 5, "5 x 0.20 is all there is");
    assert_eq!(live.rails().stopped(), Some(Stop::Budget));
    assert_eq!(live.spending().reserved, "1.00");
    phone.0.close();
    for flow in flows {
        flow.await.unwrap();
    }
    assert_eq!(service.starts(), 5);
}

#[tokio::test]
async fn what_was_not_spent_is_spent_later() {
    let service = Service::with(priced(euros("0.05"))).await;
    let live = service.live(Budget {
        cost: "1.00".parse().unwrap(),
        ..budget()
    });
    assert_eq!(live.one_by_one(100).await, Some(Stop::Budget));
    // The 18th would take 17 x 0.05 + 0.20 = 1.05.
    assert_eq!(service.starts(), 17);
    assert_eq!(live.spending().spent, "0.85");
    assert_eq!(live.spending().reserved, "0.00");
}

#[tokio::test]
async fn no_more_verifications_than_allowed() {
    let service = Service::new().await;
    let live = service.live(Budget {
        verifications: NonZeroU64::new(7).unwrap(),
        ..budget()
    });
    assert_eq!(live.one_by_one(50).await, Some(Stop::Verifications));
    assert_eq!(service.starts(), 7);
    assert!(live.rails().stopped().unwrap().is_planned());
}

#[tokio::test]
async fn no_number_is_used_too_often() {
    let service = Service::new().await;
    let live = service.live(Budget {
        numbers: "+46700000001\n+46700000002\n".parse().unwrap(),
        per_number: "2".parse().unwrap(),
        ..budget()
    });
    assert_eq!(live.one_by_one(50).await, Some(Stop::Numbers));
    for number in ["+46700000001", "+46700000002"] {
        assert_eq!(service.messages(&[PhoneNumber::parse(number).unwrap()]), 2);
    }
    assert_eq!(service.starts(), 4);
}

#[tokio::test]
async fn nobody_else_is_messaged() {
    let service = Service::new().await;
    let live = service.live(budget());
    let admitted = live.rails().admit().await.unwrap();
    let other = PhoneNumber::parse("+46700009999").unwrap();
    let phone = Held(tokio::sync::Semaphore::new(0));
    let record = live.flow_to(other, admitted, phone).await;
    assert!(record.steps.iter().all(|time| !time.answered));
    assert_eq!(live.rails().stopped(), Some(Stop::ForeignNumber));
    assert_eq!(service.starts(), 0);
    assert_eq!(service.messages(&[other]), 0);
}

#[tokio::test]
async fn unknown_price_stops() {
    let service = Service::with(priced(None)).await;
    let live = service.live(budget());
    assert_eq!(live.one_by_one(50).await, Some(Stop::UnknownPrice));
    assert_eq!(service.starts(), 1);
    assert_eq!(live.spending().spent, "0.20", "it counts as the worst");
}

#[tokio::test]
async fn another_currency_is_an_unknown_price() {
    let dollars = Some(Money::new("USD", "0.01".parse().unwrap()));
    let service = Service::with(priced(dollars)).await;
    let live = service.live(budget());
    assert_eq!(live.one_by_one(50).await, Some(Stop::UnknownPrice));
    assert_eq!(service.starts(), 1);
}

#[tokio::test]
async fn dearer_than_the_worst_stops() {
    let service = Service::with(priced(euros("0.21"))).await;
    let live = service.live(budget());
    assert_eq!(live.one_by_one(50).await, Some(Stop::PriceAboveWorst));
    assert_eq!(service.starts(), 1);
    assert_eq!(live.spending().spent, "0.21");
}

#[tokio::test]
async fn starts_keep_their_distance() {
    let service = Service::new().await;
    let mut request = service.request();
    request.cap = "20/s".parse().unwrap();
    let live = service.confirmed(request);
    let began = Instant::now();
    assert_eq!(live.one_by_one(6).await, None);
    // The first goes at once, each other one 50 ms after the one before.
    assert!(began.elapsed() >= Duration::from_millis(250));
    assert_eq!(service.starts(), 6);
}
