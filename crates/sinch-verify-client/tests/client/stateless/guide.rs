//! What the guide shows, but for visibility.

use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{ApiError, Code, PhoneNumber, Start};
use sinch_verify_client::{Client, Saved};

/// The first request. What it returns goes into the user's session, on your side.
pub(super) async fn begin(client: &Client, number: PhoneNumber) -> Result<String, Box<dyn std::error::Error>> {
    let handle = client.start(Start::sms(number)).await?;
    Ok(serde_json::to_string(&handle.save())?)
}

/// The second request: whether `typed` is the code. A yes deletes the handle from the session.
pub(super) async fn finish(
    client: &Client,
    session: &mut Option<String>,
    typed: &str,
) -> Result<bool, Box<dyn std::error::Error>> {
    let Some(text) = session.as_deref() else {
        return Ok(false);
    };
    let Ok(code) = Code::new(typed.trim()) else {
        return Ok(false);
    };
    let saved: Saved<Sms> = serde_json::from_str(text)?;
    match client.resume(saved).report(code).await {
        Ok(verification) if verification.is_successful() => {
            *session = None;
            Ok(true)
        }
        // The last wrong code, or a verification that has expired.
        Ok(_) => Ok(false),
        // A refused code is a no. Do not ask for the status here: once the right code was reported, it
        // says SUCCESSFUL for ever, and nothing about this code.
        Err(error) if error.as_api_error().is_some_and(|api| api.code == ApiError::NOT_PROCESSABLE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
