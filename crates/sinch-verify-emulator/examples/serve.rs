//! Runs an emulator until it is interrupted, to try with `curl`:
//!
//! ```sh
//! cargo run -p sinch-verify-emulator --example serve
//! ```
#![expect(clippy::print_stdout, reason = "this is what the example is for")]

use std::net::{Ipv4Addr, SocketAddr};

use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = ApplicationKey::new("11111111-2222-3333-4444-555555555555")?;
    let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
    let emulator = Emulator::builder()
        .application(Application::new(key.clone(), secret))
        .bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 9901)))
        .start()
        .await?;
    println!("{} takes application {key}", emulator.url());
    std::future::pending().await
}
