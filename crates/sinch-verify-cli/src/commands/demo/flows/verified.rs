//! The flows that end with a verified number.

use anyhow::{Context as _, ensure};
use sinch_verify_protocol::{
    Method, PhoneNumber, Reference, Report, Start, Status, Verification, VerificationId, WireObject as _,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Seen, Setting};
use crate::commands::demo::methods::DemoMethod;
use crate::commands::demo::timeline::{Timeline, Who};
use crate::commands::demo::world::World;

/// Without the mobile SDK: the backend signs every request.
pub(crate) async fn by_backend<M: DemoMethod>(
    world: &World,
    timeline: &mut Timeline,
) -> anyhow::Result<Seen> {
    let number: PhoneNumber = "+46701740610".parse()?;
    let reference = Reference::new(&format!("demo-{}-backend", M::METHOD))?;
    let start = Start::<M>::new(number).reference(reference.clone());
    let started = world.signed.start(start).await.context("failed to start")?;
    timeline.note(Who::Backend, format!("signed start of {number}"));
    ensure!(
        world.backend.was_asked(&started.id),
        "the request event did not come before the answer"
    );
    timeline.note(Who::Backend, "request event: allow");

    let proof = M::read(&started, &world.last_message(number)?, timeline)?;
    let reported = world
        .signed
        .report(Report::<M>::by_id(started.id.clone(), proof))
        .await;
    let reported = reported.context("failed to report")?;
    timeline.note(Who::Backend, "signed report by id");
    let mut seen = Seen::default();
    seen.answer("report", &reported);
    agree(
        world,
        timeline,
        &mut seen,
        M::METHOD,
        &started.id,
        reference,
        number,
    )
    .await?;
    Ok(seen)
}

/// With a device that talks to the service itself: the backend decides in the
/// request event, here with a code or caller id of its own.
pub(crate) async fn by_device<M: DemoMethod>(world: &World, timeline: &mut Timeline) -> anyhow::Result<Seen> {
    let number: PhoneNumber = "+46701740611".parse()?;
    let (decision, set) = M::own_decision()?;
    world.backend.decide(number, decision);
    let reference = Reference::new(&format!("demo-{}-device", M::METHOD))?;
    let start = Start::<M>::new(number).reference(reference.clone());
    let started = world.public.start(start).await.context("failed to start")?;
    timeline.note(Who::Device, format!("public start of {number}"));
    ensure!(
        world.backend.was_asked(&started.id),
        "the request event did not come before the answer"
    );
    timeline.note(Who::Backend, format!("request event: allow, with {set}"));

    let proof = M::read(&started, &world.last_message(number)?, timeline)?;
    let reported = world.public.report(Report::<M>::by_number(number, proof)).await;
    let reported = reported.context("failed to report")?;
    timeline.note(Who::Device, "public report by number");
    let mut seen = Seen::default();
    seen.answer("report", &reported);
    agree(
        world,
        timeline,
        &mut seen,
        M::METHOD,
        &started.id,
        reference,
        number,
    )
    .await?;
    Ok(seen)
}

/// A callout that ends at the keypad: the device asks for the status, as the
/// start's answer tells it to.
pub(crate) async fn by_keypad(world: &World, timeline: &mut Timeline) -> anyhow::Result<Seen> {
    let number: PhoneNumber = "+46701740612".parse()?;
    let reference = Reference::new("demo-callout-keypad")?;
    let start = Start::callout(number).reference(reference.clone());
    let started = world.public.start(start).await.context("failed to start")?;
    timeline.note(Who::Device, format!("public start of {number}"));
    let schedule = started
        .details
        .schedule()
        .context("the start's answer has no polling schedule")?;

    let ask = || world.public.status_by_number(Method::Callout, number);
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
    let mut seen = Seen::default();
    seen.answer("poll", &after);
    agree(
        world,
        timeline,
        &mut seen,
        Method::Callout,
        &started.id,
        reference,
        number,
    )
    .await?;
    Ok(seen)
}

/// A data verification: the device fetches an address over its mobile network, and that is the
/// proof. Nothing is reported.
pub(crate) async fn by_address(
    world: &World,
    timeline: &mut Timeline,
    setting: Setting,
) -> anyhow::Result<Seen> {
    let (client, starter, number, name) = match setting {
        Setting::Backend => (&world.signed, Who::Backend, "+46701740613", "backend"),
        Setting::Device => (&world.public, Who::Device, "+46701740614", "device"),
    };
    let number: PhoneNumber = number.parse()?;
    let reference = Reference::new(&format!("demo-seamless-{name}"))?;
    let start = Start::seamless(number).reference(reference.clone());
    let started = client.start(start).await.context("failed to start")?;
    timeline.note(starter, format!("start of {number}"));
    timeline.note(Who::Backend, "request event: allow");
    let address = started
        .details
        .target_uri
        .as_ref()
        .map(|address| address.as_str())
        .context("the start's answer has no address")?;
    timeline.note(Who::Device, "fetches the address over its mobile network");
    let mut seen = Seen::default();
    seen.answer(
        "fetch",
        &fetch(address).await.context("failed to fetch the address")?,
    );
    agree(
        world,
        timeline,
        &mut seen,
        Method::Seamless,
        &started.id,
        reference,
        number,
    )
    .await?;
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
    seen: &mut Seen,
    method: Method,
    id: &VerificationId,
    reference: Reference,
    number: PhoneNumber,
) -> anyhow::Result<()> {
    let event = world.backend.result(id).await?;
    timeline.note(Who::Service, format!("result event: {}", event.status));
    seen.event(&event);
    let by_id = world
        .signed
        .status_by_id(id.clone())
        .await
        .context("failed to ask by id")?;
    let by_reference = world
        .signed
        .status_by_reference(reference)
        .await
        .context("failed to ask by reference")?;
    let by_number = world
        .signed
        .status_by_number(method, number)
        .await
        .context("failed to ask by number")?;
    timeline.note(
        Who::Backend,
        format!("status by id, by reference, by number: {}", by_id.status),
    );
    seen.answer("by id", &by_id);
    seen.answer("by reference", &by_reference);
    seen.answer("by number", &by_number);
    Ok(())
}
