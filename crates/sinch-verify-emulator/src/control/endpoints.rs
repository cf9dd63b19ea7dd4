//! Every path of the emulator apart from the API: its handler and its description, in one table.
//!
//! The router, the description at `/_emu/openapi.json` and the list at `/` come from it, so no path is
//! missing in one of them.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use sinch_verify_protocol::server::OperationDescription;

use super::response::Body;
use super::{
    alive, applications, behaviors, clock, counters, deliveries, describe, faults, feed, info, phones,
    requests, reset, snapshot, try_it, verifications,
};
use crate::core::Core;
use crate::fault::FaultRule;

/// A verb and path, with their handler and description.
pub(super) struct Endpoint {
    pub(super) verb: Method,
    pub(super) path: &'static str,
    /// What it does, in a few words.
    pub(super) summary: &'static str,
    /// The names of the parameters in the query.
    pub(super) query: &'static [&'static str],
    pub(super) body: Option<RequestBody>,
    /// The content type of a successful answer.
    pub(super) content: &'static str,
    /// The statuses besides 200 and those of all endpoints of the group.
    pub(super) statuses: &'static [u16],
    pub(super) group: Group,
    pub(super) handler: MethodRouter<Arc<Core>>,
}

/// What is done before the handlers of a group run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// The origin of the request is checked and its body is read.
    Control,
    /// The origin of the request is checked. The body may be large.
    LargeBody,
    /// Nothing: other machines may ask too.
    Open,
}

/// The body of a request.
pub(super) struct RequestBody {
    pub(super) content: &'static str,
    pub(super) is_required: bool,
    pub(super) schema: Value,
    pub(super) example: Option<Value>,
}

/// All endpoints, in the order of the list at `/`.
pub(super) fn all() -> Vec<Endpoint> {
    vec![
        get(
            "/_emu/info",
            info::info,
            "version, seed, applications and methods",
        ),
        get(
            "/_emu/openapi.json",
            describe,
            "this interface and the API as OpenAPI 3.1",
        ),
        post(
            "/_emu/applications",
            applications::add,
            "adds an application with its own key and secret",
        ),
        put(
            "/_emu/applications/{key}/callback",
            applications::set_callback,
            "sets where its events are posted",
        )
        .body::<applications::Target>()
        .statuses(&[404]),
        post(
            "/_emu/try",
            try_it::start,
            "starts a verification, signed as a backend does it",
        )
        .body::<try_it::TryRequest>()
        .statuses(&[502, 504]),
        get(
            "/_emu/phones",
            phones::phones,
            "phones that received something, latest first",
        )
        .query(&["limit", "before", "text"]),
        get("/_emu/numbers", phones::magic_numbers, "magic numbers"),
        get(
            "/_emu/numbers/{number}/messages",
            phones::messages,
            "messages and calls of a phone, newest first",
        )
        .query(&["application", "limit", "before"]),
        post(
            "/_emu/numbers/{number}/keypad",
            phones::keypad,
            "presses keys in the latest pending callout",
        )
        .query(&["application"])
        .body::<phones::Keys>()
        .statuses(&[404]),
        post(
            "/_emu/numbers/{number}/hang-up",
            phones::hang_up,
            "declines or ends the latest call",
        )
        .query(&["application"])
        .statuses(&[404]),
        get(
            "/_emu/messages/wait",
            phones::wait,
            "waits for the next message; 204 if none arrives in time",
        )
        .query(&["to", "after", "application", "verification", "timeout"])
        .statuses(&[204]),
        get(
            "/_emu/verifications",
            verifications::verifications,
            "verifications, newest first",
        )
        .query(&["limit", "before", "status", "method", "number", "application"]),
        get(
            "/_emu/verifications/{id}",
            verifications::verification,
            "a verification with its timeline",
        )
        .statuses(&[404]),
        post(
            "/_emu/verifications/{id}/expire",
            verifications::expire,
            "lets it expire now",
        )
        .statuses(&[404, 409]),
        post(
            "/_emu/verifications/{id}/deliver",
            verifications::deliver,
            "delivers a lost or late message now",
        )
        .statuses(&[404, 409]),
        post(
            "/_emu/verifications/{id}/deny",
            verifications::deny,
            "denies it, as its callback can",
        )
        .statuses(&[404, 409]),
        post(
            "/_emu/verifications/{id}/report",
            try_it::report,
            "reports to it, signed as a backend does it",
        )
        .schema(report())
        .statuses(&[404, 502, 504]),
        get(
            "/_emu/requests",
            requests::requests,
            "requests to the API, newest first",
        )
        .query(&[
            "limit",
            "before",
            "application",
            "status",
            "operation",
            "verificationMethod",
            "number",
            "text",
        ]),
        get(
            "/_emu/requests/{seq}",
            requests::request,
            "a request, with its signature explained",
        )
        .statuses(&[404]),
        get(
            "/_emu/deliveries",
            deliveries::deliveries,
            "tries to post an event, newest first",
        )
        .query(&["limit", "before", "verification", "application", "run", "group"]),
        post(
            "/_emu/deliveries/{seq}/replay",
            deliveries::replay,
            "posts it again, unchanged or spoilt",
        )
        .body::<deliveries::ReplayRequest>()
        .optional_body()
        .statuses(&[404, 409]),
        post(
            "/_emu/conformance",
            deliveries::conformance,
            "tests the receiver of an application",
        )
        .body::<deliveries::ConformanceRequest>()
        .statuses(&[404, 409, 501]),
        get(
            "/_emu/queue",
            deliveries::queue,
            "events that are not delivered yet",
        ),
        get(
            "/_emu/behaviors",
            behaviors::list,
            "what handsets do by themselves",
        ),
        post(
            "/_emu/behaviors",
            behaviors::set,
            "sets what handsets do by themselves",
        )
        .body::<behaviors::BehaviorBody>(),
        put("/_emu/behaviors", behaviors::set, "as POST").body::<behaviors::BehaviorBody>(),
        delete(
            "/_emu/behaviors",
            behaviors::clear,
            "removes all, or the one of a scope",
        )
        .query(&["number", "prefix", "application", "everyone"]),
        get("/_emu/faults", faults::list, "fault rules"),
        post("/_emu/faults", faults::add, "adds a fault rule").body::<FaultRule>(),
        delete("/_emu/faults", faults::clear, "removes all fault rules"),
        delete("/_emu/faults/{id}", faults::remove, "removes a fault rule").statuses(&[404]),
        get("/_emu/clock", clock::clock, "service time, and what is due next"),
        post(
            "/_emu/clock",
            clock::change,
            "moves, pauses or resumes service time",
        )
        .body::<clock::ClockRequest>()
        .statuses(&[409]),
        get(
            "/_emu/events",
            feed::events,
            "what happens, as server-sent events; resumed by Last-Event-ID",
        )
        .query(&["kind", "application", "number", "after"])
        .content("text/event-stream")
        .statuses(&[503]),
        post(
            "/_emu/reset",
            reset,
            "removes verifications, messages, deliveries and requests",
        ),
        get("/_emu/snapshot", snapshot::take, "takes a snapshot of everything").content(LINES),
        put("/_emu/snapshot", snapshot::restore, "returns to a snapshot").lines(),
        get("/metrics", counters, "counters for Prometheus")
            .content("application/openmetrics-text")
            .open(),
        get("/livez", alive, "whether the emulator runs")
            .content("text/plain")
            .open(),
        get("/readyz", alive, "whether the emulator accepts requests")
            .content("text/plain")
            .open(),
    ]
}

/// The schema of a report to the API.
fn report() -> Value {
    let all = OperationDescription::all();
    let report = all.into_iter().find(|operation| operation.verb == Method::PUT);
    report.and_then(|report| report.request).unwrap_or_default()
}

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

impl Endpoint {
    fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    fn body<T: Body>(self) -> Self {
        let example = serde_json::from_str(T::EXAMPLE).ok();
        // Each schema stands for itself: the document has no place for shared ones.
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        let schema = settings.into_generator().into_root_schema_for::<T>();
        self.with(JSON, schema.to_value(), example)
    }

    fn schema(self, schema: Value) -> Self {
        self.with(JSON, schema, None)
    }

    /// Takes a large body of JSON lines.
    fn lines(mut self) -> Self {
        self.group = Group::LargeBody;
        self.with(LINES, serde_json::json!({"type": "string"}), None)
    }

    fn with(mut self, content: &'static str, schema: Value, example: Option<Value>) -> Self {
        self.body = Some(RequestBody {
            content,
            is_required: true,
            schema,
            example,
        });
        self
    }

    fn optional_body(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body.is_required = false;
        }
        self
    }

    fn content(mut self, content: &'static str) -> Self {
        self.content = content;
        self
    }

    fn statuses(mut self, statuses: &'static [u16]) -> Self {
        self.statuses = statuses;
        self
    }

    fn open(mut self) -> Self {
        self.group = Group::Open;
        self
    }
}

fn get<H: Handler<T, Arc<Core>>, T: 'static>(
    path: &'static str,
    handler: H,
    summary: &'static str,
) -> Endpoint {
    endpoint(Method::GET, path, on(MethodFilter::GET, handler), summary)
}

fn post<H: Handler<T, Arc<Core>>, T: 'static>(
    path: &'static str,
    handler: H,
    summary: &'static str,
) -> Endpoint {
    endpoint(Method::POST, path, on(MethodFilter::POST, handler), summary)
}

fn put<H: Handler<T, Arc<Core>>, T: 'static>(
    path: &'static str,
    handler: H,
    summary: &'static str,
) -> Endpoint {
    endpoint(Method::PUT, path, on(MethodFilter::PUT, handler), summary)
}

fn delete<H: Handler<T, Arc<Core>>, T: 'static>(
    path: &'static str,
    handler: H,
    summary: &'static str,
) -> Endpoint {
    endpoint(Method::DELETE, path, on(MethodFilter::DELETE, handler), summary)
}

fn endpoint(
    verb: Method,
    path: &'static str,
    handler: MethodRouter<Arc<Core>>,
    summary: &'static str,
) -> Endpoint {
    Endpoint {
        verb,
        path,
        summary,
        query: &[],
        body: None,
        content: JSON,
        statuses: &[],
        group: Group::Control,
        handler,
    }
}
