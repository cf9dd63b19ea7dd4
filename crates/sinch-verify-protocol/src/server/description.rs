//! A description of every operation, for documents such as OpenAPI.

use http::Method as Verb;
use serde_json::Value;

use crate::call_outcome::OutcomeRequest;
use crate::endpoint::PREFIX;
use crate::error::ApiError;
use crate::report::ReportRequest;
use crate::start::{StartRequest, StartResponse};
use crate::verification::Verification;
use crate::wire::Part as _;

/// An operation of the API: its verb and path, and the JSON Schemas of its bodies.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationDescription {
    /// The verb.
    pub verb: Verb,
    /// The path, with parameters in braces, such as `{id}`.
    pub path: String,
    /// What the operation does, in a few words.
    pub summary: &'static str,
    /// The schema of the request's body, if it has one.
    pub request: Option<Value>,
    /// The schema of the body of a successful answer, if it has one.
    pub response: Option<Value>,
}

impl OperationDescription {
    /// All operations.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let operation = |verb, path, summary, request, response| Self {
            verb,
            path: format!("{PREFIX}{path}"),
            summary,
            request,
            response,
        };
        let query = |path, summary| operation(Verb::GET, path, summary, None, Some(Verification::schema()));
        let report = |path, summary| {
            let request = Some(ReportRequest::schema());
            operation(Verb::PUT, path, summary, request, Some(Verification::schema()))
        };
        vec![
            operation(
                Verb::POST,
                "",
                "Starts a verification",
                Some(StartRequest::schema()),
                Some(StartResponse::schema()),
            ),
            query("/id/{id}", "Queries a verification by its id"),
            query(
                "/reference/{reference}",
                "Queries a verification by its reference",
            ),
            query(
                "/{method}/number/{endpoint}",
                "Queries the latest verification of a number by a method",
            ),
            query(
                "/number/{endpoint}",
                "Queries the latest verification of a number",
            ),
            report("/id/{id}", "Reports the code or caller id of a verification"),
            report(
                "/number/{endpoint}",
                "Reports the code or caller id of the latest verification of a number",
            ),
            operation(
                Verb::PATCH,
                "/number/{endpoint}",
                "Reports the outcome of a flash call",
                Some(OutcomeRequest::schema()),
                None,
            ),
        ]
    }

    /// The schema of the body of a refusal.
    #[must_use]
    pub fn refusal() -> Value {
        ApiError::schema()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::OperationDescription;
    use crate::server::Route;

    #[test]
    fn every_operation_is_described_once() {
        let mut described = BTreeSet::new();
        for operation in OperationDescription::all() {
            let values = [
                ("{id}", "018bcfe5-687b-7000-8000-000000000000"),
                ("{reference}", "order-1"),
                ("{method}", "sms"),
                ("{endpoint}", "+46700000001"),
            ];
            let path = values.iter().fold(operation.path.clone(), |path, (name, value)| {
                path.replace(name, value)
            });
            // A new route does not compile here: describe it, and give it a name.
            let route = match Route::parse(&operation.verb, &path).unwrap() {
                Route::Start => "start",
                Route::ReportById { .. } => "report by id",
                Route::ReportByNumber { .. } => "report by number",
                Route::Outcome { .. } => "outcome",
                Route::StatusById { .. } => "status by id",
                Route::StatusByReference { .. } => "status by reference",
                Route::StatusByNumber { method: Some(_), .. } => "status by method and number",
                Route::StatusByNumber { method: None, .. } => "status by number",
            };
            assert!(described.insert(route), "{route} is described twice");
        }
        assert_eq!(described.len(), 8);
    }

    #[test]
    fn schemas_have_the_fields_and_the_known_values() {
        let all = OperationDescription::all();
        let start = all[0].request.as_ref().unwrap();
        assert_eq!(start["required"], serde_json::json!(["identity", "method"]));
        let methods = start["properties"]["method"]["examples"].as_array().unwrap();
        assert!(methods.iter().any(|method| method == "flashcall"), "{methods:?}");
        let endpoint = &start["properties"]["identity"]["properties"]["endpoint"];
        assert_eq!(endpoint["type"], "string");
        assert_eq!(
            OperationDescription::refusal()["properties"]["errorCode"]["type"],
            "integer"
        );
    }
}
