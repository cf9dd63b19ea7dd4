//! A fraud policy in front of the application, or of what is decided here.

use std::path::Path;

use bytes::Bytes;
use http::{Response, StatusCode};
use sinch_verify_callback::policy::{FraudPolicy, PolicyVerdict};
use sinch_verify_callback::replay::StoreError;
use sinch_verify_callback::{Context, InDoubt};
use sinch_verify_protocol::Decision;
use sinch_verify_protocol::callback::{Action, Event};

use super::answer::{Answer, By};
use crate::policy_file;

/// Enforces a policy.
pub(super) struct Gate {
    policy: FraudPolicy,
    in_doubt: InDoubt,
}

impl Gate {
    /// With the policy in a file.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let (rules, policy) = policy_file::read(file)?;
        Ok(Self {
            policy,
            in_doubt: rules.in_doubt,
        })
    }

    /// Checks a start, and counts how a verification ended. The error is an answer: the event goes no further.
    pub(super) async fn check(&self, event: &Event, context: &Context) -> Result<PolicyVerdict, Box<Answer>> {
        let verdict = match event {
            Event::Request(event) => self.policy.check(event, context).await,
            Event::Result(event) => {
                let settled = self.policy.settle(event, context).await;
                settled.map(|()| PolicyVerdict::default())
            }
            _ => Ok(PolicyVerdict::default()),
        };
        match verdict {
            Ok(verdict) if verdict.is_allowed() => Ok(verdict),
            Ok(verdict) => Err(Box::new(Answer {
                by: By::Policy,
                verdict,
                ..Answer::own(Decision::Deny.to_http_response())
            })),
            Err(error) => self.doubt(&error),
        }
    }

    fn doubt(&self, error: &StoreError) -> Result<PolicyVerdict, Box<Answer>> {
        match self.in_doubt {
            InDoubt::Accept => Ok(PolicyVerdict::default()),
            InDoubt::Refuse => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                Err(Box::new(Answer {
                    by: By::Policy,
                    problem: Some(format!("the policy does not know: {error}")),
                    ..Answer::own(response)
                }))
            }
        }
    }

    /// Gives back what a start took that is denied after all.
    pub(super) async fn answered(&self, event: &Event, context: &Context, answer: &Answer) {
        let Event::Request(request) = event else { return };
        let decided = answer.decided(event);
        let is_allowed = decided.is_some_and(|decided| decided.action == Action::Allow.as_str());
        if !is_allowed || answer.problem.is_some() {
            // In memory this cannot fail: it needs no other key.
            let _ = self.policy.release(request, context).await;
        }
    }
}
