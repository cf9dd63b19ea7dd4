//! Answers callbacks at `http://127.0.0.1:8000/sinch/callback`.
//!
//! Needs `SINCH_APPLICATION_KEY` and `SINCH_APPLICATION_SECRET`.
#![expect(clippy::print_stdout, reason = "it says when it is ready")]
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret, Decision};
use sinch_verify_callback::{CallbackService, InDoubt, KeyRing, Receiver, ReplayGuard, Responder};
use sinch_verify_callback::{axum::router, handler_fn, replay::MemoryStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [id, base64] = ["SINCH_APPLICATION_KEY", "SINCH_APPLICATION_SECRET"];
    let set = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let key = ApplicationKey::new(&set(id)?).map_err(|error| format!("{id}: {error}"))?;
    let secret = ApplicationSecret::new(&set(base64)?).map_err(|error| format!("{base64}: {error}"))?;

    let handler = handler_fn(|event: RequestEvent| async move {
        match event.identity.phone_number() {
            Ok(number) if number.as_str().starts_with("+46") => Decision::Allow,
            _ => Decision::Deny,
        }
    });
    let receiver = Receiver::new(KeyRing::new(key, &secret));
    let guard = ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse);
    let service = CallbackService::new(Responder::new(receiver, guard, handler));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    println!("Answering at http://127.0.0.1:8000/sinch/callback (Ctrl-C stops it).");
    let app = router("/sinch/callback", service);
    Server::new(app).serve(listener, std::future::pending()).await;
    Ok(())
}
