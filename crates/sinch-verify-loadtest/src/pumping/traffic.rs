use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::time::Duration;

use rust_decimal::Decimal;
use sinch_verify_protocol::{PhoneNumber, Status};

use super::dice::Dice;

/// A day of starts, made from a seed. The same values give the same starts.
///
/// Honest users come in a rhythm of day and night, from several countries. Nine in ten messages arrive, so some
/// users ask again, as soon as a resend button lets them after 30 s, a minute and five minutes. Some mistype
/// their number or the code, some give up, and one in ten comes back later that day.
///
/// Bots ask all day for numbers of twelve ranges, two in each of six countries, an hour per country. Each start
/// has another number and another caller key. Half of the ranges carry honest users too.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// What chance is made from.
    pub seed: u64,
    /// How many honest users come in 24 hours, on average.
    pub users: u32,
    /// How many starts of bots there are for each start of an honest user; 0 without an attack.
    pub attack: f64,
}

/// A start that a simulation makes up.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedStart {
    /// When, since the beginning of the day.
    pub at: Duration,
    /// Who starts it.
    pub sender: Sender,
    /// The number to verify.
    pub number: PhoneNumber,
    /// Whether bots ask for numbers of its range that day.
    pub is_in_attacked_range: bool,
    /// What it costs, in EUR.
    pub price: Decimal,
    /// The caller key: what the backend knows of who asks.
    pub caller: String,
    /// How it ends if it goes ahead.
    pub status: Status,
    /// When it ends, since the beginning of the day.
    pub ends_at: Duration,
}

/// Who starts a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// An honest user, by number from 0.
    User(u32),
    /// A bot.
    Bot,
}

/// Numbers of one country.
struct Region {
    /// What all numbers begin with.
    prefix: &'static str,
    /// How many digits name a range, behind the prefix. Four more digits follow.
    digits: usize,
    /// How many ranges honest users have.
    ranges: u32,
    /// The share of honest users.
    weight: f64,
    /// What a message costs, in ten-thousandths.
    price: i64,
    /// How many messages arrive.
    arrival: f64,
}

const REGIONS: [Region; 12] = [
    region("+467", 4, 300, 30.0, 453, 0.93),
    region("+474", 3, 120, 12.0, 520, 0.93),
    region("+452", 3, 100, 10.0, 390, 0.93),
    region("+3584", 4, 120, 10.0, 610, 0.92),
    region("+4915", 5, 500, 15.0, 750, 0.9),
    region("+447", 5, 500, 17.0, 410, 0.9),
    // Those that bots ask for. Few users have numbers in the first three, none in the others.
    region("+923", 5, 60, 2.0, 2200, 0.8),
    region("+628", 6, 60, 2.0, 2500, 0.8),
    region("+23480", 4, 60, 2.0, 2400, 0.8),
    region("+99450", 3, 0, 0.0, 2800, 0.0),
    region("+99290", 3, 0, 0.0, 3200, 0.0),
    region("+99890", 3, 0, 0.0, 3000, 0.0),
];

const fn region(
    prefix: &'static str,
    digits: usize,
    ranges: u32,
    weight: f64,
    price: i64,
    arrival: f64,
) -> Region {
    Region {
        prefix,
        digits,
        ranges,
        weight,
        price,
        arrival,
    }
}

/// The first of the regions that bots ask for.
const ATTACKED: usize = 6;
/// Bots ask for numbers of the first ranges of a region, which have the most users.
const ATTACKED_RANGES: u32 = 2;
/// The range of a region that has half as many users as the first.
const HALF: f64 = 20.0;

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;
/// How long bots ask for numbers of one country.
const ROTATION: f64 = HOUR;
/// When most users come.
const BUSIEST: f64 = 18.0 * HOUR;
/// How much more than on average come then.
const SWING: f64 = 0.8;
/// After this time a verification without a report ends.
const EXPIRY: f64 = 600.0;
/// How long the resend button is disabled after the first message, the second and the third.
const RESEND_PAUSES: [f64; 3] = [30.0, 60.0, 300.0];

impl Traffic {
    /// The honest users of a usual day.
    pub const USUAL: u32 = 2000;
    /// Starts of an honest user, on average.
    pub(super) const STARTS_PER_USER: f64 = 1.21;

    /// A usual day under an attack with 10 to 50 times the honest starts, by the seed.
    #[must_use]
    pub fn attacked(seed: u64) -> Self {
        Self {
            seed,
            users: Self::USUAL,
            attack: Dice::new(seed, 5).between(10.0, 50.0),
        }
    }

    /// A launch: 20 times the users of a usual day, and no bots.
    #[must_use]
    pub fn launch(seed: u64) -> Self {
        Self {
            seed,
            users: 20 * Self::USUAL,
            attack: 0.0,
        }
    }

    /// The starts of the day, in order of time. Some users ask again after its end.
    pub fn starts(&self) -> impl Iterator<Item = SimulatedStart> + use<> {
        let mut day = Day {
            is_attacked: self.attack > 0.0,
            users: Dice::new(self.seed, 3),
            bots: Dice::new(self.seed, 4),
            between_users: DAY / f64::from(self.users),
            between_bots: DAY / (f64::from(self.users) * Self::STARTS_PER_USER * self.attack),
            next_user: 0.0,
            next_bot: 0.0,
            count: 0,
            users_of_range: BTreeMap::new(),
            upcoming: BTreeMap::new(),
            made: 0,
        };
        day.wait_for_user();
        day.wait_for_bot();
        day
    }
}

/// A day as it goes on.
struct Day {
    is_attacked: bool,
    users: Dice,
    bots: Dice,
    between_users: f64,
    between_bots: f64,
    next_user: f64,
    next_bot: f64,
    /// How many users came.
    count: u32,
    /// How many of them have numbers of a region's range.
    users_of_range: BTreeMap<(usize, u32), u32>,
    /// Starts of those who came, by their time; the number keeps apart those of one time.
    upcoming: BTreeMap<(Duration, u64), SimulatedStart>,
    made: u64,
}

impl Iterator for Day {
    type Item = SimulatedStart;

    fn next(&mut self) -> Option<SimulatedStart> {
        loop {
            let arrival = self.next_user.min(self.next_bot);
            let first = self.upcoming.first_key_value();
            if arrival >= DAY || first.is_some_and(|((at, _), _)| at.as_secs_f64() <= arrival) {
                return self.upcoming.pop_first().map(|(_, start)| start);
            }
            if self.next_user <= self.next_bot {
                self.user();
                self.wait_for_user();
            } else {
                self.bot();
                self.wait_for_bot();
            }
        }
    }
}

impl Day {
    fn wait_for_user(&mut self) {
        loop {
            self.next_user += self.users.wait(self.between_users / (1.0 + SWING));
            let rate = 1.0 + SWING * (TAU * (self.next_user - BUSIEST) / DAY).cos();
            if self.users.happens(rate / (1.0 + SWING)) {
                return;
            }
        }
    }

    fn wait_for_bot(&mut self) {
        self.next_bot += self.bots.wait(self.between_bots);
    }

    fn bot(&mut self) {
        let at = self.next_bot;
        let turn = (at / ROTATION) as usize % (REGIONS.len() - ATTACKED);
        let region = &REGIONS[ATTACKED + turn];
        let range = self.bots.below(ATTACKED_RANGES);
        let number = number(region, range, self.bots.below(10_000));
        let caller = format!("bot-{}", self.bots.below(u32::MAX));
        self.add(SimulatedStart {
            at: seconds(at),
            sender: Sender::Bot,
            number,
            is_in_attacked_range: true,
            price: Decimal::new(region.price, 4),
            caller,
            status: Status::Fail,
            ends_at: seconds(at + EXPIRY),
        });
    }

    /// All starts of one user.
    fn user(&mut self) {
        let dice = &mut self.users;
        let place = dice.pick(REGIONS.iter().map(|region| region.weight));
        let region = &REGIONS[place];
        let range = dice.early(region.ranges, HALF);
        let user = self.count;
        self.count += 1;
        // Users of a range have numbers of their own, in order; a mistyped one belongs to none of the first 5,000.
        let users_of_range = self.users_of_range.entry((place, range)).or_default();
        let last = *users_of_range;
        *users_of_range += 1;
        let own = number(region, range, last % 10_000);
        let mut visit = Visit {
            at: self.next_user,
            tries: Vec::new(),
        };
        if dice.happens(0.03) {
            // The number is mistyped: nothing arrives, and the user looks at it again.
            let mistyped = number(region, range, (last + 5000) % 10_000);
            visit.fails(mistyped, EXPIRY);
            visit.at += dice.between(40.0, 150.0);
        }
        visit.verify(own, region.arrival, dice);
        if dice.happens(0.1) {
            visit.at += dice.between(2.0 * HOUR, 8.0 * HOUR);
            visit.verify(own, region.arrival, dice);
        }
        let is_in_attacked_range = self.is_attacked && place >= ATTACKED && range < ATTACKED_RANGES;
        for start in visit.tries {
            self.add(SimulatedStart {
                at: seconds(start.at),
                sender: Sender::User(user),
                number: start.number,
                is_in_attacked_range,
                price: Decimal::new(region.price, 4),
                caller: format!("user-{user}"),
                status: start.status,
                ends_at: seconds(start.ends_at),
            });
        }
    }

    fn add(&mut self, start: SimulatedStart) {
        self.upcoming.insert((start.at, self.made), start);
        self.made += 1;
    }
}

/// What a user does.
struct Visit {
    at: f64,
    tries: Vec<Try>,
}

struct Try {
    at: f64,
    number: PhoneNumber,
    status: Status,
    ends_at: f64,
}

impl Visit {
    /// Asks for messages until a code is typed, or the user gives up.
    fn verify(&mut self, number: PhoneNumber, arrival: f64, dice: &mut Dice) {
        for place in 0..=RESEND_PAUSES.len() {
            if dice.happens(arrival) {
                self.push(number, Status::Successful, 6.0 + dice.wait(15.0));
                return;
            }
            // Nothing arrives, or the code is mistyped three times.
            let is_mistyped = dice.happens(0.1);
            self.fails(
                number,
                if is_mistyped {
                    dice.between(25.0, 90.0)
                } else {
                    EXPIRY
                },
            );
            let Some(pause) = RESEND_PAUSES.get(place).filter(|_| dice.happens(0.7)) else {
                return;
            };
            self.at += pause + 1.0 + dice.wait(15.0);
        }
    }

    fn fails(&mut self, number: PhoneNumber, after: f64) {
        self.push(number, Status::Fail, after);
    }

    fn push(&mut self, number: PhoneNumber, status: Status, after: f64) {
        // A start ends the verification of the same number that is under way.
        if let Some(last) = self.tries.last_mut()
            && last.number == number
            && last.ends_at > self.at
        {
            last.ends_at = self.at;
            last.status = Status::Aborted;
        }
        self.tries.push(Try {
            at: self.at,
            number,
            status,
            ends_at: self.at + after,
        });
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[expect(
    clippy::expect_used,
    reason = "prefix, range and four digits make 10 to 13 digits, and no prefix begins with a zero"
)]
fn number(region: &Region, range: u32, last: u32) -> PhoneNumber {
    let (prefix, digits) = (region.prefix, region.digits);
    // The first ranges lie apart, as those of operators do.
    let range = (u64::from(range) * 7919 + 13) % 10_u64.pow(digits as u32);
    PhoneNumber::parse(&format!("{prefix}{range:0digits$}{last:04}")).expect("a phone number")
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn day(users: u32, attack: f64) -> Vec<SimulatedStart> {
        let seed = 1;
        Traffic { seed, users, attack }.starts().collect()
    }

    fn range(start: &SimulatedStart) -> &str {
        let number = start.number.as_str();
        &number[..number.len() - 4]
    }

    #[test]
    fn starts_are_in_order_and_the_same_for_a_seed() {
        let starts = day(500, 10.0);
        assert!(starts.is_sorted_by_key(|start| start.at));
        assert!(starts.iter().all(|start| start.ends_at > start.at));
        assert_eq!(starts, day(500, 10.0));
        let other: Vec<_> = Traffic {
            seed: 2,
            users: 500,
            attack: 10.0,
        }
        .starts()
        .collect();
        assert_ne!(starts, other);
    }

    #[test]
    fn honest_users_are_the_same_with_and_without_an_attack() {
        let honest = |attack| {
            let starts = day(500, attack).into_iter();
            let honest = starts.filter(|start| start.sender != Sender::Bot);
            honest.map(|start| (start.at, start.number)).collect::<Vec<_>>()
        };
        assert_eq!(honest(0.0), honest(20.0));
    }

    #[test]
    fn bots_start_so_many_times_as_often_as_users_and_never_convert() {
        let starts = day(5000, 30.0);
        let (bots, honest): (Vec<_>, Vec<_>) = starts.iter().partition(|start| start.sender == Sender::Bot);
        let times = bots.len() as f64 / honest.len() as f64;
        assert!((28.0..32.0).contains(&times), "{times}");
        assert!(bots.iter().all(|start| start.status == Status::Fail));
        let callers: HashSet<_> = bots.iter().map(|start| &start.caller).collect();
        assert!(
            callers.len() as f64 > 0.999 * bots.len() as f64,
            "{}",
            callers.len()
        );
    }

    #[test]
    fn half_of_the_attacked_ranges_carry_honest_users() {
        let starts = day(20_000, 1.0);
        let of = |is_bot| {
            let starts = starts
                .iter()
                .filter(move |start| (start.sender == Sender::Bot) == is_bot);
            starts.map(range).collect::<HashSet<_>>()
        };
        let (attacked, honest) = (of(true), of(false));
        assert_eq!(attacked.len(), 12);
        assert_eq!(attacked.intersection(&honest).count(), 6);
        for start in &starts {
            assert_eq!(
                start.is_in_attacked_range,
                attacked.contains(range(start)),
                "{start:?}"
            );
        }
        let countries: HashSet<_> = attacked.iter().map(|range| &range[..4]).collect();
        assert_eq!(countries.len(), 6);
    }

    #[test]
    fn bots_ask_for_one_country_at_a_time() {
        let mut hours: HashMap<u64, HashSet<String>> = HashMap::new();
        for start in day(500, 20.0).iter().filter(|start| start.sender == Sender::Bot) {
            let country = start.number.country().unwrap().to_string();
            hours
                .entry(start.at.as_secs() / 3600)
                .or_default()
                .insert(country);
        }
        assert_eq!(hours.len(), 24);
        assert!(hours.values().all(|countries| countries.len() == 1), "{hours:?}");
        assert_ne!(hours[&0], hours[&1]);
        assert_eq!(hours[&0], hours[&6]);
    }

    #[test]
    fn users_have_a_rhythm_and_most_but_not_all_are_verified() {
        const USERS: u32 = 20_000;
        let starts = day(USERS, 0.0);
        let per_user = starts.len() as f64 / f64::from(USERS);
        let expected = Traffic::STARTS_PER_USER;
        assert!((0.97..1.03).contains(&(per_user / expected)), "{per_user}");
        let in_hour = |hour| {
            starts
                .iter()
                .filter(|start| start.at.as_secs() / 3600 == hour)
                .count()
        };
        let (busy, calm) = (in_hour(18), in_hour(6));
        assert!(
            (4.0..16.0).contains(&(busy as f64 / calm as f64)),
            "{busy} {calm}"
        );
        let users: HashSet<_> = starts.iter().map(|start| start.sender).collect();
        let verified = starts.iter().filter(|start| start.status == Status::Successful);
        let verified: HashSet<_> = verified.map(|start| start.sender).collect();
        let share = verified.len() as f64 / users.len() as f64;
        assert!((0.95..0.995).contains(&share), "{share}");
        let is_end = |status: Status| starts.iter().any(|start| start.status == status);
        assert!(
            is_end(Status::Aborted) && is_end(Status::Fail),
            "some ask again, some give up"
        );
    }

    #[test]
    fn users_ask_again_when_the_resend_button_lets_them() {
        let mut last: HashMap<(Sender, PhoneNumber), (Duration, usize)> = HashMap::new();
        for start in day(5000, 0.0) {
            let (before, count) = last.entry((start.sender, start.number)).or_insert((start.at, 0));
            let since = (start.at - *before).as_secs_f64();
            if *count > 0 && since < HOUR {
                assert!(since > RESEND_PAUSES[*count - 1], "{since} s after start {count}");
                *count += 1;
            } else {
                *count = 1;
            }
            *before = start.at;
        }
    }
}
