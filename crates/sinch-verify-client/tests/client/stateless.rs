//! The guide about a stateless backend: its code is compiled as it stands and run against the emulator.

#[rustfmt::skip]
mod guide;

use sinch_verify_client::Client;
use sinch_verify_emulator::Emulator;

use crate::support::{Service, number};

const GUIDE: &str = include_str!("../../../../docs/guides/stateless-backend.md");
const CODE: &str = include_str!("stateless/guide.rs");

/// The code that reached the phone last.
fn code(emulator: &Emulator) -> String {
    let message = emulator.inbox(&number()).remove(0);
    message.code.unwrap().expose().to_owned()
}

async fn finish(client: &Client, session: &mut Option<String>, typed: &str) -> bool {
    guide::finish(client, session, typed).await.unwrap()
}

#[test]
fn the_guide_shows_this_code() {
    let (_, code) = CODE.split_once("\n\n").unwrap();
    let code = code.replace("pub(super) ", "");
    assert!(
        GUIDE.contains(&format!("```rust\n{code}```\n")),
        "the guide differs from guide.rs"
    );
}

#[tokio::test]
async fn only_the_right_code_is_a_yes_and_only_once() {
    let service = Service::without_backend().await;
    let client = service.client();
    let begun = guide::begin(&client, number()).await.unwrap();
    let code = code(&service.emulator);
    let mut session = Some(begun.clone());
    assert!(!finish(&client, &mut session, "wrong").await);
    assert!(!finish(&client, &mut session, "no code at all").await);
    assert!(session.is_some(), "a wrong code may be tried again");
    assert!(finish(&client, &mut session, &format!(" {code} ")).await);
    assert_eq!(session, None, "a handle that has served stays");

    // A session that was read before the handle was deleted, in another request or another tab.
    for typed in ["wrong", &code] {
        assert!(!finish(&client, &mut Some(begun.clone()), typed).await, "{typed}");
    }
    assert!(!finish(&client, &mut None, &code).await);
}
