use std::sync::Arc;

use super::{Scenario, builtin};
use crate::callbacks::Answers;
use crate::destination::MockUrl;
use crate::model::{Mix, ScenarioName, StepName, UnknownName, chance};
use crate::target::Elsewhere;

/// The scenarios that a program can run: its own, and those that every load test has.
#[derive(Clone, Debug)]
pub(crate) struct Registry(Vec<Arc<Scenario>>);

impl Registry {
    /// The program's `own` scenarios before those that every load test has.
    ///
    /// # Errors
    ///
    /// When a name is not written as one, or is there twice.
    pub(crate) fn new(own: impl IntoIterator<Item = Scenario>) -> Result<Self, String> {
        let mut all = Self(Vec::new());
        for scenario in own.into_iter().chain(builtin::scenarios()) {
            let name = scenario.name();
            scenario
                .check()
                .map_err(|error| format!("the scenario `{name}` cannot be run: {error}"))?;
            if name == ScenarioName::MIXED || all.find(name.as_str()).is_ok() {
                return Err(format!(
                    "there are two scenarios `{name}`; give yours another name"
                ));
            }
            all.0.push(Arc::new(scenario));
        }
        Ok(all)
    }

    /// The scenario that is run unless another is asked for: the program's first, or `sms`.
    pub(crate) fn first(&self) -> ScenarioName {
        self.0
            .first()
            .map_or(ScenarioName::MIXED, |scenario| scenario.name())
    }

    /// All names, and that of a mix.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let names = self.0.iter().map(|scenario| scenario.name().as_str());
        names.chain([ScenarioName::MIXED.as_str()]).collect()
    }

    /// What a run of `name` carries out: that scenario, or those of `mix`.
    ///
    /// # Errors
    ///
    /// When there is no such scenario.
    pub(crate) fn workload(&self, name: &str, mix: &Mix) -> Result<Workload, UnknownName> {
        if name != ScenarioName::MIXED.as_str() {
            let scenario = self.find(name)?;
            return Ok(Workload {
                scenarios: vec![scenario],
                mix: None,
            });
        }
        let scenarios = mix.scenarios().map(|name| self.find(name.as_str()));
        Ok(Workload {
            scenarios: scenarios.collect::<Result<_, _>>()?,
            mix: Some(mix.clone()),
        })
    }

    fn find(&self, name: &str) -> Result<Arc<Scenario>, UnknownName> {
        let found = self.0.iter().find(|scenario| scenario.name().as_str() == name);
        let unknown = || UnknownName::new("scenario", name, self.names());
        found.cloned().ok_or_else(unknown)
    }
}

/// What a run carries out: one scenario, or several by weights.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    /// At least one.
    scenarios: Vec<Arc<Scenario>>,
    /// Its scenarios are the same, in the same order; `None` for a single scenario.
    mix: Option<Mix>,
}

/// Which of the several things left to chance in a flow its scenario is.
const SCENARIO: u64 = 1;

impl Workload {
    /// Its name: that of its scenario, or `mixed`.
    pub(crate) fn name(&self) -> ScenarioName {
        match (&self.mix, self.scenarios.as_slice()) {
            (None, [scenario]) => scenario.name(),
            _ => ScenarioName::MIXED,
        }
    }

    /// How it is mixed; `None` for a single scenario.
    pub(crate) fn mix(&self) -> Option<&Mix> {
        self.mix.as_ref()
    }

    /// The scenarios in it.
    pub(crate) fn scenarios(&self) -> &[Arc<Scenario>] {
        &self.scenarios
    }

    /// The names of the scenarios in it.
    pub(crate) fn names(&self) -> Vec<ScenarioName> {
        self.scenarios.iter().map(|scenario| scenario.name()).collect()
    }

    /// The steps that its scenarios name; `None` where one of them does not name its steps.
    pub(crate) fn own_steps(&self) -> Option<Vec<StepName>> {
        let mut steps = Vec::new();
        for scenario in &self.scenarios {
            steps.extend(scenario.own_steps()?);
        }
        Some(steps)
    }

    /// The target that its scenarios name, if one does.
    ///
    /// # Errors
    ///
    /// A message for the user when it is not this machine.
    pub(crate) fn target(&self) -> Result<Option<Elsewhere<MockUrl>>, String> {
        let named = self
            .scenarios
            .iter()
            .find_map(|scenario| scenario.default_target());
        let Some(Elsewhere {
            url,
            pin,
            key,
            secret,
        }) = named.cloned()
        else {
            return Ok(None);
        };
        let url = MockUrl::new(url, None)?;
        Ok(Some(Elsewhere {
            url,
            pin,
            key,
            secret,
        }))
    }

    /// How the callback receiver answers the request events of its flows.
    pub(crate) fn answers(&self) -> Answers {
        let rules = self.scenarios.iter();
        Answers(
            rules
                .map(|scenario| (scenario.name(), scenario.answer_rule()))
                .collect(),
        )
    }

    /// The scenario of the flow of this index. The same seed gives the same, in every shard.
    pub(crate) fn pick(&self, seed: u64, index: u64) -> &Scenario {
        let place = self
            .mix
            .as_ref()
            .map_or(0, |mix| mix.pick(chance(seed, index, SCENARIO)));
        &self.scenarios[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, Flow};

    async fn nothing(_: Flow<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn registry() -> Registry {
        Registry::new([Scenario::new("signup", nothing)]).unwrap()
    }

    fn workload(name: &str, mix: &str) -> Result<Workload, UnknownName> {
        registry().workload(name, &mix.parse().unwrap())
    }

    #[test]
    fn own_scenarios_come_first() {
        assert_eq!(registry().first().as_str(), "signup");
        assert_eq!(Registry::new([]).unwrap().first().as_str(), "sms");
        assert_eq!(registry().names()[..2], ["signup", "sms"]);
    }

    #[test]
    fn names_that_cannot_be_told_apart_are_refused() {
        for (name, says) in [
            ("sms", "two scenarios `sms`"),
            ("mixed", "two scenarios `mixed`"),
            ("Sign up", "lower-case letters"),
        ] {
            let error = Registry::new([Scenario::new(name, nothing)]).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let scenario = Scenario::new("signup", nothing).steps(["Sign up"]);
        assert!(
            Registry::new([scenario]).is_err(),
            "nor can a step have such a name"
        );
    }

    #[test]
    fn nearest_name_is_suggested() {
        for (text, nearest) in [
            ("smss", "sms"),
            ("SMS", "sms"),
            ("call-out", "callout"),
            ("flash", "flashcall"),
            ("bad_callback", "bad-callback"),
            ("query", "query-only"),
            ("sign-up", "signup"),
            ("mix", "mixed"),
        ] {
            assert_eq!(workload(text, "sms=1").unwrap_err().nearest, nearest, "{text}");
        }
        assert_eq!(workload("mixed", "sms=1,smss=1").unwrap_err().nearest, "sms");
    }

    #[test]
    fn mixed_flows_have_their_weights_and_repeat() {
        let workload = workload("mixed", "signup=70,sms=30").unwrap();
        let flows = |seed| (0..10_000).map(move |index| (seed, index));
        let names = |seed| {
            let names = flows(seed).map(|(seed, index)| workload.pick(seed, index).name());
            names.collect::<Vec<_>>()
        };
        let count = names(3).iter().filter(|name| name.as_str() == "signup").count();
        // Five standard deviations.
        assert!((6_770..7_230).contains(&count), "{count}");
        assert_eq!(names(3), names(3));
        assert_ne!(names(3), names(4));
    }
}
