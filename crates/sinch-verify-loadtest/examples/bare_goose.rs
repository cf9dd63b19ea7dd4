//! A goose attack as one writes it without this crate: three status queries over and over, signed
//! each time, and read. `cargo xtask bench load` runs it beside the load tester.
//!
//! `bare_goose URL USERS SECONDS`, with the application in `SINCH_APPLICATION_KEY` and
//! `SINCH_APPLICATION_SECRET`. It prints what goose's users did as JSON.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use goose::GooseAttack;
use goose::config::GooseConfiguration;
use goose::goose::{GooseRequest, GooseUser, Scenario, Transaction, TransactionResult};
use http::Request;
use reqwest::{Client, RequestBuilder};
use sinch_verify_protocol::{
    BaseUrl, Credentials, Endpoint, Method, PhoneNumber, Reference, Start, StatusById, StatusByNumber,
    StatusByReference, Verification, VerificationId, WireObject as _,
};

/// What all users share.
struct Shared {
    client: Client,
    credentials: Credentials,
    base: BaseUrl,
    /// The verification that is asked for.
    id: VerificationId,
    reference: Reference,
    number: PhoneNumber,
    answered: AtomicU64,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the bench reads it from there")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let usage = "bare_goose URL USERS SECONDS";
    let (url, users, seconds) = (
        args.next().ok_or(usage)?,
        args.next().ok_or(usage)?,
        args.next().ok_or(usage)?,
    );
    let shared = Arc::new(Shared::start(&url).await?);
    let fixed = [
        "--no-telnet",
        "--no-websocket",
        "--quiet",
        "--no-print-metrics",
        "--co-mitigation=disabled",
    ];
    let mut arguments = vec![
        format!("--host={url}"),
        format!("--users={users}"),
        format!("--increase-rate={}00", users),
        format!("--run-time={seconds}s"),
    ];
    arguments.extend(fixed.map(str::to_owned));
    let asking = Arc::clone(&shared);
    let scenario = Scenario::new("query-only").register_transaction(Transaction::new(Arc::new(
        move |user: &mut GooseUser| -> Pin<Box<dyn Future<Output = TransactionResult> + Send + '_>> {
            let shared = Arc::clone(&asking);
            Box::pin(async move {
                shared.ask(user).await;
                Ok(())
            })
        },
    )));
    let begun = Instant::now();
    let configuration = GooseConfiguration::parse_args_default(&arguments)?;
    GooseAttack::initialize_with_config(configuration)?
        .register_scenario(scenario)
        .execute()
        .await?;
    println!(
        r#"{{"requests":{},"seconds":{}}}"#,
        shared.answered.load(Ordering::Relaxed),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

impl Shared {
    /// Starts the verification that is asked for.
    async fn start(url: &str) -> Result<Self, Box<dyn Error>> {
        let variable = |name| env::var(name).map_err(|_| format!("{name} is not set"));
        let credentials = Credentials::signed(
            variable("SINCH_APPLICATION_KEY")?.parse()?,
            variable("SINCH_APPLICATION_SECRET")?.parse()?,
        );
        let base: BaseUrl = url.parse()?;
        let number: PhoneNumber = "+46700000099".parse()?;
        let client = Client::builder().no_proxy().tls_certs_only([]).build()?;
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
        let reference = Reference::new(&format!("bare-goose-{since}"))?;
        let start = Start::sms(number).reference(reference.clone());
        let mut request = start.to_http(&base)?;
        credentials.authorize(&mut request, now)?;
        let answer = client.execute(request.try_into()?).await?.error_for_status()?;
        let started = sinch_verify_protocol::start::StartResponse::decode(&answer.bytes().await?)?;
        Ok(Self {
            client,
            credentials,
            base,
            id: started.id,
            reference,
            number,
            answered: AtomicU64::new(0),
        })
    }

    async fn ask(&self, user: &mut GooseUser) {
        let (id, reference) = (self.id.clone(), self.reference.clone());
        self.send(user, "status", StatusById { id }).await;
        self.send(user, "status by reference", StatusByReference { reference })
            .await;
        let (method, number) = (Method::Sms, self.number);
        self.send(user, "status by number", StatusByNumber { method, number })
            .await;
    }

    async fn send(&self, user: &mut GooseUser, name: &str, endpoint: impl Endpoint) {
        if self.try_send(user, name, endpoint).await.is_some() {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn try_send(&self, user: &mut GooseUser, name: &str, endpoint: impl Endpoint) -> Option<()> {
        let mut request: Request<Bytes> = endpoint.to_http(&self.base).ok()?;
        self.credentials.authorize(&mut request, SystemTime::now()).ok()?;
        let request = RequestBuilder::from_parts(self.client.clone(), request.try_into().ok()?);
        let request = GooseRequest::builder()
            .name(name)
            .set_request_builder(request)
            .build();
        let answer = user.request(request).await.ok()?.response.ok()?;
        let answer = Verification::decode(&answer.bytes().await.ok()?).ok()?;
        (answer.id == self.id).then_some(())
    }
}
