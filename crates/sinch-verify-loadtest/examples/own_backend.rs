//! A backend that signs people up by SMS, and the load test of it.
//!
//! ```console
//! $ cargo run --release -p sinch-verify-loadtest --example own_backend -- run --rate 50/s --duration 10s
//! ```
//!
//! The backend uses the client and the callback crate, and an emulator stands in for Sinch. All of them
//! run in this program, so nothing else has to be started. `BACKEND_DELAY_MS=300` makes the backend slow:
//! with `--threshold 'signup.p95<100ms'` the run fails then, and exits with 1.
#![forbid(unsafe_code)]
#![expect(clippy::print_stderr, reason = "it says why it cannot start")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use sinch_verify_callback::axum::callback_route;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::{CallbackService, Context, Decision, Handler, RequestEvent};
use sinch_verify_client::Client;
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_loadtest::{Failure, Flow, Scenario, with};
use sinch_verify_protocol::{
    ApplicationKey, ApplicationSecret, BaseUrl, Code, PhoneNumber, Report, Start, VerificationId,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// An application of the emulator. It exists nowhere else.
const KEY: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";

fn main() -> ExitCode {
    match start() {
        Ok((scenario, _running)) => sinch_verify_loadtest::main([scenario]),
        Err(error) => {
            eprintln!("error: failed to start the backend: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the backend and the emulator behind it, on threads of their own.
fn start() -> Result<(Scenario, (Runtime, Emulator)), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let backend = format!("http://{}", listener.local_addr()?);
    let (key, secret) = (ApplicationKey::new(KEY)?, ApplicationSecret::new(SECRET)?);
    let application = Application::new(key.clone(), secret.clone());
    let application = application.callback_url(format!("{backend}/sinch/callback").parse()?);
    let emulator = Emulator::builder().application(application);
    let emulator = runtime.block_on(emulator.start())?;
    let app = app(emulator.base_url())?;
    runtime.spawn(Server::new(app).serve(listener, std::future::pending()));
    let scenario = Scenario::new("signup", with(backend, sign_up))
        .steps(["signup", "wrong-code", "confirm"])
        .target(emulator.base_url(), key, secret);
    Ok((scenario, (runtime, emulator)))
}

// The load test.

/// One person signs up, mistypes the code, and then types it right.
async fn sign_up(mut flow: Flow<'_>, backend: String) -> Result<(), Failure> {
    let number = flow.number();
    let answer = flow
        .send("signup", json(&backend, "/signup", &SignUp { number })?)
        .await?;
    expect(answer.status(), StatusCode::CREATED)?;

    // The backend keeps the verification's id to itself, as it should: the phone shows the message.
    let message = flow.next_message().await?;
    let code = message
        .code
        .ok_or_else(|| Failure::mismatch("the message has no code"))?;
    let right = code.expose().to_owned();
    let wrong: String = right
        .chars()
        .map(|digit| if digit == '0' { '1' } else { '0' })
        .collect();

    let form = |code| json(&backend, "/confirm", &Confirm { number, code });
    let answer = flow.send("wrong-code", form(wrong)?).await?;
    expect(answer.status(), StatusCode::UNPROCESSABLE_ENTITY)?;
    let answer = flow.send("confirm", form(right)?).await?;
    expect(answer.status(), StatusCode::OK)
}

fn json(backend: &str, path: &str, body: &impl Serialize) -> Result<Request<Bytes>, Failure> {
    let request = Request::post(format!("{backend}{path}")).header("content-type", "application/json");
    Ok(request.body(serde_json::to_vec(body)?.into())?)
}

fn expect(status: StatusCode, expected: StatusCode) -> Result<(), Failure> {
    if status == expected {
        return Ok(());
    }
    Err(Failure::status(status))
}

// The backend.

#[derive(Clone)]
struct Backend {
    sinch: Client,
    /// The verification of each number that signs up.
    pending: Arc<Mutex<HashMap<PhoneNumber, Option<VerificationId>>>>,
    delay: Duration,
}

#[derive(Deserialize, Serialize)]
struct SignUp {
    number: PhoneNumber,
}

#[derive(Deserialize, Serialize)]
struct Confirm {
    number: PhoneNumber,
    code: String,
}

fn app(sinch: BaseUrl) -> Result<Router, Box<dyn Error>> {
    let delay = match std::env::var("BACKEND_DELAY_MS") {
        Ok(delay) => Duration::from_millis(delay.parse()?),
        Err(_) => Duration::ZERO,
    };
    let backend = Backend {
        sinch: Client::builder()
            .application_signed(KEY, SECRET)
            .base_url(sinch)
            .build()?,
        pending: Arc::default(),
        delay,
    };
    let callbacks = CallbackService::builder(KEY, SECRET)
        .handler(backend.clone())
        .build()?;
    Ok(Router::new()
        .route("/signup", post(signup))
        .route("/confirm", post(confirm))
        .route("/sinch/callback", callback_route(callbacks))
        .with_state(backend))
}

async fn signup(State(backend): State<Backend>, Json(form): Json<SignUp>) -> StatusCode {
    tokio::time::sleep(backend.delay).await;
    // Before the start: the callback comes while the start waits for its answer.
    backend.remember(form.number, None);
    match backend.sinch.start(Start::sms(form.number)).await {
        Ok(verification) => {
            backend.remember(form.number, Some(verification.started().id.clone()));
            StatusCode::CREATED
        }
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

async fn confirm(State(backend): State<Backend>, Json(form): Json<Confirm>) -> StatusCode {
    let (Some(id), Ok(code)) = (backend.pending(form.number), Code::new(&form.code)) else {
        return StatusCode::NOT_FOUND;
    };
    match backend.sinch.report(Report::sms(id, code)).await {
        Ok(outcome) if outcome.is_verified() => StatusCode::OK,
        Ok(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

impl Backend {
    fn remember(&self, number: PhoneNumber, id: Option<VerificationId>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.insert(number, id);
    }

    fn pending(&self, number: PhoneNumber) -> Option<VerificationId> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.get(&number).cloned().flatten()
    }
}

impl Handler for Backend {
    type Error = Infallible;

    /// Only a number that is signing up may be verified.
    async fn on_request(&self, event: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match event.identity.phone_number() {
            Ok(number) if pending.contains_key(&number) => Decision::Allow,
            _ => Decision::Deny,
        })
    }
}
