//! What is counted, and under which names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod fixtures;
mod recorder;

use std::collections::BTreeMap;
use std::time::Duration;

use fixtures::{builder, now, signer};
use recorder::Kept;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::{Decision, Method, Status, VerificationId, WireObject as _};
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::testing::{Tamper, request_event, result_event};
use sinch_verify_callback::{Full, InDoubt, ReplayGuard};

#[tokio::test]
async fn everything_is_counted_once() {
    let kept = Kept::default();
    // For this thread, which is the only one of this test.
    let _guard = metrics::set_default_local_recorder(&kept);
    let signer = signer();
    let handler = |event: RequestEvent| async move {
        match event.method {
            Method::Sms => Ok(Decision::Allow),
            Method::Callout => Err("no database"),
            _ => std::future::pending().await,
        }
    };
    let room = std::num::NonZeroUsize::new(5).unwrap();
    let guard = ReplayGuard::new(MemoryStore::new(room), InDoubt::Refuse);
    let service = builder()
        .guard(guard)
        // Of the flash call; long enough for the others on a busy machine.
        .deadline(Duration::from_secs(1))
        .handler(handler)
        .build()
        .unwrap();

    let now = now();
    let number = || "+46700000001".parse().unwrap();
    let id = |text| VerificationId::new(text).unwrap();
    let post =
        |body: String, later: u64| signer.post("/".parse().unwrap(), body, now + Duration::from_secs(later));
    let sms = request_event(id("1"), Method::Sms, number()).to_json();
    let mut requests = vec![
        post(sms.clone(), 0),
        post(sms.clone(), 0), // a replay
        post(sms.clone(), 1), // sent again
        post(request_event(id("2"), Method::Callout, number()).to_json(), 0),
        post(request_event(id("3"), Method::FlashCall, number()).to_json(), 0),
        post(
            result_event(id("1"), Method::Sms, number(), Status::Successful).to_json(),
            0,
        ),
        post(sms.clone(), 2), // no room
    ];
    for tamper in [Tamper::Body, Tamper::Stale] {
        let mut request = post(sms.clone(), 3);
        tamper.apply(&signer, &mut request, now);
        requests.push(request);
    }
    for request in &requests {
        service.respond(request, Full::new(request.body().clone())).await;
    }

    let expected = [
        ("sinch_callback_accepted_total{event=request}", 4),
        ("sinch_callback_accepted_total{event=result}", 1),
        ("sinch_callback_decisions_total{decision=allow,by=before}", 1),
        ("sinch_callback_decisions_total{decision=allow,by=handler}", 1),
        ("sinch_callback_decisions_total{decision=deny,by=fallback}", 2),
        ("sinch_callback_duration_seconds{}", 9),
        ("sinch_callback_guard_doubts_total{store=full}", 1),
        ("sinch_callback_handler_failures_total{failure=deadline}", 1),
        ("sinch_callback_handler_failures_total{failure=error}", 1),
        ("sinch_callback_rejected_total{reason=mismatch}", 1),
        ("sinch_callback_rejected_total{reason=replayed}", 1),
        ("sinch_callback_rejected_total{reason=stale}", 1),
        ("sinch_callback_rejected_total{reason=unguarded}", 1),
    ];
    let expected: BTreeMap<String, u64> = expected
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    assert_eq!(*kept.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_receiver_without_a_service_counts_what_it_takes_and_refuses() {
    let kept = Kept::default();
    let _guard = metrics::set_default_local_recorder(&kept);
    let signer = signer();
    let now = now();
    let receiver = builder().build_receiver().unwrap();

    let id = VerificationId::new("1").unwrap();
    let body = request_event(id, Method::Sms, "+46700000001".parse().unwrap()).to_json();
    let request = signer.post("/".parse().unwrap(), body, now);
    let receive = async |request: &http::Request<bytes::Bytes>| {
        let body = Full::new(request.body().clone());
        receiver.receive(request, body).await
    };
    assert!(receive(&request).await.is_ok());
    assert!(receive(&request).await.is_err());
    let mut unsigned = request.clone();
    unsigned.headers_mut().clear();
    assert!(receive(&unsigned).await.is_err());

    let expected = [
        ("sinch_callback_accepted_total{event=request}", 1),
        ("sinch_callback_rejected_total{reason=missing_authorization}", 1),
        ("sinch_callback_rejected_total{reason=replayed}", 1),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(*kept.0.lock().unwrap(), BTreeMap::from(expected));
}

#[cfg(feature = "policy")]
#[tokio::test]
async fn a_policy_counts_decisions_ends_and_money() {
    use sinch_verify_callback::policy::{FraudPolicy, PolicyRules};
    use sinch_verify_callback::protocol::price::Money;

    let kept = Kept::default();
    let _guard = metrics::set_default_local_recorder(&kept);
    let rules: PolicyRules = r#"
        [prices]
        currency = "EUR"
        [[velocity]]
        per = "number"
        limit = 2
        window = "1h"
        [[cooldown]]
        per = "country"
        pauses = "1m"
        mode = "observe"
        [[velocity]]
        name = "callers"
        per = "caller"
        limit = 1
        window = "1h"
        [caller]
        from = "reference"
        json = "/ip"
        written-by = "backend"
    "#
    .parse()
    .unwrap();
    let policy = FraudPolicy::builder(rules).build().unwrap();
    let handler = |_: RequestEvent| async { Decision::Allow };
    let service = builder().policy(&policy).handler(handler).build().unwrap();
    let post = async |body: String| {
        let request = signer().post("/".parse().unwrap(), body, now());
        service.respond(&request, Full::new(request.body().clone())).await;
    };
    let id = |text| VerificationId::new(text).unwrap();
    let number = || "+46700000001".parse().unwrap();
    for (n, currency) in [("1", "EUR"), ("2", "EUR"), ("3", "USD")] {
        let mut event = request_event(id(n), Method::Sms, number());
        event.price = Some(Money::new(currency, "0.0127".parse().unwrap()));
        post(event.to_json()).await;
    }
    for (n, status) in [
        ("1", Status::Successful),
        ("2", Status::Denied),
        ("3", Status::Denied),
    ] {
        post(result_event(id(n), Method::Sms, number(), status).to_json()).await;
    }

    let counts = kept.0.lock().unwrap().clone();
    let of_policy =
        |(name, count): (String, u64)| Some((name.strip_prefix("sinch_callback_policy_")?.to_owned(), count));
    let counts: BTreeMap<_, _> = counts.into_iter().filter_map(of_policy).collect();
    let to = "country=SE,method=sms";
    let expected = [
        (
            format!("decisions_total{{{to},decision=allow,rule=none,mode=enforce}}"),
            2,
        ),
        (
            format!("decisions_total{{{to},decision=deny,rule=velocity-number-1h,mode=enforce}}"),
            1,
        ),
        (
            format!("decisions_total{{{to},decision=deny,rule=cooldown-country,mode=observe}}"),
            2,
        ),
        ("skipped_total{rule=callers,reason=no_caller_key}".to_owned(), 3),
        ("bad_prices_total{reason=other_currency}".to_owned(), 1),
        ("reserved_millionths_total{country=SE}".to_owned(), 25_400),
        ("released_millionths_total{country=SE}".to_owned(), 12_700),
        (format!("ended_total{{{to},end=success}}"), 1),
        (format!("ended_total{{{to},end=denied}}"), 1),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}
