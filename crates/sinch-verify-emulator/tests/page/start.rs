//! Verifications to look at.

use serde_json::json;
use sinch_verify_emulator::Emulator;

use crate::support::post;

/// Starts one as a backend does, signed.
pub(crate) async fn start(emulator: &Emulator, method: &str, number: &str) {
    let wanted = json!({"method": method, "number": number}).to_string();
    assert_eq!(post(emulator, "/_emu/try", &wanted).await.status(), 200);
}
