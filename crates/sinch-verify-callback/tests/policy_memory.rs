//! How much memory a million keys take. Alone in its program, so that nothing else is measured.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod fixtures;

use fixtures::{key, now, resident};
use sinch_verify_callback::policy::{FraudPolicy, PolicyRules, PolicyStore};
use sinch_verify_callback::protocol::{Method, VerificationId};
use sinch_verify_callback::replay::StoreError;
use sinch_verify_callback::testing::request_event;
use sinch_verify_callback::{Context, RequestEvent};

#[tokio::test]
async fn a_million_keys_take_150_mb_and_no_more_after() {
    // With the verification itself, four keys for a start.
    let rules: PolicyRules = r#"
        [[velocity]]
        per = "number"
        limit = 5
        window = "1d"
        [[cooldown]]
        pauses = ["30s", "5m"]
        forget-after = "1d"
        [[velocity]]
        per = "caller"
        limit = 20
        window = "1d"
        [caller]
        from = "custom"
        written-by = "backend"
    "#
    .parse()
    .unwrap();
    let store = PolicyStore::default();
    let policy = FraudPolicy::builder(rules).store(store.clone()).build().unwrap();
    let context = Context::new(key(), now());
    let start = |n: u32| -> RequestEvent {
        let number = format!("+4670{n:07}").parse().unwrap();
        let mut event = request_event(VerificationId::new(&n.to_string()).unwrap(), Method::Sms, number);
        event.custom = Some(format!("caller {n}").as_str().into());
        event
    };
    let before = resident();
    for n in 0..250_000 {
        assert!(policy.check(&start(n), &context).await.unwrap().is_allowed());
    }
    assert_eq!(store.keys(), Some(1_000_000));
    let full = resident();
    let taken = (full - before) / 1_000_000;
    assert!(taken <= 150, "{taken} MB");

    for n in 250_000..300_000 {
        assert_eq!(policy.check(&start(n), &context).await, Err(StoreError::Full));
    }
    let after = resident();
    assert!(after < full + 1024 * 1024, "{full} bytes became {after}");
}
