//! Answers callbacks at `http://127.0.0.1:8000`, and remembers them in Redis, so that receivers behind one
//! URL give one answer.
//!
//! Needs `SINCH_APPLICATION_KEY`, `SINCH_APPLICATION_SECRET` and `REDIS_URL`.
#![expect(
    clippy::print_stdout,
    reason = "it says when it is ready, and what it decides"
)]
use std::convert::Infallible;

use sinch_verify_callback::replay::RedisStore;
use sinch_verify_callback::{
    CallbackService, Context, Decision, Handler, InDoubt, ReplayGuard, RequestEvent, ResultEvent,
};

struct Backend;

impl Handler for Backend {
    type Error = Infallible;

    async fn on_request(&self, event: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        println!("{}: allowed", event.id);
        Ok(Decision::Allow)
    }

    async fn on_result(&self, event: ResultEvent, _: &Context) -> Result<(), Infallible> {
        println!("{}: {}", event.id, event.status);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let (key, secret) = (
        variable("SINCH_APPLICATION_KEY")?,
        variable("SINCH_APPLICATION_SECRET")?,
    );
    let store = RedisStore::open(&variable("REDIS_URL")?)?;
    let service = CallbackService::builder(&key, &secret)
        .guard(ReplayGuard::new(store, InDoubt::Refuse))
        .handler(Backend)
        .build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    println!("Answering at http://127.0.0.1:8000 (Ctrl-C stops it).");
    service.serve(listener, std::future::pending()).await;
    Ok(())
}
