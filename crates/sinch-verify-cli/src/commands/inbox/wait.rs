//! `inbox wait`: the proof that reached a phone, and nothing else.

use std::pin::pin;
use std::time::Duration;

use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::{PhoneNumber, VerificationId, duration};
use tokio::time::Instant;

use crate::control::Control;
use crate::exit::{NO, Outcome, timed_out};
use crate::phone::{Received, newest, next_message};
use crate::print::{self, note, say};
use crate::stop::stopped;
use crate::target::Address;

/// How long one question to the emulator waits at most.
const POLL: Duration = Duration::from_secs(60);

/// How long to wait without `--timeout`.
const USUAL: Duration = Duration::from_secs(10);

/// As many messages as one answer holds.
const PAGE: u16 = 1000;

/// Arguments of `inbox wait`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The phone.
    number: PhoneNumber,
    /// Take messages of this verification only.
    #[arg(long, value_name = "ID")]
    verification: Option<VerificationId>,
    /// Leave alone what is there already.
    #[arg(long, conflicts_with = "after")]
    new: bool,
    /// Take the oldest message after this one.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// How long to wait; 10s when left out, for ever with `--follow`.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Go on with what comes next, one message a line as JSON, until Ctrl-C or until nothing
    /// comes for `--timeout`.
    #[arg(long)]
    follow: bool,
    /// Print the whole message as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    address: Address,
}

/// Runs the command.
pub(super) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let inbox = Inbox {
        control: args.address.emulator().await?,
        number: args.number,
        of: args.verification,
    };
    let (mut seen, mut found) = match args.after {
        Some(after) => (after, None),
        None if args.new => (inbox.last().await?, None),
        None => (0, inbox.newest().await?),
    };
    if let Some(found) = &found
        && inbox.of.is_none()
        && !args.follow
    {
        note!(
            "hint: this came before, for verification {}; --new waits for the next message, --verification ID for one of that verification",
            found.message.verification_id
        );
    }
    let usual = (!args.follow).then_some(USUAL);
    let patience = args.timeout.or(usual);
    let mut any = false;
    let mut stopped = pin!(stopped());
    loop {
        let next = match found.take() {
            Some(found) => Some(found),
            None => tokio::select! {
                next = inbox.next(seen, patience) => next?,
                ended = &mut stopped => return ended.map(|()| Outcome::Yes),
            },
        };
        let Some(next) = next else {
            if any {
                return Ok(Outcome::Yes);
            }
            let waited = duration::to_text(&patience.unwrap_or_default());
            return Err(timed_out(NO, format!("no message came in {waited}")));
        };
        any = show(&next, args.json || args.follow);
        seen = next.message.seq;
        if !args.follow || print::gone() {
            return Ok(any.into());
        }
    }
}

/// Prints the proof, or the whole message; says whether there was something to print.
fn show(received: &Received, whole: bool) -> bool {
    let message = &received.message;
    if whole {
        // A message a line: what ends one here stands between values.
        say!("{}", received.json.get().replace(['\r', '\n'], " "));
        return true;
    }
    match message.proof() {
        Some(proof) => say!("{}", escape(proof)),
        None => note!(
            "the {} of verification {} holds no code",
            escape(&message.kind),
            message.verification_id
        ),
    }
    message.proof().is_some()
}

/// A phone, or what one verification brought it.
struct Inbox {
    control: Control,
    number: PhoneNumber,
    of: Option<VerificationId>,
}

impl Inbox {
    /// The newest message that is there.
    async fn newest(&self) -> anyhow::Result<Option<Received>> {
        let Some(id) = &self.of else {
            return Ok(newest(&self.control, &self.number, 1).await?.pop());
        };
        let messages = newest(&self.control, &self.number, PAGE).await?;
        Ok(messages
            .into_iter()
            .find(|received| received.message.verification_id == *id))
    }

    /// The number of the last message that is there, of whatever verification.
    async fn last(&self) -> anyhow::Result<u64> {
        let last = newest(&self.control, &self.number, 1).await?.pop();
        Ok(last.map_or(0, |received| received.message.seq))
    }

    /// The oldest message after `seen`; `None` when none comes within `patience`.
    async fn next(&self, seen: u64, patience: Option<Duration>) -> anyhow::Result<Option<Received>> {
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            let left = until.map_or(POLL, |until| until.saturating_duration_since(Instant::now()));
            let poll = left.min(POLL);
            let next = next_message(&self.control, self.number, seen, self.of.as_ref(), poll).await?;
            if next.is_some() {
                return Ok(next);
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(None);
            }
        }
    }
}
