//! What a live run may spend, and what it has spent.

use std::collections::HashMap;
use std::num::NonZeroU64;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::price::Money;
use sinch_verify_protocol::{Amount, PhoneNumber, VerificationId};

use super::numbers::AllowList;
use super::stop::Stop;
use crate::model::Shard;

/// What a live run may spend. Amounts are in `currency`.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// The most verifications that may be started.
    pub(crate) verifications: NonZeroU64,
    /// The most that all of them together may cost.
    pub(crate) cost: Decimal,
    /// The most that one may cost. It is reserved before each start.
    pub(crate) worst_price: Decimal,
    /// The currency of the account, see [`parse_currency`].
    pub(crate) currency: String,
    /// The numbers that may be verified.
    pub(crate) numbers: AllowList,
    /// How often each of them may be verified, 1 to [`MOST_PER_NUMBER`](super::MOST_PER_NUMBER).
    pub(crate) per_number: u8,
}

impl Budget {
    /// The most verifications that the counts allow.
    #[must_use]
    pub(crate) fn most(&self) -> u64 {
        let uses = self.numbers.numbers().len() as u64 * u64::from(self.per_number);
        self.verifications.get().min(uses)
    }

    /// The part of one shard; all parts together are at most the whole. `None` when the shard has
    /// no verification or no number.
    #[must_use]
    pub(crate) fn of_shard(&self, shard: Shard) -> Option<Self> {
        let (all, shards, index) = (self.verifications.get(), shard.of() as u64, shard.index() as u64);
        let cost = self
            .cost
            .checked_div(shards.into())?
            .trunc_with_scale(6)
            .normalize();
        Some(Self {
            verifications: NonZeroU64::new(all / shards + u64::from(index < all % shards))?,
            cost: with_cents(cost),
            numbers: self.numbers.of_shard(shard)?,
            ..self.clone()
        })
    }
}

/// Reads an amount of money that a user gives, such as `1.50`.
///
/// # Errors
///
/// When the text is not a decimal number, is negative or has more than 28 digits.
pub(crate) fn parse_amount(text: &str) -> Result<Decimal, &'static str> {
    let amount = text.parse().ok();
    amount
        .and_then(|amount| exact(&amount))
        .ok_or("must be an amount such as 1.50, without a sign")
}

/// `amount` without rounding; `None` when it is negative or has more than 28 digits.
fn exact(amount: &Amount) -> Option<Decimal> {
    let (units, scale) = amount.scaled()?;
    let amount = Decimal::try_from_i128_with_scale(units, scale).ok()?;
    (units >= 0).then(|| with_cents(amount))
}

/// The same amount with at least two decimals. Sums keep them.
pub(super) fn with_cents(mut amount: Decimal) -> Decimal {
    amount.rescale(amount.scale().max(2));
    amount
}

/// Reads a currency that a user gives: an ISO 4217 code such as `EUR`.
///
/// # Errors
///
/// When it is not three letters.
pub(crate) fn parse_currency(text: &str) -> Result<String, &'static str> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err("must be three letters, such as EUR")
    }
}

/// What a live run has started, spent and reserved.
///
/// The worst price is reserved before a start and settled when the flow ends, so starts at the same
/// time cannot exceed the budget.
#[derive(Debug)]
pub(super) struct Account {
    budget: Budget,
    uses: HashMap<PhoneNumber, u8>,
    started: u64,
    spent: Decimal,
    /// How many starts are not settled.
    open: u64,
    /// Prices that the service told. A callback may tell one before the start is answered.
    prices: HashMap<VerificationId, Price>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Price {
    amount: Decimal,
    /// Whether the price of the call is in it.
    has_call: bool,
}

impl Account {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            budget,
            uses: HashMap::new(),
            started: 0,
            spent: with_cents(Decimal::ZERO),
            open: 0,
            prices: HashMap::new(),
        }
    }

    /// Whether `number` may be verified once more.
    pub(super) fn allows(&self, number: &PhoneNumber) -> bool {
        self.uses
            .get(number)
            .is_none_or(|uses| *uses < self.budget.per_number)
    }

    /// Whether every number was verified as often as it may be.
    pub(super) fn is_used_up(&self) -> bool {
        !self
            .budget
            .numbers
            .numbers()
            .iter()
            .any(|number| self.allows(number))
    }

    /// Reserves the worst price of one verification of `number`.
    ///
    /// # Errors
    ///
    /// The limit that does not allow it. Nothing is reserved then.
    pub(super) fn reserve(&mut self, number: &PhoneNumber) -> Result<(), Stop> {
        let Budget {
            verifications,
            cost,
            worst_price,
            ref numbers,
            ..
        } = self.budget;
        if !numbers.numbers().contains(number) {
            return Err(Stop::ForeignNumber);
        }
        if self.started >= verifications.get() {
            return Err(Stop::Verifications);
        }
        if !self.allows(number) {
            return Err(Stop::Numbers);
        }
        if self
            .spent
            .saturating_add(self.reserved())
            .saturating_add(worst_price)
            > cost
        {
            return Err(Stop::Budget);
        }
        *self.uses.entry(*number).or_default() += 1;
        self.started += 1;
        self.open += 1;
        Ok(())
    }

    /// Notes the price of a verification of this run, with that of its call where one was billed.
    ///
    /// # Errors
    ///
    /// When the price is above the worst one, has no amount or is in another currency.
    pub(super) fn price(
        &mut self,
        id: &VerificationId,
        price: &Money,
        call: Option<&Money>,
    ) -> Result<(), Stop> {
        let currency = &self.budget.currency;
        let amount = |money: &Money| {
            let is_ours = money.currency.as_ref()?.eq_ignore_ascii_case(currency);
            money.amount.as_ref().filter(|_| is_ours).and_then(exact)
        };
        let call_amount = call.map_or(Some(Decimal::ZERO), amount);
        let (Some(price), Some(call_amount)) = (amount(price), call_amount) else {
            return Err(Stop::UnknownPrice);
        };
        let sum = price.saturating_add(call_amount);
        let price = self.prices.entry(id.clone()).or_default();
        price.amount = price.amount.max(sum);
        price.has_call |= call.is_some();
        if sum > self.budget.worst_price {
            return Err(Stop::PriceAboveWorst);
        }
        Ok(())
    }

    /// Frees the reservation of a start that was not sent or was refused: it costs nothing.
    pub(super) fn release(&mut self) {
        self.open -= 1;
    }

    /// Spends the reservation of a start whose flow ended. `id` is its verification, as far as it is
    /// known; `is_call` says that a call may be billed on top of the verification.
    ///
    /// # Errors
    ///
    /// When the price is not known. The worst price is spent then.
    pub(super) fn settle(&mut self, id: Option<&VerificationId>, is_call: bool) -> Result<(), Stop> {
        self.open -= 1;
        let worst = self.budget.worst_price;
        let price = id.and_then(|id| self.prices.remove(id));
        let cost = match price {
            Some(price) if price.has_call || !is_call => price.amount,
            // The call may still be billed.
            Some(price) => price.amount.max(worst),
            None => worst,
        };
        self.spent = self.spent.saturating_add(cost);
        price.map(drop).ok_or(Stop::UnknownPrice)
    }

    pub(super) fn spending(&self) -> Spending {
        Spending {
            started: self.started,
            spent: self.spent,
            reserved: self.reserved(),
            limit: self.budget.cost,
            currency: self.budget.currency.clone(),
        }
    }

    fn reserved(&self) -> Decimal {
        with_cents(self.budget.worst_price.saturating_mul(self.open.into()))
    }
}

/// What a live run has spent, for reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spending {
    /// How many verifications were started.
    pub started: u64,
    /// The cost of those whose flow has ended.
    #[serde(with = "rust_decimal::serde::str")]
    pub spent: Decimal,
    /// The amount reserved for those whose flow has not ended.
    #[serde(with = "rust_decimal::serde::str")]
    pub reserved: Decimal,
    /// The most that the run may spend.
    #[serde(with = "rust_decimal::serde::str")]
    pub limit: Decimal,
    /// The currency of all amounts.
    pub currency: String,
}

impl Spending {
    /// The sum of two shards; `None` when their currencies differ.
    pub(crate) fn plus(self, other: &Self) -> Option<Self> {
        (self.currency == other.currency).then(|| Self {
            started: self.started.saturating_add(other.started),
            spent: self.spent.saturating_add(other.spent),
            reserved: self.reserved.saturating_add(other.reserved),
            limit: self.limit.saturating_add(other.limit),
            currency: self.currency,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn number(last: u32) -> PhoneNumber {
        PhoneNumber::parse(&format!("+4670000{last:04}")).unwrap()
    }

    fn id(text: &str) -> VerificationId {
        VerificationId::new(text).unwrap()
    }

    fn euros(amount: &str) -> Money {
        Money::new("EUR", amount.parse().unwrap())
    }

    /// Ten numbers, ten verifications, 1.00 EUR in all, 0.20 EUR each.
    pub(in crate::live) fn budget() -> Budget {
        let numbers: String = (0..10).map(|last| format!("+4670000{last:04}\n")).collect();
        Budget {
            verifications: NonZeroU64::new(10).unwrap(),
            cost: parse_amount("1").unwrap(),
            worst_price: parse_amount("0.2").unwrap(),
            currency: parse_currency("eur").unwrap(),
            numbers: numbers.parse().unwrap(),
            per_number: 2,
        }
    }

    /// What the account shows as spent and reserved.
    fn shown(account: &Account) -> (String, String) {
        let spending = account.spending();
        (spending.spent.to_string(), spending.reserved.to_string())
    }

    fn texts(spent: &str, reserved: &str) -> (String, String) {
        (spent.to_owned(), reserved.to_owned())
    }

    #[test]
    fn amounts_are_exact() {
        for (text, amount) in [
            ("0", "0.00"),
            ("1", "1.00"),
            ("1.5", "1.50"),
            ("0.0453", "0.0453"),
            ("4.53e-2", "0.0453"),
            ("0.0000000000000000001", "0.0000000000000000001"),
        ] {
            assert_eq!(
                parse_amount(text).map(|amount| amount.to_string()),
                Ok(amount.to_owned())
            );
        }
        for wrong in ["", "-1", "+1", "1e30", "1e-30", "1,5", ".5", "EUR", "NaN", " 1"] {
            assert!(parse_amount(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "EU", "EURO", "E1R", "\u{20ac}"] {
            assert!(parse_currency(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn starts_at_the_same_time_cannot_exceed_the_budget() {
        let mut account = Account::new(budget());
        for last in 0..5 {
            account.reserve(&number(last)).unwrap();
        }
        assert_eq!(shown(&account), texts("0.00", "1.00"));
        assert_eq!(account.reserve(&number(5)), Err(Stop::Budget));
        // A price that is known frees nothing before the flow ends.
        account.price(&id("a"), &euros("0.05"), None).unwrap();
        assert_eq!(account.reserve(&number(5)), Err(Stop::Budget));
        account.settle(Some(&id("a")), false).unwrap();
        assert_eq!(shown(&account), texts("0.05", "0.80"));
        assert_eq!(
            account.reserve(&number(5)),
            Err(Stop::Budget),
            "0.05 + 5 x 0.20 > 1.00"
        );
        account.release();
        assert_eq!(account.reserve(&number(5)), Ok(()));
    }

    #[test]
    fn every_count_is_a_limit() {
        let mut account = Account::new(Budget {
            cost: 100.into(),
            verifications: NonZeroU64::new(3).unwrap(),
            ..budget()
        });
        assert_eq!(account.reserve(&number(99)), Err(Stop::ForeignNumber));
        account.reserve(&number(0)).unwrap();
        account.reserve(&number(0)).unwrap();
        assert_eq!(account.reserve(&number(0)), Err(Stop::Numbers));
        account.reserve(&number(1)).unwrap();
        assert_eq!(account.reserve(&number(2)), Err(Stop::Verifications));
        assert_eq!(account.spending().started, 3);
    }

    #[test]
    fn an_unknown_price_is_spent_as_the_worst() {
        let mut account = Account::new(budget());
        for _ in 0..2 {
            account.reserve(&number(0)).unwrap();
        }
        assert_eq!(account.settle(Some(&id("a")), false), Err(Stop::UnknownPrice));
        let dollars = Money::new("USD", "0.01".parse().unwrap());
        assert_eq!(account.price(&id("b"), &dollars, None), Err(Stop::UnknownPrice));
        assert_eq!(account.settle(Some(&id("b")), false), Err(Stop::UnknownPrice));
        assert_eq!(shown(&account), texts("0.40", "0.00"));
    }

    #[test]
    fn a_price_above_the_worst_stops_and_is_spent() {
        let mut account = Account::new(budget());
        account.reserve(&number(0)).unwrap();
        assert_eq!(
            account.price(&id("a"), &euros("0.21"), None),
            Err(Stop::PriceAboveWorst)
        );
        account.settle(Some(&id("a")), false).unwrap();
        assert_eq!(shown(&account), texts("0.21", "0.00"));
    }

    #[test]
    fn a_callback_may_tell_the_price_before_the_start_is_answered() {
        let mut account = Account::new(budget());
        account.reserve(&number(0)).unwrap();
        account.price(&id("a"), &euros("0.07"), None).unwrap();
        account.price(&id("a"), &euros("0.05"), None).unwrap();
        account.settle(Some(&id("a")), false).unwrap();
        assert_eq!(
            shown(&account),
            texts("0.07", "0.00"),
            "the higher of two prices counts"
        );
    }

    #[test]
    fn a_call_costs_the_worst_price_until_it_is_billed() {
        let mut account = Account::new(budget());
        for (name, call, spent) in [("a", None, "0.20"), ("b", Some("0.02"), "0.27")] {
            account.reserve(&number(0)).unwrap();
            let call = call.map(euros);
            account.price(&id(name), &euros("0.05"), call.as_ref()).unwrap();
            account.settle(Some(&id(name)), true).unwrap();
            assert_eq!(shown(&account), texts(spent, "0.00"));
        }
    }

    #[test]
    fn a_huge_price_does_not_overflow() {
        let mut account = Account::new(budget());
        account.reserve(&number(0)).unwrap();
        let huge = euros(&Decimal::MAX.to_string());
        assert_eq!(
            account.price(&id("a"), &huge, Some(&huge)),
            Err(Stop::PriceAboveWorst)
        );
        account.settle(Some(&id("a")), true).unwrap();
        assert_eq!(account.reserve(&number(1)), Err(Stop::Budget));
    }

    #[test]
    fn shards_add_up_to_no_more_than_the_whole() {
        let whole = budget();
        for count in [1, 2, 3, 4, 7] {
            let shard = |index| format!("{index}/{count}").parse().unwrap();
            let parts: Vec<_> = (0..count)
                .filter_map(|index| whole.of_shard(shard(index)))
                .collect();
            assert_eq!(parts.iter().map(|part| part.verifications.get()).sum::<u64>(), 10);
            assert!(parts.iter().map(|part| part.cost).sum::<Decimal>() <= whole.cost);
            let numbers: Vec<_> = parts.iter().flat_map(|part| part.numbers.numbers()).collect();
            let distinct: std::collections::HashSet<_> = numbers.iter().collect();
            assert_eq!((numbers.len(), distinct.len()), (10, 10));
        }
        assert_eq!(
            whole.of_shard("0/3".parse().unwrap()).unwrap().cost.to_string(),
            "0.333333"
        );
        assert_eq!(
            whole.of_shard("1/2".parse().unwrap()).unwrap().cost.to_string(),
            "0.50"
        );
        assert!(whole.of_shard("10/11".parse().unwrap()).is_none());
    }

    #[test]
    fn numbers_bound_the_verifications() {
        assert_eq!(budget().most(), 10);
        let one = Budget {
            numbers: "+46700000001\n".parse().unwrap(),
            ..budget()
        };
        assert_eq!(one.most(), 2);
    }
}
