//! Starts verifications for these tests.

use sinch_verify_emulator::Emulator;

use crate::support::{KEY, json, post};

/// Starts a verification with a signed request. Returns its id.
pub(crate) async fn start(emulator: &Emulator, method: &str, number: &str) -> String {
    start_for(emulator, KEY, method, number).await
}

/// As [`start`], for the application with this key.
pub(crate) async fn start_for(emulator: &Emulator, key: &str, method: &str, number: &str) -> String {
    let wanted = serde_json::json!({"application": key, "method": method, "number": number}).to_string();
    let started = json(&post(emulator, "/_emu/try", &wanted).await);
    started["response"]["id"].as_str().unwrap().to_owned()
}
