//! The feed of events, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, StreamExt as _};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json as value};
use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::timestamp::XTimestamp;

use super::authorization::Sender;
use super::query::Query;
use super::requests::row;
use super::response::{Answer, Refused};
use crate::core::Core;
use crate::engine::AppId;
use crate::feed::{Entry, FeedEvent, KINDS, MAX_READERS, Position};

/// The interval of comments, which show proxies and readers that the connection works.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which events a reader receives.
struct Filter {
    /// The kinds of events; empty for all.
    kinds: Vec<String>,
    app: Option<AppId>,
    number: Option<PhoneNumber>,
}

/// Sends the feed as server-sent events: from now on, or after `Last-Event-ID` (0 for every entry that
/// is kept). A `gap` event reports how many entries are no longer kept. It also reports that the id is
/// from another run of the emulator; then every entry that is kept follows.
pub(super) async fn events(State(core): State<Arc<Core>>, uri: Uri, headers: HeaderMap) -> Answer {
    let query = Query::of(&uri, &["kind", "application", "number", "after"])?;
    let kinds = query.text("kind").unwrap_or_default().split(',');
    if let Some(kind) = kinds
        .clone()
        .find(|kind| !kind.is_empty() && !KINDS.contains(kind))
    {
        let known = KINDS.join(", ");
        return Err(Refused::bad(format!("kind: {kind:?} is none of {known}")));
    }
    let wanted = Arc::new(Filter {
        kinds: kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
        app: query.application("application", &core)?,
        number: query.number("number")?,
    });
    let (name, id) = match headers.get("last-event-id") {
        Some(id) => ("Last-Event-ID", Some(id.to_str().unwrap_or("?").trim())),
        // For readers that cannot set headers.
        None => ("after", query.text("after")),
    };
    let begin = match id {
        None => Position::Behind(core.feed.last()),
        Some(id) => core.feed.position(id).ok_or_else(|| {
            Refused::bad(format!(
                "{name} is neither an id of this feed nor the number of an event"
            ))
        })?,
    };
    let (first, after) = match begin {
        Position::Behind(seq) => (None, seq),
        // The reader followed another run of the emulator.
        Position::OtherRun => (Some(gap(&value!({"restarted": true}))), 0),
    };
    let position = core.feed.add_reader().ok_or_else(|| {
        let why = format!("{MAX_READERS} readers follow the feed already");
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let state = (core, after, wanted, position);
    let later = stream::unfold(state, |(core, mut after, wanted, position)| async move {
        let mut stopping = core.stopping();
        loop {
            let entry = tokio::select! {
                entry = core.feed.next(after) => entry,
                _ = stopping.wait_for(|stop| *stop) => return None,
            };
            let missed = entry.seq - after - 1;
            after = entry.seq;
            let missed = (missed > 0).then(|| gap(&value!({"missed": missed})));
            let events: Vec<Event> = missed.into_iter().chain(wanted.event(&core, &entry)).collect();
            if !events.is_empty() {
                return Some((stream::iter(events), (core, after, wanted, position)));
            }
        }
    });
    let events = stream::iter(first)
        .chain(later.flatten())
        .map(Ok::<_, Infallible>);
    let alive = KeepAlive::new().interval(KEEP_ALIVE).text("alive");
    Ok(([(CACHE_CONTROL, "no-store")], Sse::new(events).keep_alive(alive)).into_response())
}

/// The event that reports missing entries to a reader.
fn gap(data: &Value) -> Event {
    Event::default().event("gap").data(data.to_string())
}

impl Filter {
    /// The entry as an event; `None` if the filter excludes it.
    fn event(&self, core: &Core, entry: &Entry) -> Option<Event> {
        let kind = entry.what.kind();
        if !self.kinds.is_empty() && !self.kinds.iter().any(|wanted| wanted == kind) {
            return None;
        }
        let mut data = data(core, &entry.what);
        // The message may no longer be kept.
        let uid = entry.what.about();
        let about = uid.and_then(|uid| core.with_engine(|engine| engine.overview(uid)));
        if let Some(about) = &about {
            data["number"] = value!(about.number);
            data["application"] = value!(core.registry.key_of(about.app));
        }
        let own_key = self.app.and_then(|app| core.registry.key_of(app));
        if own_key.is_some_and(|key| data["application"] != *key)
            || self
                .number
                .is_some_and(|number| data["number"] != number.as_str())
        {
            return None;
        }
        if data.get("at").is_none() {
            data["at"] = Value::from(XTimestamp::new(entry.at).as_str());
        }
        let event = Event::default().id(core.feed.id(entry));
        Some(event.event(kind).data(data.to_string()))
    }
}

fn data(core: &Core, what: &FeedEvent) -> Value {
    match what {
        FeedEvent::Started { id, method } => value!({"verificationId": id, "method": method}),
        FeedEvent::Message(arrived) => {
            let message = core.with_engine(|engine| engine.message(&arrived.number, arrived.seq));
            let message = message.and_then(|message| serde_json::to_value(message).ok());
            let mut data = message.unwrap_or_else(|| value!({"seq": arrived.seq}));
            data["number"] = value!(arrived.number);
            data
        }
        FeedEvent::CallOver(over) => {
            value!({"verificationId": over.uid.to_id(), "hungUp": over.hung_up})
        }
        FeedEvent::Ended { id, status, reason } => {
            let mut data = value!({"verificationId": id, "status": status});
            if let Some(reason) = reason {
                data["reason"] = value!(reason);
            }
            data
        }
        FeedEvent::Delivery {
            seq,
            id,
            event,
            attempt,
            status,
            ok,
        } => {
            value!({"seq": seq, "verificationId": id, "event": event, "attempt": attempt, "status": status, "ok": ok})
        }
        FeedEvent::Request { seq, about, status } => match core.journal.find(*seq) {
            Some(exchange) => row(core, &exchange, &Sender::of(core, &exchange.request_headers())),
            None => value!({"seq": seq, "status": status, "verificationId": about.map(|uid| uid.to_id())}),
        },
        FeedEvent::Keys { uid, digits } => value!({"verificationId": uid.to_id(), "digits": digits}),
        FeedEvent::Followed { uid } => value!({"verificationId": uid.to_id()}),
        FeedEvent::Clock => value!({"manual": !core.clock().is_running()}),
        FeedEvent::Behavior | FeedEvent::Fault | FeedEvent::Reset => value!({}),
    }
}
