//! `serve`: the emulator alone.

mod ready;
mod settings;
mod trouble;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use rand::RngExt as _;
use serde::de::DeserializeOwned;
use sinch_verify_emulator::{
    Application, CallbackUrl, Emulator, FaultRule, HostName, Settings, StartError, Strictness,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, timestamp};

use crate::exit::{Outcome, failed, usage};
use crate::input;
use crate::print::{note, say};
use crate::stop::Stop;
use crate::tampers::Tampers;

use ready::Pending;
use settings::SettingsFile;

/// Arguments of `serve`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 9901)]
    port: u16,
    /// The address to listen on. With any but a loopback address, every machine that reaches it can read
    /// every code and change everything: for closed networks only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// A name by which other machines may use the control interface, where load testers read codes;
    /// any number of times. Requests that name another host, or none, can use the API only.
    /// Requests from this machine may name it 127.0.0.1 or localhost; `--allow-host localhost` lets
    /// other machines do so too, which a container with a published port needs.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<HostName>,
    /// The base URL of links in answers, and of the addresses that data verifications open, for devices
    /// that reach the emulator through a proxy. Without it, links use the host that the request came to,
    /// if that is this machine or one of `--allow-host`. As in the settings, or else none.
    #[arg(long, value_name = "URL")]
    public_url: Option<BaseUrl>,
    /// The application's key. Made up when left out.
    #[arg(long, value_name = "KEY", env = "SINCH_APPLICATION_KEY")]
    app_key: Option<ApplicationKey>,
    /// The application's secret, base64. Made up when left out. Better set in the environment: a list of
    /// this machine's processes shows arguments.
    #[arg(
        long,
        value_name = "SECRET",
        env = "SINCH_APPLICATION_SECRET",
        hide_env_values = true
    )]
    app_secret: Option<String>,
    /// Where callbacks are posted, on this machine. Without it none are, and
    /// starts with public authorization are refused.
    #[arg(long, value_name = "URL")]
    callback_url: Option<CallbackUrl>,
    /// Fixes ids, codes and caller ids. Ids hold the time too: with `--clock` and a time they
    /// repeat from run to run.
    #[arg(long)]
    seed: Option<u64>,
    /// The time that verifications live by: `running` with the wall clock, `manual` for a clock that
    /// stands until `POST /_emu/clock` moves it, or a time such as 2026-01-02T03:04:05Z at which it
    /// stands. Signatures go by the wall clock all the same.
    #[arg(long, value_name = "CLOCK", default_value = "running")]
    clock: ClockArg,
    /// What happens to requests that official SDKs write wrongly: they are taken, taken and named in
    /// a header of the answer, or refused.
    /// As in the settings, or else warn.
    #[arg(
        long,
        value_parser = PossibleValuesParser::new(["lenient", "warn", "strict"])
            .try_map(|name| name.parse::<Strictness>())
    )]
    strictness: Option<Strictness>,
    /// A JSON file of applications and of anything that `--print-settings` prints. Its applications
    /// count instead of `--app-key` and `--app-secret`.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A file that keeps verifications, phones, applications, handset behaviors and the clock over a
    /// restart. It is saved every second and at the end, and holds secrets and codes.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Prints the default settings as such a file, and ends.
    #[arg(long)]
    print_settings: bool,
    /// A file with faults to begin with: a JSON list of what `POST /_emu/faults` takes.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// A file that gets `url`, `applicationKey` and `pid` as JSON once the emulator is ready, and
    /// `applicationSecret` if it was made up. It is removed at the end. Nothing may be there before,
    /// except the ready file of a `serve` that was killed, which is replaced.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum ClockArg {
    Running,
    Manual,
    At(SystemTime),
}

impl FromStr for ClockArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "running" => Self::Running,
            "manual" => Self::Manual,
            time => {
                let time = timestamp::parse(time);
                let why = "must be running, manual or a time such as 2026-01-02T03:04:05Z";
                Self::At(time.map_err(|_| why.to_owned())?)
            }
        })
    }
}

/// Runs the command, until Ctrl-C.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    if args.print_settings {
        say!("{}", serde_json::to_string_pretty(&Settings::default())?);
        return Ok(Outcome::Yes);
    }
    let file = args.settings.as_deref().map(SettingsFile::read).transpose()?;
    let mut rng = rand::rng();
    let key = match args.app_key {
        Some(key) => key,
        None => made_up_key(&rng.random())?,
    };
    let (secret, shown_secret) = match &args.app_secret {
        Some(text) => (
            ApplicationSecret::new(text)
                .map_err(|error| usage(format!("--app-secret (or SINCH_APPLICATION_SECRET): {error}")))?,
            None,
        ),
        None => {
            let text = STANDARD.encode(rng.random::<[u8; 16]>());
            (ApplicationSecret::new(&text)?, Some(text))
        }
    };
    let mut application = Application::new(key.clone(), secret);
    let mut has_callback = args.callback_url.is_some();
    if let Some(url) = args.callback_url {
        if !url.is_loopback() {
            return Err(usage(
                "--callback-url: callbacks are posted to this machine only, such as http://127.0.0.1:8000/",
            ));
        }
        application = application.callback_url(url);
    }
    let address = SocketAddr::new(args.bind, args.port);
    let (mut key, mut shown_secret) = (key, shown_secret);
    let mut applications = vec![application];
    let mut settings = Settings::default();
    let mut remote = false;
    let mut public_url = args.public_url;
    if let Some(file) = file {
        settings = file.settings;
        public_url = public_url.or(file.public_url);
        remote = file.allow_remote_callbacks;
        if let Some((first, all)) = file.applications {
            if has_callback {
                return Err(usage(
                    "--callback-url: the applications of --settings have their own, as callbackUrl",
                ));
            }
            (key, shown_secret, applications) = (first, None, all);
            has_callback = file.has_callback;
        }
    }
    if let Some(strictness) = args.strictness {
        settings.strictness = strictness;
    }
    let mut builder = Emulator::builder()
        .bind(address)
        .allow_remote_callbacks(remote)
        .settings(settings)
        .tamper_kit(Tampers);
    for name in args.allow_host {
        builder = builder.allow_host(name);
    }
    if let Some(url) = public_url {
        builder = builder.public_url(url);
    }
    for application in applications {
        builder = builder.application(application);
    }
    builder = match args.clock {
        ClockArg::Running => builder,
        ClockArg::Manual => builder.manual_clock(SystemTime::now()),
        ClockArg::At(time) => builder.manual_clock(time),
    };
    let faults = args.faults.as_deref().map(read_faults).transpose()?;
    if let Some(path) = args.state {
        builder = builder.state_file(path);
    }
    if let Some(seed) = args.seed {
        builder = builder.seed(seed);
    }
    let emulator = builder.start().await.map_err(|error| match &error {
        StartError::Bind { source, .. } => failed(format!(
            "failed to listen on {address}: {source}; choose another port with --port, or --port 0 for a free one"
        )),
        StartError::StateFile { path, source } => {
            let cause = std::error::Error::source(source).map(|cause| format!(": {cause}"));
            let cause = cause.unwrap_or_default();
            failed(format!("--state: {}: {source}{cause}", path.display()))
        }
        _ => usage(format!("failed to {error}")),
    })?;
    for (place, rule) in (1..).zip(faults.into_iter().flatten()) {
        let added = emulator.add_fault(rule);
        added.map_err(|error| usage(format!("--faults: rule {place}: {error}")))?;
    }
    if !args.bind.is_loopback() {
        note!(
            "warning: every machine that reaches {} can read every code and change everything",
            emulator.addr()
        );
    }
    let url = emulator.url();
    let ready = args.ready_file.map(Pending::open).transpose()?;
    greet(&url, &key, shown_secret.as_deref(), has_callback);
    let stop = Stop::listen()?;
    // Who waits for the file may read the greeting too.
    let ready = ready
        .map(|ready| ready.write(&url, &key, shown_secret.as_deref()))
        .transpose()?;
    tokio::select! {
        ended = stop.stopped() => ended?,
        never = trouble::tell(&emulator) => match never {},
    }
    drop(ready);
    emulator.shutdown().await;
    Ok(Outcome::Yes)
}

fn read_faults(file: &Path) -> anyhow::Result<Vec<FaultRule>> {
    read_json(file).map_err(|error| {
        usage(format!(
            "--faults: {}: {error}; the file holds a list such as [{{\"on\":\"api\",\"fault\":{{\"kind\":\"stall\"}}}}]",
            file.display()
        ))
    })
}

/// Reads a JSON file; what is wrong is said with its place.
fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, String> {
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let document = input::json_document(file, &text)?;
    let mut json = serde_json::Deserializer::from_slice(document);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| explained(&error, "", &[]))?;
    json.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// What is wrong below `place`, and for a name that there is not, the nearest that there is: of those
/// that Serde knows, and of `also`, which were taken out of the outermost object before.
fn explained(error: &serde_path_to_error::Error<serde_json::Error>, place: &str, also: &[&str]) -> String {
    let path = match error.path().to_string().as_str() {
        // A document that breaks off has an unknown last step.
        "." | "?" => place.to_owned(),
        path if path.starts_with('[') || place.is_empty() => format!("{place}{path}"),
        path => format!("{place}.{path}"),
    };
    let mut why = error.inner().to_string();
    // Serde's words: unknown field `a`, expected one of `b`, `c`
    if let Some((unknown, known)) = why.split_once("`, expected ") {
        let wrong = unknown.split_once('`').map_or("", |(_, wrong)| wrong).to_owned();
        let is_outermost = error.path().iter().len() <= 1 && unknown.starts_with("unknown field");
        let also = if is_outermost { also } else { &[] };
        let known = known.split('`').skip(1).step_by(2).chain(also.iter().copied());
        if let Some(nearest) = known.min_by_key(|known| strsim::levenshtein(&wrong, known)) {
            why = format!("{unknown}`; the nearest is `{nearest}`");
        }
    }
    // Serde quotes what it found, and this is not to be read in a log.
    let is_secret = |key: &serde_path_to_error::Segment| {
        matches!(key, serde_path_to_error::Segment::Map { key } if key.to_ascii_lowercase().ends_with("secret")
            || key.to_ascii_lowercase().ends_with("secrets"))
    };
    if error.path().iter().any(is_secret)
        && let Some((_, expected)) = why.rsplit_once(", expected ")
    {
        why = format!("expected {expected}");
    }
    if path.is_empty() {
        why
    } else {
        format!("{path}: {why}")
    }
}

fn made_up_key(bytes: &[u8; 16]) -> anyhow::Result<ApplicationKey> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(ApplicationKey::new(&groups.join("-"))?)
}

/// Says what to paste where. A secret that was given is not repeated.
fn greet(url: &str, key: &ApplicationKey, made_up_secret: Option<&str>, has_callback: bool) {
    say!("The emulator runs at {url} (Ctrl-C stops it).");
    say!("Its page, with phones, requests and callbacks: {url}/\n");
    say!("For this tool, and for clients that read the environment:");
    say!("  export SINCH_VERIFICATION_URL={url}");
    say!("  export SINCH_APPLICATION_KEY={key}");
    match made_up_secret {
        Some(secret) => say!("  export SINCH_APPLICATION_SECRET='{secret}'\n"),
        // To be pasted like the other lines, so it must not set anything else.
        None => say!("  # and SINCH_APPLICATION_SECRET: the secret you gave\n"),
    }
    say!("Start a verification, and see what reached the handset:");
    say!("  curl --user \"$SINCH_APPLICATION_KEY:$SINCH_APPLICATION_SECRET\" \\");
    say!("    {url}/verification/v1/verifications -H 'Content-Type: application/json' \\");
    say!(
        "    --data '{{\"identity\":{{\"type\":\"number\",\"endpoint\":\"+46700000001\"}},\"method\":\"sms\"}}'"
    );
    say!("  sinch-verify inbox +46700000001");
    say!("  curl {url}/_emu/numbers/+46700000001/messages\n");
    if has_callback {
        say!("A callback that fails is named here; all callbacks: curl {url}/_emu/deliveries\n");
    } else {
        say!(
            "No callbacks are sent: give --callback-url, such as http://127.0.0.1:8000/sinch/callback, or run `sinch-verify listen` in another terminal.\n"
        );
    }
}
