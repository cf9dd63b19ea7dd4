//! What happened in a flow, and when.

use std::time::Instant;

use serde::Serialize;

/// The steps of one flow.
pub(crate) struct Timeline {
    began: Instant,
    steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Serialize)]
pub(crate) struct Step {
    /// Milliseconds since the flow began.
    pub ms: f64,
    /// Who acted.
    pub who: Who,
    /// What was done.
    pub what: String,
}

/// Who acts in a flow.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Who {
    /// The application's server.
    Backend,
    /// The app on a device, without any secret.
    Device,
    /// The phone itself: messages and calls.
    Handset,
    /// The verification service.
    Service,
}

impl Who {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Device => "device",
            Self::Handset => "handset",
            Self::Service => "service",
        }
    }
}

impl Timeline {
    /// Begins now.
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Notes a step.
    pub(crate) fn note(&mut self, who: Who, what: impl Into<String>) {
        let ms = self.ms();
        self.steps.push(Step {
            ms,
            who,
            what: what.into(),
        });
    }

    /// Milliseconds since the flow began, to a tenth.
    pub(crate) fn ms(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
    }

    /// The steps.
    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}
