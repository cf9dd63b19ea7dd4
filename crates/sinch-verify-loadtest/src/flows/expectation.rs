use sinch_verify_protocol::{Reason, Status, Verification};

use crate::failure::{Failure, FailureKind};

/// How a verification is to end.
///
/// A flow fails only where the end is another one: a refusal that is expected is a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    status: Status,
    reason: Option<Reason>,
}

/// What became of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reported {
    /// It was answered with this status.
    Answered(Status),
    /// It was refused as not processable, which a wrong proof is.
    Refused,
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

    /// Compares the answer to the report, and the final status, with what is expected.
    ///
    /// # Errors
    ///
    /// `outcome.mismatch`, when either is another one.
    pub fn check(&self, reported: &Reported, seen: &Verification) -> Result<(), Failure> {
        let answer = match reported {
            Reported::Answered(status) if *status == self.status => None,
            Reported::Answered(status) => Some(format!("answered {status}")),
            Reported::Refused => Some("refused".to_owned()),
        };
        if answer.is_none() && seen.status == self.status && seen.reason == self.reason {
            return Ok(());
        }
        let mut detail = format!("expected {}", self.status);
        if let Some(reason) = &self.reason {
            detail.push_str(&format!(" ({reason})"));
        }
        detail.push_str(&format!(", the status is {}", seen.status));
        if let Some(reason) = &seen.reason {
            detail.push_str(&format!(" ({reason})"));
        }
        if let Some(answer) = answer {
            detail.push_str(&format!(" and the report was {answer}"));
        }
        Err(Failure::new(FailureKind::OutcomeMismatch, detail))
    }
}

#[cfg(test)]
mod tests {
    use sinch_verify_protocol::{Method, VerificationId};

    use super::*;

    fn seen(status: Status, reason: Option<Reason>) -> Verification {
        let mut seen = Verification::new(VerificationId::new("1").unwrap(), Method::Sms, status);
        seen.reason = reason;
        seen
    }

    #[test]
    fn success_passes() {
        let answered = Reported::Answered(Status::Successful);
        assert_eq!(
            Expectation::successful().check(&answered, &seen(Status::Successful, None)),
            Ok(())
        );
    }

    #[test]
    fn anything_else_is_a_mismatch() {
        for (reported, seen, detail) in [
            (
                Reported::Refused,
                seen(Status::Pending, None),
                "expected SUCCESSFUL, the status is PENDING and the report was refused",
            ),
            (
                Reported::Answered(Status::Fail),
                seen(Status::Fail, Some(Reason::InvalidCode)),
                "expected SUCCESSFUL, the status is FAIL (Invalid code) and the report was answered FAIL",
            ),
            (
                Reported::Answered(Status::Successful),
                seen(Status::Pending, None),
                "expected SUCCESSFUL, the status is PENDING",
            ),
        ] {
            let failure = Expectation::successful().check(&reported, &seen).unwrap_err();
            assert_eq!(failure.kind(), FailureKind::OutcomeMismatch);
            assert_eq!(failure.detail(), detail);
        }
    }
}
