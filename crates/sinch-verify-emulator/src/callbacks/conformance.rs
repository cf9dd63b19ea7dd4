//! Tests a callback receiver with callbacks that it must accept and callbacks that it must refuse.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent, SmsDeliveredEvent, SmsResult};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::{Method, PhoneNumber, Status, VerificationId, WireObject as _};

use super::post::{Judgement, OutgoingEvent, authorized, post, signed};
use super::{deliver_event, replay, request_event};
use crate::application::{CallbackAuth, CallbackUrl};
use crate::control_error::ControlError;
use crate::core::{Core, PostResult, Registered};
use crate::delivery::ConformanceCheck;
use crate::engine::AppId;
use crate::tamper_kit::TamperKit;

/// An event that the service does not send yet. A receiver must acknowledge it.
const UNKNOWN_EVENT: &str = "VerificationSomethingNewEvent";

/// The result of posting one callback to a receiver under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The name of the check, such as `delivered-event`.
    pub name: String,
    /// A description of the callback that was posted.
    pub sent: String,
    /// The required answer.
    pub expected: &'static str,
    /// The answer, or why there was none.
    pub got: String,
    /// Whether the answer is the required one.
    pub ok: bool,
}

/// The required answer.
#[derive(Clone, Copy)]
enum Expected<'a> {
    Decision,
    /// The same body as in an earlier answer.
    Same(&'a Bytes),
    Acknowledged,
    Refused,
}

impl Expected<'_> {
    fn description(self) -> &'static str {
        match self {
            Self::Decision => "200 and a decision",
            Self::Same(_) => "200 and the same decision",
            Self::Acknowledged => "200",
            Self::Refused => "401",
        }
    }
}

/// The callback of one check.
#[derive(Clone, Copy)]
struct CheckedEvent<'a> {
    name: &'a str,
    sent: &'a str,
    event: &'a str,
    id: &'a VerificationId,
}

/// Runs all checks on the receiver of an application.
pub(crate) async fn run(core: &Core, app: AppId) -> Result<Vec<Check>, ControlError> {
    let kit = core.kit().ok_or(ControlError::NoKit)?;
    let own = core.registry.get(app).ok_or(ControlError::NoCallback)?;
    let url = core.registry.callback(app).ok_or(ControlError::NoCallback)?;
    let number = PhoneNumber::parse("+447700900100").map_err(|_| ControlError::NoCallback)?;
    let mut run = ConformanceRun {
        core,
        id: core.support_id(),
        app,
        own: &own,
        url: &url,
        number,
        checks: Vec::new(),
    };
    run.events().await;
    run.repetitions().await;
    if own.callback_auth() == CallbackAuth::Basic {
        run.wrong_secret().await;
    }
    run.tampers(kit).await;
    Ok(run.checks)
}

struct ConformanceRun<'a> {
    core: &'a Core,
    id: String,
    app: AppId,
    own: &'a Registered,
    url: &'a CallbackUrl,
    number: PhoneNumber,
    checks: Vec<Check>,
}

impl ConformanceRun<'_> {
    /// Posts one valid event of every kind.
    async fn events(&mut self) {
        let identity = || Identity::number(self.number);
        let id = self.unused_id();
        let delivered = SmsDeliveredEvent::new(id.clone(), identity(), SmsResult::Successful).to_json();
        let result = ResultEvent::new(id.clone(), Method::Sms, identity(), Status::Successful).to_json();
        let unknown = format!(
            r#"{{"id":"{}","event":"{UNKNOWN_EVENT}","method":"sms","identity":{{"type":"number","endpoint":"{}"}}}}"#,
            id.as_str(),
            self.number.as_str()
        );
        for (name, event, body) in [
            ("delivered-event", SmsDeliveredEvent::EVENT, delivered),
            ("result-event", ResultEvent::EVENT, result),
            ("unknown-event", UNKNOWN_EVENT, unknown),
        ] {
            let request = self.authorize(body, self.core.clock().wire());
            let sent = format!("a {event}, as the service sends it");
            let sent = CheckedEvent {
                name,
                sent: &sent,
                event,
                id: &id,
            };
            self.check(sent, request, Expected::Acknowledged).await;
        }
    }

    /// Posts a request event, then the same one authorized anew, then that one byte for byte.
    async fn repetitions(&mut self) {
        let second = Duration::from_secs(1);
        let now = self.core.clock().wire();
        let id = self.unused_id();
        let body = self.request_event(&id);
        let first = self.authorize(body.clone(), now.checked_sub(second).unwrap_or(now));
        let event = RequestEvent::EVENT;
        let id = &id;
        let name = "request-event";
        let sent = "a request event, as the service sends it";
        let sent = CheckedEvent {
            name,
            sent,
            event,
            id,
        };
        let answer = self.check(sent, first, Expected::Decision).await;
        let again = self.authorize(body, now);
        let expected = answer.as_ref().map_or(Expected::Decision, Expected::Same);
        let name = "sent-again";
        let sent = "the same request event, authorized anew, as when the service tries again";
        let sent = CheckedEvent {
            name,
            sent,
            event,
            id,
        };
        self.check(sent, again.clone(), expected).await;
        let name = "replayed";
        let sent = "the previous callback byte for byte, as an attacker replays it";
        let sent = CheckedEvent {
            name,
            sent,
            event,
            id,
        };
        // With basic authorization it does not differ from the one before.
        let expected = match self.own.callback_auth() {
            CallbackAuth::Signed => Expected::Refused,
            CallbackAuth::Basic => expected,
        };
        self.check(sent, again, expected).await;
    }

    /// Posts a request event with basic authorization and a wrong secret.
    async fn wrong_secret(&mut self) {
        let id = self.unused_id();
        let body = self.request_event(&id).into();
        let request = replay::forged(self.url, self.own, body, self.core.clock().wire());
        let sent = CheckedEvent {
            name: "wrong-secret",
            sent: "a request event whose basic authorization has a wrong secret",
            event: RequestEvent::EVENT,
            id: &id,
        };
        self.check(sent, request, Expected::Refused).await;
    }

    /// Posts one signed request event for each way in which the kit makes it invalid.
    async fn tampers(&mut self, kit: &dyn TamperKit) {
        for name in kit.names() {
            let now = self.core.clock().wire();
            let id = self.unused_id();
            let mut request = self.sign(self.request_event(&id), now);
            kit.spoil(name, self.own.signer.key(), &self.own.secret, &mut request, now);
            let sent = format!("an invalid request event: {name}");
            let event = RequestEvent::EVENT;
            let sent = CheckedEvent {
                name,
                sent: &sent,
                event,
                id: &id,
            };
            self.check(sent, request, Expected::Refused).await;
        }
    }

    /// Posts a callback and records the check. Returns the answer's body if the answer is the
    /// required one.
    async fn check(
        &mut self,
        what: CheckedEvent<'_>,
        request: Request<Bytes>,
        expected: Expected<'_>,
    ) -> Option<Bytes> {
        let variant = format!("conformance: {}", what.name);
        let outgoing = OutgoingEvent {
            app: self.app,
            verification_id: what.id.clone(),
            event: what.event,
            attempt: 1,
            request,
            timeout: self.core.settings().decision_timeout,
            fault: None,
            replay_of: None,
            variant: Some(&variant),
            conformance: Some(ConformanceCheck {
                run: self.id.clone(),
                number: self.checks.len() + 1,
            }),
        };
        let mut answer = None;
        post(self.core, outgoing, |outcome| {
            let (ok, remark) = judge(self.core, outcome, expected);
            let got = match (outcome, &remark) {
                (Ok(answered), None) => answered.status.as_u16().to_string(),
                (Ok(answered), Some(remark)) => format!("{}: {remark}", answered.status.as_u16()),
                (Err(error), _) => error.clone(),
            };
            self.checks.push(Check {
                name: what.name.to_owned(),
                sent: what.sent.to_owned(),
                expected: expected.description(),
                got,
                ok,
            });
            answer = outcome
                .as_ref()
                .ok()
                .filter(|_| ok)
                .map(|answered| answered.body.clone());
            (ok, remark)
        })
        .await;
        answer
    }

    fn request_event(&self, id: &VerificationId) -> String {
        RequestEvent::new(id.clone(), Method::Sms, Identity::number(self.number)).to_json()
    }

    /// An id that belongs to no verification.
    fn unused_id(&self) -> VerificationId {
        let text = format!("conformance-{}", self.core.support_id());
        #[expect(clippy::expect_used, reason = "an id takes letters, digits and dashes")]
        VerificationId::new(&text).expect("hexadecimal digits make an id")
    }

    fn authorize(&self, body: String, now: SystemTime) -> Request<Bytes> {
        authorized(self.url.uri(), self.own, body.into(), now, None)
    }

    fn sign(&self, body: String, now: SystemTime) -> Request<Bytes> {
        signed(self.url.uri(), &self.own.signer, body.into(), now)
    }
}

fn judge(core: &Core, outcome: &PostResult, expected: Expected<'_>) -> Judgement {
    let strictness = core.settings().strictness;
    let decision = || request_event::judge(outcome, &Method::Sms, strictness).1;
    match expected {
        Expected::Decision => decision(),
        Expected::Same(before) => match (decision(), outcome) {
            ((true, _), Ok(answered)) if answered.body != *before => (
                false,
                Some("the decision differs from the earlier one".to_owned()),
            ),
            (judgement, _) => judgement,
        },
        Expected::Acknowledged => deliver_event::judge(outcome),
        Expected::Refused => replay::judge_refusal(outcome),
    }
}
