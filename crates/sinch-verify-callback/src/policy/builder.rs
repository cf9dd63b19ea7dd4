use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sinch_verify_protocol::callback::RequestEvent;
use sinch_verify_protocol::number_plans::NumberPlans;

use super::destinations::{DestinationRule, ExceptionList};
use super::facts::{CallerReader, PriceList, StartTexts};
use super::invalid::InvalidPolicy;
use super::plan;
use super::report::Recorder;
use super::rules::{Per, PolicyRules, WrittenBy};
use super::store::{Lifetimes, PolicyStore};
use super::verdict::{Overrule, PolicyVerdict};
use super::{FraudPolicy, OverruleFn, Shared};
use crate::guard::ReplayGuard;

/// Settings of a [`FraudPolicy`].
#[must_use = "a builder does nothing until it builds"]
pub struct PolicyBuilder {
    rules: PolicyRules,
    store: PolicyStore,
    timeout: Duration,
    plans: Option<NumberPlans>,
    caller: Option<CallerReader>,
    overrule: Option<Box<OverruleFn>>,
}

impl PolicyBuilder {
    pub(super) fn new(rules: PolicyRules) -> Self {
        Self {
            rules,
            store: PolicyStore::default(),
            timeout: ReplayGuard::TIMEOUT,
            plans: None,
            caller: None,
            overrule: None,
        }
    }

    /// Counts here: by default in memory, with [`PolicyStore::DEFAULT_ROOM`].
    pub fn store(mut self, store: PolicyStore) -> Self {
        self.store = store;
        self
    }

    /// How long the store may take to answer: by default [`ReplayGuard::TIMEOUT`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The numbering plans, for [`Destinations::deny_numbers`](super::Destinations::deny_numbers). Feature `national-numbers` of
    /// `sinch-verify-protocol` makes them.
    pub fn number_plans(mut self, plans: NumberPlans) -> Self {
        self.plans = Some(plans);
        self
    }

    /// Reads the caller key by a function, in place of [`PolicyRules::caller`]: an address, a device or an account
    /// that your backend writes into `custom` or `reference`. `None` where there is none.
    pub fn caller_key(
        mut self,
        written_by: WrittenBy,
        read: impl Fn(StartTexts<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let read = Arc::new(read);
        self.caller = Some(CallerReader { written_by, read });
        self
    }

    /// Looks at each verdict before it counts as the answer, and may decide otherwise. It must say the same to the
    /// same event.
    pub fn overrule(
        mut self,
        overrule: impl Fn(&RequestEvent, &PolicyVerdict) -> Overrule + Send + Sync + 'static,
    ) -> Self {
        self.overrule = Some(Box::new(overrule));
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// When a rule is not valid. The error names its key.
    pub fn build(self) -> Result<FraudPolicy, InvalidPolicy> {
        let written = &self.rules;
        let rules = plan::rules(written)?;
        if !(1..=8).contains(&written.range_digits) {
            let message = format!("must be from 1 to 8, is {}", written.range_digits);
            return Err(InvalidPolicy::new("range-digits", message));
        }
        let destinations = written.destinations.as_ref().map(|destinations| {
            let mode = destinations.mode.unwrap_or(written.mode);
            DestinationRule::new(destinations, mode, self.plans)
        });
        let declared = written.caller.as_ref().map(CallerReader::declared).transpose()?;
        let caller = self.caller.or(declared);
        let needs_caller = rules.iter().find(|rule| rule.per == Per::Caller);
        if let (Some(rule), None) = (needs_caller, &caller) {
            let message = format!(
                "missing; {} counts per caller, so say where the key is and who writes it, such as \
                 from = \"custom\" and written-by = \"backend\"",
                rule.name
            );
            return Err(InvalidPolicy::new("caller", message));
        }
        let names = rules.iter().map(|rule| &rule.digest[..]);
        Ok(FraudPolicy {
            shared: Arc::new(Shared {
                digest: plan::digest(names),
                caller: caller.filter(|_| needs_caller.is_some()),
                destinations: destinations.transpose()?,
                destinations_name: DestinationRule::NAME.into(),
                exceptions: ExceptionList::new(&written.exceptions)?,
                prices: written.prices.as_ref().map(PriceList::new).transpose()?,
                range_digits: written.range_digits,
                lifetimes: Lifetimes {
                    pending: plan::duration("", "result-within", written.result_within)?,
                    ended: plan::micros(ReplayGuard::DECISION_LIFETIME),
                },
                in_doubt: written.in_doubt,
                rules,
                store: self.store,
                timeout: self.timeout,
                overrule: self.overrule,
                recorder: Recorder::default(),
            }),
        })
    }
}

impl fmt::Debug for PolicyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyBuilder")
            .field("rules", &self.rules)
            .field("store", &self.store)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
