//! The flows: each ends with what was seen, which must be what was expected.

mod ends;
mod verified;

use std::future::Future;
use std::pin::Pin;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use sinch_verify_client::Handle;
use sinch_verify_protocol::callback::ResultEvent;
use sinch_verify_protocol::method::{Callout, FlashCall, Sms, VerifyMethod, WhatsApp};
use sinch_verify_protocol::{
    Method, PhoneNumber, Reason, Reference, ReportOutcome, Start, Status, Verification,
};

use super::timeline::{Step, Timeline, Who};
use super::world::World;

/// One flow of the demo.
pub(crate) struct Flow {
    name: &'static str,
    method: Method,
    setting: Setting,
    expected: &'static str,
    walk: Walk,
}

type Walk = for<'a> fn(
    &'a World,
    &'a mut Timeline,
) -> Pin<Box<dyn Future<Output = anyhow::Result<Seen>> + Send + 'a>>;

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
    /// Walks the flow. A failure is what was got.
    pub(crate) async fn run(&self, world: &World) -> Row {
        let mut timeline = Timeline::begin();
        let got = match (self.walk)(world, &mut timeline).await {
            Ok(seen) => seen.summary(),
            Err(error) => format!("{error:#}"),
        };
        Row {
            flow: self.name,
            method: self.method.clone(),
            setting: self.setting,
            expected: self.expected.to_owned(),
            ok: got == self.expected,
            got,
            ms: timeline.ms(),
            timeline: timeline.into_steps(),
        }
    }
}

/// All flows, in the order of the guide.
pub(crate) fn all() -> Vec<Flow> {
    use Setting::{Backend, Device};
    let flow = |name, method, setting, expected, walk| Flow {
        name,
        method,
        setting,
        expected,
        walk,
    };
    vec![
        flow("verified", Method::Sms, Backend, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_backend::<Sms>(w, t))
        }),
        flow("verified", Method::Sms, Device, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_device::<Sms>(w, t))
        }),
        flow("verified", Method::FlashCall, Backend, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_backend::<FlashCall>(w, t))
        }),
        flow("verified", Method::FlashCall, Device, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_device::<FlashCall>(w, t))
        }),
        flow("verified", Method::Callout, Backend, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_backend::<Callout>(w, t))
        }),
        flow("verified", Method::Callout, Device, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_device::<Callout>(w, t))
        }),
        flow("keypad", Method::Callout, Device, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_keypad(w, t))
        }),
        flow("verified", Method::Seamless, Backend, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_address(w, t, Backend))
        }),
        flow("verified", Method::Seamless, Device, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_address(w, t, Device))
        }),
        flow("verified", Method::WhatsApp, Backend, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_backend::<WhatsApp>(w, t))
        }),
        flow("verified", Method::WhatsApp, Device, "SUCCESSFUL", |w, t| {
            Box::pin(verified::by_device::<WhatsApp>(w, t))
        }),
        flow(
            "denied",
            Method::Sms,
            Device,
            "DENIED (Denied by callback)",
            |w, t| Box::pin(ends::denied(w, t)),
        ),
        flow(
            "wrong code",
            Method::Sms,
            Backend,
            "FAIL (Invalid code)",
            |w, t| Box::pin(ends::wrong_code(w, t)),
        ),
        flow("aborted", Method::Sms, Backend, "ABORTED", |w, t| {
            Box::pin(ends::aborted(w, t))
        }),
        flow("expired", Method::FlashCall, Backend, "FAIL (Expired)", |w, t| {
            Box::pin(ends::expired(w, t))
        }),
    ]
}

/// A verification that was started.
struct Begun<M: VerifyMethod> {
    handle: Handle<M>,
    number: PhoneNumber,
    reference: Reference,
}

/// Starts a verification, as every flow begins; `name` makes its reference.
async fn begin<M: VerifyMethod>(
    world: &World,
    timeline: &mut Timeline,
    setting: Setting,
    number: &str,
    name: &str,
) -> anyhow::Result<Begun<M>> {
    let (client, who, how) = match setting {
        Setting::Backend => (&world.signed, Who::Backend, "signed"),
        Setting::Device => (&world.public, Who::Device, "public"),
    };
    let number: PhoneNumber = number.parse()?;
    let reference = Reference::new(&format!("demo-{}-{name}", M::METHOD))?;
    let start = Start::<M>::new(number).reference(reference.clone());
    let handle = client.start(start).await.context("failed to start")?;
    timeline.note(who, format!("{how} start of {number} by {}", M::METHOD));
    ensure!(
        world.backend.was_asked(&handle.id),
        "the request event did not come before the answer"
    );
    Ok(Begun {
        handle,
        number,
        reference,
    })
}

impl<M: VerifyMethod> Begun<M> {
    /// The result event, and the status by id.
    async fn end(&self, world: &World, seen: &mut Seen) -> anyhow::Result<Verification> {
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
pub(crate) struct Seen(Vec<(&'static str, String)>);

impl Seen {
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
