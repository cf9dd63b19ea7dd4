use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use sinch_verify_callback::{Context, Handler};
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent, SmsDeliveredEvent};
use sinch_verify_protocol::wire::PrivateText;
use sinch_verify_protocol::{Cli, Code, Decision, Method, PhoneNumber};

use super::conversation::{Conversations, Ended};
use super::misbehaviour::Misbehaviour;
use super::token::{Ours, Token};
use crate::board::{Board, CallbackSeen};
use crate::chance::chance;
use crate::clock::Clock;
use crate::flows::Flow;
use crate::live::Limits;
use crate::phone::Delivered;

/// What decisions set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Codes {
    /// Nothing: the service makes the code.
    #[default]
    Theirs,
    /// A code, or a caller id, for each flow, made from this seed.
    Ours(u64),
    /// This code for every flow.
    Fixed(Code),
}

/// Which of the several things left to chance in a slot its code is.
const CODE: u64 = 2;
/// How long a slow answer takes: within any service's patience, and our own deadline.
const SLOW: Duration = Duration::from_millis(200);
/// Caller ids that decisions set: the calling code is assigned to no country.
const CALLERS: &str = "+888";

/// The backend of a load test: decides by what the flow wants, and notes when what came.
pub(super) struct Decider {
    pub(super) ours: Ours,
    pub(super) codes: Codes,
    pub(super) limits: Option<Arc<Limits>>,
    pub(super) conversations: Arc<Conversations>,
    pub(super) board: Arc<Board>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Decider {
    fn note(&self, seen: CallbackSeen) {
        self.board.callback(seen, self.clock.now());
    }

    /// An event that tells something; `seen` says what it is where it is about one of our flows.
    fn note_told(&self, custom: Option<&PrivateText>, seen: impl FnOnce() -> CallbackSeen) {
        let ours = self.ours.token(custom);
        self.note(ours.map_or(CallbackSeen::Orphan, |_| seen()));
    }

    fn decide(&self, token: &Token, method: &Method) -> (Decision, Option<Delivered>) {
        if token.flow == Flow::Deny {
            return (Decision::Deny, None);
        }
        let code = match &self.codes {
            Codes::Theirs => return (Decision::Allow, None),
            Codes::Ours(seed) => {
                let digits = (chance(*seed, token.slot, CODE) * 1e6) as u32;
                Code::new(&format!("{digits:06}")).ok()
            }
            Codes::Fixed(code) => Some(code.clone()),
        };
        let caller = || PhoneNumber::parse(&format!("{CALLERS}{:09}", token.slot % 1_000_000_000)).ok();
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
            // Somebody else's, which must not cost anything because of us.
            self.note(CallbackSeen::Orphan);
            return Ok(Decision::Deny);
        };
        if token.flow == Flow::BadCallback && Misbehaviour::of(token.slot) == Misbehaviour::Slow {
            tokio::time::sleep(SLOW).await;
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
        self.note_told(event.custom.as_ref(), || {
            let (status, reason) = (event.status.clone(), event.reason.clone());
            self.conversations
                .about(&event.id)
                .ended(Ended { at, status, reason })
        });
        Ok(())
    }

    async fn on_sms_delivered(&self, event: SmsDeliveredEvent, _: &Context) -> Result<(), Infallible> {
        self.note_told(event.custom.as_ref(), || CallbackSeen::Taken);
        Ok(())
    }
}
