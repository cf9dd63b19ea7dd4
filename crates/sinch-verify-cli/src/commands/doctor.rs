//! `doctor`: what keeps a verification from working, and what to do about it.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use http::{Response, StatusCode, header};
use serde::Serialize;
use sinch_verify_callback::{
    CallbackBuilder, Context, Decision, Handler, KeyRing, RequestEvent, ResultEvent,
};
use sinch_verify_client::{Client, Transport as _};
use sinch_verify_protocol::{
    ApplicationKey, ApplicationSecret, BaseUrl, Credentials, Endpoint as _, PhoneNumber, Start, StatusById,
    VerificationId,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::config::{Application, Destination};
use crate::control::{Control, Info};
use crate::exit::{Outcome, root_cause};
use crate::failure::{IS_IT_RUNNING, remedy};
use crate::policy_file;
use crate::print::say;
use crate::registration::register;
use crate::table::Column::{Value, Words};
use crate::table::{Table, cell};
use crate::target::{Place, transport_to};

/// Arguments of `doctor`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also check this file with a fraud policy, in TOML.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print the checks as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    place: Place,
}

/// How long an answer, and a callback, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the clocks may be apart. The service's limit is not published; this is well within the one of
/// the emulator, and more than the whole seconds of a `Date` header.
const MAX_SKEW: Duration = Duration::from_secs(30);

/// The number of the verification that is denied at once, before anything is sent.
const NUMBER: &str = "+46700000001";

/// One line.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    status: CheckStatus,
    detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CheckStatus {
    Ok,
    Failed,
    /// It could not be checked, or does not apply.
    Skipped,
}

/// The checks so far.
#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(
        &mut self,
        name: &'static str,
        status: CheckStatus,
        detail: impl Into<String>,
        fix: Option<String>,
    ) {
        let detail = detail.into();
        self.0.push(Check {
            name,
            status,
            detail,
            fix,
        });
    }

    fn ok(&mut self, name: &'static str, detail: impl Into<String>) {
        self.add(name, CheckStatus::Ok, detail, None);
    }

    fn failed(&mut self, name: &'static str, detail: impl Into<String>, fix: impl Into<String>) {
        self.add(name, CheckStatus::Failed, detail, Some(fix.into()));
    }

    fn skipped(&mut self, name: &'static str, detail: impl Into<String>) {
        self.add(name, CheckStatus::Skipped, detail, None);
    }
}

/// Runs the command. Exit code 1 when a check failed.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let destination = args.place.destination()?;
    let mut checks = Checks::default();
    checks.ok(
        "address",
        format!("{}, from: {}", destination.url, destination.origin),
    );
    let application = application(&destination, &mut checks);
    service(&destination.url, application, &mut checks).await?;
    if let Some(file) = &args.policy {
        match policy_file::read(file) {
            Ok(_) => checks.ok("policy", format!("{} can be enforced", file.display())),
            Err(error) => checks.failed("policy", error.to_string(), "mend the file"),
        }
    }
    let ok = checks.0.iter().all(|check| check.status != CheckStatus::Failed);
    print(&checks.0, ok, args.json)?;
    Ok(ok.into())
}

/// Checks key and secret as far as this machine knows them.
fn application(
    destination: &Destination,
    checks: &mut Checks,
) -> Option<(ApplicationKey, ApplicationSecret)> {
    match destination.application() {
        Ok(Application { key, secret, origin }) => {
            checks.ok("key", format!("{key}, from: {origin}"));
            match secret {
                Ok(secret) => {
                    checks.ok("secret", format!("is set, from: {origin}"));
                    return Some((key, secret));
                }
                Err(error) => checks.failed("secret", error.to_string(), SET_BOTH),
            }
        }
        Err(error) => checks.failed("key", error.to_string(), SET_BOTH),
    }
    None
}

const SET_BOTH: &str =
    "set SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET, or a profile with `sinch-verify config set`";

/// Checks what the service at `url` says.
async fn service(
    url: &BaseUrl,
    application: Option<(ApplicationKey, ApplicationSecret)>,
    checks: &mut Checks,
) -> anyhow::Result<()> {
    let began = SystemTime::now();
    let answer = match ask(url, application.as_ref()).await {
        Ok(answer) => answer,
        Err(why) => {
            let fix = if url.is_loopback() {
                IS_IT_RUNNING
            } else {
                "check the host name and the network"
            };
            checks.failed("service", why, fix);
            return Ok(());
        }
    };
    let ended = SystemTime::now();
    let emulator = emulator(url).await;
    let what = if emulator.is_some() {
        "an emulator"
    } else {
        "a service"
    };
    let took = ended.duration_since(began).unwrap_or_default().as_millis();
    checks.ok("service", format!("{what} answers at {url} in {took} ms"));
    clock(&answer, began, ended, checks);
    let is_authorized = application.is_some() && authorization(&answer, checks);
    match (emulator, application.filter(|_| is_authorized)) {
        (Some((control, info)), application) => {
            match application {
                Some((key, secret)) => callbacks(url, &control, key, secret, checks).await?,
                None => checks.skipped("callbacks", "the application must be authorized first"),
            }
            versions(&info, checks);
        }
        (None, _) => {
            let why = "only an emulator posts a callback on request; enter the URL of a tunnel in the dashboard, \
                       and see what comes with `sinch-verify listen`";
            checks.skipped("callbacks", why);
            checks.ok("versions", format!("sinch-verify {}", env!("CARGO_PKG_VERSION")));
        }
    }
    Ok(())
}

/// Asks for the status of a verification that does not exist: it costs nothing.
async fn ask(
    url: &BaseUrl,
    application: Option<&(ApplicationKey, ApplicationSecret)>,
) -> Result<Response<bytes::Bytes>, String> {
    let transport = transport_to(url, PATIENCE).map_err(|error| format!("{error:#}"))?;
    let id = VerificationId::new("doctor").map_err(|error| error.to_string())?;
    let request = StatusById { id }.to_http(url);
    let mut request = request.map_err(|error| error.to_string())?;
    if let Some((key, secret)) = application {
        let credentials = Credentials::signed(key.clone(), secret.clone());
        let signed = credentials.authorize(&mut request, SystemTime::now());
        signed.map_err(|error| error.to_string())?;
    }
    match tokio::time::timeout(PATIENCE, transport.send(request)).await {
        Ok(answer) => answer.map_err(|error| format!("no answer from {url}: {}", root_cause(&error))),
        Err(_) => Err(format!("no answer from {url} within {} s", PATIENCE.as_secs())),
    }
}

/// The control interface and what it says, if this is an emulator.
async fn emulator(url: &BaseUrl) -> Option<(Control, Info)> {
    if !url.is_loopback() {
        return None;
    }
    let control = Control::at(url).ok()?;
    let info = control.info().await.ok()??;
    Some((control, info))
}

/// Compares the service's `Date` with the time here, which is between `began` and `ended`.
fn clock(answer: &Response<bytes::Bytes>, began: SystemTime, ended: SystemTime, checks: &mut Checks) {
    let date = answer
        .headers()
        .get(header::DATE)
        .and_then(|date| date.to_str().ok());
    let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        checks.skipped("clock", "the answer has no Date to compare with");
        return;
    };
    let (behind, ahead) = (date.duration_since(ended), began.duration_since(date));
    let (by, how) = match (behind, ahead) {
        (Ok(by), _) => (by, "behind"),
        (_, Ok(by)) => (by, "ahead of"),
        _ => (Duration::ZERO, "ahead of"),
    };
    if by <= MAX_SKEW {
        checks.ok(
            "clock",
            format!(
                "this machine and the service differ by at most {} s",
                by.as_secs() + 1
            ),
        );
    } else {
        checks.failed(
            "clock",
            format!(
                "this machine is {} s {how} the service, so signatures are refused",
                by.as_secs()
            ),
            "set the clock of this machine",
        );
    }
}

/// Whether the service took the signature.
fn authorization(answer: &Response<bytes::Bytes>, checks: &mut Checks) -> bool {
    let code = serde_json::from_slice::<serde_json::Value>(answer.body()).ok();
    let code = code.and_then(|body| u32::try_from(body["errorCode"].as_u64()?).ok());
    match answer.status() {
        // There is no such verification, which is said to those only who may ask.
        StatusCode::OK | StatusCode::NOT_FOUND => {
            checks.ok("authorization", "the service takes key and secret");
            return true;
        }
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            let fix = code.and_then(remedy).unwrap_or(SET_BOTH);
            checks.failed("authorization", format!("the service refused: {status}"), fix);
        }
        status => checks.failed(
            "authorization",
            format!("the service answered {status}"),
            "check that the address is that of the service",
        ),
    }
    false
}

/// Denies everything, and tells that it was asked.
struct Deny(mpsc::UnboundedSender<()>);

impl Handler for Deny {
    type Error = Infallible;

    async fn on_request(&self, _: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        let _ = self.0.send(());
        Ok(Decision::Deny)
    }

    async fn on_result(&self, _: ResultEvent, _: &Context) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Has the emulator ask a receiver here, by a start that is denied, and puts the callback URL back.
async fn callbacks(
    url: &BaseUrl,
    control: &Control,
    key: ApplicationKey,
    secret: ApplicationSecret,
    checks: &mut Checks,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.context("failed to listen on this machine")?;
    let receiver = format!("http://{}/doctor", listener.local_addr()?);
    let (tell, mut asked) = mpsc::unbounded_channel();
    let service = CallbackBuilder::new(KeyRing::new(key.clone(), &secret))
        .handler(Deny(tell))
        .build()?;
    let app = sinch_verify_callback::axum::router("/doctor", service);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let registered = register(control.clone(), &key, &receiver).await?;
    let client = Client::builder()
        .credentials(Credentials::signed(key, secret))
        .base_url(url.clone())
        .build();
    let number: PhoneNumber = NUMBER.parse()?;
    let started = client
        .context("failed to set up the client")?
        .start(Start::sms(number))
        .await;
    let before = registered.before().map(str::to_owned);
    registered.put_back().await;
    server.abort();
    match (asked.try_recv(), started) {
        (Ok(()), Err(error)) if error.is_denied() => checks.ok(
            "callbacks",
            match before {
                Some(before) => format!("a signed callback came and was answered; they go to {before}"),
                None => "a signed callback came and was answered; no callback URL is set".to_owned(),
            },
        ),
        (Ok(()), _) => checks.failed(
            "callbacks",
            "a callback came, and its answer had no effect",
            "see `sinch-verify deliveries`",
        ),
        (Err(_), started) => checks.failed(
            "callbacks",
            match started {
                Ok(_) => format!("no callback with the right signature came to {receiver}"),
                Err(error) => format!("no callback came to {receiver}: failed to {error:#}"),
            },
            "see `sinch-verify deliveries`, and `sinch-verify fault list` for faults",
        ),
    }
    Ok(())
}

fn versions(info: &Info, checks: &mut Checks) {
    let (own, theirs) = (env!("CARGO_PKG_VERSION"), &info.version);
    if own == theirs {
        checks.ok("versions", format!("sinch-verify and the emulator are {own}"));
    } else {
        checks.failed(
            "versions",
            format!("sinch-verify is {own}, the emulator {theirs}"),
            "install the same version of both",
        );
    }
}

fn print(checks: &[Check], ok: bool, json: bool) -> anyhow::Result<()> {
    if json {
        say!(
            "{}",
            serde_json::to_string(&serde_json::json!({ "ok": ok, "checks": checks }))?
        );
        return Ok(());
    }
    let mut table = Table::new(&[
        Value("check"),
        Value("status"),
        Words("detail"),
        Words("what to do"),
    ]);
    for check in checks {
        let status = match check.status {
            CheckStatus::Ok => cell("ok").fg(comfy_table::Color::Green),
            CheckStatus::Failed => cell("failed").fg(comfy_table::Color::Red),
            CheckStatus::Skipped => cell("skipped").fg(comfy_table::Color::Yellow),
        };
        let fix = check.fix.as_deref().unwrap_or_default();
        table.add(vec![cell(check.name), status, cell(&check.detail), cell(fix)]);
    }
    table.print();
    Ok(())
}
