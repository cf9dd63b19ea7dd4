use super::*;

fn sum(text: &str) -> Sum {
    text.parse().unwrap()
}

fn number(last: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("+4670000{last:04}")).unwrap()
}

fn id(text: &str) -> VerificationId {
    VerificationId::new(text).unwrap()
}

fn euros(amount: &str) -> Money {
    Money::new("EUR", amount.parse().unwrap())
}

fn status(amount: &str) -> VerificationPrice {
    let mut price = VerificationPrice::default();
    price.verification = Some(euros(amount));
    price
}

/// Ten numbers, ten verifications, 1.00 EUR in all, 0.20 EUR each.
fn budget() -> Budget {
    let numbers: String = (0..10).map(|last| format!("+4670000{last:04}\n")).collect();
    Budget {
        verifications: NonZeroU64::new(10).unwrap(),
        cost: sum("1.00"),
        worst: sum("0.20"),
        currency: "EUR".parse().unwrap(),
        numbers: numbers.parse().unwrap(),
        per_number: "2".parse().unwrap(),
    }
}

#[test]
fn starts_at_once_cannot_overrun_the_budget() {
    let mut ledger = Ledger::new(budget());
    for last in 0..5 {
        ledger.reserve(&number(last), false).unwrap();
    }
    // Nothing is spent yet, but all of it is spoken for.
    assert_eq!(ledger.reserve(&number(5), false), Err(Stop::Budget));
    assert_eq!(ledger.spending().reserved, "1.00");
    assert_eq!(ledger.spending().spent, "0.00");
}

#[test]
fn settling_frees_what_was_not_spent() {
    let mut ledger = Ledger::new(budget());
    let names: Vec<_> = (0..5)
        .map(|last| ledger.reserve(&number(last), false).unwrap())
        .collect();
    ledger.bind(names[0], &id("a")).unwrap();
    ledger.charged(&id("a"), &status("0.05")).unwrap();
    // Known is not over: only the end of the flow settles.
    assert_eq!(ledger.reserve(&number(5), false), Err(Stop::Budget));
    ledger.close(names[0]).unwrap();
    assert_eq!(ledger.spending().spent, "0.05");
    assert_eq!(
        ledger.reserve(&number(5), false),
        Err(Stop::Budget),
        "0.05 + 4 x 0.20 + 0.20 > 1.00"
    );
    ledger.release(names[1]);
    assert!(ledger.reserve(&number(5), false).is_ok());
}

#[test]
fn every_limit_holds() {
    let mut ledger = Ledger::new(Budget {
        cost: sum("100"),
        verifications: NonZeroU64::new(3).unwrap(),
        ..budget()
    });
    assert_eq!(ledger.reserve(&number(99), false), Err(Stop::ForeignNumber));
    ledger.reserve(&number(0), false).unwrap();
    ledger.reserve(&number(0), false).unwrap();
    assert_eq!(ledger.reserve(&number(0), false), Err(Stop::Numbers));
    ledger.reserve(&number(1), false).unwrap();
    assert_eq!(ledger.reserve(&number(2), false), Err(Stop::Verifications));
    assert_eq!(ledger.spending().started, 3);
}

#[test]
fn unknown_price_stops_and_counts_as_the_worst() {
    let mut ledger = Ledger::new(budget());
    let name = ledger.reserve(&number(0), false).unwrap();
    ledger.bind(name, &id("a")).unwrap();
    ledger.charged(&id("a"), &VerificationPrice::default()).unwrap();
    assert_eq!(ledger.close(name), Err(Stop::UnknownPrice));
    assert_eq!(ledger.spending().spent, "0.20");
}

#[test]
fn another_currency_stops() {
    let mut ledger = Ledger::new(budget());
    let name = ledger.reserve(&number(0), false).unwrap();
    ledger.bind(name, &id("a")).unwrap();
    let dollars = Money::new("USD", "0.01".parse().unwrap());
    assert_eq!(ledger.announced(&id("a"), &dollars), Err(Stop::UnknownPrice));
}

#[test]
fn dearer_than_the_worst_stops_and_is_counted() {
    let mut ledger = Ledger::new(budget());
    let name = ledger.reserve(&number(0), false).unwrap();
    ledger.bind(name, &id("a")).unwrap();
    assert_eq!(
        ledger.charged(&id("a"), &status("0.21")),
        Err(Stop::PriceAboveWorst)
    );
    ledger.close(name).unwrap();
    assert_eq!(ledger.spending().spent, "0.21");
}

#[test]
fn event_may_come_before_the_answer() {
    let mut ledger = Ledger::new(budget());
    let name = ledger.reserve(&number(0), false).unwrap();
    ledger.announced(&id("a"), &euros("0.07")).unwrap();
    // Somebody else's verification of the same application.
    ledger.announced(&id("b"), &euros("9.99")).unwrap();
    ledger.bind(name, &id("a")).unwrap();
    assert!(ledger.early.is_empty());
    ledger.close(name).unwrap();
    assert_eq!(ledger.spending().spent, "0.07");
    // Nobody waits for this one any more.
    ledger.announced(&id("a"), &euros("9.99")).unwrap();
    assert_eq!(ledger.spending().spent, "0.07");
}

#[test]
fn calls_stay_at_the_worst_until_their_termination_is_billed() {
    let mut ledger = Ledger::new(budget());
    for (name, termination, spent) in [("a", None, "0.20"), ("b", Some("0.02"), "0.27")] {
        let entry = ledger.reserve(&number(0), true).unwrap();
        ledger.bind(entry, &id(name)).unwrap();
        let mut price = status("0.05");
        price.termination = termination.map(euros);
        ledger.charged(&id(name), &price).unwrap();
        ledger.close(entry).unwrap();
        assert_eq!(ledger.spending().spent, spent);
    }
}

#[test]
fn shares_add_up_to_no_more_than_the_whole() {
    let whole = budget();
    for count in [1, 2, 3, 4, 7] {
        let count = NonZeroU32::new(count).unwrap();
        let shares: Vec<_> = (0..count.get())
            .filter_map(|index| whole.shard(index, count))
            .collect();
        let verifications: u64 = shares.iter().map(|share| share.verifications.get()).sum();
        assert_eq!(verifications, 10);
        let cost = shares.iter().fold(Sum::ZERO, |all, share| all.plus(share.cost));
        assert!(cost <= whole.cost);
        let numbers: usize = shares.iter().map(|share| share.numbers.numbers().len()).sum();
        assert_eq!(numbers, 10);
    }
    assert!(whole.shard(10, NonZeroU32::new(11).unwrap()).is_none());
}

#[test]
fn fewer_numbers_mean_fewer_verifications() {
    assert_eq!(budget().count(), 10);
    let few = Budget {
        numbers: "+46700000001\n".parse().unwrap(),
        ..budget()
    };
    assert_eq!(few.count(), 2);
}
