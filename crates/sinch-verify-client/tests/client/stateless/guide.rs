//! What the guide shows, but for visibility.

use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{Code, PhoneNumber, Start};
use sinch_verify_client::{Client, ReportOutcome, Saved};

/// The first request. What it returns goes into the user's session, on your side.
pub(super) async fn begin(client: &Client, number: PhoneNumber) -> Result<String, Box<dyn std::error::Error>> {
    let handle = client.start(Start::sms(number)).await?;
    Ok(serde_json::to_string(&handle.save())?)
}

/// The second request: whether `typed` is the code. The handle stays only while another code may be tried.
pub(super) async fn finish(
    client: &Client,
    session: &mut Option<String>,
    typed: &str,
) -> Result<bool, Box<dyn std::error::Error>> {
    let (Some(text), Ok(code)) = (session.as_deref(), Code::new(typed.trim())) else {
        return Ok(false);
    };
    let saved: Saved<Sms> = serde_json::from_str(text)?;
    let outcome = client.resume(saved).report(code).await?;
    if !matches!(outcome, ReportOutcome::Refused { .. }) {
        *session = None;
    }
    Ok(outcome.is_verified())
}
