use std::collections::VecDeque;

use http::StatusCode;

use super::stop::Stop;

/// How many flows the failure rate is taken over.
const FLOWS: usize = 20;
/// More than this many of them failing ends a run: 20 %.
const FAILURES: usize = FLOWS / 5;
/// How many answers back a refusal counts.
const ANSWERS: usize = 10;
/// As many refusals of a kind among them are a burst.
const BURST: usize = 3;

/// Notices when a live run no longer does what it is for.
#[derive(Debug, Default)]
pub struct Breaker {
    /// Whether each of the last flows failed.
    flows: VecDeque<bool>,
    /// The statuses of the last answers.
    answers: VecDeque<StatusCode>,
}

impl Breaker {
    /// A flow is over.
    ///
    /// # Errors
    ///
    /// When more than a fifth of the last twenty failed.
    pub fn flow(&mut self, failed: bool) -> Result<(), Stop> {
        push(&mut self.flows, failed, FLOWS);
        let failed = self.flows.iter().filter(|failed| **failed).count();
        if failed > FAILURES {
            let of = self.flows.len();
            return Err(Stop::Failures { failed, of });
        }
        Ok(())
    }

    /// A request was answered.
    ///
    /// # Errors
    ///
    /// When the service refuses for want of rights, of money or of patience, again and again.
    pub fn answer(&mut self, status: StatusCode) -> Result<(), Stop> {
        push(&mut self.answers, status, ANSWERS);
        let alike = self.answers.iter().filter(|answer| **answer == status).count();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::TOO_MANY_REQUESTS
                if alike >= BURST =>
            {
                Err(Stop::Refusals {
                    status: status.as_u16(),
                })
            }
            _ => Ok(()),
        }
    }
}

fn push<T>(last: &mut VecDeque<T>, value: T, keep: usize) {
    if last.len() == keep {
        last.pop_front();
    }
    last.push_back(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(ends: impl IntoIterator<Item = bool>) -> Result<(), Stop> {
        let mut breaker = Breaker::default();
        ends.into_iter().try_for_each(|failed| breaker.flow(failed))
    }

    #[test]
    fn a_fifth_of_twenty_may_fail() {
        // One in five, for as long as it may be.
        assert_eq!(flows((0..200).map(|flow| flow % 5 == 0)), Ok(()));
        assert_eq!(
            flows((0..200).map(|flow| flow % 4 == 0)),
            Err(Stop::Failures { failed: 5, of: 17 })
        );
        // A run that fails from the beginning does not get to twenty.
        assert_eq!(flows([true; 20]), Err(Stop::Failures { failed: 5, of: 5 }));
    }

    #[test]
    fn bursts_of_refusals_stop() {
        let answers = |statuses: &[u16]| {
            let mut breaker = Breaker::default();
            statuses
                .iter()
                .try_for_each(|status| breaker.answer(StatusCode::from_u16(*status).unwrap()))
        };
        for status in [401, 402, 429] {
            assert_eq!(answers(&[status, 200, status, 200]), Ok(()));
            assert_eq!(
                answers(&[status, 200, status, 200, status]),
                Err(Stop::Refusals { status })
            );
        }
        // Far apart is no burst, and refusals of other kinds are the flows' business.
        let far = [429, 200, 200, 200, 200, 429, 200, 200, 200, 200, 429, 200];
        assert_eq!(answers(&far), Ok(()));
        assert_eq!(answers(&[404; 50]), Ok(()));
        assert_eq!(answers(&[500; 50]), Ok(()));
    }
}
