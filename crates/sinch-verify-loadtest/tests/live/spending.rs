//! Money, numbers and counts.

use std::time::Duration;

use sinch_verify_emulator::Settings;
use sinch_verify_protocol::price::Money;

use crate::support::Service;

fn priced(price: Option<(&str, &str)>) -> Settings {
    let mut settings = Settings::default();
    settings.price = price.map(|(currency, amount)| Money::new(currency, amount.parse().unwrap()));
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_at_the_same_time_cannot_exceed_the_budget() {
    let service = Service::new().await;
    // No flow ends, and so none is settled, before all users have tried to start.
    service.slow_flows(Duration::from_secs(5));
    let run = service
        .run("budget")
        .set("--max-cost", "1.00")
        .set("--users", "20");
    let file = run.stopped("--max-cost does not cover").await;
    assert_eq!(service.starts(), 5, "5 x 0.20 EUR");
    let spending = &file["spending"];
    assert_eq!(
        spending["spent"], "0.2265",
        "flows under way ended, and their prices are known"
    );
    assert_eq!(spending["reserved"], "0.00");
    assert_eq!(spending["limit"], "1.00");
    assert_eq!(file["counters"]["failed"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_verification_did_not_cost_is_spent_on_others() {
    let service = Service::with(priced(Some(("EUR", "0.05")))).await;
    let run = service.run("settled").set("--max-cost", "1.00");
    let file = run.stopped("--max-cost does not cover").await;
    assert_eq!(
        service.starts(),
        17,
        "the 18th may cost 17 x 0.05 + 0.20 = 1.05 EUR"
    );
    assert_eq!(file["spending"]["spent"], "0.85");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_verifications_start_than_allowed() {
    let service = Service::new().await;
    let run = service.run("verifications").verifications(7).set("--users", "4");
    let file = run.stopped("--max-verifications is reached").await;
    assert_eq!(service.starts(), 7);
    assert_eq!(file["spending"]["started"], 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_is_verified_more_often_than_allowed() {
    let service = Service::new().await;
    let run = service
        .run("numbers")
        .numbers("+46700000001\n+46700000002\n")
        .set("--per-number", "2")
        .set("--users", "4");
    run.stopped("as often as --per-number allows").await;
    for number in ["+46700000001", "+46700000002"] {
        assert_eq!(service.messages(number), 2);
    }
    assert_eq!(service.starts(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_is_missing_or_in_another_currency_stops() {
    for (name, price) in [("no-price", None), ("dollars", Some(("USD", "0.01")))] {
        let service = Service::with(priced(price)).await;
        let file = service
            .run(name)
            .stopped("price is missing or in another currency")
            .await;
        assert_eq!(service.starts(), 1);
        assert_eq!(file["spending"]["spent"], "0.20", "it counts as the worst price");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_above_the_worst_stops() {
    let service = Service::with(priced(Some(("EUR", "0.21")))).await;
    let file = service.run("expensive").stopped("more than --worst-price").await;
    assert_eq!(service.starts(), 1);
    assert_eq!(file["spending"]["spent"], "0.21");
}
