//! Bots that ask for messages and never type a code: traffic for a fraud policy.

use std::future::ready;

use sinch_verify_protocol::{ApiError, PhoneNumber, Start};

use super::Flow;
use crate::model::{Failure, FailureKind};

/// How a start ends: its message is paid for, or the backend denies it.
pub(super) const STEPS: [&str; 2] = ["paid", "denied"];

/// The ranges that bots ask for, in as many countries, and how many digits follow. The numbering plans reserve
/// these numbers for fiction, so no phone has one.
const RANGES: [(&str, usize); 4] = [
    ("+4670174061", 1),
    ("+120255501", 2),
    ("+447700900", 3),
    ("+33639980", 3),
];
/// How many flows ask for one country before the next one has its turn.
const ROTATION: u64 = 50;

/// Starts a verification for a number of a pumped range, and does not report. A start that is denied is as good
/// as one that goes ahead: the steps `paid` and `denied` count them.
pub(super) async fn pumping(mut flow: Flow<'_>) -> Result<(), Failure> {
    let number = number(flow.index())?;
    let step = match flow.start(Start::sms(number)).await {
        Ok(_) => STEPS[0],
        Err(refusal) if refusal.kind() == FailureKind::Api(ApiError::RESTRICTED) => STEPS[1],
        Err(failure) => return Err(failure),
    };
    flow.step(step, ready(Ok(()))).await
}

/// The number that the flow of this index asks for.
fn number(index: u64) -> Result<PhoneNumber, Failure> {
    let (turn, place) = (index / ROTATION, index % ROTATION);
    let (round, range) = (turn / RANGES.len() as u64, turn % RANGES.len() as u64);
    let (range, digits) = RANGES[range as usize];
    // The numbers of a range in order, as often as they last.
    let last = (round * ROTATION + place) % 10_u64.pow(digits as u32);
    PhoneNumber::parse(&format!("{range}{last:0digits$}")).map_err(|error| Failure::unmade(&error))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_are_of_a_few_ranges_in_rotating_countries() {
        let country = |index| number(index).unwrap().country().unwrap().to_string();
        let turns = [0, 49, 50, 100, 150, 200].map(country);
        assert_eq!(turns, ["SE", "SE", "US", "GB", "FR", "SE"]);
        let numbers: BTreeSet<_> = (0..4000)
            .map(|index| number(index).unwrap().to_string())
            .collect();
        let ranges: BTreeSet<_> = numbers.iter().map(|number| &number[..number.len() - 4]).collect();
        assert_eq!(ranges.len(), 4, "{ranges:?}");
        assert_eq!(numbers.len(), 10 + 100 + 1000 + 1000);
    }
}
