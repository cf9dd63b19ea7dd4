//! What can be called, by the names that rules and lists use.

use sinch_verify_protocol::server::Route;

/// A call of the API, or one to a callback URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Start,
    Report,
    Outcome,
    Status,
    /// A callback is asked for a decision.
    Request,
    /// A callback is told a result.
    Result,
    /// A callback is told what became of an SMS.
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
