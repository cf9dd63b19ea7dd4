//! What never happens, whatever the events are.

use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use sinch_verify_callback::policy::{FraudPolicy, PolicyRules, PolicyStore};
use sinch_verify_callback::protocol::Status;
use sinch_verify_callback::replay::StoreError;

use crate::support::{ALICE, BOB, CAROL, Day, SECOND, Started, event};

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Time passes: milliseconds, back if negative.
    Pass(i64),
    /// A start for one of three numbers.
    Start(usize),
    /// One of the verifications ends.
    End(usize, Status),
    /// The start of one is denied after all.
    Release(usize),
    /// The event of one comes again.
    Repeat(usize),
}

const NUMBERS: [&str; 3] = [ALICE, BOB, CAROL];

fn step(earliest: i64) -> impl Strategy<Value = Step> {
    let status = prop_oneof![
        3 => Just(Status::Successful),
        3 => Just(Status::Fail),
        1 => Just(Status::Aborted),
        1 => Just(Status::Denied),
    ];
    prop_oneof![
        3 => (earliest..20_000_i64).prop_map(Step::Pass),
        1 => (0..400_000_i64).prop_map(Step::Pass),
        8 => (0..3_usize).prop_map(Step::Start),
        4 => (0..1000_usize, status).prop_map(|(which, status)| Step::End(which, status)),
        1 => (0..1000_usize).prop_map(Step::Release),
        1 => (0..1000_usize).prop_map(Step::Repeat),
    ]
}

/// Steps on a clock that never goes back.
fn forward() -> impl Strategy<Value = Vec<Step>> {
    vec(step(0), 1..120)
}

/// Steps on a clock that is set back now and then, by half a minute at most.
pub(crate) fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(-30_000), 1..80)
}

/// What a start did that went ahead, and was not given back.
struct Counted {
    number: usize,
    at: Duration,
}

/// Takes the steps, and gives what counted and what was said.
async fn take(day: &mut Day, steps: &[Step]) -> (Vec<Counted>, Vec<String>) {
    let (begin, mut started) = (day.now, Vec::<(Started, usize, Duration, bool)>::new());
    let mut said = Vec::new();
    let mut latest = begin;
    for step in steps {
        latest = latest.max(day.now);
        match step {
            Step::Pass(milliseconds @ 0..) => day.now += Duration::from_millis(milliseconds.unsigned_abs()),
            Step::Pass(milliseconds) => {
                let back = day.now - Duration::from_millis(milliseconds.unsigned_abs());
                day.now = back.max(latest - Duration::from_secs(30));
            }
            Step::Start(number) => {
                let one = day.start(NUMBERS[*number]).await;
                said.push(format!("{:?}", one.verdict.denial));
                let at = day.now.duration_since(begin).unwrap_or_default();
                let counts = one.verdict.is_allowed();
                started.push((one, *number, at, counts));
            }
            _ if started.is_empty() => {}
            Step::End(which, status) => {
                let which = which % started.len();
                day.end(&started[which].0, status.clone()).await;
                // One that has ended before stays as it is; this only makes the test weaker.
                started[which].3 &= *status != Status::Denied;
            }
            Step::Release(which) => {
                let which = which % started.len();
                day.policy
                    .release(&started[which].0.event, &day.context())
                    .await
                    .unwrap();
                started[which].3 = false;
            }
            Step::Repeat(which) => {
                // Not after it was given back: then it is as new.
                let (one, .., true) = &started[which % started.len()] else {
                    continue;
                };
                let again = day.policy.check(&one.event, &day.context()).await.unwrap();
                said.push(format!("{:?}", again.denial));
            }
        }
    }
    let counted = started.into_iter().filter(|(.., counts)| *counts);
    (
        counted.map(|(_, number, at, _)| Counted { number, at }).collect(),
        said,
    )
}

/// What is said to the steps.
pub(crate) async fn said(day: &mut Day, steps: &[Step]) -> Vec<String> {
    take(day, steps).await.1
}

/// As [`take`], in a runtime of its own.
fn taken(day: &mut Day, steps: &[Step]) -> (Vec<Counted>, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(take(day, steps))
}

/// The most starts for one number that lie within `span` of the first of them.
fn most_within(counted: &[Counted], span: Duration) -> usize {
    let most = |number| {
        let times: Vec<_> = counted
            .iter()
            .filter(|one| one.number == number)
            .map(|one| one.at)
            .collect();
        let within = |from: Duration| times.iter().filter(|at| (from..from + span).contains(at)).count();
        times.iter().map(|from| within(*from)).max()
    };
    (0..NUMBERS.len()).filter_map(most).max().unwrap_or_default()
}

/// Policies of which one rule or another denies often.
pub(crate) fn rules() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        (1..5_u32, 5..300_u32).prop_map(|(limit, window)| {
            format!("[[velocity]]\nper = \"number\"\nlimit = {limit}\nwindow = \"{window}s\"\n")
        }),
        (1..5_u32, 1..9_u32, 5..300_u32).prop_map(|(burst, limit, window)| {
            format!("[[velocity]]\nper = \"range\"\nburst = {burst}\nlimit = {limit}\nwindow = \"{window}s\"\n")
        }),
        (1..60_u32, 1..60_u32, 60..600_u32).prop_map(|(first, second, forget)| {
            format!("[[cooldown]]\npauses = [\"{first}s\", \"{second}s\"]\nforget-after = \"{forget}s\"\n")
        }),
        (1..4_u32, 5..300_u32, 1..60_u32).prop_map(|(failures, window, block)| {
            format!("[[lockout]]\nfailures = {failures}\nwindow = \"{window}s\"\nblock = [\"{block}s\", \"90s\"]\n")
        }),
        (1..9_u32, 1..9_u32, 1..60_u32, 100..900_u32).prop_map(|(samples, more, block, forget)| {
            let last = samples + more;
            format!(
                "[[conversion]]\nfloor-percent = 60\nsamples = {samples}\nlast = {last}\n\
                 block = [\"{block}s\", \"90s\"]\nforget-after = \"{forget}s\"\n"
            )
        }),
        (1..20_u32).prop_map(|times| {
            format!("[[budget]]\nper = \"country\"\nperiod = \"hour\"\namount = \"{}\"\n", f64::from(times) / 20.0)
        }),
    ];
    vec((one, any::<bool>()), 1..6).prop_map(|rules| {
        let named = rules.into_iter().enumerate().map(|(at, (rule, is_observed))| {
            let mode = if is_observed { "observe" } else { "enforce" };
            format!("{rule}name = \"r{at}\"\nmode = \"{mode}\"\n")
        });
        format!("[prices]\ncurrency = \"EUR\"\n{}", named.collect::<String>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_limit_is_never_exceeded_in_any_window(limit in 1..6_usize, window in 1..120_u64, steps in forward()) {
        let rules = format!("[[velocity]]\nper = \"number\"\nlimit = {limit}\nwindow = \"{window}s\"");
        let (counted, _) = taken(&mut Day::in_memory(&rules), &steps);
        prop_assert!(most_within(&counted, Duration::from_secs(window)) <= limit);
    }

    #[test]
    fn a_burst_and_a_rate_are_never_exceeded_in_any_span(
        burst in 1..6_u32,
        limit in 1..20_u32,
        window in 1..120_u32,
        span in 1..400_u32,
        steps in forward(),
    ) {
        let rules = format!(
            "[[velocity]]\nper = \"number\"\nburst = {burst}\nlimit = {limit}\nwindow = \"{window}s\""
        );
        let (counted, _) = taken(&mut Day::in_memory(&rules), &steps);
        let bound = f64::from(burst) + f64::from(limit) * f64::from(span) / f64::from(window);
        let most = most_within(&counted, Duration::from_secs(span.into()));
        prop_assert!(most as f64 <= bound, "{} above {}", most, bound);
    }

    #[test]
    fn observing_changes_no_decision(rules in rules(), steps in any_steps()) {
        let enforced: Vec<_> = rules.split("[[").filter(|rule| !rule.contains("observe")).collect();
        let (_, with) = taken(&mut Day::in_memory(&rules), &steps);
        let (_, without) = taken(&mut Day::in_memory(&enforced.join("[[")), &steps);
        prop_assert_eq!(with, without);
    }

    #[test]
    fn no_rule_waits_longer_than_its_longest_time(rules in rules(), steps in any_steps()) {
        let mut day = Day::in_memory(&rules);
        taken(&mut day, &steps);
        // No rule of these has a longer one than an hour, which may have begun when the clock was ahead.
        day.now += Duration::from_secs(2 * 3600);
        let (counted, said) = taken(&mut day, &[Step::Start(0)]);
        prop_assert!(!counted.is_empty(), "{:?} {}", said, rules);
    }
}

/// Many starts at once, over one policy or several with one store.
pub(crate) async fn at_once(
    policies: &[FraudPolicy],
    count: usize,
    number: impl Fn(usize) -> String,
) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..count {
        let mut day = Day::new(policies[n % policies.len()].clone());
        let event = event(&format!("at-once-{n}"), &number(n));
        tasks.spawn(async move {
            let started = day.start_event(|new| *new = event.clone(), ALICE).await;
            // And again, as a sender that lost the answer.
            let again = day.policy.check(&event, &day.context()).await.unwrap();
            assert_eq!(started.verdict.is_allowed(), again.is_allowed());
            started.verdict.is_allowed()
        });
    }
    tasks
        .join_all()
        .await
        .into_iter()
        .filter(|is_allowed| *is_allowed)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_budget_is_never_overrun_by_starts_at_once() {
    let rules: PolicyRules = "[prices]\ncurrency = \"EUR\"
        [[budget]]\nperiod = \"day\"\namount = \"1.02\"
        [[velocity]]\nper = \"number\"\nlimit = 3\nwindow = \"1h\""
        .parse()
        .unwrap();
    let policy = FraudPolicy::builder(rules).build().unwrap();
    let policies = [policy];
    assert_eq!(
        at_once(&policies, 400, |n| format!("+467000{:05}", n / 4)).await,
        20
    );
    assert_eq!(policies[0].report().all.cost().to_string(), "1");
}

#[tokio::test]
async fn a_full_store_is_in_doubt_until_keys_expire() {
    let rules = "[[velocity]]\nper = \"number\"\nlimit = 5\nwindow = \"10s\"\nname = \"v\"\n";
    let store = PolicyStore::memory(NonZeroUsize::new(100).unwrap());
    let mut day = Day::with(&format!("result-within = \"10s\"\n{rules}"), store.clone());
    let number = |n: u32| format!("+4670{n:07}");
    for n in 0..50 {
        assert!(day.allows(&number(n)).await);
    }
    let refused = event("one-more", &number(50));
    assert_eq!(
        day.policy.check(&refused, &day.context()).await,
        Err(StoreError::Full)
    );
    assert_eq!(store.keys(), Some(100));
    day.after(10 * SECOND);
    assert!(
        day.policy
            .check(&refused, &day.context())
            .await
            .unwrap()
            .is_allowed()
    );
    assert_eq!(store.keys(), Some(2));
}
