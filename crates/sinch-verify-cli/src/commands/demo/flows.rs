//! The flows: each ends with what was seen, which must be what was expected.

mod ends;
mod verified;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use sinch_verify_client::Handle;
use sinch_verify_protocol::callback::ResultEvent;
use sinch_verify_protocol::method::{FlashCall, Form, MethodInfo, Sms};
use sinch_verify_protocol::{
    Method, PhoneNumber, Reason, Reference, ReportOutcome, Start, Status, Verification,
};

use super::timeline::{Step, Timeline, Who};
use super::world::World;

/// One flow of the demo.
pub(crate) struct Flow {
    method: &'static MethodInfo,
    setting: Setting,
    end: End,
}

/// How a flow ends.
#[derive(Clone, Copy)]
enum End {
    /// The proof is reported.
    Reported,
    /// The device fetches an address.
    Fetched,
    /// A key is pressed during the call.
    Keypad,
    /// The backend denies it.
    Denied,
    /// Every reported code is wrong.
    WrongCode,
    /// A second start replaces it.
    Aborted,
    /// The time runs out.
    Expired,
}

impl End {
    /// The flow's name, and what should be seen.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Reported | Self::Fetched => ("verified", "SUCCESSFUL"),
            Self::Keypad => ("keypad", "SUCCESSFUL"),
            Self::Denied => ("denied", "DENIED (Denied by callback)"),
            Self::WrongCode => ("wrong code", "FAIL (Invalid code)"),
            Self::Aborted => ("aborted", "ABORTED"),
            Self::Expired => ("expired", "FAIL (Expired)"),
        }
    }
}

/// Who talks to the service.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Setting {
    /// The backend signs every request; no mobile SDK.
    Backend,
    /// The device, with public authorization; the backend decides in the callback.
    Device,
}

/// One row of the result.
#[derive(Serialize)]
pub(crate) struct Row {
    /// The flow.
    pub flow: &'static str,
    /// The method.
    pub method: Method,
    /// Who talks to the service.
    pub setting: Setting,
    /// What should be seen.
    pub expected: String,
    /// What was seen.
    pub got: String,
    /// Whether the two are the same.
    pub ok: bool,
    /// How long the flow took.
    pub ms: f64,
    /// What happened.
    pub timeline: Vec<Step>,
}

impl Flow {
    /// Runs the flow. A failure is what was got.
    pub(crate) async fn run(&self, world: &World) -> Row {
        let mut timeline = Timeline::begin();
        let got = match self.walk(world, &mut timeline).await {
            Ok(seen) => seen.summary(),
            Err(error) => format!("{error:#}"),
        };
        let (flow, expected) = self.end.words();
        Row {
            flow,
            method: self.method.method.clone(),
            setting: self.setting,
            expected: expected.to_owned(),
            ok: got == expected,
            got,
            ms: timeline.ms(),
            timeline: timeline.into_steps(),
        }
    }

    async fn walk(&self, world: &World, timeline: &mut Timeline) -> anyhow::Result<Observations> {
        match self.end {
            End::Reported => verified::by_report(world, timeline, self.method, self.setting).await,
            End::Fetched => verified::by_address(world, timeline, self.method, self.setting).await,
            End::Keypad => verified::by_keypad(world, timeline, self.method).await,
            End::Denied => ends::denied(world, timeline).await,
            End::WrongCode => ends::wrong_code(world, timeline).await,
            End::Aborted => ends::aborted(world, timeline).await,
            End::Expired => ends::expired(world, timeline).await,
        }
    }
}

/// All flows, in the order of the guide.
pub(crate) fn all() -> Vec<Flow> {
    use Setting::{Backend, Device};
    let flow = |method, setting, end| Flow { method, setting, end };
    let mut flows = Vec::new();
    for method in MethodInfo::single() {
        let end = match method.form {
            Form::Address => End::Fetched,
            _ => End::Reported,
        };
        flows.extend([flow(method, Backend, end), flow(method, Device, end)]);
        if method.method.takes_a_key() {
            flows.push(flow(method, Device, End::Keypad));
        }
    }
    flows.extend([
        flow(&Sms::INFO, Device, End::Denied),
        flow(&Sms::INFO, Backend, End::WrongCode),
        flow(&Sms::INFO, Backend, End::Aborted),
        flow(&FlashCall::INFO, Backend, End::Expired),
    ]);
    flows
}

/// A verification that was started.
struct StartedFlow {
    handle: Handle,
    number: PhoneNumber,
    reference: Reference,
}

/// Starts a verification, as every flow begins; `name` makes its reference.
async fn begin(
    world: &World,
    timeline: &mut Timeline,
    method: &MethodInfo,
    setting: Setting,
    number: &str,
    name: &str,
) -> anyhow::Result<StartedFlow> {
    let (client, who, how) = match setting {
        Setting::Backend => (&world.signed, Who::Backend, "signed"),
        Setting::Device => (&world.public, Who::Device, "public"),
    };
    let number: PhoneNumber = number.parse()?;
    let reference = Reference::new(&format!("demo-{}-{name}", method.name))?;
    let start = Start::by(method, number).reference(reference.clone());
    let handle = client.start(start).await.context("failed to start")?;
    timeline.note(who, format!("{how} start of {number} by {}", method.name));
    ensure!(
        world.backend.was_asked(&handle.id),
        "the request event did not come before the answer"
    );
    Ok(StartedFlow {
        handle,
        number,
        reference,
    })
}

impl StartedFlow {
    /// The result event, and the status by id.
    async fn end(&self, world: &World, seen: &mut Observations) -> anyhow::Result<Verification> {
        let id = &self.handle.id;
        seen.event(&world.backend.result(id).await?);
        let status = world.signed.status_by_id(id.clone()).await;
        let status = status.context("failed to ask by id")?;
        seen.answer("by id", &status);
        Ok(status)
    }
}

/// What was seen of the end, by each way to see it.
#[derive(Default)]
pub(crate) struct Observations(Vec<(&'static str, String)>);

impl Observations {
    /// What an answer said.
    pub(crate) fn answer(&mut self, way: &'static str, answer: &Verification) {
        self.0
            .push((way, outcome(&answer.status, answer.reason.as_ref())));
    }

    /// What a report led to, by its status.
    pub(crate) fn report(&mut self, reported: &ReportOutcome) -> anyhow::Result<Status> {
        let answer = reported.verification().context("the report was refused")?;
        self.answer("report", answer);
        Ok(answer.status.clone())
    }

    /// What the result event said.
    pub(crate) fn event(&mut self, event: &ResultEvent) {
        self.0
            .push(("event", outcome(&event.status, event.reason.as_ref())));
    }

    /// The one outcome that every way showed, or all of them where they differ.
    fn summary(&self) -> String {
        match self.0.split_first() {
            None => "nothing".to_owned(),
            Some(((_, first), rest)) if rest.iter().all(|(_, other)| other == first) => first.clone(),
            Some(_) => self
                .0
                .iter()
                .map(|(way, outcome)| format!("{way} {outcome}"))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

fn outcome(status: &Status, reason: Option<&Reason>) -> String {
    match reason {
        Some(reason) => format!("{status} ({reason})"),
        None => status.to_string(),
    }
}
