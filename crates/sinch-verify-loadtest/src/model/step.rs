use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::name::{BadName, check, interned};

/// The name of a step of a flow, or of another duration that is measured in it, as in run files and
/// thresholds: one of those below, or one that a scenario gives itself.
///
/// All durations are read from one monotonic clock. In lists the names below come first, in this
/// order, and those of scenarios after them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StepName {
    /// The place in [`Self::STANDARD`], or its length for a scenario's own.
    rank: u8,
    name: &'static str,
}

macro_rules! standard {
    ($( $(#[$meta:meta])* $rank:literal $constant:ident = $name:literal: $summary:literal, )*) => {
        impl StepName {
            $( $(#[$meta])* pub const $constant: Self = Self { rank: $rank, name: $name }; )*

            /// The names that every scenario shares, each with what is measured.
            const STANDARD: &'static [(Self, &'static str)] = &[$( (Self::$constant, $summary) ),*];
        }
    };
}

standard! {
    /// From when the flow was due until its end; flows that ended as expected.
    0 END_TO_END = "e2e": "due until final status",
    /// The same of flows that failed. A timeout counts with the time it took.
    1 FAILED_END_TO_END = "e2e-failed": "due until failed",
    /// From when the flow was really started; flows that ended as expected.
    2 FROM_SEND = "e2e-send": "really started until final status",
    /// From when the flow was due until it was really started: the generator's own delay.
    3 LAG = "lag": "due until really started",
    /// The start, up to the last byte of its answer.
    4 START = "start": "start request",
    /// From when a flow asked for what reached the phone until it had it. Not a request.
    5 PHONE = "phone": "wait for the message",
    /// A report, up to the last byte of its answer.
    6 REPORT = "report": "report request",
    /// A status query by id, up to the last byte of its answer.
    7 STATUS = "status": "status by id",
    /// A status query by reference, up to the last byte of its answer.
    8 STATUS_BY_REFERENCE = "status-by-reference": "status by reference",
    /// A status query by method and number, up to the last byte of its answer.
    9 STATUS_BY_NUMBER = "status-by-number": "status by number",
    /// The fetch of a data verification's address, up to the last byte of its answer.
    10 FETCH = "fetch": "data address fetched",
    /// From when the start was sent until the request event was in our callback receiver.
    11 CALLBACK_IN = "cb-in": "start sent until event received",
    /// From then until our callback receiver had its answer.
    12 CALLBACK_SERVED = "cb-srv": "event received until answered",
    /// From then until the start was answered.
    13 CALLBACK_OUT = "cb-out": "event answered until start answered",
    /// From when the answer that ended the verification came until the result event was in our
    /// receiver. Of a start that was denied, it overlaps the status query.
    14 RESULT = "result": "report answered until result event",
    /// A forged or repeated callback, up to the last byte of our receiver's answer.
    15 CALLBACK_REFUSED = "cb-refused": "forged or repeated callback refused",
}

impl StepName {
    /// A name that is part of the program.
    ///
    /// # Errors
    ///
    /// When it is not written as a name.
    pub fn new(name: &'static str) -> Result<Self, BadName> {
        check(name).map(|()| Self::ranked(name))
    }

    fn ranked(name: &'static str) -> Self {
        let standard = Self::STANDARD.iter().find(|(standard, _)| standard.name == name);
        let own = Self {
            rank: Self::STANDARD.len() as u8,
            name,
        };
        standard.map_or(own, |(standard, _)| *standard)
    }

    /// The names that every scenario shares.
    pub fn standard() -> impl Iterator<Item = Self> {
        Self::STANDARD.iter().map(|(step, _)| *step)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// What is measured, in a few words.
    #[must_use]
    pub fn summary(self) -> &'static str {
        let standard = Self::STANDARD.get(usize::from(self.rank));
        standard.map_or("step of the scenario", |(_, summary)| summary)
    }
}

impl Ord for StepName {
    fn cmp(&self, other: &Self) -> Ordering {
        // Standard names differ in their rank already.
        self.rank.cmp(&other.rank).then_with(|| self.name.cmp(other.name))
    }
}

impl PartialOrd for StepName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for StepName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        check(text).map(|()| Self::ranked(interned(text)))
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl fmt::Debug for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.name, f)
    }
}

serde_as_text!(StepName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_names_are_ranked_by_their_place() {
        for (place, step) in StepName::standard().enumerate() {
            assert_eq!(usize::from(step.rank), place, "{step}");
            assert_eq!(step.as_str().parse(), Ok(step));
            assert_eq!(StepName::new(step.as_str()), Ok(step));
        }
    }

    #[test]
    fn own_names_come_after_the_standard_ones() {
        let own = StepName::new("a-step").unwrap();
        assert_eq!("a-step".parse(), Ok(own));
        assert!(StepName::standard().all(|standard| standard < own));
        assert!(own < StepName::new("b-step").unwrap());
        assert_eq!(own.summary(), "step of the scenario");
    }
}
