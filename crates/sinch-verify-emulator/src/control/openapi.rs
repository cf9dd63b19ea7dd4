//! The description of the API and of the control interface, as OpenAPI 3.1 and as a list.

use std::fmt::Write as _;

use http::Method;
use serde_json::{Map, Value, json as value};
use sinch_verify_protocol::server::OperationDescription;

use super::endpoints::{Endpoint, Group};
use crate::engine::SEAMLESS;

/// The statuses of refusals that every operation of the API can have: by its rules, by a magic number, or
/// by a fault.
const API_REFUSALS: [u16; 12] = [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503];

/// The statuses of refusals that every path of the control interface can have.
const CONTROL_REFUSALS: [u16; 4] = [400, 403, 408, 413];

const INTRODUCTION: &str =
    "Emulator of the Sinch Verification service. Not the real service, not affiliated with Sinch.";

/// The list for `GET /`.
pub(super) fn list(endpoints: &[Endpoint]) -> String {
    let mut text = format!("{INTRODUCTION}\n\n");
    let mut line = |verb: &Method, path: &str, query: &[&str], summary: &str| {
        let query = query.iter().map(|name| format!("{name}="));
        let query: Vec<String> = query.collect();
        let mark = if query.is_empty() { "" } else { "?" };
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "{:<6} {path}{mark}{}  {summary}",
            verb.as_str(),
            query.join("&")
        );
    };
    for operation in OperationDescription::all() {
        line(&operation.verb, &operation.path, &[], operation.summary);
    }
    for endpoint in endpoints {
        line(&endpoint.verb, endpoint.path, endpoint.query, endpoint.summary);
    }
    line(&Method::GET, &seamless(), &[], SEAMLESS_SUMMARY);
    text
}

const SEAMLESS_SUMMARY: &str = "verifies the number of a data verification; its targetUri is this address";

fn seamless() -> String {
    format!("{SEAMLESS}{{token}}")
}

/// The document for `/_emu/openapi.json`.
pub(super) fn document(endpoints: &[Endpoint]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut add = |path: &str, verb: &Method, operation: Value| {
        let item = paths.entry(path.to_owned()).or_insert_with(|| value!({}));
        item[verb.as_str().to_ascii_lowercase()] = operation;
    };
    for operation in OperationDescription::all() {
        add(&operation.path, &operation.verb, of_api(&operation));
    }
    for endpoint in endpoints {
        add(endpoint.path, &endpoint.verb, of_control(endpoint));
    }
    let refusals = refusals(&[404, 400], &OperationDescription::refusal());
    let mut follow = value!({
        "summary": SEAMLESS_SUMMARY,
        "tags": ["API"],
        "parameters": parameters(&seamless(), &[]),
        "responses": refusals,
    });
    follow["responses"]["200"] = success("application/json", &value!({"type": "object"}));
    add(&seamless(), &Method::GET, follow);
    value!({
        "openapi": "3.1.0",
        "info": {
            "title": "sinch-verify emulator",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "Key and secret."},
                "application": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Application KEY` alone, or with a signature: `Application KEY:SIGNATURE`.",
                },
            },
        },
    })
}

fn of_api(operation: &OperationDescription) -> Value {
    let mut described = value!({
        "summary": operation.summary,
        "tags": ["API"],
        "security": [{"basic": []}, {"application": []}],
        "parameters": parameters(&operation.path, &[]),
        "responses": refusals(&API_REFUSALS, &OperationDescription::refusal()),
    });
    described["responses"]["200"] = match &operation.response {
        Some(schema) => success("application/json", schema),
        None => value!({"description": "It was carried out."}),
    };
    if let Some(schema) = &operation.request {
        described["requestBody"] = value!({
            "required": true,
            "content": {"application/json": {"schema": schema}},
        });
    }
    described
}

fn of_control(endpoint: &Endpoint) -> Value {
    let statuses: Vec<u16> = match endpoint.group {
        Group::Control | Group::LargeBody => CONTROL_REFUSALS.to_vec(),
        Group::Open => Vec::new(),
    };
    let (refused, more): (Vec<u16>, Vec<u16>) = endpoint
        .statuses
        .iter()
        .copied()
        .partition(|status| *status >= 400);
    let error = value!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string"},
            "field": {"type": "string", "description": "The field of the body that is wrong, if it is one."},
        },
    });
    let mut described = value!({
        "summary": endpoint.summary,
        "tags": ["Emulator"],
        "parameters": parameters(endpoint.path, endpoint.query),
        "responses": refusals(&[statuses, refused].concat(), &error),
    });
    for status in more {
        described["responses"][status.to_string()] = value!({"description": "There is nothing to answer."});
    }
    let schema = match endpoint.content {
        "application/json" => value!({"type": "object"}),
        _ => value!({"type": "string"}),
    };
    described["responses"]["200"] = success(endpoint.content, &schema);
    if let Some(body) = &endpoint.body {
        let mut content = value!({"schema": body.schema});
        if let Some(example) = &body.example {
            content["example"] = example.clone();
        }
        described["requestBody"] = value!({
            "required": body.is_required,
            "content": {body.content: content},
        });
    }
    described
}

fn success(content: &str, schema: &Value) -> Value {
    value!({"description": "It was carried out.", "content": {content: {"schema": schema}}})
}

fn refusals(statuses: &[u16], schema: &Value) -> Value {
    let each = statuses.iter().map(|status| {
        let refusal = value!({
            "description": "It was refused; the body says why.",
            "content": {"application/json": {"schema": schema}},
        });
        (status.to_string(), refusal)
    });
    Value::Object(each.collect())
}

/// The parameters of a path and of a query.
fn parameters(path: &str, query: &[&str]) -> Value {
    let in_path = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let in_path =
        in_path.map(|name| value!({"name": name, "in": "path", "required": true, "schema": schema(name)}));
    let in_query = query
        .iter()
        .map(|name| value!({"name": name, "in": "query", "required": *name == "to", "schema": schema(name)}));
    in_path.chain(in_query).collect()
}

fn schema(name: &str) -> Value {
    match name {
        "limit" => value!({"type": "integer", "minimum": 1, "maximum": 1000}),
        "before" | "seq" => value!({"type": "integer", "minimum": 0}),
        "number" | "endpoint" | "to" => value!({"type": "string", "examples": ["+46700000001"]}),
        "group" => value!({"type": "string", "enum": ["run"]}),
        "timeout" => value!({"type": "string", "examples": ["10s"]}),
        _ => value!({"type": "string"}),
    }
}
