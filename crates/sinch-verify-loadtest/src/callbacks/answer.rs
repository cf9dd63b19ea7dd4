use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::ScenarioName;

/// What the run's callback receiver does with the request event of a flow's verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallbackAnswer {
    /// It allows the verification, and sets a code where the run sets codes.
    #[default]
    Allow,
    /// It denies the verification.
    Deny,
    /// It allows the verification after this time.
    Slow(Duration),
    /// It answers with this HTTP status, such as 500, and no decision.
    Status(u16),
    /// It answers 200 with JSON that is cut off.
    BrokenJson,
    /// It refuses the event as forged, like a receiver that holds an outdated secret.
    WrongSecret,
    /// It never answers.
    Never,
}

/// How request events of the flows of a scenario are answered, by the flow's index.
pub(crate) type AnswerFn = fn(u64) -> CallbackAnswer;

/// How request events are answered: the scenarios of a run, each with its rule if it has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(pub(crate) BTreeMap<ScenarioName, Option<AnswerFn>>);

impl Answers {
    /// The scenario of the run with this name.
    pub(super) fn scenario(&self, name: &str) -> Option<ScenarioName> {
        self.0.keys().copied().find(|scenario| scenario.as_str() == name)
    }

    pub(super) fn of(&self, scenario: ScenarioName, index: u64) -> CallbackAnswer {
        let rule = self.0.get(&scenario).copied().flatten();
        rule.map_or(CallbackAnswer::Allow, |rule| rule(index))
    }

    /// Whether a scenario has a rule of its own.
    pub(crate) fn has_rules(&self) -> bool {
        self.0.values().any(Option::is_some)
    }
}
