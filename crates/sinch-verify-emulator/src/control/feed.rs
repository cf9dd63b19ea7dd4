//! What happens, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json as value};
use sinch_verify_protocol::timestamp::XTimestamp;

use super::inspect::Sender;
use super::requests::row;
use super::respond::{Answer, Refused};
use crate::core::Core;
use crate::feed::{Entry, Happening};

/// A comment this often shows proxies and readers that the feed is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// The feed as server-sent events: from now on, or from behind `Last-Event-ID` (0 for everything
/// that is kept). A `gap` event tells how many are no longer kept, or that the number is of another
/// run of the emulator, and then all that is kept follows.
pub(super) async fn events(State(core): State<Arc<Core>>, headers: HeaderMap) -> Answer {
    let after = match headers.get("last-event-id") {
        None => core.feed.last(),
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.trim().parse().ok());
            id.ok_or_else(|| Refused::bad("Last-Event-ID is not a number of this feed"))?
        }
    };
    let restarted = after > core.feed.last();
    let first = restarted.then(|| Ok(Bytes::from_static(b"event: gap\ndata: {\"restarted\":true}\n\n")));
    let after = if restarted { 0 } else { after };
    let frames = stream::unfold((core, after), |(core, after)| async move {
        let mut stopping = core.stopping();
        let (frame, after) = tokio::select! {
            entry = core.feed.next(after) => {
                let missed = entry.seq - after - 1;
                let mut frame = String::new();
                if missed > 0 {
                    frame = format!("event: gap\ndata: {{\"missed\":{missed}}}\n\n");
                }
                let seq = entry.seq;
                frame += &render(&core, &entry);
                (frame, seq)
            }
            () = tokio::time::sleep(ALIVE) => (": alive\n\n".to_owned(), after),
            _ = stopping.wait_for(|stop| *stop) => return None,
        };
        Some((Ok::<_, Infallible>(Bytes::from(frame)), (core, after)))
    });
    let frames = stream::iter(first).chain(frames);
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn render(core: &Core, entry: &Entry) -> String {
    let (name, mut data) = match &entry.what {
        Happening::Started { id, method } => ("started", value!({"verificationId": id, "method": method})),
        Happening::Message(arrived) => {
            let shown = core.inbox(&arrived.number);
            let message = shown.into_iter().find(|message| message.seq == arrived.seq);
            // It may be forgotten by now.
            let message = message.and_then(|message| serde_json::to_value(message).ok());
            let mut data = message.unwrap_or_else(|| value!({"seq": arrived.seq}));
            data["number"] = value!(arrived.number);
            ("message", data)
        }
        Happening::Ended { id, status, reason } => {
            let mut data = value!({"verificationId": id, "status": status});
            if let Some(reason) = reason {
                data["reason"] = value!(reason);
            }
            ("ended", data)
        }
        Happening::Delivery {
            seq,
            id,
            event,
            attempt,
            status,
            ok,
        } => (
            "delivery",
            value!({"seq": seq, "verificationId": id, "event": event, "attempt": attempt, "status": status, "ok": ok}),
        ),
        Happening::Request { seq, about, status } => {
            // It may be forgotten by now.
            let data = match core.journal.find(*seq) {
                Some(exchange) => row(core, &exchange, &Sender::of(core, &exchange.request_headers())),
                None => {
                    value!({"seq": seq, "status": status, "verificationId": about.map(|uid| uid.to_id())})
                }
            };
            ("request", data)
        }
        Happening::Keys { uid, digits } => {
            ("keys", value!({"verificationId": uid.to_id(), "digits": digits}))
        }
        Happening::Followed { uid } => ("followed", value!({"verificationId": uid.to_id()})),
        Happening::Policy => ("policy", value!({})),
        Happening::Fault => ("fault", value!({})),
        Happening::Clock => ("clock", value!({"manual": !core.clock().is_running()})),
        Happening::Reset => ("reset", value!({})),
    };
    if data.get("at").is_none() {
        data["at"] = Value::from(XTimestamp::new(entry.at).as_str());
    }
    format!("id: {}\nevent: {name}\ndata: {data}\n\n", entry.seq)
}
