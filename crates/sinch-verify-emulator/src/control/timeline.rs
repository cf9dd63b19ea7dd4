//! The timeline of one verification, from the journal, the feed, the delivery log and the inbox.

use std::time::SystemTime;

use serde_json::{Value, json as value};
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent};
use sinch_verify_protocol::server::Route;

use super::authorization::Sender;
use super::requests::row;
use super::time;
use crate::core::Core;
use crate::delivery::Delivery;
use crate::engine::{CallOver, Overview};
use crate::feed::FeedEvent;
use crate::journal::Exchange;
use crate::operation::Operation;

/// The kind of a step. Steps at one instant, as when the clock is paused, are in this order.
struct Step {
    at: SystemTime,
    kind: StepKind,
    text: String,
    /// The name of another list, and the number of the item there.
    link: Option<(&'static str, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum StepKind {
    Start,
    Asked,
    Decision,
    Sent,
    Delivered,
    Keys,
    CallOver,
    Report,
    Outcome,
    Ended,
    Result,
    Status,
}

impl StepKind {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Asked => "asked",
            Self::Decision => "decision",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Keys => "keys",
            Self::CallOver => "call-over",
            Self::Report => "report",
            Self::Outcome => "outcome",
            Self::Ended => "ended",
            Self::Result => "result",
            Self::Status => "status",
        }
    }
}

/// The steps of a verification that are still kept.
pub(super) fn timeline(core: &Core, of: &Overview) -> Vec<Value> {
    let mut steps = requests(core, of);
    if !steps.iter().any(|step| step.kind == StepKind::Start) {
        steps.push(Step {
            at: of.started_at,
            kind: StepKind::Start,
            text: format!("{} was started", of.method),
            link: None,
        });
    }
    steps.extend(at_handset(core, of));
    let id = of.uid.to_id();
    let deliveries = core
        .log
        .before(u64::MAX, usize::MAX, |_, delivery| delivery.verification_id == id);
    steps.extend(deliveries.iter().flat_map(posted));
    let messages = core.inbox(None, &of.number).into_iter();
    let own = messages.filter(|message| message.verification_id == id);
    steps.extend(own.map(|message| Step {
        at: message.at,
        kind: StepKind::Sent,
        text: format!("{} reached the handset", message.kind),
        link: Some(("message", message.seq)),
    }));
    if let Some(at) = of.ended_at {
        let reason = of.reason.as_ref();
        steps.push(Step {
            at,
            kind: StepKind::Ended,
            text: reason.map_or_else(
                || of.status.to_string(),
                |reason| format!("{}: {reason}", of.status),
            ),
            link: None,
        });
    }
    steps.sort_by_key(|step| (step.at, step.kind, step.link.map(|(_, seq)| seq)));
    steps.iter().map(view).collect()
}

fn view(step: &Step) -> Value {
    let mut view = value!({"at": time(step.at), "kind": step.kind.name(), "text": step.text});
    if let Some((list, seq)) = step.link {
        view[list] = seq.into();
    }
    view
}

fn requests(core: &Core, of: &Overview) -> Vec<Step> {
    core.journal.before(u64::MAX, usize::MAX, |exchange| {
        (exchange.notes.about == Some(of.uid)).then(|| called(core, exchange))
    })
}

fn called(core: &Core, exchange: &Exchange) -> Step {
    let route = Route::parse(&exchange.verb(), exchange.target().path());
    let kind = match route.as_ref().map(Operation::of) {
        Ok(Operation::Start) => StepKind::Start,
        Ok(Operation::Report) => StepKind::Report,
        Ok(Operation::Outcome) => StepKind::Outcome,
        _ => StepKind::Status,
    };
    let sender = Sender::of(core, &exchange.request_headers());
    let row = row(core, exchange, &sender);
    let answer = serde_json::from_slice::<Value>(&exchange.answer).unwrap_or_default();
    let accepted = answer["status"].as_str().unwrap_or("accepted");
    let verdict = match row["verdict"].as_str().unwrap_or_default() {
        "accepted" => accepted,
        refused => refused,
    };
    let status = exchange.status.map_or(0, |status| status.as_u16());
    Step {
        at: exchange.at,
        kind,
        text: format!("{} request: {status}, {verdict}", sender.kind.name()),
        link: Some(("request", exchange.seq)),
    }
}

/// The steps at the handset.
fn at_handset(core: &Core, of: &Overview) -> Vec<Step> {
    core.feed.pick(|entry| {
        if entry.what.about() != Some(of.uid) {
            return None;
        }
        let (kind, text) = match &entry.what {
            FeedEvent::Keys { digits, .. } => (StepKind::Keys, format!("keys {digits} pressed")),
            FeedEvent::Followed { .. } => (StepKind::Keys, "the address was opened".to_owned()),
            FeedEvent::CallOver(CallOver { hung_up: true, .. }) => {
                (StepKind::CallOver, "the handset hung up".to_owned())
            }
            FeedEvent::CallOver(_) => (StepKind::CallOver, "the call stopped ringing".to_owned()),
            _ => return None,
        };
        Some(Step {
            at: entry.at,
            kind,
            text,
            link: None,
        })
    })
}

/// The steps of one post: the event, and for a request event also the decision.
fn posted(delivery: &Delivery) -> Vec<Step> {
    let kind = match &*delivery.event {
        RequestEvent::EVENT => StepKind::Asked,
        ResultEvent::EVENT => StepKind::Result,
        _ => StepKind::Delivered,
    };
    let link = Some(("delivery", delivery.seq));
    let answer = match (delivery.status, &delivery.verdict) {
        (Some(status), None) => format!("answered {status}"),
        (Some(status), Some(verdict)) => format!("answered {status}: {verdict}"),
        (None, verdict) => verdict.clone().unwrap_or_default(),
    };
    let attempt = match (delivery.attempt, delivery.replay_of) {
        (_, Some(seq)) => format!("replay of delivery {seq}, "),
        (1, None) => String::new(),
        (attempt, None) => format!("try {attempt}, "),
    };
    if kind != StepKind::Asked {
        return vec![Step {
            at: delivery.service.0,
            kind,
            text: format!("{attempt}{} posted: {answer}", delivery.event),
            link,
        }];
    }
    let action = delivery.response.as_deref().unwrap_or_default();
    let action = serde_json::from_str::<Value>(action).unwrap_or_default();
    let action = action["action"].as_str().filter(|_| delivery.ok);
    let decision = match (action, &delivery.verdict) {
        (Some(action), None) => action.to_owned(),
        (Some(action), Some(verdict)) => format!("{action} ({verdict})"),
        (None, _) => answer,
    };
    let asked = Step {
        at: delivery.service.0,
        kind,
        text: format!("{attempt}request event posted to the callback URL"),
        link,
    };
    let decided = Step {
        at: delivery.service.1,
        kind: StepKind::Decision,
        text: decision,
        link,
    };
    vec![asked, decided]
}
