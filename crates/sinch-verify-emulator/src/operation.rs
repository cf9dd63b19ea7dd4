//! The operations of the API and the kinds of callbacks, by the names in fault rules and lists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::server::Route;

/// An operation of the API, or a callback to an application. [`FaultRule::operation`](crate::FaultRule::operation) names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// An application starts a verification.
    Start,
    /// An application or a device reports a code or a caller id.
    Report,
    /// A device reports the outcome of a flash call.
    Outcome,
    /// An application or a device queries the status.
    Status,
    /// The callback that requests a decision.
    Request,
    /// The callback that reports the result of a verification.
    Result,
    /// The callback that reports whether an SMS was delivered.
    Delivered,
}

impl Operation {
    /// The operations of the API.
    pub(crate) const API: [Self; 4] = [Self::Start, Self::Report, Self::Outcome, Self::Status];

    /// The callbacks.
    pub(crate) const CALLBACK: [Self; 3] = [Self::Request, Self::Result, Self::Delivered];

    /// The name, as in fault rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Report => "report",
            Self::Outcome => "outcome",
            Self::Status => "status",
            Self::Request => "request",
            Self::Result => "result",
            Self::Delivered => "delivered",
        }
    }

    /// The operation of a route of the API.
    pub(crate) fn of(route: &Route) -> Self {
        match route {
            Route::Start => Self::Start,
            Route::ReportById { .. } | Route::ReportByNumber { .. } => Self::Report,
            Route::Outcome { .. } => Self::Outcome,
            _ => Self::Status,
        }
    }
}
