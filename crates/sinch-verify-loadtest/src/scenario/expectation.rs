use sinch_verify_protocol::{Reason, ReportOutcome, Status, Verification};

use crate::model::{Failure, FailureKind};

/// How a verification is to end.
///
/// A flow fails only where the end is another one: a refusal that is expected is a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    status: Status,
    reason: Option<Reason>,
}

impl Expectation {
    /// `SUCCESSFUL`, without a reason.
    #[must_use]
    pub fn successful() -> Self {
        Self {
            status: Status::Successful,
            reason: None,
        }
    }

    /// `ABORTED`, because another start for the number came.
    #[must_use]
    pub fn aborted() -> Self {
        Self {
            status: Status::Aborted,
            reason: None,
        }
    }

    /// This status, for this reason.
    #[must_use]
    pub fn ended(status: Status, reason: Reason) -> Self {
        Self {
            status,
            reason: Some(reason),
        }
    }

    /// Compares the answer to the report, where there was one, and the final status, with what is
    /// expected.
    ///
    /// # Errors
    ///
    /// `outcome.mismatch`, when either is another one.
    pub fn check(&self, reported: Option<&ReportOutcome>, seen: &Verification) -> Result<(), Failure> {
        let answer = reported.and_then(|outcome| match outcome.verification() {
            Some(answer) if answer.status != self.status => {
                Some(format!(" and the report was answered {}", answer.status))
            }
            None if self.status == Status::Successful => Some(" and the report was refused".to_owned()),
            _ => None,
        });
        if answer.is_none() && seen.status == self.status && seen.reason == self.reason {
            return Ok(());
        }
        Err(self.mismatch(
            "the status is",
            &seen.status,
            seen.reason.as_ref(),
            answer.as_deref().unwrap_or_default(),
        ))
    }

    /// Compares what a result event says with what is expected.
    ///
    /// # Errors
    ///
    /// `outcome.mismatch`, when it is something else.
    pub fn check_event(&self, status: &Status, reason: Option<&Reason>) -> Result<(), Failure> {
        if *status == self.status && reason == self.reason.as_ref() {
            return Ok(());
        }
        Err(self.mismatch("the result event says", status, reason, ""))
    }

    fn mismatch(&self, what: &str, status: &Status, reason: Option<&Reason>, and: &str) -> Failure {
        let with = |reason: Option<&Reason>| reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let detail = format!(
            "expected {}{}, {what} {status}{}{and}",
            self.status,
            with(self.reason.as_ref()),
            with(reason)
        );
        // A status or a reason that we do not know is the service's own text.
        Failure::quoting(FailureKind::OutcomeMismatch, &detail)
    }
}

#[cfg(test)]
mod tests {
    use sinch_verify_protocol::{ApiError, Method, VerificationId};

    use super::*;

    fn seen(status: Status, reason: Option<Reason>) -> Verification {
        let mut seen = Verification::new(VerificationId::new("1").unwrap(), Method::Sms, status);
        seen.reason = reason;
        seen
    }

    fn answered(status: Status) -> Option<ReportOutcome> {
        Some(seen(status, None).into())
    }

    fn refused() -> Option<ReportOutcome> {
        Some(ReportOutcome::refused(ApiError::new(
            ApiError::NOT_PROCESSABLE,
            "",
        )))
    }

    #[test]
    fn what_is_expected_passes() {
        let invalid = Expectation::ended(Status::Fail, Reason::InvalidCode);
        for (expected, reported, status, reason) in [
            (
                Expectation::successful(),
                answered(Status::Successful),
                Status::Successful,
                None,
            ),
            (Expectation::successful(), None, Status::Successful, None),
            (
                invalid.clone(),
                refused(),
                Status::Fail,
                Some(Reason::InvalidCode),
            ),
            (
                invalid,
                answered(Status::Fail),
                Status::Fail,
                Some(Reason::InvalidCode),
            ),
            (Expectation::aborted(), None, Status::Aborted, None),
        ] {
            assert_eq!(expected.check_event(&status, reason.as_ref()), Ok(()));
            assert_eq!(expected.check(reported.as_ref(), &seen(status, reason)), Ok(()));
        }
    }

    #[test]
    fn anything_else_is_a_mismatch() {
        let invalid = Some(Reason::InvalidCode);
        for (expected, reported, seen, detail) in [
            (
                Expectation::successful(),
                refused(),
                seen(Status::Pending, None),
                "expected SUCCESSFUL, the status is PENDING and the report was refused",
            ),
            (
                Expectation::successful(),
                answered(Status::Fail),
                seen(Status::Fail, invalid.clone()),
                "expected SUCCESSFUL, the status is FAIL (Invalid code) and the report was answered FAIL",
            ),
            (
                Expectation::successful(),
                answered(Status::Successful),
                seen(Status::Pending, None),
                "expected SUCCESSFUL, the status is PENDING",
            ),
            (
                Expectation::ended(Status::Fail, Reason::Expired),
                None,
                seen(Status::Fail, invalid),
                "expected FAIL (Expired), the status is FAIL (Invalid code)",
            ),
        ] {
            let failure = expected.check(reported.as_ref(), &seen).unwrap_err();
            assert_eq!(failure.kind(), FailureKind::OutcomeMismatch);
            assert_eq!(failure.detail(), detail);
        }
    }

    #[test]
    fn unknown_texts_hold_no_number() {
        let reason = Reason::from("not for +46 70 000 00 01");
        let failure = Expectation::successful()
            .check_event(&Status::from("STUCK 4821"), Some(&reason))
            .unwrap_err();
        assert_eq!(
            failure.detail(),
            "expected SUCCESSFUL, the result event says STUCK *** (not for +***)"
        );
    }

    #[test]
    fn events_that_say_something_else_are_a_mismatch() {
        let failure = Expectation::successful()
            .check_event(&Status::Fail, Some(&Reason::Expired))
            .unwrap_err();
        assert_eq!(
            failure.detail(),
            "expected SUCCESSFUL, the result event says FAIL (Expired)"
        );
    }
}
