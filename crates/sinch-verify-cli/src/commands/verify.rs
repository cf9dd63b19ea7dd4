//! `verify`: a whole verification, from the start to its end.

mod auto;
mod ending;
mod screen;

use std::time::Duration;

use sinch_verify_client::flow::{Seen, Step};
use sinch_verify_protocol::method::ProofKind;
use sinch_verify_protocol::session::{Failure, Progress};
use sinch_verify_protocol::{Cli, Code, Method, PhoneNumber, Verification, VerificationId, duration};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::control::Control;
use crate::exit::Outcome;
use crate::methods::MethodArg;
use crate::print::note;
use crate::target::{Service, Target};
use crate::typed_number::TypedNumber;
use crate::view;

use auto::Phone;
use screen::{Screen, expiry};

/// Arguments of `verify`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    number: TypedNumber,
    /// How to verify it.
    #[arg(long, value_enum, default_value = "sms")]
    method: MethodArg,
    /// What to try next if a method fails: any number of times, or a list.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "METHOD")]
    then: Vec<MethodArg>,
    /// Take the code, or the caller id, from the emulator's phone instead of asking for it.
    #[arg(long)]
    auto: bool,
    /// How long all of it may take.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "10m")]
    timeout: Duration,
    /// Print the verification as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs the command. The exit code is 0 only if the number is verified.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let number = args.number.read()?;
    let service = args.target.service()?;
    let phone = match args.auto {
        true => Some(Phone::new(args.target.address().emulator().await?, number)),
        false => None,
    };
    let methods = std::iter::once(args.method).chain(args.then);
    let mut flow = Flow {
        number,
        methods: methods.map(Method::from).collect(),
        until: Instant::now() + args.timeout,
        lines: if args.auto { None } else { Some(screen::lines()) },
        screen: Screen::new(args.auto),
        phone,
        // Tells when a verification expires, if it is an emulator.
        emulator: if service.is_loopback() {
            Some(Control::at(&service.url)?)
        } else {
            None
        },
        service,
    };
    let verification = loop {
        match flow.attempt().await? {
            End::Verified(verification) => break verification,
            End::Failed(failure) => return Err(ending::failed(failure, flow.service.is_loopback())),
            End::Resend(place) => drop(flow.methods.drain(..place)),
        }
    };
    view::print(&*verification, args.json, view::verification(&verification))?;
    Ok(Outcome::of(&verification))
}

struct Flow {
    service: Service,
    emulator: Option<Control>,
    number: PhoneNumber,
    /// What is left to be tried.
    methods: Vec<Method>,
    until: Instant,
    /// Lines of standard input; `None` when the command asks nothing.
    lines: Option<mpsc::UnboundedReceiver<String>>,
    screen: Screen,
    phone: Option<Phone>,
}

/// How an attempt ended.
enum End {
    Verified(Box<Verification>),
    Failed(Failure),
    /// The methods from this place on are to be started anew.
    Resend(usize),
}

/// What was typed.
enum Typed {
    Proof(Seen),
    Resend,
    Nothing,
}

impl Flow {
    /// Starts the methods that are left, until the number is verified, or a new start is asked for.
    async fn attempt(&mut self) -> anyhow::Result<End> {
        let (tell, source) = mpsc::channel(16);
        let left = self.until.saturating_duration_since(Instant::now());
        let flow = self.service.client.verify(self.number).deadline(left);
        let mut running = flow.methods(self.methods.iter().cloned()).begin(source)?;
        let mut now = None;
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                step = running.next() => match step {
                    Some(Step::Verified(verification)) => {
                        self.screen.leave();
                        return Ok(End::Verified(verification));
                    }
                    Some(Step::Failed(failure)) => {
                        self.screen.leave();
                        return Ok(End::Failed(failure));
                    }
                    Some(Step::Progress(Progress::Waiting { method, id, .. })) => {
                        self.wait_for_proof(&method, &id, &tell).await;
                        now = Some(method);
                    }
                    Some(Step::Progress(progress)) => {
                        if let Progress::Starting { .. } = progress {
                            now = None;
                        }
                        if self.screen.shows(&progress)
                            && let Some(method) = &now
                        {
                            self.ask(method);
                        }
                    }
                    None => return Ok(End::Failed(Failure::Cancelled)),
                    Some(_) => {}
                },
                line = next_line(&mut self.lines), if now.is_some() => {
                    self.screen.answered();
                    let Some(method) = &now else { continue };
                    let Some(line) = line else {
                        self.lines = None;
                        end_input(method, &tell);
                        continue;
                    };
                    match typed(line.trim(), method) {
                        Typed::Proof(seen) => {
                            // The flow takes everything; it is gone only when it has ended.
                            let _ = tell.try_send(seen);
                        }
                        Typed::Resend => {
                            let place = self.methods.iter().position(|own| own == method);
                            return Ok(End::Resend(place.unwrap_or_default()));
                        }
                        Typed::Nothing => self.ask(method),
                    }
                }
                _ = tick.tick() => self.screen.tick(),
            }
        }
    }

    /// Asks for the proof, or has it read from the phone.
    async fn wait_for_proof(&mut self, method: &Method, id: &VerificationId, tell: &mpsc::Sender<Seen>) {
        let expiry = match &self.emulator {
            Some(emulator) => expiry(emulator, id).await,
            None => None,
        };
        self.screen
            .expires(expiry.map_or(self.until, |expiry| expiry.min(self.until)));
        if let Some(phone) = &self.phone {
            phone.read(id.clone(), tell.clone());
            return;
        }
        self.ask(method);
    }

    fn ask(&mut self, method: &Method) {
        let place = self.methods.iter().position(|own| own == method);
        let next = place.and_then(|place| self.methods.get(place + 1));
        self.screen.ask(self.number, method, next);
    }
}

/// The next line of standard input. It never comes when the command asks nothing.
async fn next_line(lines: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Standard input has ended, so a method that needs a proof cannot get one any more.
fn end_input(method: &Method, tell: &mpsc::Sender<Seen>) {
    if method.proof().is_some() {
        note!("standard input has ended before a code came");
        let _ = tell.try_send(Seen::Cancel);
    }
}

/// Reads a line as an answer for `method`.
fn typed(line: &str, method: &Method) -> Typed {
    match line {
        "" => return Typed::Nothing,
        "r" | "resend" => return Typed::Resend,
        "n" | "next" => return Typed::Proof(Seen::NextMethod),
        "q" | "quit" => return Typed::Proof(Seen::Cancel),
        _ => {}
    }
    let seen = match method.proof() {
        Some(ProofKind::Cli) => Cli::as_seen(line)
            .map(Seen::Cli)
            .map_err(|error| error.to_string()),
        _ => Code::from_typed(line)
            .map(Seen::Code)
            .map_err(|error| error.to_string()),
    };
    match seen {
        Ok(seen) => Typed::Proof(seen),
        Err(error) => {
            note!("{error}");
            Typed::Nothing
        }
    }
}
