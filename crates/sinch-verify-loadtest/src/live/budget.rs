//! What a live run may spend, and what it has spent.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::price::{Money, VerificationPrice};
use sinch_verify_protocol::{PhoneNumber, VerificationId};

use super::numbers::{AllowList, PerNumber};
use super::stop::Stop;
use super::sum::{Currency, Sum};

/// The limits of what a live run may spend. There is no run without all of them.
#[derive(Clone, Debug)]
pub struct Budget {
    /// How many verifications may be started.
    pub verifications: NonZeroU64,
    /// What all of them may cost.
    pub cost: Sum,
    /// What a single one may cost, which is reserved before it is started.
    pub worst: Sum,
    /// The currency of both.
    pub currency: Currency,
    /// Who may be verified.
    pub numbers: AllowList,
    /// How often.
    pub per_number: PerNumber,
}

impl Budget {
    /// How many verifications there can be, whichever limit comes first.
    #[must_use]
    pub fn count(&self) -> u64 {
        let numbers = u64::try_from(self.numbers.numbers().len()).unwrap_or(u64::MAX);
        self.verifications
            .get()
            .min(numbers.saturating_mul(self.per_number.get()))
    }

    /// The share of shard `index` of `count`. The shares together are never more than the whole.
    /// `None` when there is nothing in it.
    #[must_use]
    pub fn shard(&self, index: u32, count: NonZeroU32) -> Option<Self> {
        let (all, shards) = (self.verifications.get(), u64::from(count.get()));
        let own = all / shards + u64::from(u64::from(index) < all % shards);
        Some(Self {
            verifications: NonZeroU64::new(own)?,
            cost: self.cost.part(count),
            numbers: self.numbers.shard(index, count)?,
            ..self.clone()
        })
    }
}

/// The bookkeeping of a live run.
///
/// The worst price is reserved before a start and settled when its flow is over, so that no number
/// of starts at once can overrun the budget.
#[derive(Debug)]
pub struct Ledger {
    budget: Budget,
    uses: HashMap<PhoneNumber, u64>,
    started: u64,
    spent: Sum,
    open: HashMap<u64, Entry>,
    /// Prices of verifications whose start is not answered yet.
    early: HashMap<VerificationId, Option<Sum>>,
}

/// A reservation.
#[derive(Debug)]
struct Entry {
    /// A call may cost something on top, which shows after it is over.
    call: bool,
    id: Option<VerificationId>,
    price: Option<Price>,
}

#[derive(Clone, Copy, Debug)]
struct Price {
    sum: Sum,
    /// Nothing more can come on top.
    whole: bool,
}

impl Ledger {
    /// Empty books.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            uses: HashMap::new(),
            started: 0,
            spent: Sum::ZERO,
            open: HashMap::new(),
            early: HashMap::new(),
        }
    }

    /// The limits.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Whether `number` may be verified once more.
    #[must_use]
    pub fn allows(&self, number: &PhoneNumber) -> bool {
        self.uses.get(number).copied().unwrap_or(0) < self.budget.per_number.get()
    }

    /// Reserves the worst price of a verification of `number`. The reservation is named by what is
    /// returned.
    ///
    /// # Errors
    ///
    /// The limit that does not allow it. Nothing is reserved then.
    pub fn reserve(&mut self, number: &PhoneNumber, call: bool) -> Result<u64, Stop> {
        if !self.budget.numbers.numbers().contains(number) {
            return Err(Stop::ForeignNumber);
        }
        if self.started >= self.budget.verifications.get() {
            return Err(Stop::Verifications);
        }
        if !self.allows(number) {
            return Err(Stop::Numbers);
        }
        if self.committed().plus(self.budget.worst) > self.budget.cost {
            return Err(Stop::Budget);
        }
        *self.uses.entry(*number).or_default() += 1;
        let name = self.started;
        self.started += 1;
        let entry = Entry {
            call,
            id: None,
            price: None,
        };
        self.open.insert(name, entry);
        Ok(name)
    }

    /// The verification of a reservation has this id.
    ///
    /// # Errors
    ///
    /// When a price that came before it says so.
    pub fn bind(&mut self, name: u64, id: &VerificationId) -> Result<(), Stop> {
        let early = self.early.remove(id);
        if let Some(entry) = self.open.get_mut(&name) {
            entry.id = Some(id.clone());
        }
        if !self.awaits_id() {
            self.early.clear();
        }
        early.map_or(Ok(()), |sum| self.learn(id, sum, false))
    }

    /// A callback told the price of the verification `id`.
    ///
    /// # Errors
    ///
    /// When it is above the worst one.
    pub fn announced(&mut self, id: &VerificationId, price: &Money) -> Result<(), Stop> {
        let sum = Sum::of(price, self.budget.currency);
        // The event comes while the start waits for its answer, so the id may be news.
        if self.awaits_id() && !self.knows(id) {
            self.early.insert(id.clone(), sum);
            return Ok(());
        }
        self.learn(id, sum, false)
    }

    /// A status told the price of the verification `id`.
    ///
    /// # Errors
    ///
    /// When it is above the worst one.
    pub fn charged(&mut self, id: &VerificationId, price: &VerificationPrice) -> Result<(), Stop> {
        let currency = self.budget.currency;
        let Some(verification) = &price.verification else {
            return Ok(());
        };
        let termination = price.termination.as_ref();
        let sum = Sum::of(verification, currency).and_then(|sum| match termination {
            Some(money) => Sum::of(money, currency).map(|more| sum.plus(more)),
            None => Some(sum),
        });
        self.learn(id, sum, termination.is_some())
    }

    /// The start of a reservation never left, or was refused: it costs nothing.
    pub fn release(&mut self, name: u64) {
        self.open.remove(&name);
        if !self.awaits_id() {
            self.early.clear();
        }
    }

    /// The flow of a reservation is over: what it cost is spent.
    ///
    /// # Errors
    ///
    /// When that is not known. The worst price is spent then.
    pub fn close(&mut self, name: u64) -> Result<(), Stop> {
        let Some(entry) = self.open.remove(&name) else {
            return Ok(());
        };
        let worst = self.budget.worst;
        let (cost, known) = match entry.price {
            Some(price) if price.whole || !entry.call => (price.sum, Ok(())),
            // The call itself may still be billed, so all of the reservation stays taken.
            Some(price) => (price.sum.max(worst), Ok(())),
            None => (worst, Err(Stop::UnknownPrice)),
        };
        self.spent = self.spent.plus(cost);
        known
    }

    /// How the books stand.
    #[must_use]
    pub fn spending(&self) -> Spending {
        Spending {
            started: self.started,
            spent: self.spent.to_string(),
            reserved: self.committed().minus(self.spent).to_string(),
            limit: self.budget.cost.to_string(),
            currency: self.budget.currency.to_string(),
        }
    }

    fn committed(&self) -> Sum {
        let open = self.open.values().map(|entry| {
            entry
                .price
                .map_or(self.budget.worst, |price| price.sum.max(self.budget.worst))
        });
        open.fold(self.spent, Sum::plus)
    }

    fn awaits_id(&self) -> bool {
        self.open.values().any(|entry| entry.id.is_none())
    }

    fn knows(&self, id: &VerificationId) -> bool {
        self.open.values().any(|entry| entry.id.as_ref() == Some(id))
    }

    fn learn(&mut self, id: &VerificationId, sum: Option<Sum>, whole: bool) -> Result<(), Stop> {
        let worst = self.budget.worst;
        let entry = self.open.values_mut().find(|entry| entry.id.as_ref() == Some(id));
        let Some(entry) = entry else {
            return Ok(());
        };
        // Another currency, or no amount: that it costs something is all there is to know.
        let sum = sum.ok_or(Stop::UnknownPrice)?;
        let known = entry.price.map_or(Sum::ZERO, |price| price.sum);
        let whole = whole || entry.price.is_some_and(|price| price.whole);
        let sum = sum.max(known);
        entry.price = Some(Price { sum, whole });
        if sum > worst {
            return Err(Stop::PriceAboveWorst);
        }
        Ok(())
    }
}

/// What a live run has spent, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spending {
    /// How many verifications were started.
    pub started: u64,
    /// What those cost that are over.
    pub spent: String,
    /// What is reserved for those under way.
    pub reserved: String,
    /// The most that the run may spend.
    pub limit: String,
    /// The currency of all of them.
    pub currency: String,
}

impl Spending {
    /// What two shards of a run spent together; `None` where that cannot be told.
    pub(crate) fn plus(self, other: &Self) -> Option<Self> {
        let plus = |one: &str, other: &str| {
            let (one, other): (Sum, Sum) = (one.parse().ok()?, other.parse().ok()?);
            Some(one.plus(other).to_string())
        };
        if self.currency != other.currency {
            return None;
        }
        Some(Self {
            started: self.started + other.started,
            spent: plus(&self.spent, &other.spent)?,
            reserved: plus(&self.reserved, &other.reserved)?,
            limit: plus(&self.limit, &other.limit)?,
            currency: self.currency,
        })
    }
}

#[cfg(test)]
mod tests;
