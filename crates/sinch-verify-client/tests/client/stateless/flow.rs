//! What the guide shows, but for visibility.

use sinch_verify_client::flow::{FlowState, SavedFlow, Seen};
use sinch_verify_client::protocol::{Method, PhoneNumber};
use sinch_verify_client::Client;

type Answer = Result<(String, Option<String>), Box<dyn std::error::Error>>;

/// The first request: sends an SMS.
pub(super) async fn begin(client: &Client, number: PhoneNumber) -> Answer {
    let flow = client.verify(number).methods([Method::Sms, Method::Callout]);
    answer(flow.begin(None)?.until_idle().await)
}

/// Each further request: `Seen::Code` for what the user typed, `Seen::NextMethod` for "call me instead".
pub(super) async fn go_on(client: &Client, session: &str, seen: Seen) -> Answer {
    let saved: SavedFlow = serde_json::from_str(session)?;
    answer(client.resume_flow(saved, Some(seen)).until_idle().await)
}

/// What to show, and what to keep in the user's session.
fn answer(state: FlowState) -> Answer {
    Ok(match state {
        FlowState::Verified(_) => ("verified".to_owned(), None),
        FlowState::Failed(failure) => (format!("not verified: {failure}"), None),
        FlowState::Waiting(saved) => {
            let left = saved.session().attempts_left();
            let text = format!("enter the code; attempts left: {left}");
            (text, Some(serde_json::to_string(&saved)?))
        }
    })
}
