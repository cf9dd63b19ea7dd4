use std::error::Error;

use sinch_verify_client::Client;
use sinch_verify_client::protocol::{PhoneNumber, Start};

#[tokio::test]
async fn a_start_without_a_service_fails_to_connect() -> Result<(), Box<dyn Error>> {
    // No service listens on port 9 of this machine.
    let client = Client::builder()
        .application_signed("11111111-2222-3333-4444-555555555555", "BeIukql3pTKJ8RGL5zo0DA==")
        .base_url("http://127.0.0.1:9")
        .build()?;
    let number: PhoneNumber = "+46700000001".parse()?;
    let error = client.start(Start::sms(number)).await.unwrap_err();
    assert!(error.is_connect());
    Ok(())
}
