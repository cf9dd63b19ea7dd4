use sinch_verify_protocol::PhoneNumber;

/// The calling code of made-up numbers. It is assigned to no country, so no phone has such a number.
const CALLING_CODE: &str = "+999";
/// Digits behind the calling code: as many as a number can have.
const DIGITS: usize = 12;
const COUNT: u64 = 1_000_000_000_000;

/// The phone numbers of a run, one for each flow.
///
/// A start for a number aborts the pending verification of the same number, so no two flows that
/// overlap may share one.
#[derive(Clone, Debug)]
pub(crate) struct Numbers(Source);

#[derive(Clone, Debug)]
enum Source {
    MadeUp { first: u64 },
    Listed(Vec<PhoneNumber>),
}

impl Numbers {
    /// Numbers that no phone has, all different for the first 10^12 flows. Runs that begin elsewhere
    /// share none for a long while.
    #[must_use]
    pub(crate) fn made_up(first: u64) -> Self {
        Self(Source::MadeUp { first: first % COUNT })
    }

    /// These numbers, one after the other and over again.
    #[must_use]
    pub(crate) fn listed(numbers: Vec<PhoneNumber>) -> Self {
        Self(Source::Listed(numbers))
    }

    /// The number of the flow of this index; `None` where the list is empty.
    #[must_use]
    pub(crate) fn of(&self, index: u64) -> Option<PhoneNumber> {
        match &self.0 {
            Source::MadeUp { first } => {
                let index = (first + index % COUNT) % COUNT;
                PhoneNumber::parse(&format!("{CALLING_CODE}{index:0DIGITS$}")).ok()
            }
            Source::Listed(numbers) => {
                let index = index.checked_rem(numbers.len() as u64)?;
                numbers.get(usize::try_from(index).ok()?).copied()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn never_collide() {
        let numbers = Numbers::made_up(COUNT - 1000);
        let taken: HashSet<_> = (0..2000).map(|slot| numbers.of(slot).unwrap()).collect();
        assert_eq!(taken.len(), 2000);
        assert!(numbers.of(u64::MAX).is_some());
    }

    #[test]
    fn belong_to_no_country() {
        assert_eq!(Numbers::made_up(0).of(0).unwrap().country(), None);
    }

    #[test]
    fn listed_ones_take_turns() {
        let listed: Vec<PhoneNumber> = ["+46700000001", "+46700000002"]
            .map(|number| number.parse().unwrap())
            .to_vec();
        let numbers = Numbers::listed(listed.clone());
        let taken: Vec<_> = (0..4).map(|slot| numbers.of(slot).unwrap()).collect();
        assert_eq!(taken, [listed.clone(), listed].concat());
        assert_eq!(Numbers::listed(Vec::new()).of(0), None);
    }
}
