//! `inbox`: all phones, or the messages of one.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use sinch_verify_protocol::{PhoneNumber, timestamp};

use crate::control::Control;
use crate::exit::Outcome;
use crate::phone::{Message, Received, newest};
use crate::print::{note, say};
use crate::table::Column::{Value, Words};
use crate::table::{Table, cell};
use crate::target::Address;

/// Arguments of `inbox`.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// The phone whose messages to print, newest first; without it all phones, the one that
    /// received something last first.
    number: Option<PhoneNumber>,
    /// How many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Print the emulator's answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    address: Address,
}

/// Runs the command.
pub(super) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let control = args.address.emulator().await?;
    match &args.number {
        Some(number) => messages(&control, number, &args).await?,
        None => phones(&control, &args).await?,
    }
    Ok(Outcome::Yes)
}

async fn messages(control: &Control, number: &PhoneNumber, args: &Args) -> anyhow::Result<()> {
    let messages = newest(control, number, args.limit).await?;
    if args.json {
        let messages: Vec<&RawValue> = messages.iter().map(|received| &*received.json).collect();
        say!("{}", serde_json::json!({ "messages": messages }));
        return Ok(());
    }
    if messages.is_empty() {
        note!("no message has reached this phone yet");
        return Ok(());
    }
    let mut table = Table::new(&[
        Value("seq"),
        Value("time"),
        Value("kind"),
        Value("proof"),
        Words("text"),
        Value("verification"),
    ]);
    for Received { message, .. } in &messages {
        table.add(vec![
            cell(message.seq),
            cell(&message.at),
            cell(&message.kind),
            cell(message.proof().unwrap_or_default()),
            cell(&message.text),
            cell(message.verification_id.as_str()),
        ]);
    }
    table.print();
    Ok(())
}

#[derive(Deserialize)]
struct Phone {
    number: PhoneNumber,
    messages: usize,
    last: Message,
}

async fn phones(control: &Control, args: &Args) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Page<T> {
        phones: Vec<T>,
    }
    let path = format!("/_emu/phones?limit={}", args.limit);
    if args.json {
        let whole: Box<RawValue> = control.get(&path).await?;
        say!("{}", whole.get());
        return Ok(());
    }
    let page: Page<Phone> = control.get(&path).await?;
    if page.phones.is_empty() {
        note!("no message has reached a phone yet");
        return Ok(());
    }
    // Messages come in service time, which may be moved and may stand.
    #[derive(Deserialize)]
    struct Clock {
        service: String,
    }
    let now: Clock = control.get("/_emu/clock").await?;
    let mut table = Table::new(&[
        Value("number"),
        Value("kind"),
        Value("age"),
        Value("messages"),
        Value("proof"),
    ]);
    for phone in &page.phones {
        table.add(vec![
            cell(phone.number),
            cell(&phone.last.kind),
            cell(age(&phone.last.at, &now.service)),
            cell(phone.messages),
            cell(phone.last.proof().unwrap_or_default()),
        ]);
    }
    table.print();
    Ok(())
}

/// How long `at` is before `now`, in its largest unit. A clock that was set back makes it 0 s.
fn age(at: &str, now: &str) -> String {
    let (Ok(at), Ok(now)) = (timestamp::parse(at), timestamp::parse(now)) else {
        return "?".to_owned();
    };
    let seconds = now.duration_since(at).unwrap_or(Duration::ZERO).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        let at = "2026-01-02T03:04:05.000Z";
        for (now, told) in [
            ("2026-01-02T03:04:05.999Z", "0 s"),
            ("2026-01-02T03:05:04.999Z", "59 s"),
            ("2026-01-02T03:06:05.000Z", "2 min"),
            ("2026-01-02T05:04:05.000Z", "2 h"),
            ("2026-01-05T03:04:05.000Z", "3 d"),
            ("2026-01-01T03:04:05.000Z", "0 s"),
            ("noon", "?"),
        ] {
            assert_eq!(age(at, now), told, "{now}");
        }
    }
}
