//! `listen`: a receiver for callbacks, on this machine.

mod answer;
mod decide;
mod forward;
mod gate;
mod printer;
mod serve;
mod summary;

use std::future::IntoFuture as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Uri;
use sinch_verify_callback::{AcceptedAuth, CallbackBuilder, KeyRing};
use sinch_verify_protocol::url::HttpUrl;
use sinch_verify_protocol::{ApplicationKey, Code, PhoneNumber, duration};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::config::Origin;
use crate::exit::{Outcome, UNREACHABLE, failed, timed_out, usage};
use crate::print::{note, say};
use crate::registration::register_if_there;
use crate::stop::Stop;
use crate::target::Address;

use decide::Decider;
use forward::Forward;
use gate::Gate;
use printer::Printer;
use serve::Listen;
use summary::Kind;

/// How long answers that are on their way may take once it is over.
const GRACE: Duration = Duration::from_secs(5);

/// Arguments of `listen`. Key and secret come from SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET or
/// from the profile. Where nothing is set, they are the development key and secret, and callbacks are taken
/// only while an emulator on this machine posts here.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// The path that callbacks are posted to. It is signed.
    #[arg(long, default_value = "/sinch/callback", value_parser = path)]
    path: String,
    /// What to answer to request events.
    #[arg(long, value_enum, default_value = "allow")]
    decide: Verdict,
    /// Set this code, where the method takes one: SMS and callout.
    #[arg(long, conflicts_with = "cli")]
    code: Option<Code>,
    /// Set this caller id for flash calls.
    #[arg(long, value_name = "NUMBER")]
    cli: Option<PhoneNumber>,
    /// Also take callbacks with basic authorization, which an application can have in place of signatures.
    #[arg(long)]
    accept_basic: bool,
    /// Hand what is authentic on to an application, and its answer back.
    #[arg(long, value_name = "URL", conflicts_with_all = ["decide", "code", "cli"])]
    forward_to: Option<HttpUrl>,
    /// Enforce a fraud policy, in TOML, in front of the application or of what is decided here.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Allow a host in `--forward-to` that is not this machine.
    #[arg(long)]
    live: bool,
    /// Show, count and hand on these events only; all others are answered without a word.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    events: Vec<Kind>,
    /// End after so many callbacks: exit code 0 when all were authentic and well answered, else 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after this time: exit code 5 when fewer came than `--count`.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Leave the emulator's callback URL as it is.
    #[arg(long)]
    no_register: bool,
    /// Show whole numbers, codes and caller ids.
    #[arg(long)]
    reveal: bool,
    /// Print a line of JSON for each callback.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    address: Address,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Verdict {
    Allow,
    Deny,
}

/// A path as it is sent, with characters outside ASCII percent-encoded.
fn path(text: &str) -> Result<String, String> {
    let url = format!("http://127.0.0.1{text}").parse::<HttpUrl>().ok();
    let uri = url.filter(|_| text.starts_with('/')).map(Uri::from);
    let uri = uri.filter(|uri| uri.query().is_none());
    uri.map(|uri| uri.path().to_owned())
        .ok_or_else(|| "must be a path such as /sinch/callback, without scheme, host and query".to_owned())
}

/// Runs the command, until Ctrl-C, `--count` or `--timeout`.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    if args.decide == Verdict::Deny && (args.code.is_some() || args.cli.is_some()) {
        return Err(usage(
            "--code and --cli go with --decide allow: nothing is sent after a deny",
        ));
    }
    let destination = args.address.destination()?;
    let application = destination.application()?;
    let is_development = application.origin == Origin::Default;
    let (key, secret) = (application.key, application.secret?);
    if is_development {
        development_stays_here(&args)?;
    }
    let forward = args
        .forward_to
        .as_ref()
        .map(|to| Forward::new(to, args.live, &args.path, &key, &secret));
    let forward = forward.transpose()?;
    let gate = args.policy.as_deref().map(Gate::read).transpose()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .map_err(|error| {
            failed(format!(
                "failed to listen on 127.0.0.1:{}: {error}; choose another port with --port, or --port 0 for a free one",
                args.port
            ))
        })?;
    let url = format!("http://{}{}", listener.local_addr()?, args.path);
    let stop = Stop::listen()?;
    let (registered, where_from) = register_if_there(&destination.url, &key, &url, args.no_register).await?;
    if is_development && registered.is_none() {
        return Err(usage(format!(
            "no emulator is at {}: {NOT_PAIRED}",
            destination.url
        )));
    }
    greet(&args, &url, &key, &where_from, forward.as_ref());
    let registered = registered.map(Arc::new);
    let (verdicts, verdict) = mpsc::unbounded_channel();
    let decider = Decider {
        allow: args.decide == Verdict::Allow,
        code: args.code.clone(),
        cli: args.cli,
    };
    let listen = Listen {
        path: args.path.clone(),
        service: CallbackBuilder::new(KeyRing::new(key, &secret))
            .accepted_auth(match args.accept_basic {
                true => AcceptedAuth::SignedOrBasic,
                false => AcceptedAuth::Signed,
            })
            .handler(decider)
            .build()?,
        secret,
        paired_with: registered.clone().filter(|_| is_development),
        gate,
        forward,
        printer: Printer::new(args.json, args.reveal),
        events: args.events.clone(),
        verdicts,
    };
    let app = Router::new().fallback(serve::take).with_state(Arc::new(listen));
    // From here on: who came before waits at the door.
    let (over, stopping) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        // Dropped or sent, it is over.
        let _ = stopping.await;
    });
    let server = tokio::spawn(server.into_future());
    let ended = end(&args, verdict, stop).await;
    // Put back first: what is posted from now on is not for us.
    if let Some(registered) = registered {
        registered.put_back().await;
    }
    let _ = over.send(());
    // A connection that does not end by itself does not keep us.
    let _ = tokio::time::timeout(GRACE, server).await;
    ended
}

/// Waits until it is over.
async fn end(
    args: &Args,
    mut verdicts: mpsc::UnboundedReceiver<bool>,
    stop: Stop,
) -> anyhow::Result<Outcome> {
    let timeout = async {
        match args.timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let (mut timeout, mut stopped) = (pin!(timeout), pin!(stop.stopped()));
    let (mut came, mut all_well) = (0, true);
    loop {
        tokio::select! {
            Some(well) = verdicts.recv() => {
                came += 1;
                all_well &= well;
                if args.count.is_some_and(|count| came >= count) {
                    return Ok(all_well.into());
                }
            }
            ended = &mut stopped => return ended.map(|()| Outcome::Yes),
            () = &mut timeout => {
                let Some(count) = args.count else {
                    return Ok(Outcome::Yes);
                };
                let waited = duration::to_text(&args.timeout.unwrap_or_default());
                let message = format!("{came} of {count} callbacks came in {waited}");
                return Err(timed_out(UNREACHABLE, message));
            }
        }
    }
}

/// Why the development key is refused, and what to do.
const NOT_PAIRED: &str = "everyone knows the development key and secret, so callbacks with them are taken only \
                          from an emulator on this machine; start it first with `sinch-verify serve`, or set \
                          SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET";

/// Refuses options that the development key is not for.
fn development_stays_here(args: &Args) -> anyhow::Result<()> {
    if args.no_register {
        return Err(usage(format!("--no-register: {NOT_PAIRED}")));
    }
    match &args.forward_to {
        Some(to) if !to.is_loopback() => Err(usage(format!(
            "--forward-to: {} is not this machine, and the development key and secret stay here; \
             set SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET",
            to.host()
        ))),
        _ => Ok(()),
    }
}

/// Says where it listens.
fn greet(args: &Args, url: &str, key: &ApplicationKey, where_from: &str, forward: Option<&Forward>) {
    let short: String = key.as_str().chars().take(8).collect();
    let mut lines = vec![
        format!("Listening on {url} for key {short}… (Ctrl-C stops it)."),
        where_from.to_owned(),
    ];
    lines.extend(forward.map(Forward::describe));
    let lines = lines.join("\n");
    // Standard output is for the callbacks then.
    if args.json {
        note!("{lines}");
    } else {
        say!("{lines}");
    }
}
