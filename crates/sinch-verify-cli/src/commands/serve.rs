//! `serve`: the emulator alone.

mod ready;
mod requests;
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
use sinch_verify_emulator::{
    Application, CallbackUrl, Emulator, FaultRule, HostName, Settings, StartError, Strictness,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, development, timestamp};

use crate::config::DEFAULT_URL;
use crate::exit::{Outcome, failed, usage};
use crate::input::read_json;
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
    /// The application's key. Without key and secret it is the development application, which the other
    /// commands and clients of this machine use when nothing is set.
    #[arg(long, value_name = "KEY", env = "SINCH_APPLICATION_KEY")]
    app_key: Option<ApplicationKey>,
    /// The application's secret, base64. Better set in the environment: a list of
    /// this machine's processes shows arguments.
    #[arg(
        long,
        value_name = "SECRET",
        env = "SINCH_APPLICATION_SECRET",
        hide_env_values = true
    )]
    app_secret: Option<String>,
    /// Make up a key and a secret, whatever is set.
    #[arg(long)]
    random_credentials: bool,
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
    /// Print a line for each request that is answered: what was asked, the answer and the time it took,
    /// without numbers, codes and secrets.
    #[arg(short, long)]
    verbose: bool,
    /// A file that gets `url`, `applicationKey` and `pid` as JSON once the emulator is ready, and
    /// `applicationSecret` unless it was given. It is removed at the end. Nothing may be there before,
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
    let Credentials {
        mut key,
        secret,
        mut shown_secret,
    } = Credentials::of(&args)?;
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
    let requests = args.verbose.then(|| emulator.answered_requests());
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
        never = requests::log(requests) => match never {},
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

/// The application of the emulator, unless the settings name others.
struct Credentials {
    key: ApplicationKey,
    secret: ApplicationSecret,
    /// Unless it was given: then it is not repeated.
    shown_secret: Option<String>,
}

impl Credentials {
    fn of(args: &Args) -> anyhow::Result<Self> {
        if args.random_credentials {
            return Self::made_up();
        }
        match (&args.app_key, &args.app_secret) {
            (None, None) => {
                let (key, secret) = development::application();
                Ok(Self {
                    key,
                    secret,
                    shown_secret: Some(development::APPLICATION_SECRET.to_owned()),
                })
            }
            (Some(key), Some(secret)) => {
                let secret = ApplicationSecret::new(secret);
                let wrong = |error| usage(format!("--app-secret (or SINCH_APPLICATION_SECRET): {error}"));
                Ok(Self {
                    key: key.clone(),
                    secret: secret.map_err(wrong)?,
                    shown_secret: None,
                })
            }
            (key, _) => Err(usage(format!(
                "{} is missing; give both key and secret, or neither for the development application",
                if key.is_none() {
                    "--app-key (or SINCH_APPLICATION_KEY)"
                } else {
                    "--app-secret (or SINCH_APPLICATION_SECRET)"
                }
            ))),
        }
    }

    fn made_up() -> anyhow::Result<Self> {
        let mut rng = rand::rng();
        let hex: String = rng
            .random::<[u8; 16]>()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        let text = STANDARD.encode(rng.random::<[u8; 16]>());
        Ok(Self {
            key: ApplicationKey::new(&groups.join("-"))?,
            secret: ApplicationSecret::new(&text)?,
            shown_secret: Some(text),
        })
    }
}

/// Says what to do next. A secret that was given is not repeated.
fn greet(url: &str, key: &ApplicationKey, secret: Option<&str>, has_callback: bool) {
    let is_development = key.as_str() == development::APPLICATION_KEY;
    let address = if url == DEFAULT_URL {
        String::new()
    } else {
        format!(" --url {url}")
    };
    say!("The emulator runs at {url} (Ctrl-C stops it).");
    say!("Its page, with phones, requests and callbacks: {url}/\n");
    if is_development {
        say!("Verify a number in another terminal:");
        say!("  sinch-verify verify +46700000001{address}\n");
        say!("For other programs, the development key and secret, which are always the same:");
    } else {
        say!("For this tool, and for clients that read the environment:");
    }
    say!("  export SINCH_VERIFICATION_URL={url}");
    say!("  export SINCH_APPLICATION_KEY={key}");
    match secret {
        Some(secret) => say!("  export SINCH_APPLICATION_SECRET='{secret}'\n"),
        // To be pasted like the other lines, so it must not set anything else.
        None => say!("  # and SINCH_APPLICATION_SECRET: the secret you gave\n"),
    }
    if has_callback {
        say!("A callback that fails is named here; all callbacks: sinch-verify deliveries{address}\n");
    } else {
        say!(
            "No callbacks are sent: give --callback-url, such as http://127.0.0.1:8000/sinch/callback, or run `sinch-verify listen{address}` in another terminal.\n"
        );
    }
}
