//! The flows that end without a verified number.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use sinch_verify_protocol::method::{FlashCall, Sms};
use sinch_verify_protocol::{Code, Decision, PhoneNumber, Reference, Report, ReportOutcome, Start};

use super::{Observations, Setting, begin};
use crate::commands::demo::timeline::{Timeline, Who};
use crate::commands::demo::world::World;

/// The backend says no in the request event.
pub(crate) async fn denied(world: &World, timeline: &mut Timeline) -> anyhow::Result<Observations> {
    let number: PhoneNumber = "+46701740620".parse()?;
    world.backend.decide(number, Decision::Deny);
    let reference = Reference::new("demo-denied")?;
    match world
        .public
        .start(Start::sms(number).reference(reference.clone()))
        .await
    {
        Ok(_) => bail!("the start went through"),
        Err(error) if error.is_denied() => {
            timeline.note(Who::Device, format!("public start of {number}"));
            timeline.note(Who::Backend, "request event: deny");
            let refusal = error.as_api_error().map(ToString::to_string).unwrap_or_default();
            timeline.note(Who::Service, format!("start refused: {refusal}"));
        }
        Err(error) => return Err(error).context("failed to start"),
    }
    let mut seen = Observations::default();
    let status = world
        .signed
        .status_by_reference(reference)
        .await
        .context("failed to ask by reference")?;
    seen.answer("by reference", &status);
    seen.event(&world.backend.result(&status.id).await?);
    timeline.note(
        Who::Backend,
        format!("result event, and status by reference: {}", status.status),
    );
    ensure!(
        world.emulator.inbox(&number).is_empty(),
        "a message reached the handset all the same"
    );
    Ok(seen)
}

/// Every attempt has a wrong code.
pub(crate) async fn wrong_code(world: &World, timeline: &mut Timeline) -> anyhow::Result<Observations> {
    let begun = begin(
        world,
        timeline,
        &Sms::INFO,
        Setting::Backend,
        "+46701740621",
        "wrong",
    )
    .await?;
    // No code of the emulator has a letter, so this one is wrong whatever was sent.
    let wrong = Code::new("wrong")?;
    for attempt in 1..=3 {
        let report = Report::sms(begun.handle.id.clone(), wrong.clone());
        match world.signed.report(report).await.context("failed to report")? {
            ReportOutcome::Refused { .. } => timeline.note(
                Who::Backend,
                format!("wrong code, attempt {attempt}: refused, may try again"),
            ),
            ReportOutcome::Verified(_) => bail!("a wrong code verified the number"),
            last @ ReportOutcome::Ended(_) => {
                let mut seen = Observations::default();
                let status = seen.report(&last)?;
                timeline.note(Who::Backend, format!("wrong code, attempt {attempt}: {status}"));
                begun.end(world, &mut seen).await?;
                return Ok(seen);
            }
        }
    }
    bail!("the third wrong code did not end the verification")
}

/// A second start for the same number takes the first one's place.
pub(crate) async fn aborted(world: &World, timeline: &mut Timeline) -> anyhow::Result<Observations> {
    let number = "+46701740622";
    let first = begin(world, timeline, &Sms::INFO, Setting::Backend, number, "first").await?;
    begin(
        world,
        timeline,
        &FlashCall::INFO,
        Setting::Backend,
        number,
        "second",
    )
    .await?;
    let mut seen = Observations::default();
    let status = first.end(world, &mut seen).await?.status;
    timeline.note(
        Who::Service,
        format!("result event, and status of the first: {status}"),
    );
    Ok(seen)
}

/// No report comes in time.
pub(crate) async fn expired(world: &World, timeline: &mut Timeline) -> anyhow::Result<Observations> {
    let begun = begin(
        world,
        timeline,
        &FlashCall::INFO,
        Setting::Backend,
        "+46701740623",
        "expired",
    )
    .await?;
    let cli = world
        .last_message(begun.number)?
        .cli
        .context("the call has no caller id")?;
    world.emulator.advance(Duration::from_secs(301));
    timeline.note(Who::Service, "clock moved by 301 s");
    let mut seen = Observations::default();
    let late = Report::flash_call(begun.handle.id.clone(), cli);
    let late = world.signed.report(late).await.context("failed to report")?;
    seen.report(&late)?;
    let status = begun.end(world, &mut seen).await?.status;
    timeline.note(
        Who::Backend,
        format!("result event, late report and status: {status}"),
    );
    Ok(seen)
}
