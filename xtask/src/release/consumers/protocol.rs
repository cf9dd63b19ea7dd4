use std::error::Error;
use std::time::SystemTime;

use sinch_verify_protocol::{
    ApplicationKey, ApplicationSecret, BaseUrl, Credentials, Endpoint, PhoneNumber, Start,
};

#[test]
fn a_start_is_signed() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::signed(
        ApplicationKey::new("11111111-2222-3333-4444-555555555555")?,
        ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?,
    );
    let number: PhoneNumber = "+46700000001".parse()?;
    let mut request = Start::sms(number).to_http(&BaseUrl::default())?;
    credentials.authorize(&mut request, SystemTime::now())?;
    assert!(request.headers().contains_key("authorization"));
    Ok(())
}
