use std::convert::Infallible;
use std::sync::Arc;

use sinch_verify_callback::{Context, Handler};
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent, SmsDeliveredEvent};
use sinch_verify_protocol::wire::PrivateText;
use sinch_verify_protocol::{Cli, Code, Decision, Method, PhoneNumber};

use super::answer::CallbackAnswer;
use super::conversation::{Conversations, Ended};
use super::token::{Ours, Token};
use crate::live::Limits;
use crate::model::{Clock, Delivered, chance};
use crate::recorder::{CallbackSeen, Recorder};

/// What decisions set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Codes {
    /// Nothing: the service makes the code.
    #[default]
    Theirs,
    /// A code, or a caller id, for each flow, made from this seed.
    Ours(u64),
    /// This code for every flow.
    Fixed(Code),
}

/// Which of the several things left to chance in a flow its code is.
const CODE: u64 = 2;
/// Caller ids that decisions set: the calling code is assigned to no country.
const CALLERS: &str = "+888";

/// The backend of a load test: decides as the flow's scenario says, and records when each event came.
pub(super) struct Decider {
    pub(super) ours: Ours,
    pub(super) codes: Codes,
    pub(super) limits: Option<Arc<Limits>>,
    pub(super) conversations: Arc<Conversations>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Decider {
    fn note(&self, seen: CallbackSeen) {
        self.recorder.callback(seen, self.clock.now());
    }

    /// Counts an event that needs no decision; `seen` says how where it is about one of our flows.
    fn note_event(&self, custom: Option<&PrivateText>, seen: impl FnOnce() -> CallbackSeen) {
        let ours = self.ours.token(custom);
        self.note(ours.map_or(CallbackSeen::Orphan, |_| seen()));
    }

    fn decide(&self, token: &Token, method: &Method) -> (Decision, Option<Delivered>) {
        if self.ours.answer(token) == CallbackAnswer::Deny {
            return (Decision::Deny, None);
        }
        let code = match &self.codes {
            Codes::Theirs => return (Decision::Allow, None),
            Codes::Ours(seed) => {
                let digits = (chance(*seed, token.index, CODE) * 1e6) as u32;
                Code::new(&format!("{digits:06}")).ok()
            }
            Codes::Fixed(code) => Some(code.clone()),
        };
        let caller = || PhoneNumber::parse(&format!("{CALLERS}{:09}", token.index % 1_000_000_000)).ok();
        let by_code = code.and_then(|code| {
            let decision = Decision::with_code(method, code.clone())?;
            Some((decision, Delivered::code(code)))
        });
        let by_caller = || {
            let caller = caller()?;
            let decision = Decision::with_cli(method, caller)?;
            Some((decision, Delivered::cli(Cli::as_seen(caller.as_str()).ok()?)))
        };
        // Of some methods no decision sets what they send.
        let decision = by_code.or_else(by_caller);
        decision.map_or((Decision::Allow, None), |(decision, given)| {
            (decision, Some(given))
        })
    }
}

impl Handler for Decider {
    type Error = Infallible;

    async fn on_request(&self, event: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        let asked = self.clock.now();
        let Some(token) = self.ours.token(event.custom.as_ref()) else {
            // Not a verification of this run: it must not go on, and cost money, because of us.
            self.note(CallbackSeen::Orphan);
            return Ok(Decision::Deny);
        };
        if let CallbackAnswer::Slow(delay) = self.ours.answer(&token) {
            tokio::time::sleep(delay).await;
        }
        if let Some(limits) = &self.limits {
            limits.event(&event);
        }
        let (decision, given) = self.decide(&token, &event.method);
        let conversation = self.conversations.about(&event.id);
        self.note(conversation.answered(asked, self.clock.now(), given));
        Ok(decision)
    }

    async fn on_result(&self, event: ResultEvent, _: &Context) -> Result<(), Infallible> {
        let at = self.clock.now();
        self.note_event(event.custom.as_ref(), || {
            let (status, reason) = (event.status.clone(), event.reason.clone());
            self.conversations
                .about(&event.id)
                .ended(Ended { at, status, reason })
        });
        Ok(())
    }

    async fn on_sms_delivered(&self, event: SmsDeliveredEvent, _: &Context) -> Result<(), Infallible> {
        self.note_event(event.custom.as_ref(), || CallbackSeen::Taken);
        Ok(())
    }
}
