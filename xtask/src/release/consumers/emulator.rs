use std::error::Error;
use std::time::Duration;

use sinch_verify_client::Client;
use sinch_verify_client::protocol::{PhoneNumber, Start};
use sinch_verify_emulator::{Application, Emulator};

#[tokio::test]
async fn the_code_of_the_message_verifies_the_number() -> Result<(), Box<dyn Error>> {
    let (key, secret) = ("11111111-2222-3333-4444-555555555555", "BeIukql3pTKJ8RGL5zo0DA==");
    let emulator = Emulator::builder()
        .application(Application::new(key.parse()?, secret.parse()?))
        .start()
        .await?;
    let client = Client::builder()
        .application_signed(key, secret)
        .base_url(emulator.url())
        .build()?;
    let number: PhoneNumber = "+46700000001".parse()?;
    let handle = client.start(Start::sms(number)).await?;
    let message = emulator.wait_message(&number, 0, Duration::from_secs(30)).await;
    let code = message.and_then(|message| message.code).ok_or("no code came")?;
    assert!(handle.report(code).await?.is_verified());
    Ok(())
}
