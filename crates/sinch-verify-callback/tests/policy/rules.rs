//! What each rule does, in memory and in Redis: each test runs on both.

use sinch_verify_callback::Method;
use sinch_verify_callback::policy::{Basis, PolicyStore, SkipReason};
use sinch_verify_callback::protocol::Status::{Aborted, Denied, Fail, Successful};

use crate::support::{ALICE, BOB, CAROL, DAY, Day, HOUR, MINUTE, SECOND, euros};

/// Declares a test that is run with a store in memory, and with one in Redis.
macro_rules! with_both_stores {
    ($( $(#[$doc:meta])* async fn $name:ident($store:ident: PolicyStore) $body:block )*) => {
        $(
            mod $name {
                use super::*;

                async fn run($store: PolicyStore) $body

                #[tokio::test]
                async fn in_memory() {
                    run(PolicyStore::default()).await;
                }

                #[cfg(feature = "redis")]
                #[tokio::test]
                async fn in_redis() {
                    let Some(redis) = crate::redis_server::RedisServer::start() else { return };
                    run(crate::shared::store(&redis.url())).await;
                }
            }
        )*
    };
}

with_both_stores! {
    async fn a_velocity_limit_counts_each_number_in_any_span_of_the_window(store: PolicyStore) {
        let mut day = Day::with("[[velocity]]\nper = \"number\"\nlimit = 3\nwindow = \"1h\"", store);
        assert_eq!(day.allowed(2, ALICE).await, 2);
        assert_eq!(day.after(30 * MINUTE).allowed(3, ALICE).await, 1);
        let denied = day.start(ALICE).await;
        assert_eq!(denied.denied_by(), "velocity-number-1h");
        assert_eq!(denied.retry_after(day.now), 30 * MINUTE);
        assert!(day.allows(BOB).await);
        // A denial counts nothing: at the time it named, two have left the window.
        assert_eq!(day.after(30 * MINUTE).allowed(5, ALICE).await, 2);
    }

    async fn ranges_countries_applications_and_all_starts_have_limits_too(store: PolicyStore) {
        let rules = |per: &str| format!("[[velocity]]\nname = \"{per}\"\nper = \"{per}\"\nlimit = 1\nwindow = \"1h\"");
        for (per, bob, carol) in [
            ("number", true, true),
            ("range", false, true),
            ("country", false, true),
            ("application", false, false),
            ("all", false, false),
        ] {
            let mut day = Day::with(&rules(per), store.clone());
            day.now += DAY;
            let id = |name: &str| format!("{per}-{name}");
            let mut start = async |name: &str, number: &str| {
                let id = sinch_verify_callback::protocol::VerificationId::new(&id(name)).unwrap();
                let started = day.start_event(|event| event.id = id, number).await;
                started.verdict.is_allowed()
            };
            assert!(start("alice", ALICE).await, "{per}");
            assert_eq!(start("bob", BOB).await, bob, "{per}");
            assert_eq!(start("carol", CAROL).await, carol, "{per}");
        }
    }

    async fn a_velocity_limit_with_a_burst_lets_the_burst_through_and_then_the_rate(store: PolicyStore) {
        let rules = "[[velocity]]\nper = \"country\"\nlimit = 120\nwindow = \"1h\"\nburst = 10";
        let mut day = Day::with(rules, store);
        assert_eq!(day.allowed(20, ALICE).await, 10);
        let denied = day.start(ALICE).await;
        assert_eq!(denied.retry_after(day.now), 30 * SECOND);
        assert_eq!(day.after(5 * MINUTE).allowed(20, ALICE).await, 10);
        assert_eq!(day.after(MINUTE).allowed(20, ALICE).await, 2);
    }

    async fn a_cooldown_grows_with_each_start_until_it_is_forgotten(store: PolicyStore) {
        let mut day = Day::with("[[cooldown]]\npauses = [\"30s\", \"60s\", \"5m\"]\nforget-after = \"1h\"", store);
        for pause in [30 * SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE] {
            assert!(day.allows(ALICE).await);
            assert_eq!(day.start(ALICE).await.retry_after(day.now), pause);
            assert!(!day.after(pause - SECOND).allows(ALICE).await);
            assert!(day.allows(BOB).await || pause != 30 * SECOND);
            day.after(SECOND);
        }
        assert!(day.allows(ALICE).await);
        day.after(HOUR);
        assert!(day.allows(ALICE).await);
        assert_eq!(day.start(ALICE).await.retry_after(day.now), 30 * SECOND);
    }

    async fn a_lockout_blocks_after_failures_and_for_longer_the_second_time(store: PolicyStore) {
        let rules = "[[lockout]]\nfailures = 3\nwindow = \"1h\"\nblock = [\"10m\", \"2h\"]";
        let mut day = Day::with(rules, store);
        // Neither a success nor a denial is a failure.
        day.run(ALICE, &[Fail, Aborted, Successful, Denied]).await;
        assert!(day.allows(ALICE).await);
        day.run(ALICE, &[Aborted]).await;
        let denied = day.start(ALICE).await;
        assert_eq!((denied.denied_by(), denied.retry_after(day.now)), ("lockout-number-1h", 10 * MINUTE));
        assert!(day.allows(BOB).await);
        day.after(10 * MINUTE).run(ALICE, &[Fail, Fail, Fail]).await;
        assert_eq!(day.start(ALICE).await.retry_after(day.now), 2 * HOUR);
        // Failures that are older than the window do not count.
        day.after(3 * HOUR + MINUTE).run(ALICE, &[Fail, Fail]).await;
        day.after(HOUR).run(ALICE, &[Fail]).await;
        assert!(day.allows(ALICE).await);
    }

    async fn a_budget_reserves_prices_until_its_period_ends_and_denied_gives_back(store: PolicyStore) {
        let rules = "[prices]\ncurrency = \"EUR\"\n[[budget]]\nperiod = \"day\"\namount = \"0.20\"";
        let mut day = Day::with(rules, store);
        let first = day.start(ALICE).await;
        day.run(BOB, &[Successful, Fail]).await;
        assert_eq!(day.allowed(3, CAROL).await, 1);
        let denied = day.start(ALICE).await;
        assert_eq!(denied.denied_by(), "budget-all-day");
        // The tests begin at 03:04:05.067 UTC.
        let midnight = 21 * HOUR - 4 * MINUTE - 5 * SECOND - std::time::Duration::from_millis(67);
        assert_eq!(denied.retry_after(day.now), midnight);
        // Twice, and it is given back once.
        day.end(&first, Denied).await;
        day.end(&first, Denied).await;
        assert_eq!(day.allowed(3, ALICE).await, 1);
        assert!(!day.after(midnight - SECOND).allows(ALICE).await);
        assert_eq!(day.after(SECOND).allowed(9, ALICE).await, 4);
    }

    async fn a_low_conversion_blocks_a_range_lets_samples_through_and_opens_again(store: PolicyStore) {
        let rules = "[[conversion]]\nfloor-percent = 50\nsamples = 4\nlast = 8\nblock = [\"10m\", \"1h\"]";
        let mut day = Day::with(rules, store);
        day.run(ALICE, &[Successful, Fail, Fail]).await;
        assert!(day.allows(BOB).await);
        day.run(BOB, &[Fail]).await;
        let denied = day.start(ALICE).await;
        assert_eq!((denied.denied_by(), denied.retry_after(day.now)), ("conversion-range", 10 * MINUTE));
        assert!(day.allows(CAROL).await);
        // Four try it out. Three of them fail: a longer block.
        day.after(10 * MINUTE);
        let mut tried = Vec::new();
        for _ in 0..4 {
            tried.push(day.start(ALICE).await);
        }
        assert_eq!(day.start(ALICE).await.retry_after(day.now), 10 * MINUTE);
        for (started, status) in tried.iter().zip([Successful, Fail, Fail, Fail]) {
            assert!(started.verdict.is_allowed());
            day.end(started, status).await;
        }
        assert_eq!(day.start(BOB).await.retry_after(day.now), HOUR);
        // Now they convert.
        day.after(HOUR).run(ALICE, &[const { Successful }; 4]).await;
        assert_eq!(day.allowed(9, ALICE).await, 9);
    }

    async fn what_began_before_a_block_does_not_make_it_longer(store: PolicyStore) {
        let rules = "[[conversion]]\nfloor-percent = 50\nsamples = 2\nblock = [\"10m\", \"1h\", \"5h\"]";
        let mut day = Day::with(rules, store);
        let mut started = Vec::new();
        for _ in 0..10 {
            started.push(day.start(ALICE).await);
        }
        day.after(MINUTE);
        for started in &started {
            day.end(started, Fail).await;
        }
        assert_eq!(day.start(ALICE).await.retry_after(day.now), 10 * MINUTE);
    }

    async fn conversion_by_method_blocks_one_method(store: PolicyStore) {
        let rules = "[[conversion]]\nper = \"country\"\nby-method = true\nfloor-percent = 50\nsamples = 2\nblock = \"1h\"";
        let mut day = Day::with(rules, store);
        day.run(ALICE, &[Fail, Fail]).await;
        assert!(!day.allows(BOB).await);
        let by_call = day.start_event(|event| event.method = Method::Callout, BOB).await;
        assert!(by_call.verdict.is_allowed());
    }

    async fn the_first_enforced_denial_decides_and_nothing_counts(store: PolicyStore) {
        let rules = "[prices]\ncurrency = \"EUR\"
            [[velocity]]\nper = \"number\"\nlimit = 1\nwindow = \"1h\"
            [[velocity]]\nper = \"country\"\nlimit = 2\nwindow = \"1h\"
            [[budget]]\nperiod = \"day\"\namount = \"0.10\"";
        let mut day = Day::with(rules, store);
        assert!(day.allows(ALICE).await);
        for _ in 0..9 {
            assert_eq!(day.start(ALICE).await.denied_by(), "velocity-number-1h");
        }
        assert!(day.allows(BOB).await);
        assert_eq!(day.start("+46700000003").await.denied_by(), "velocity-country-1h");
        assert_eq!(day.start(CAROL).await.denied_by(), "budget-all-day");
    }

    async fn an_observed_rule_says_what_it_would_deny_and_denies_nothing(store: PolicyStore) {
        let rules = "mode = \"observe\"
            [[velocity]]\nper = \"number\"\nlimit = 1\nwindow = \"1h\"
            [[velocity]]\nper = \"range\"\nlimit = 3\nwindow = \"1h\"\nmode = \"enforce\"";
        let mut day = Day::with(rules, store);
        let mut observed = Vec::new();
        for _ in 0..4 {
            let verdict = day.start(ALICE).await.verdict;
            observed.push((verdict.is_allowed(), verdict.observed.len()));
        }
        assert_eq!(observed, [(true, 0), (true, 1), (true, 1), (false, 1)]);
    }

    async fn an_event_that_comes_again_gets_the_same_verdict_and_counts_once(store: PolicyStore) {
        let mut day = Day::with("[[velocity]]\nper = \"number\"\nlimit = 2\nwindow = \"5m\"", store);
        let first = day.start(ALICE).await;
        for _ in 0..5 {
            let again = day.policy.check(&first.event, &day.context()).await.unwrap();
            assert_eq!((again.is_allowed(), again.basis), (true, Basis::Repeated));
        }
        assert!(day.allows(ALICE).await);
        let denied = day.start(ALICE).await;
        // When there would be room again.
        day.after(6 * MINUTE);
        let again = day.policy.check(&denied.event, &day.context()).await.unwrap();
        assert_eq!((again.basis, again.denial), (Basis::Repeated, denied.verdict.denial));
    }

    async fn what_is_denied_after_all_is_given_back(store: PolicyStore) {
        let rules = "[prices]\ncurrency = \"EUR\"
            [[velocity]]\nper = \"number\"\nlimit = 2\nwindow = \"1h\"
            [[velocity]]\nper = \"country\"\nlimit = 10\nwindow = \"1h\"\nburst = 2
            [[cooldown]]\nper = \"range\"\npauses = [\"10m\", \"1h\"]
            [[budget]]\nperiod = \"hour\"\namount = \"0.10\"";
        let mut day = Day::with(rules, store);
        for _ in 0..20 {
            let started = day.start(ALICE).await;
            assert_eq!(started.denied_by(), "none");
            day.policy.release(&started.event, &day.context()).await.unwrap();
            day.policy.release(&started.event, &day.context()).await.unwrap();
        }
        assert!(day.allows(ALICE).await);
        assert_eq!(day.start(ALICE).await.retry_after(day.now), 10 * MINUTE);
    }

    async fn a_clock_that_is_set_back_delays_nothing_for_longer_than_the_rule(store: PolicyStore) {
        let rules = "[prices]\ncurrency = \"EUR\"
            [[velocity]]\nper = \"number\"\nlimit = 1\nwindow = \"10m\"
            [[velocity]]\nper = \"country\"\nlimit = 6\nwindow = \"1h\"\nburst = 1
            [[cooldown]]\npauses = \"10m\"\nforget-after = \"10m\"
            [[lockout]]\nfailures = 1\nwindow = \"1m\"\nblock = \"10m\"
            [[conversion]]\nfloor-percent = 50\nsamples = 1\nblock = \"10m\"
            [[budget]]\nperiod = \"hour\"\namount = \"0.10\"";
        let mut day = Day::with(rules, store);
        let true_time = day.now;
        day.after(1000 * DAY).run(ALICE, &[Fail]).await;
        day.now = true_time;
        assert!(!day.allows(ALICE).await);
        assert!(day.after(10 * MINUTE).allows(ALICE).await);
    }

    async fn caller_keys_are_read_from_json_and_counted(store: PolicyStore) {
        let rules = "[caller]\nfrom = \"custom\"\njson = \"/ip\"\nwritten-by = \"backend\"
            [[velocity]]\nper = \"caller\"\nlimit = 1\nwindow = \"1h\"";
        let mut day = Day::with(rules, store);
        let mut from = async |custom: &str, number: &str| {
            day.start_event(|event| event.custom = Some(custom.into()), number).await
        };
        assert_eq!(from(r#"{"ip":"192.0.2.1"}"#, ALICE).await.denied_by(), "none");
        assert_eq!(from(r#"{"ip":"192.0.2.2"}"#, ALICE).await.denied_by(), "none");
        let denied = from(r#"{"ip":"192.0.2.1","user":7}"#, CAROL).await.verdict.denial.unwrap();
        assert_eq!(denied.to_string(), "velocity-caller-1h: 192.***.1 (1 in 1h)");
        for unreadable in ["", "192.0.2.1", "{\"ip\":null}", "{\"ip\":\"\"}"] {
            let skipped = from(unreadable, ALICE).await.verdict.skipped;
            assert_eq!(skipped[0].reason, SkipReason::NoCallerKey, "{unreadable}");
        }
    }
}

#[tokio::test]
async fn destinations_are_decided_by_the_most_particular_line() {
    let mut day = Day::in_memory(
        "[destinations]
        allow-countries = [\"SE\", \"NO\"]
        allow-prefixes = [\"+4520\"]
        deny-prefixes = [\"+46709\", \"+452099\"]
        [destinations.methods]
        NO = [\"sms\"]",
    );
    for (number, method, reason) in [
        ("+46700000001", Method::Sms, None),
        ("+46709000001", Method::Sms, Some("+46709 is denied")),
        ("+4520123456", Method::Sms, None),
        ("+4520991234", Method::Sms, Some("+452099 is denied")),
        ("+4530123456", Method::Sms, Some("DK is not allowed")),
        (
            "+88212345678",
            Method::Sms,
            Some("numbers of no country are not allowed"),
        ),
        ("+4740612345", Method::Sms, None),
        (
            "+4740612345",
            Method::Callout,
            Some("method callout is not allowed in NO"),
        ),
    ] {
        let started = day.start_event(|event| event.method = method, number).await;
        let limit = started.verdict.denial.map(|denial| denial.limit);
        assert_eq!(limit.as_deref(), reason, "{number}");
    }
}

#[tokio::test]
async fn a_rule_can_be_for_some_countries_and_methods() {
    let mut day = Day::in_memory(
        "[[velocity]]
        per = \"all\"
        limit = 1
        window = \"1h\"
        countries = [\"SE\"]
        methods = [\"callout\"]",
    );
    assert_eq!(day.allowed(3, ALICE).await, 3);
    let mut call = async |number: &str| {
        let started = day
            .start_event(|event| event.method = Method::Callout, number)
            .await;
        started.verdict.is_allowed()
    };
    assert!(call(ALICE).await);
    assert!(!call(BOB).await);
    assert!(call(CAROL).await);
}

#[tokio::test]
async fn exceptions_are_never_denied_and_never_counted() {
    let mut day = Day::in_memory(
        "[exceptions]
        numbers = [\"+46700000001\"]
        prefixes = [\"+474061\"]
        [[velocity]]
        per = \"all\"
        limit = 1
        window = \"1h\"
        [destinations]
        deny-countries = [\"NO\"]",
    );
    assert_eq!(day.allowed(5, ALICE).await, 5);
    assert_eq!(day.start(CAROL).await.verdict.basis, Basis::Exception);
    assert!(day.allows(BOB).await);
    assert!(!day.allows(BOB).await);
}

#[tokio::test]
async fn a_price_comes_from_the_event_or_else_from_the_rules() {
    let rules = "[prices]
        currency = \"EUR\"
        default = \"0.3\"
        countries = { NO = \"0.2\" }
        [[budget]]
        period = \"hour\"
        amount = \"1\"";
    for (price, number, starts) in [
        (Some(euros("0.1")), ALICE, 10),
        (Some(euros("1e-1")), ALICE, 10),
        (Some(euros("0")), ALICE, 20),
        (None, ALICE, 3),
        (None, CAROL, 5),
        (Some(euros("-0.1")), CAROL, 5),
        (Some(euros("1e30")), CAROL, 5),
        (
            Some(sinch_verify_callback::protocol::price::Money::new(
                "USD",
                "0.1".parse().unwrap(),
            )),
            CAROL,
            5,
        ),
    ] {
        let mut day = Day::in_memory(rules);
        let mut allowed = 0;
        for _ in 0..20 {
            let started = day
                .start_event(|event| event.price.clone_from(&price), number)
                .await;
            allowed += usize::from(started.verdict.is_allowed());
        }
        assert_eq!(allowed, starts, "{price:?} {number}");
    }
}

#[tokio::test]
async fn a_report_has_rules_countries_and_the_most_expensive_ranges() {
    let mut day = Day::in_memory(
        "[prices]
        currency = \"EUR\"
        [[velocity]]
        per = \"number\"
        limit = 4
        window = \"1h\"
        [[cooldown]]
        pauses = \"1s\"
        mode = \"observe\"",
    );
    day.run(ALICE, &[Successful, Fail, Denied]).await;
    assert_eq!(day.allowed(4, ALICE).await, 2);
    day.run(CAROL, &[Successful]).await;

    let report = day.policy.report();
    assert_eq!((report.all.allowed, report.all.denied), (6, 2));
    assert_eq!((report.all.ended, report.all.succeeded), (3, 2));
    assert_eq!(report.all.cost().to_string(), "0.25");
    assert_eq!(report.all.denied_cost().to_string(), "0.1");
    let rules: Vec<_> = report
        .rules
        .iter()
        .map(|(name, t)| (&**name, t.denied, t.observed))
        .collect();
    assert_eq!(rules, [("velocity-number-1h", 2, 0), ("cooldown-number", 0, 6)]);
    let countries = report
        .countries
        .iter()
        .map(|(country, t)| (country.unwrap().to_string(), t.allowed));
    assert_eq!(
        countries.collect::<Vec<_>>(),
        [("NO".to_owned(), 1), ("SE".to_owned(), 5)]
    );
    let first = report.by_cost(1);
    assert_eq!(
        (&*first[0].0, first[0].1.cost().to_string()),
        ("+4670000", "0.2".to_owned())
    );
    assert_eq!(&*report.by_conversion(1, 1)[0].0, "+4670000");
}

#[tokio::test]
async fn the_first_example_policy_denies_nothing_and_the_second_one_does() {
    let mut day = Day::in_memory(include_str!("../../examples/policies/observe.toml"));
    assert_eq!(day.allowed(30, ALICE).await, 30);
    let report = day.policy.report();
    assert!(report.rules.iter().any(|(_, tally)| tally.observed > 20));

    let mut day = Day::in_memory(include_str!("../../examples/policies/enforce.toml"));
    // The first start, and those that a person makes who waits as the cooldown says.
    for pause in [SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE] {
        assert!(day.after(pause).allows(ALICE).await);
        assert!(!day.allows(ALICE).await);
    }
    assert_eq!(
        day.after(10 * MINUTE).start(ALICE).await.denied_by(),
        "velocity-number-1h"
    );
    assert!(day.allows(BOB).await);
}
