//! The answer to a callback, and what is to be said of it.

use bytes::Bytes;
use http::{Response, StatusCode};
use sinch_verify_callback::policy::PolicyVerdict;
use sinch_verify_protocol::callback::{DecisionBody, Event};
use sinch_verify_protocol::{Code, Decision, PhoneNumber, WireObject as _};

use crate::judge;

use super::forward::Forwarded;

/// An answer.
pub(super) struct Answer {
    pub(super) response: Response<Bytes>,
    /// Who gave it.
    pub(super) by: By,
    /// What is wrong with it.
    pub(super) problem: Option<String>,
    /// Status and time of the application's own answer.
    pub(super) forwarded: Option<(Option<StatusCode>, u128)>,
    /// What a policy says to the event; nothing where there is none.
    pub(super) verdict: PolicyVerdict,
}

/// Who gives answers.
#[derive(Clone, Copy)]
pub(super) enum By {
    /// This command.
    Listen,
    /// The application behind it.
    Application,
    /// The policy in front of both.
    Policy,
}

impl By {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Application => "application",
            Self::Policy => "policy",
        }
    }
}

impl Answer {
    /// An answer of our own.
    pub(super) fn own(response: Response<Bytes>) -> Self {
        Self {
            response,
            by: By::Listen,
            problem: None,
            forwarded: None,
            verdict: PolicyVerdict::default(),
        }
    }

    /// The application's answer as it came; where there is none, a deny for those who ask, and a
    /// failure for those who tell, so that they tell again.
    pub(super) fn handed_back(event: &Event, forwarded: Forwarded) -> Self {
        let took = forwarded.took.as_millis();
        match forwarded.answer {
            Ok(response) => Self {
                problem: judge::answer(event, &response).err(),
                forwarded: Some((Some(response.status()), took)),
                by: By::Application,
                ..Self::own(response)
            },
            Err(none) => {
                let response = if let Event::Request(_) = event {
                    Decision::Deny.to_http_response()
                } else {
                    let mut response = Response::new(Bytes::new());
                    *response.status_mut() = none.status();
                    response
                };
                Self {
                    problem: Some(none.describe()),
                    forwarded: Some((None, took)),
                    ..Self::own(response)
                }
            }
        }
    }

    /// What was decided, where something was asked.
    pub(super) fn decided(&self, event: &Event) -> Option<Decided> {
        let Event::Request(_) = event else { return None };
        let body = DecisionBody::decode(self.response.body()).ok()?;
        let code = [
            body.sms.as_ref().and_then(|sms| sms.code.clone()),
            body.callout.as_ref().and_then(|callout| callout.code.clone()),
        ];
        Some(Decided {
            action: body.action.to_string(),
            code: code.into_iter().flatten().next(),
            cli: body.flash_call.and_then(|flash_call| flash_call.cli),
        })
    }
}

/// A decision as it is shown.
pub(super) struct Decided {
    pub(super) action: String,
    pub(super) code: Option<Code>,
    pub(super) cli: Option<PhoneNumber>,
}
