//! A policy's rules, checked and ready to be asked.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sha2::{Digest as _, Sha256};
use sinch_verify_protocol::Method;
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::method::MethodInfo;

use super::counter::Counter;
use super::invalid::{InvalidPolicy, nearest};
use super::period::Micros;
use super::rules::{Common, Conversion, Mode, Per, PolicyRules, Unreadable, Velocity};

/// A counting rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    /// Stands for the name in keys.
    pub(super) digest: [u8; 16],
    pub(super) mode: Mode,
    pub(super) unreadable: Unreadable,
    pub(super) per: Per,
    pub(super) by_method: bool,
    countries: Vec<Country>,
    methods: Vec<Method>,
    pub(super) counter: Counter,
    /// For verdicts: what it allows.
    pub(super) limit: String,
}

impl Rule {
    /// The beginning of its digest.
    pub(super) fn seed(&self) -> u64 {
        self.digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    pub(super) fn applies_to(&self, country: Option<Country>, method: &Method) -> bool {
        let in_country = || country.is_some_and(|country| self.countries.contains(&country));
        (self.countries.is_empty() || in_country())
            && (self.methods.is_empty() || self.methods.contains(method))
    }
}

/// The most counting rules of a policy.
const MOST_RULES: usize = 50;

/// Checks the counting rules of a policy.
pub(super) fn rules(rules: &PolicyRules) -> Result<Vec<Rule>, InvalidPolicy> {
    let mut checked = Checked {
        rules: Vec::new(),
        mode: rules.mode,
    };
    for (at, rule) in rules.velocity.iter().enumerate() {
        checked.velocity(&format!("velocity[{at}]"), rule)?;
    }
    for (at, rule) in rules.cooldown.iter().enumerate() {
        let path = format!("cooldown[{at}]");
        let counter = Counter::Cooldown {
            pauses: pauses(&path, "pauses", &rule.pauses)?,
            forget: duration(&path, "forget-after", rule.forget_after)?,
        };
        let limit = format!("{} between starts", listed(&rule.pauses));
        checked.push(&path, rule.common(), "", counter, limit)?;
    }
    for (at, rule) in rules.lockout.iter().enumerate() {
        let path = format!("lockout[{at}]");
        let counter = Counter::Lockout {
            failures: within(&path, "failures", rule.failures, 1, Velocity::LARGEST_LOG)? as usize,
            window: duration(&path, "window", rule.window)?,
            pauses: pauses(&path, "block", &rule.block)?,
        };
        let window = short(rule.window);
        let limit = format!("{} failures in {window}", rule.failures);
        checked.push(&path, rule.common(), &window, counter, limit)?;
    }
    for (at, rule) in rules.budget.iter().enumerate() {
        let path = format!("budget[{at}]");
        let Some(prices) = &rules.prices else {
            let message = "a budget needs a currency; write [prices] with currency = \"EUR\"";
            return Err(InvalidPolicy::new(path, message));
        };
        let counter = Counter::Budget {
            limit: amount(&format!("{path}.amount"), rule.amount)?,
            period: rule.period,
        };
        let limit = format!(
            "{} {} in a {}",
            prices.currency,
            rule.amount,
            rule.period.as_str()
        );
        checked.push(&path, rule.common(), rule.period.as_str(), counter, limit)?;
    }
    for (at, rule) in rules.conversion.iter().enumerate() {
        let path = format!("conversion[{at}]");
        let last = within(
            &path,
            "last",
            u32::from(rule.last),
            1,
            u32::from(Conversion::LARGEST_LAST),
        )?;
        let counter = Counter::Conversion {
            last,
            samples: within(&path, "samples", u32::from(rule.samples), 1, last)?.into(),
            floor: within(&path, "floor-percent", u32::from(rule.floor_percent), 1, 100)?.into(),
            pauses: pauses(&path, "block", &rule.block)?,
            forget: duration(&path, "forget-after", rule.forget_after)?,
        };
        let limit = format!("{} % of the last {last}", rule.floor_percent);
        checked.push(&path, rule.common(), "", counter, limit)?;
        if let Some(pushed) = checked.rules.last_mut() {
            pushed.by_method = rule.by_method;
        }
    }
    Ok(checked.rules)
}

struct Checked {
    rules: Vec<Rule>,
    mode: Mode,
}

impl Checked {
    fn velocity(&mut self, path: &str, rule: &Velocity) -> Result<(), InvalidPolicy> {
        let window = duration(path, "window", rule.window)?;
        let limit = within(path, "limit", rule.limit, 1, 1_000_000_000)?;
        let (span, largest) = (short(rule.window), Velocity::LARGEST_LOG);
        let (counter, text) = match rule.burst {
            Some(burst) => {
                // Rounded up, so that the rate is never above the one that was asked for.
                let interval = window.div_ceil(limit.into());
                // A burst is refilled in the longest window at most, which also bounds what is counted with.
                let most = u32::try_from(micros(MONTH) / interval).unwrap_or(u32::MAX);
                let burst = within(path, "burst", burst, 1, most)?.into();
                (
                    Counter::Rate { burst, interval },
                    format!("{burst} at once, {limit} in {span}"),
                )
            }
            None if limit > largest => {
                return Err(InvalidPolicy::new(
                    format!("{path}.burst"),
                    format!(
                        "missing; a limit above {largest} needs the number of starts that may come at once, \
                         and then allows at most burst + limit in a window"
                    ),
                ));
            }
            None => {
                let limit = limit as usize;
                (Counter::Log { limit, window }, format!("{limit} in {span}"))
            }
        };
        self.push(path, rule.common(), &span, counter, text)
    }

    fn push(
        &mut self,
        path: &str,
        common: Common<'_>,
        span: &str,
        counter: Counter,
        limit: String,
    ) -> Result<(), InvalidPolicy> {
        countries(&format!("{path}.countries"), common.countries.iter().copied())?;
        methods(&format!("{path}.methods"), common.methods)?;
        let kind = path.split('[').next().unwrap_or_default();
        let name = match common.name {
            Some(name) => checked_name(path, name)?.to_owned(),
            None => {
                let mut name = format!("{kind}-{}", common.per.as_str());
                if !span.is_empty() {
                    let _ = write!(name, "-{span}");
                }
                name
            }
        };
        if self.rules.iter().any(|rule| *rule.name == *name) {
            let message = format!("another rule has the name {name} too; give one of them a name of its own");
            return Err(InvalidPolicy::new(format!("{path}.name"), message));
        }
        if self.rules.len() == MOST_RULES {
            return Err(InvalidPolicy::new(
                path,
                format!("a policy has at most {MOST_RULES} rules that count"),
            ));
        }
        self.rules.push(Rule {
            digest: digest([name.as_bytes()]),
            name: name.into(),
            mode: common.mode.unwrap_or(self.mode),
            unreadable: common.unreadable,
            per: common.per,
            by_method: false,
            countries: common.countries.to_vec(),
            methods: common.methods.to_vec(),
            counter,
            limit,
        });
        Ok(())
    }
}

/// A digest of texts, each with its length, so that no two lists give the same bytes.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finalize()[..16]);
    half
}

fn checked_name<'a>(path: &str, name: &'a str) -> Result<&'a str, InvalidPolicy> {
    let is_plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if (1..=64).contains(&name.len()) && is_plain {
        return Ok(name);
    }
    let message = "must have from 1 to 64 characters of A-Z a-z 0-9 - _ .";
    Err(InvalidPolicy::new(format!("{path}.name"), message))
}

fn within(path: &str, field: &str, value: u32, least: u32, most: u32) -> Result<u32, InvalidPolicy> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    let message = format!("must be from {least} to {most}, is {value}");
    Err(InvalidPolicy::new(format!("{path}.{field}"), message))
}

const SECOND: Duration = Duration::from_secs(1);
const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

pub(super) fn duration(path: &str, field: &str, value: Duration) -> Result<Micros, InvalidPolicy> {
    if !(SECOND..=MONTH).contains(&value) {
        let field = if path.is_empty() {
            field.to_owned()
        } else {
            format!("{path}.{field}")
        };
        let message = format!("must be from 1s to 31d, is {}", short(value));
        return Err(InvalidPolicy::new(field, message));
    }
    Ok(micros(value))
}

/// Of at most a few hundred thousand years.
pub(super) fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

fn pauses(path: &str, field: &str, values: &[Duration]) -> Result<Box<[Micros]>, InvalidPolicy> {
    if values.is_empty() {
        let message = "is empty; write a duration, or several";
        return Err(InvalidPolicy::new(format!("{path}.{field}"), message));
    }
    values.iter().map(|&value| duration(path, field, value)).collect()
}

/// Such as `1h30m`.
fn short(duration: Duration) -> String {
    const PRINTER: SpanPrinter = SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None);
    PRINTER.unsigned_duration_to_string(&duration)
}

fn listed(durations: &[Duration]) -> String {
    let durations: Vec<_> = durations.iter().map(|&duration| short(duration)).collect();
    durations.join(", ")
}

/// Millionths: exact, and small enough for a double, which is what Redis counts with.
pub(super) const MILLIONTHS: u32 = 6;

/// An amount as the policy has it, in millionths.
pub(super) fn amount(path: &str, amount: Decimal) -> Result<u64, InvalidPolicy> {
    let is_exact = amount.normalize().scale() <= MILLIONTHS;
    let is_in_range = amount.is_sign_positive() && amount <= Decimal::from(9_000_000_000_u64);
    match millionths(amount) {
        Some(millionths) if is_exact && is_in_range => Ok(millionths),
        _ => {
            let message = format!(
                "must be from 0 to 9000000000 with at most {MILLIONTHS} digits behind the point, is {amount}"
            );
            Err(InvalidPolicy::new(path, message))
        }
    }
}

/// Rounded up. `None` for a negative amount, and one that is too large.
pub(super) fn millionths(amount: Decimal) -> Option<u64> {
    let scaled = amount.checked_mul(Decimal::from(1_000_000))?.ceil();
    // As far as doubles are exact.
    scaled.to_u64().filter(|millionths| *millionths < 1 << 53)
}

/// A country that no number belongs to is a mistake.
pub(super) fn countries(path: &str, countries: impl Iterator<Item = Country>) -> Result<(), InvalidPolicy> {
    let known: BTreeSet<_> = Country::prefixes().filter_map(|(_, country)| country).collect();
    for country in countries {
        if !known.contains(&country) {
            let known = known.iter().map(Country::as_str);
            let nearest = nearest(country.as_str(), known).unwrap_or_default();
            let message =
                format!("{country} is no country with numbers of its own; the nearest is {nearest}");
            return Err(InvalidPolicy::new(path, message));
        }
    }
    Ok(())
}

pub(super) fn methods(path: &str, methods: &[Method]) -> Result<(), InvalidPolicy> {
    let unknown = methods.iter().find(|method| method.is_unknown());
    unknown.map_or(Ok(()), |unknown| {
        let known = MethodInfo::ALL.iter().map(|info| info.name);
        let nearest = nearest(unknown.as_str(), known).unwrap_or_default();
        let message = format!("{unknown} is no method; the nearest is {nearest}");
        Err(InvalidPolicy::new(path, message))
    })
}

/// A prefix of numbers: `+` and digits.
pub(super) fn prefix(path: &str, text: &str) -> Result<Box<str>, InvalidPolicy> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let is_prefix = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if is_prefix && (1..=sinch_verify_protocol::phone_number::MAX_DIGITS).contains(&digits.len()) {
        return Ok(text.into());
    }
    let message = format!("must be + and the first digits of numbers, such as +4670, is {text:?}");
    Err(InvalidPolicy::new(path, message))
}

/// A number without its last digits.
pub(super) fn range(number: &str, digits: u8) -> &str {
    // Numbers have at least seven digits, of which one is the calling code's.
    let end = number.len().saturating_sub(digits.into()).max(2);
    &number[..end]
}
