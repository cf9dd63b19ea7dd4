//! What can be called, by the names that rules and lists use.

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::server::Route;

/// A call of the API, or one to a callback URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A callback is asked for a decision.
    Request,
    /// A callback receives a result.
    Result,
    /// A callback receives the delivery result of an SMS.
    Delivered,
}

impl Operation {
    /// Those of the API.
    pub(crate) const API: [Self; 4] = [Self::Start, Self::Report, Self::Outcome, Self::Status];

    /// Those of a callback URL.
    pub(crate) const CALLBACK: [Self; 3] = [Self::Request, Self::Result, Self::Delivered];

    pub(crate) fn name(self) -> &'static str {
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

    /// What a request of the API calls.
    pub(crate) fn of(route: &Route) -> Self {
        match route {
            Route::Start => Self::Start,
            Route::ReportById { .. } | Route::ReportByNumber { .. } => Self::Report,
            Route::Outcome { .. } => Self::Outcome,
            _ => Self::Status,
        }
    }
}
