//! Answers callbacks at `http://127.0.0.1:8000/sinch/callback`.
//!
//! Needs `SINCH_APPLICATION_KEY` and `SINCH_APPLICATION_SECRET`.
#![expect(clippy::print_stdout, reason = "it says when it is ready")]
use sinch_verify_callback::axum::router;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::{CallbackService, Decision, RequestEvent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let key = variable("SINCH_APPLICATION_KEY")?;
    let secret = variable("SINCH_APPLICATION_SECRET")?;

    let decide = |event: RequestEvent| async move {
        match event.identity.phone_number() {
            Ok(number) if number.as_str().starts_with("+46") => Decision::Allow,
            _ => Decision::Deny,
        }
    };
    let service = CallbackService::builder(&key, &secret).handler(decide).build()?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    println!("Answering at http://127.0.0.1:8000/sinch/callback (Ctrl-C stops it).");
    let app = router("/sinch/callback", service);
    Server::new(app).serve(listener, std::future::pending()).await;
    Ok(())
}
