//! Scenarios: what a virtual user does over and over, written as async functions over a [`Flow`].

mod abuse;
mod builtin;
mod context;
mod expectation;
mod flow;
mod pumping;
mod query;
mod registry;
mod verify;

use std::fmt;

use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl};

use crate::callbacks::{AnswerFn, CallbackAnswer};
use crate::model::{BadName, Failure, ScenarioName, StepName};
use crate::target::Elsewhere;
use crate::wire::BoxFuture;

pub(crate) use builtin::verification as built_in;
pub(crate) use context::FlowContext;
pub use context::ReceiverLink;
pub use expectation::Expectation;
pub use flow::Flow;
pub(crate) use flow::Steps;
pub(crate) use registry::{Registry, Workload};

/// An async function over a [`Flow`]: `async fn signup(flow: Flow<'_>) -> Result<(), Failure>`.
///
/// Every such function implements it. [`with`] makes one of a function that takes a second argument.
pub trait FlowFn<'a>: Send + Sync {
    /// What carries the flow out.
    type Future: Future<Output = Result<(), Failure>> + Send + 'a;

    /// Carries the flow out.
    fn call(&self, flow: Flow<'a>) -> Self::Future;
}

impl<'a, F, R> FlowFn<'a> for F
where
    F: Fn(Flow<'a>) -> R + Send + Sync,
    R: Future<Output = Result<(), Failure>> + Send + 'a,
{
    type Future = R;

    fn call(&self, flow: Flow<'a>) -> R {
        self(flow)
    }
}

/// Gives an async function its second argument, such as the URL of a backend. Each flow gets a clone of
/// it.
///
/// ```
/// use sinch_verify_loadtest::{Failure, Flow, Scenario, with};
///
/// async fn sign_up(mut flow: Flow<'_>, url: &'static str) -> Result<(), Failure> {
///     let request = http::Request::post(url).body(flow.number().to_string().into())?;
///     flow.send("signup", request).await.map(drop)
/// }
///
/// let scenario = Scenario::new("signup", with("http://127.0.0.1:8080/signup", sign_up));
/// ```
pub fn with<T, F>(argument: T, run: F) -> With<T, F> {
    With { argument, run }
}

/// See [`with`].
#[derive(Clone, Debug)]
pub struct With<T, F> {
    argument: T,
    run: F,
}

impl<'a, T, F, R> FlowFn<'a> for With<T, F>
where
    T: Clone + Send + Sync,
    F: Fn(Flow<'a>, T) -> R + Send + Sync,
    R: Future<Output = Result<(), Failure>> + Send + 'a,
{
    type Future = R;

    fn call(&self, flow: Flow<'a>) -> R {
        (self.run)(flow, self.argument.clone())
    }
}

/// A [`FlowFn`] of any type.
trait Run: Send + Sync {
    fn run<'a>(&self, flow: Flow<'a>) -> BoxFuture<'a, Result<(), Failure>>;
}

impl<F: for<'a> FlowFn<'a>> Run for F {
    fn run<'a>(&self, flow: Flow<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.call(flow))
    }
}

/// What a virtual user does over and over, under a name.
///
/// ```
/// use sinch_verify_loadtest::{Failure, Flow, Scenario};
///
/// async fn signup(mut flow: Flow<'_>) -> Result<(), Failure> {
///     let request = http::Request::post("http://127.0.0.1:8080/signup").body(flow.number().to_string().into())?;
///     let answer = flow.send("signup", request).await?;
///     if !answer.status().is_success() {
///         return Err(Failure::status(answer.status()));
///     }
///     Ok(())
/// }
///
/// let scenario = Scenario::new("signup", signup).steps(["signup"]);
/// ```
pub struct Scenario {
    name: ScenarioName,
    run: Box<dyn Run>,
    prepare: Option<(usize, Box<dyn Run>)>,
    answers: Option<AnswerFn>,
    needs: Needs,
    steps: Option<Vec<&'static str>>,
    target: Option<Elsewhere<BaseUrl>>,
}

/// What a scenario needs of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The run receives callbacks.
    pub(crate) callbacks: bool,
    /// The phone shows its inbox: no callback sets what is reported.
    pub(crate) inbox: bool,
    /// A call reaches the phone, and its caller id is reported.
    pub(crate) caller_id: bool,
    /// Its flows start no verification.
    pub(crate) no_starts: bool,
    /// It may be run against the live service.
    pub(crate) live: bool,
}

impl Scenario {
    /// A scenario whose flows `run` carries out. The name is up to 40 lower-case letters, digits and
    /// hyphens, and is on the command line, in `run.json`, in reports and in thresholds.
    ///
    /// A flow fails when `run` returns an error, and with the kind of that.
    pub fn new(name: &'static str, run: impl for<'a> FlowFn<'a> + 'static) -> Self {
        Self {
            name: ScenarioName::unchecked(name),
            run: Box::new(run),
            prepare: None,
            answers: None,
            needs: Needs::default(),
            steps: None,
            target: None,
        }
    }

    /// Carries out `prepare` before the run, this many times, one after the other. Each time has a
    /// number and an index that no flow of the run has. The run does not begin when one fails.
    #[must_use]
    pub fn prepare(mut self, times: usize, prepare: impl for<'a> FlowFn<'a> + 'static) -> Self {
        self.prepare = Some((times, Box::new(prepare)));
        self
    }

    /// Names the steps that its flows time beside the standard ones, so that a threshold on another
    /// step is refused before the run.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = &'static str>) -> Self {
        self.steps = Some(steps.into_iter().collect());
        self
    }

    /// How the run's callback receiver answers the request events of its flows, by their
    /// [index](Flow::index). The scenario needs callbacks.
    #[must_use]
    pub fn answers(mut self, answers: fn(u64) -> CallbackAnswer) -> Self {
        self.answers = Some(answers);
        self.needs_callbacks()
    }

    /// The scenario cannot do without the run's callback receiver.
    #[must_use]
    pub fn needs_callbacks(mut self) -> Self {
        self.needs.callbacks = true;
        self
    }

    /// The scenario cannot do without the phone's inbox: no callback sets the code that it reports.
    #[must_use]
    pub fn needs_inbox(mut self) -> Self {
        self.needs.inbox = true;
        self
    }

    /// The scenario reports who called, so a fixed code is of no use to it.
    #[must_use]
    pub fn needs_caller_id(mut self) -> Self {
        self.needs.caller_id = true;
        self
    }

    /// The flows of the scenario start no verifications, so a device can run it without callbacks.
    #[must_use]
    pub fn starts_nothing(mut self) -> Self {
        self.needs.no_starts = true;
        self
    }

    /// The scenario may be run against the live service, within the limits of a live run: its flows
    /// only verify [their number](Flow::number), as a person would.
    #[must_use]
    pub fn allow_live(mut self) -> Self {
        self.needs.live = true;
        self
    }

    /// The emulator that the scenario's own backend uses, and the application there: the target of a
    /// run without `--target`. Its handsets are the phones of the flows.
    #[must_use]
    pub fn target(mut self, url: BaseUrl, key: ApplicationKey, secret: ApplicationSecret) -> Self {
        self.target = Some(Elsewhere {
            url,
            pin: None,
            key,
            secret,
        });
        self
    }
}

impl Scenario {
    pub(crate) fn name(&self) -> ScenarioName {
        self.name
    }

    /// Whether its name and those of its steps are written as names.
    pub(crate) fn check(&self) -> Result<(), BadName> {
        self.name.check()?;
        let mut steps = self.steps.iter().flatten();
        steps.try_for_each(|step| StepName::new(step).map(drop))
    }

    pub(crate) fn needs(&self) -> Needs {
        self.needs
    }

    pub(crate) fn answer_rule(&self) -> Option<AnswerFn> {
        self.answers
    }

    pub(crate) fn default_target(&self) -> Option<&Elsewhere<BaseUrl>> {
        self.target.as_ref()
    }

    /// How often its preparation is carried out before a run.
    pub(crate) fn preparations(&self) -> usize {
        self.prepare.as_ref().map_or(0, |(times, _)| *times)
    }

    /// Carries one flow out.
    pub(crate) fn run<'a>(&self, flow: Flow<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        self.run.run(flow)
    }

    /// Carries its preparation out once.
    pub(crate) fn run_preparation<'a>(&self, flow: Flow<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        match &self.prepare {
            Some((_, prepare)) => prepare.run(flow),
            None => Box::pin(async { Ok(()) }),
        }
    }

    /// The steps that it names, where it names them.
    pub(crate) fn own_steps(&self) -> Option<impl Iterator<Item = StepName>> {
        let steps = self.steps.as_ref()?;
        Some(steps.iter().filter_map(|step| StepName::new(step).ok()))
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("name", &self.name)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}
