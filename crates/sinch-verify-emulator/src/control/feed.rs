//! What happens, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde_json::{Value, json as value};
use sinch_verify_protocol::timestamp::XTimestamp;

use super::{Answer, Refused, json, read_number};
use crate::core::Core;
use crate::feed::{Entry, Happening};
use crate::span;

/// A comment this often shows proxies and readers that the feed is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// The longest that a message may be waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// The feed as server-sent events: from now on, or from behind `Last-Event-ID` (0 for everything
/// that is kept). A `gap` event tells how many are no longer kept.
pub(super) async fn events(State(core): State<Arc<Core>>, headers: HeaderMap) -> Answer {
    let after = match headers.get("last-event-id") {
        None => core.feed.last(),
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.trim().parse().ok());
            id.ok_or_else(|| Refused::bad("Last-Event-ID is not a number of this feed"))?
        }
    };
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
        Happening::Clock => ("clock", value!({})),
        Happening::Reset => ("reset", value!({})),
    };
    if data.get("at").is_none() {
        data["at"] = Value::from(XTimestamp::new(entry.at).as_str());
    }
    format!("id: {}\nevent: {name}\ndata: {data}\n\n", entry.seq)
}

/// Waits for a message: 200 with the oldest after `after`, or 204 when none comes in time.
pub(super) async fn wait(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let (mut to, mut after, mut timeout) = (None, 0, Duration::from_secs(10));
    for pair in uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            // Where a space stands, a `+` was meant.
            "to" => to = Some(read_number(&text.replace("%2B", "+").replace("%2b", "+"))?),
            "after" => {
                let number = text.parse();
                after = number.map_err(|_| Refused::bad("after is not a message's seq"))?;
            }
            "timeout" => {
                let span =
                    span::parse(text).ok_or_else(|| Refused::bad("timeout is not a span such as 10s"))?;
                timeout = span.min(PATIENCE);
            }
            _ => return Err(Refused::bad("the query takes to, after and timeout")),
        }
    }
    let to = to.ok_or_else(|| Refused::bad("to is missing: the number whose message is awaited"))?;
    let mut stopping = core.stopping();
    let message = tokio::select! {
        message = core.wait_message(&to, after, timeout) => message,
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    Ok(match message {
        Some(message) => json(&message),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}
