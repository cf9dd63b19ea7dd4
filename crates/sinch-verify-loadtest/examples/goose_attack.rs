//! Verifications in a goose attack of your own, with goose's command line, metrics and report.
//!
//! Start `sinch-verify serve` in another terminal, take the two exports that it prints, and then:
//!
//! ```console
//! $ cargo run --release -p sinch-verify-loadtest --example goose_attack -- \
//!     --host http://127.0.0.1:9901 --users 10 --run-time 5s
//! ```
#![forbid(unsafe_code)]

use goose::prelude::*;
use sinch_verify_loadtest::verification;

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    let visitors = scenario!("visitors")
        .register_transaction(transaction!(clock).set_name("clock"))
        .register_transaction(verification::sms().set_weight(3)?)
        .register_transaction(verification::flashcall());
    GooseAttack::initialize()?
        .register_scenario(visitors)
        .execute()
        .await?;
    Ok(())
}

/// A transaction of your own, beside those of this crate.
async fn clock(user: &mut GooseUser) -> TransactionResult {
    user.get("/_emu/clock").await?;
    Ok(())
}
