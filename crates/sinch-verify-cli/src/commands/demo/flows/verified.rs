//! The flows that end with a verified number.

use anyhow::{Context as _, ensure};
use sinch_verify_protocol::method::MethodInfo;
use sinch_verify_protocol::report::Target;
use sinch_verify_protocol::start::CalloutDetails;
use sinch_verify_protocol::{Decision, Report, Status, Verification, WireObject as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Observations, Setting, StartedFlow, begin};
use crate::commands::demo::methods::{own_decision, read_proof};
use crate::commands::demo::timeline::{Timeline, Who};
use crate::commands::demo::world::World;

/// The proof that reaches the handset is reported.
///
/// Without the mobile SDK the backend signs every request. A device talks to the service itself,
/// and the backend decides in the request event, here with a proof of its own where it can.
pub(crate) async fn by_report(
    world: &World,
    timeline: &mut Timeline,
    method: &MethodInfo,
    setting: Setting,
) -> anyhow::Result<Observations> {
    let (number, name) = match setting {
        Setting::Backend => ("+46701740610", "backend"),
        Setting::Device => ("+46701740611", "device"),
    };
    let (decision, words) = match setting {
        Setting::Backend => (Decision::Allow, "allow"),
        Setting::Device => own_decision(method)?,
    };
    world.backend.decide(number.parse()?, decision);
    let begun = begin(world, timeline, method, setting, number, name).await?;
    timeline.note(Who::Backend, format!("request event: {words}"));

    let message = world.last_message(begun.number)?;
    let proof = read_proof(&begun.handle, method, &message, timeline)?;
    let (client, target) = match setting {
        Setting::Backend => (&world.signed, Target::Id(begun.handle.id.clone())),
        Setting::Device => (&world.public, Target::Number(begun.number)),
    };
    let report = Report::new(target, &method.method, proof)?;
    let reported = client.report(report).await.context("failed to report")?;
    match setting {
        Setting::Backend => timeline.note(Who::Backend, "signed report by id"),
        Setting::Device => timeline.note(Who::Device, "public report by number"),
    }
    let mut seen = Observations::default();
    seen.report(&reported)?;
    agree(world, timeline, &mut seen, method, begun).await?;
    Ok(seen)
}

/// A callout that ends at the keypad: the device asks for the status, as the
/// start's answer tells it to.
pub(crate) async fn by_keypad(
    world: &World,
    timeline: &mut Timeline,
    method: &MethodInfo,
) -> anyhow::Result<Observations> {
    let begun = begin(world, timeline, method, Setting::Device, "+46701740612", "keypad").await?;
    let number = begun.number;
    let callout = begun.handle.callout.as_ref();
    let schedule = callout
        .and_then(CalloutDetails::schedule)
        .context("the start's answer has no polling schedule")?;

    let ask = || world.public.status_by_number(method.method.clone(), number);
    let before = ask().await.context("failed to ask for the status")?;
    ensure!(
        before.status == Status::Pending,
        "the status before the keypad is {}",
        before.status
    );
    timeline.note(Who::Device, "public status by number: PENDING");
    let code = world
        .last_message(number)?
        .code
        .context("the call speaks no code")?;
    world
        .emulator
        .press_keypad(&number, code.expose())
        .context("failed to press the keys")?;
    timeline.note(
        Who::Handset,
        format!("keys {} pressed during the call", code.expose()),
    );

    // The demo does not wait for the first slot of the schedule: it moves the service's clock.
    let first = schedule.slots().next().context("the schedule has no slot")?;
    world.emulator.advance(first);
    let after = ask().await.context("failed to ask for the status")?;
    timeline.note(
        Who::Device,
        format!(
            "public status by number at {} s: {}",
            first.as_secs(),
            after.status
        ),
    );
    let mut seen = Observations::default();
    seen.answer("poll", &after);
    agree(world, timeline, &mut seen, method, begun).await?;
    Ok(seen)
}

/// A data verification: the device fetches an address over its mobile network, and that is the
/// proof. Nothing is reported.
pub(crate) async fn by_address(
    world: &World,
    timeline: &mut Timeline,
    method: &MethodInfo,
    setting: Setting,
) -> anyhow::Result<Observations> {
    let (number, name) = match setting {
        Setting::Backend => ("+46701740613", "backend"),
        Setting::Device => ("+46701740614", "device"),
    };
    let begun = begin(world, timeline, method, setting, number, name).await?;
    timeline.note(Who::Backend, "request event: allow");
    let seamless = begun.handle.seamless.as_ref();
    let address = seamless.and_then(|seamless| seamless.target_uri.clone());
    let address = address.context("the start's answer has no address")?;
    timeline.note(Who::Device, "fetches the address over its mobile network");
    let fetched = fetch(address.as_str()).await;
    let mut seen = Observations::default();
    seen.answer("fetch", &fetched.context("failed to fetch the address")?);
    agree(world, timeline, &mut seen, method, begun).await?;
    Ok(seen)
}

/// Fetches an address of the emulator as a device does: without any credential.
async fn fetch(address: &str) -> anyhow::Result<Verification> {
    let (host, path) = address
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .context("the address is not one of the emulator")?;
    let mut stream = TcpStream::connect(host).await?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no body")?;
    ensure!(
        head.starts_with("HTTP/1.1 200"),
        "the address answers {}",
        head.lines().next().unwrap_or_default()
    );
    Ok(Verification::decode(body.as_bytes())?)
}

/// Checks that the result event and all three status queries tell the same.
async fn agree(
    world: &World,
    timeline: &mut Timeline,
    seen: &mut Observations,
    method: &MethodInfo,
    begun: StartedFlow,
) -> anyhow::Result<()> {
    let by_id = begun.end(world, seen).await?.status;
    timeline.note(Who::Service, format!("result event: {by_id}"));
    let by_reference = world
        .signed
        .status_by_reference(begun.reference)
        .await
        .context("failed to ask by reference")?;
    let by_number = world
        .signed
        .status_by_number(method.method.clone(), begun.number)
        .await
        .context("failed to ask by number")?;
    timeline.note(
        Who::Backend,
        format!("status by id, by reference, by number: {by_id}"),
    );
    seen.answer("by reference", &by_reference);
    seen.answer("by number", &by_number);
    Ok(())
}
