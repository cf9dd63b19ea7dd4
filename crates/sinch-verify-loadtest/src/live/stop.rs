//! Why a live run ends early, and the rule that ends one that fails.

use std::collections::VecDeque;
use std::fmt;

use http::StatusCode;

/// Why a run ended before its duration was over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Stop {
    /// As many verifications were started as `--max-verifications` allows.
    Verifications,
    /// Every number was verified as often as `--per-number` allows.
    Numbers,
    /// The rest of `--max-cost` does not cover one more verification.
    Budget,
    /// The service did not tell what a verification cost, or told it in another currency.
    UnknownPrice,
    /// A verification cost more than `--worst-price`.
    PriceAboveWorst,
    /// The account has not enough credit.
    NoCredit,
    /// The service refused several of the last requests.
    Refusals {
        /// With this status: 401, 402 or 429.
        status: u16,
    },
    /// Too many of the last flows failed.
    Failures {
        /// How many failed.
        failed: usize,
        /// How many flows are looked at.
        of: usize,
    },
    /// A flow tried to start a verification of a number that is not on the allow-list.
    ForeignNumber,
    /// Ctrl-C, or a signal that asks to end.
    Interrupted,
}

impl Stop {
    /// Whether a limit ended a run that did all it was allowed to do. That is no failure.
    #[must_use]
    pub(crate) fn is_planned(&self) -> bool {
        matches!(self, Self::Verifications | Self::Numbers)
    }
}

/// The cause, then what to do about it.
impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verifications => "--max-verifications is reached",
            Self::Numbers => "every number was used as often as --per-number allows",
            Self::Budget => "the rest of --max-cost does not cover one more verification",
            Self::UnknownPrice => {
                "a verification's price is missing or in another currency: look up the price in the \
                 account, and set --currency to the account's"
            }
            Self::PriceAboveWorst => {
                "a verification cost more than --worst-price: raise it to the real price"
            }
            Self::NoCredit => "the account has not enough credit: add credit",
            Self::Refusals { status } => {
                let fix = match status {
                    401 => "check the application's key and secret",
                    402 => "add credit to the account",
                    _ => "lower --max-rate",
                };
                return write!(f, "the service keeps answering {status}: {fix}");
            }
            Self::Failures { failed, of } => {
                return write!(
                    f,
                    "{failed} of the last {of} flows failed: see the failures below"
                );
            }
            Self::ForeignNumber => {
                "a flow tried to verify a number that is not in --numbers: verify the flow's own number"
            }
            Self::Interrupted => "interrupted",
        })
    }
}

/// How many of the last flows the rule looks at, and how many of them may fail: 20 %.
const FLOWS: usize = 20;
const FAILURES: usize = FLOWS / 5;
/// How many of the last answers the rule looks at, and how many refusals of one kind stop the run.
const ANSWERS: usize = 10;
const REFUSALS: usize = 3;

/// Stops a live run whose flows fail, or which the service keeps refusing.
#[derive(Debug, Default)]
pub(super) struct StopRule {
    /// Whether each of the last flows failed.
    flows: VecDeque<bool>,
    answers: VecDeque<StatusCode>,
}

impl StopRule {
    /// Adds a flow that ended.
    pub(super) fn flow(&mut self, failed: bool) -> Result<(), Stop> {
        push(&mut self.flows, failed, FLOWS);
        let failed = self.flows.iter().filter(|failed| **failed).count();
        if failed > FAILURES {
            let of = self.flows.len();
            return Err(Stop::Failures { failed, of });
        }
        Ok(())
    }

    /// Adds an answer of the service.
    pub(super) fn answer(&mut self, status: StatusCode) -> Result<(), Stop> {
        push(&mut self.answers, status, ANSWERS);
        let same = self.answers.iter().filter(|answer| **answer == status).count();
        let status = status.as_u16();
        if matches!(status, 401 | 402 | 429) && same >= REFUSALS {
            return Err(Stop::Refusals { status });
        }
        Ok(())
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

    #[test]
    fn more_than_a_fifth_of_the_last_flows_may_not_fail() {
        let flows = |fails: fn(usize) -> bool| {
            let mut rule = StopRule::default();
            (0..200).try_for_each(|flow| rule.flow(fails(flow)))
        };
        assert_eq!(flows(|flow| flow % 5 == 0), Ok(()));
        assert_eq!(
            flows(|flow| flow % 4 == 0),
            Err(Stop::Failures { failed: 5, of: 17 })
        );
        // The first five failures stop a run: it does not need twenty flows.
        assert_eq!(flows(|_| true), Err(Stop::Failures { failed: 5, of: 5 }));
    }

    #[test]
    fn three_refusals_of_a_kind_among_ten_answers_stop() {
        let answers = |statuses: &[u16]| {
            let mut rule = StopRule::default();
            statuses
                .iter()
                .try_for_each(|status| rule.answer(StatusCode::from_u16(*status).unwrap()))
        };
        for status in [401, 402, 429] {
            assert_eq!(answers(&[status, 200, status, 200]), Ok(()));
            assert_eq!(
                answers(&[status, 200, status, 200, status]),
                Err(Stop::Refusals { status })
            );
        }
        // Further apart they do not count, and other statuses are failures of flows.
        let apart = [429, 200, 200, 200, 200, 429, 200, 200, 200, 200, 429, 200];
        assert_eq!(answers(&apart), Ok(()));
        assert_eq!(answers(&[404; 50]), Ok(()));
        assert_eq!(answers(&[500; 50]), Ok(()));
    }
}
