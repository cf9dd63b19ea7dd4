//! Stops paying for fraud: limits of what may be started, in front of your handler.
//!
//! Needs feature `policy`.
//!
//! A [`FraudPolicy`] looks at each request event before the handler does, and denies what breaks one of its
//! [`PolicyRules`]; result events tell it what became of the others. Rules are written in Rust or in TOML, and
//! each is enforced or only observed.
//!
//! ```
//! use sinch_verify_callback::policy::{FraudPolicy, PolicyRules};
//! use sinch_verify_callback::{CallbackService, Decision, RequestEvent};
//!
//! let rules: PolicyRules = r#"
//!     [[velocity]]
//!     per = "number"
//!     limit = 5
//!     window = "1h"
//!
//!     [[conversion]]
//!     per = "range"
//!     floor-percent = 10
//!     block = ["30m", "4h"]
//! "#.parse()?;
//! let policy = FraudPolicy::builder(rules).build()?;
//!
//! let key = "669E367E-6BBA-48AB-AF15-266871C28135";
//! let service = CallbackService::builder(key, "BeIukql3pTKJ8RGL5zo0DA==")
//!     .policy(&policy)
//!     .handler(|_: RequestEvent| async { Decision::Allow })
//!     .build()?;
//! # let _ = service;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - All rules are checked, then all count, in one step. The first enforced denial decides, and then none counts.
//! - An event that comes again gets the same verdict and counts once, with or without a replay guard: one that
//!   was denied or has ended for 15 minutes, one that is pending for [`PolicyRules::result_within`].
//! - When the start is denied after all, by the handler, the fallback or the service, what it took is given back.
//!   A velocity limit with a burst gives back what has not been refilled by then.
//! - A rule in [`Mode::Observe`] changes no decision.
//! - A clock that is set back delays nothing for longer than the rule itself would.
//! - Amounts are exact decimals of up to six digits behind the point.

mod builder;
mod counter;
mod destinations;
mod facts;
mod invalid;
mod period;
mod plan;
mod report;
mod rules;
mod store;
mod telemetry;
mod verdict;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sinch_verify_protocol::callback::{RequestEvent, ResultEvent};
use sinch_verify_protocol::phone_number::Masked;
use sinch_verify_protocol::{PhoneNumber, Status};

use self::counter::Counter;
use self::destinations::{DestinationRule, ExceptionList};
use self::facts::{CallerReader, Facts, PriceList};
use self::period::Micros;
use self::plan::Rule;
use self::report::{Destination, Recorder};
use self::store::{Check, End, Lifetimes, Ruling, Start};
use crate::context::Context;
use crate::guard::InDoubt;
use crate::rejection::{Reason, Rejection};
use crate::replay::StoreError;
use crate::task;

pub use self::builder::PolicyBuilder;
pub use self::facts::StartTexts;
pub use self::invalid::InvalidPolicy;
pub use self::report::{PolicyReport, RuleTally, Tally};
pub use self::rules::{
    Access, Budget, Caller, CallerField, Conversion, Cooldown, DeniedNumbers, Destinations, Exceptions,
    Lockout, Mode, Per, Period, PolicyRules, Prices, Unreadable, Velocity, WrittenBy,
};
pub use self::store::PolicyStore;
pub use self::verdict::{Basis, Denial, Overrule, PolicyVerdict, SkipReason, Skipped};

/// Rules, what they have counted, and where. Clones share it.
///
/// [`CallbackBuilder::policy`](crate::CallbackBuilder::policy) puts it in front of a handler. A program that
/// answers by itself, or that replays events of the past, calls [`check`](Self::check) with each request event
/// and [`settle`](Self::settle) with each result event. The time is that of the [`Context`].
///
/// ```
/// use std::time::SystemTime;
/// use sinch_verify_callback::policy::{FraudPolicy, Per, PolicyRules, Velocity};
/// use sinch_verify_callback::protocol::identity::Identity;
/// use sinch_verify_callback::protocol::{ApplicationKey, VerificationId};
/// use sinch_verify_callback::{Context, Method, RequestEvent};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let hour = std::time::Duration::from_secs(3600);
/// let rules = PolicyRules::new().velocity(Velocity::new(Per::Number, 1, hour));
/// let policy = FraudPolicy::builder(rules).build()?;
///
/// let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
/// let context = Context::new(key, SystemTime::now());
/// let start = |id: &str| -> Result<RequestEvent, Box<dyn std::error::Error>> {
///     let number = Identity::number("+46700000001".parse()?);
///     Ok(RequestEvent::new(VerificationId::new(id)?, Method::Sms, number))
/// };
/// assert!(policy.check(&start("1")?, &context).await?.is_allowed());
/// let verdict = policy.check(&start("2")?, &context).await?;
/// assert_eq!(verdict.denial.unwrap().to_string(), "velocity-number-1h: +4670***01 (1 in 1h)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FraudPolicy {
    shared: Arc<Shared>,
}

struct Shared {
    /// Stands for the names of all rules: what is remembered of a verification says which rules counted it.
    digest: [u8; 16],
    rules: Vec<Rule>,
    destinations: Option<DestinationRule>,
    destinations_name: Arc<str>,
    exceptions: ExceptionList,
    prices: Option<PriceList>,
    /// If any rule needs the caller key.
    caller: Option<CallerReader>,
    range_digits: u8,
    lifetimes: Lifetimes,
    in_doubt: InDoubt,
    store: PolicyStore,
    timeout: Duration,
    overrule: Option<Box<OverruleFn>>,
    recorder: Recorder,
}

/// The name under which denials of the application's function are counted.
const OVERRULE: &str = "overrule";

type OverruleFn = dyn Fn(&RequestEvent, &PolicyVerdict) -> Overrule + Send + Sync;

impl FraudPolicy {
    /// A policy with these rules.
    pub fn builder(rules: PolicyRules) -> PolicyBuilder {
        PolicyBuilder::new(rules)
    }

    /// Checks a start, and counts it if it may go ahead.
    ///
    /// Needs a tokio runtime only for a store that waits.
    ///
    /// # Errors
    ///
    /// When the store is away, or has no room for another key: then nothing is known, and
    /// [`PolicyRules::in_doubt`] says what to do. In a [`CallbackService`](crate::CallbackService) that is done.
    pub async fn check(&self, event: &RequestEvent, context: &Context) -> Result<PolicyVerdict, StoreError> {
        self.check_facts(event, &self.facts(event), context).await
    }

    /// What the policy reads from a request event, to check it and to give back what it counted.
    pub(crate) fn facts(&self, event: &RequestEvent) -> Facts {
        Facts::of_request(event, self.shared.caller.as_ref())
    }

    /// `facts` are those of `event`.
    pub(crate) async fn check_facts(
        &self,
        event: &RequestEvent,
        facts: &Facts,
        context: &Context,
    ) -> Result<PolicyVerdict, StoreError> {
        let shared = &*self.shared;
        if facts
            .number
            .is_some_and(|number| shared.exceptions.contains(&number))
        {
            let basis = Basis::Exception;
            return Ok(PolicyVerdict {
                basis,
                ..PolicyVerdict::default()
            });
        }
        let price = shared
            .prices
            .as_ref()
            .map(|prices| prices.price(event.price.as_ref(), facts.country));
        if let Some(fault) = price.as_ref().and_then(|price| price.fault) {
            telemetry::bad_price(fault.name());
        }
        let cost = price.map_or(Err(SkipReason::NoPrice), |price| price.cost);
        let now = micros(context.received_at());
        let mut verdict = PolicyVerdict::default();
        shared.check_destination(facts, &mut verdict);
        let start = shared.start(facts, context, cost.err(), &mut verdict);
        let cost = cost.unwrap_or_default();
        if verdict.is_allowed() && !start.checks.is_empty() {
            let ruling = shared.store.take(&start, now, cost);
            let ruling = self.within_timeout(ruling).await?;
            verdict.add(&ruling, &start);
        }
        let is_new = verdict.basis != Basis::Repeated;
        if let Some(overrule) = &shared.overrule {
            self.overrule(overrule(event, &verdict), &start, now, &mut verdict)
                .await?;
        }
        if is_new {
            shared.record(facts, &verdict, cost);
        }
        Ok(verdict)
    }

    /// Gives back what a start took that is denied after all: to be called when the answer to a start that
    /// [`check`](Self::check) allowed is no.
    ///
    /// # Errors
    ///
    /// When the store is away. Then it stays counted until the result event says `DENIED`.
    pub async fn release(&self, event: &RequestEvent, context: &Context) -> Result<(), StoreError> {
        self.release_facts(&self.facts(event), context).await
    }

    pub(crate) async fn release_facts(&self, facts: &Facts, context: &Context) -> Result<(), StoreError> {
        self.end(facts, End::Denied, context).await
    }

    /// Counts how a verification ended. A result that comes again, or whose start was not counted, changes nothing.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub async fn settle(&self, event: &ResultEvent, context: &Context) -> Result<(), StoreError> {
        let end = match event.status {
            Status::Denied => End::Denied,
            Status::Successful => End::Success,
            // No end, so far as this version knows.
            Status::Pending | Status::Unknown(_) => return Ok(()),
            _ => End::Failure,
        };
        let facts = Facts::of_result(event, self.shared.caller.as_ref());
        self.end(&facts, end, context).await
    }

    async fn end(&self, facts: &Facts, end: End, context: &Context) -> Result<(), StoreError> {
        let shared = &*self.shared;
        let start = shared.start(facts, context, None, &mut PolicyVerdict::default());
        if start.checks.is_empty() {
            return Ok(());
        }
        let ended = shared.store.end(&start, end, micros(context.received_at()));
        if let Some(cost) = self.within_timeout(ended).await? {
            shared.recorder.ended(shared.destination(facts), end, cost);
            telemetry::ended(facts.country, &facts.method, end, cost);
        }
        Ok(())
    }

    async fn overrule(
        &self,
        overrule: Overrule,
        start: &Start<'_>,
        now: Micros,
        verdict: &mut PolicyVerdict,
    ) -> Result<(), StoreError> {
        match (overrule, verdict.is_allowed()) {
            (Overrule::Allow, false) => {
                verdict.denial = None;
                verdict.basis = Basis::Overruled;
            }
            (Overrule::Deny, true) => {
                let shared = &*self.shared;
                let ended = shared.store.end(start, End::Denied, now);
                self.within_timeout(ended).await?;
                verdict.denial = Some(Denial {
                    rule: OVERRULE.into(),
                    mode: Mode::Enforce,
                    key: String::new(),
                    limit: "denied by the application".to_owned(),
                    retry_at: None,
                });
                verdict.basis = Basis::Overruled;
            }
            _ => {}
        }
        Ok(())
    }

    /// What was decided since the policy was built, in this process.
    #[must_use]
    pub fn report(&self) -> PolicyReport {
        let shared = &*self.shared;
        let destinations = shared.destinations.as_ref().map(|_| &shared.destinations_name);
        let counting = shared.rules.iter().map(|rule| &rule.name);
        let overrule = shared.overrule.as_ref().map(|_| Arc::from(OVERRULE));
        let names = destinations.into_iter().chain(counting).chain(&overrule);
        shared.recorder.report(names)
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    async fn within_timeout<T>(
        &self,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = task::within(self.shared.timeout, asked).await;
        answer.unwrap_or(Err(StoreError::TimedOut))
    }

    /// Counts and logs that the store does not know, and does what the rules say.
    pub(crate) fn doubt(&self, error: StoreError) -> Result<(), Rejection> {
        let in_doubt = self.shared.in_doubt;
        telemetry::doubted(&error);
        tracing::error!(store = error.name(), ?in_doubt, reason = %error, "policy does not know");
        match in_doubt {
            InDoubt::Accept => Ok(()),
            InDoubt::Refuse => Err(Rejection::new(Reason::Unguarded(error))),
        }
    }
}

impl Shared {
    fn destination<'a>(&self, facts: &'a Facts) -> Destination<'a> {
        let number = facts.number.as_ref();
        Destination {
            country: facts.country,
            range: number.map(|number| plan::range(number.as_str(), self.range_digits)),
        }
    }

    fn check_destination(&self, facts: &Facts, verdict: &mut PolicyVerdict) {
        let Some(rule) = &self.destinations else { return };
        let number = facts.number.as_ref();
        if let Some(limit) = rule.denies(number, facts.country, &facts.method) {
            verdict.deny(Denial {
                rule: Arc::clone(&self.destinations_name),
                mode: rule.mode,
                key: number.map_or_else(String::new, |number| number.masked().to_string()),
                limit,
                retry_at: None,
            });
        }
    }

    /// Which rules apply, and what they count.
    fn start<'a>(
        &'a self,
        facts: &'a Facts,
        context: &'a Context,
        no_price: Option<SkipReason>,
        verdict: &mut PolicyVerdict,
    ) -> Start<'a> {
        let number = facts.number.as_ref().map(PhoneNumber::as_str);
        let mut checks = Vec::with_capacity(self.rules.len());
        for (place, rule) in self.rules.iter().enumerate() {
            if !rule.applies_to(facts.country, &facts.method) {
                continue;
            }
            let needs_price = matches!(rule.counter, Counter::Budget { .. });
            let unreadable = no_price.filter(|_| needs_price).map_or(Ok(()), Err);
            match unreadable.and_then(|()| self.subject(rule.per, number, facts, context)) {
                Ok(subject) => checks.push(Check {
                    place,
                    rule,
                    subject,
                    method: if rule.by_method { facts.method.as_str() } else { "" },
                }),
                Err(reason) => {
                    let name = Arc::clone(&rule.name);
                    match rule.unreadable {
                        Unreadable::Skip => verdict.skipped.push(Skipped { rule: name, reason }),
                        Unreadable::Deny => verdict.deny(Denial {
                            rule: name,
                            mode: rule.mode,
                            key: String::new(),
                            limit: reason.to_string(),
                            retry_at: None,
                        }),
                    }
                }
            }
        }
        let record = [
            &self.digest[..],
            context.application().as_str().as_bytes(),
            facts.id.as_str().as_bytes(),
        ];
        Start {
            record,
            checks,
            lifetimes: self.lifetimes,
        }
    }

    fn subject<'a>(
        &self,
        per: Per,
        number: Option<&'a str>,
        facts: &'a Facts,
        context: &'a Context,
    ) -> Result<&'a str, SkipReason> {
        let number = number.ok_or(SkipReason::NoNumber);
        match per {
            Per::Number => number,
            Per::Range => number.map(|number| plan::range(number, self.range_digits)),
            Per::Country => facts
                .country
                .as_ref()
                .map(|country| country.as_str())
                .ok_or(SkipReason::NoCountry),
            Per::Application => Ok(context.application().as_str()),
            Per::Caller => facts.caller.as_deref().map_err(|reason| *reason),
            Per::All => Ok(""),
        }
    }

    fn record(&self, facts: &Facts, verdict: &PolicyVerdict, cost: u64) {
        let destination = self.destination(facts);
        self.recorder.decided(destination, verdict, cost);
        telemetry::decided(verdict, facts.country, &facts.method, cost);
    }
}

impl PolicyVerdict {
    /// Adds a denial. The first enforced one stands.
    fn deny(&mut self, denial: Denial) {
        match denial.mode {
            Mode::Enforce => _ = self.denial.get_or_insert(denial),
            Mode::Observe => self.observed.push(denial),
        }
    }

    /// Adds what the store says.
    fn add(&mut self, ruling: &Ruling, start: &Start<'_>) {
        if ruling.is_repeated {
            *self = Self {
                basis: Basis::Repeated,
                ..Self::default()
            };
        }
        for (place, until) in ruling.denied.iter().chain(&ruling.observed) {
            let Some(check) = start.checks.iter().find(|check| check.place == *place) else {
                continue;
            };
            let key = match check.rule.per {
                Per::Number | Per::Caller => Masked::new(check.subject).to_string(),
                Per::All => "all starts".to_owned(),
                Per::Range | Per::Country | Per::Application => check.subject.to_owned(),
            };
            self.deny(Denial {
                rule: Arc::clone(&check.rule.name),
                mode: check.rule.mode,
                key,
                limit: check.rule.limit.clone(),
                retry_at: Some(UNIX_EPOCH + Duration::from_micros(*until)),
            });
        }
    }
}

/// Until the year 2255, up to which a double is exact.
fn micros(time: SystemTime) -> Micros {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    plan::micros(since).min(1 << 53)
}

/// Shows no key that was counted.
impl fmt::Debug for FraudPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FraudPolicy")
            .field("rules", &self.shared.rules)
            .field("store", &self.shared.store)
            .field("in_doubt", &self.shared.in_doubt)
            .finish_non_exhaustive()
    }
}
