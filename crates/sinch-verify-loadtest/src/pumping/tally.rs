use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rust_decimal::Decimal;
use sinch_verify_callback::policy::FraudPolicy;
use sinch_verify_callback::replay::StoreError;
use sinch_verify_callback::{Context, RequestEvent, ResultEvent};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::price::Money;
use sinch_verify_protocol::{Amount, ApplicationKey, Method, VerificationId};

use super::traffic::{Sender, SimulatedStart, Traffic};

/// What a policy did with a day of traffic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Starts of bots.
    pub attack: Starts,
    /// Starts of honest users.
    pub honest: Starts,
    /// Honest users with numbers outside the attacked ranges.
    pub outside: Users,
    /// Honest users with numbers inside the attacked ranges.
    pub inside: Users,
    /// How many starts of honest users each rule denied.
    pub denied_by: BTreeMap<String, u32>,
    /// Starts of bots in each [`Self::SLICE`] of the day, and how many of them went ahead.
    pub slices: Vec<Starts>,
}

impl Tally {
    /// The time that one of [`Self::slices`] stands for: ten minutes.
    pub const SLICE: Duration = Duration::from_secs(600);
}

/// Starts, and what they cost in EUR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// How many there were.
    pub starts: u32,
    /// How many went ahead.
    pub allowed: u32,
    /// What all would have cost.
    pub cost: Decimal,
    /// What those cost that went ahead.
    pub paid: Decimal,
}

impl Starts {
    fn add(&mut self, price: Decimal, is_allowed: bool) {
        self.starts += 1;
        self.cost += price;
        if is_allowed {
            self.allowed += 1;
            self.paid += price;
        }
    }
}

/// Honest users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// How many there were.
    pub users: u32,
    /// How many of them had at least one start denied.
    pub denied: u32,
}

/// Feeds a day of traffic to a policy that counts in memory, and counts what it does.
///
/// A result reaches the policy when the verification ends. Users do not change what they do when they are denied.
///
/// # Errors
///
/// When the policy's store has no room for another key.
pub async fn day(policy: &FraudPolicy, traffic: &Traffic) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut outside = Seen::default();
    let mut inside = Seen::default();
    // Ends of verifications under way, by their time.
    let mut ends: BTreeMap<(Duration, u64), ResultEvent> = BTreeMap::new();
    for (place, start) in (0_u64..).zip(traffic.starts()) {
        while let Some(end) = ends.first_entry().filter(|end| end.key().0 <= start.at) {
            let ((at, _), event) = end.remove_entry();
            policy.settle(&event, &context(at)).await?;
        }
        let (request, result) = events(place, &start);
        let verdict = policy.check(&request, &context(start.at)).await?;
        let is_allowed = verdict.is_allowed();
        if is_allowed {
            ends.insert((start.ends_at, place), result);
        }
        match start.sender {
            Sender::Bot => {
                tally.attack.add(start.price, is_allowed);
                let slice = (start.at.as_secs() / Tally::SLICE.as_secs()) as usize;
                if tally.slices.len() <= slice {
                    tally.slices.resize(slice + 1, Starts::default());
                }
                tally.slices[slice].add(start.price, is_allowed);
            }
            Sender::User(user) => {
                tally.honest.add(start.price, is_allowed);
                let seen = if start.is_in_attacked_range {
                    &mut inside
                } else {
                    &mut outside
                };
                seen.users.insert(user);
                if let Some(denial) = verdict.denial {
                    seen.denied.insert(user);
                    *tally.denied_by.entry(denial.rule.to_string()).or_default() += 1;
                }
            }
        }
    }
    tally.outside = outside.count();
    tally.inside = inside.count();
    Ok(tally)
}

/// Users by their number.
#[derive(Default)]
struct Seen {
    users: HashSet<u32>,
    denied: HashSet<u32>,
}

impl Seen {
    fn count(&self) -> Users {
        // Users are numbered by 32 bits.
        let count = |users: &HashSet<u32>| u32::try_from(users.len()).unwrap_or(u32::MAX);
        Users {
            users: count(&self.users),
            denied: count(&self.denied),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "the key is letters and digits, the id decimal digits, and a decimal prints as a number"
)]
fn events(place: u64, start: &SimulatedStart) -> (RequestEvent, ResultEvent) {
    let id = VerificationId::new(&place.to_string()).expect("an id");
    let identity = Identity::number(start.number);
    let mut result = ResultEvent::new(id.clone(), Method::Sms, identity.clone(), start.status.clone());
    result.custom = Some(start.caller.as_str().into());
    let mut request = RequestEvent::new(id, Method::Sms, identity);
    request.custom.clone_from(&result.custom);
    let amount: Amount = start.price.to_string().parse().expect("an amount");
    request.price = Some(Money::new("EUR", amount));
    (request, result)
}

#[expect(clippy::expect_used, reason = "the key is letters")]
fn context(at: Duration) -> Context {
    let key = ApplicationKey::new("simulation").expect("a key");
    Context::new(key, midnight() + at)
}

/// The first moment of 2026, UTC.
fn midnight() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

#[cfg(test)]
mod tests {
    use sinch_verify_callback::policy::{Conversion, Per, PolicyRules, Velocity};

    use super::*;

    const ENFORCE: &str = include_str!("../../../sinch-verify-callback/examples/policies/enforce.toml");

    async fn tally(rules: PolicyRules, traffic: &Traffic) -> Tally {
        let policy = FraudPolicy::builder(rules).build().unwrap();
        day(&policy, traffic).await.unwrap()
    }

    #[tokio::test]
    async fn without_rules_all_is_paid() {
        let traffic = Traffic {
            users: 200,
            ..Traffic::attacked(1)
        };
        let tally = tally(PolicyRules::new(), &traffic).await;
        assert_eq!(tally.attack.paid, tally.attack.cost);
        assert_eq!((tally.outside.denied, tally.inside.denied), (0, 0));
        let sliced: u32 = tally.slices.iter().map(|slice| slice.starts).sum();
        assert_eq!(sliced, tally.attack.starts);
    }

    #[tokio::test]
    async fn a_day_is_the_same_for_a_seed() {
        let traffic = Traffic {
            users: 200,
            ..Traffic::attacked(3)
        };
        let once = tally(ENFORCE.parse().unwrap(), &traffic).await;
        assert_eq!(once, tally(ENFORCE.parse().unwrap(), &traffic).await);
    }

    #[tokio::test]
    async fn the_enforcing_policy_meets_its_goals_under_attack() {
        let mut all = Tally::default();
        for seed in 1..=3 {
            let tally = tally(ENFORCE.parse().unwrap(), &Traffic::attacked(seed)).await;
            all.attack.cost += tally.attack.cost;
            all.attack.paid += tally.attack.paid;
            all.outside.users += tally.outside.users;
            all.outside.denied += tally.outside.denied;
        }
        let share = all.attack.paid / all.attack.cost;
        assert!(
            share <= Decimal::new(2, 2),
            "{share} of the attack's cost is paid"
        );
        assert!(
            all.outside.denied * 1000 <= all.outside.users,
            "{:?}",
            all.outside
        );
    }

    #[tokio::test]
    async fn the_enforcing_policy_denies_no_user_of_a_launch() {
        let tally = tally(ENFORCE.parse().unwrap(), &Traffic::launch(1)).await;
        assert_eq!(tally.outside.denied, 0, "{:?}", tally.denied_by);
        assert_eq!(tally.attack.starts, 0);
    }

    #[tokio::test]
    async fn conversion_tells_bots_from_users() {
        let block = Duration::from_secs(6 * 3600);
        let rules = PolicyRules::new().conversion(Conversion::new(Per::Range, 15, block));
        let tally = tally(rules, &Traffic::attacked(2)).await;
        assert!(
            tally.attack.allowed * 10 < tally.attack.starts,
            "{:?}",
            tally.attack
        );
        assert_eq!(tally.outside.denied, 0);
    }

    #[tokio::test]
    async fn a_limit_that_is_too_low_denies_honest_users() {
        let hour = Duration::from_secs(3600);
        let rules = PolicyRules::new().velocity(Velocity::new(Per::Country, 20, hour));
        let tally = tally(rules, &Traffic::attacked(1)).await;
        assert!(
            tally.outside.denied > tally.outside.users / 10,
            "{:?}",
            tally.outside
        );
    }
}
