//! `from_env`: each case in a process of its own, with an environment of its own.

use std::error::Error;

use sinch_verify_client::protocol::Start;
use sinch_verify_client::{BuildError, Client};

use crate::support::{KEY, SECRET, Service, child, is_child, number};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_environment_is_the_application_at_the_service() -> Result<(), Box<dyn Error>> {
    if is_child() {
        Client::from_env()?.start(Start::sms(number())).await?;
        return Ok(());
    }
    let service = Service::without_backend().await;
    let test = "environment::a_client_of_the_environment_is_the_application_at_the_service";
    let url = service.emulator.url();
    let run = |secret| {
        let variables = [
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", secret),
            ("SINCH_VERIFICATION_URL", &*url),
        ];
        tokio::task::block_in_place(|| child(test, &variables))
    };
    let output = run(SECRET);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(service.emulator.inbox(&number()).len(), 1);

    let output = run("AAAAAAAAAAAAAAAAAAAAAA==");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{told}");
    let reason = "Error: failed to start the verification: the service refused\n\nCaused by:\n    ";
    assert!(told.contains(reason), "{told}");
    Ok(())
}

#[test]
fn a_variable_that_is_missing_or_wrong_is_named_with_what_prints_it() -> Result<(), BuildError> {
    if is_child() {
        return Client::from_env().map(drop);
    }
    let test = "environment::a_variable_that_is_missing_or_wrong_is_named_with_what_prints_it";
    let [key, secret, url] = [
        "SINCH_APPLICATION_KEY",
        "SINCH_APPLICATION_SECRET",
        "SINCH_VERIFICATION_URL",
    ];
    for (variables, named) in [
        (vec![(secret, SECRET)], key),
        (vec![(key, ""), (secret, SECRET)], key),
        (vec![(key, "two words"), (secret, SECRET)], key),
        (vec![(key, KEY)], secret),
        (vec![(key, KEY), (secret, "not base64!")], secret),
        (vec![(key, KEY), (secret, SECRET), (url, "")], url),
        (vec![(key, KEY), (secret, SECRET), (url, "localhost")], url),
    ] {
        let output = child(test, &variables);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{variables:?}: {told}");
        assert!(told.contains("Error: failed to build a client from the environment\n\nCaused by:\n    "));
        assert!(told.contains(&format!("\n    {named}")), "{variables:?}: {told}");
        assert!(told.contains("sinch-verify serve"), "{told}");
        assert!(!told.contains("not base64!"), "{told}");
    }
    // Without an address it is the real service.
    let output = child(test, &[(key, KEY), (secret, SECRET)]);
    assert!(output.status.success(), "{output:?}");
    Ok(())
}
