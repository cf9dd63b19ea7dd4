//! `from_env`: each case in a process of its own, with an environment of its own.

use std::error::Error;

use sinch_verify_client::protocol::{Start, development};
use sinch_verify_client::{BuildError, Client, ClientBuilder};
use sinch_verify_emulator::{Application, Emulator};

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

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_on_this_machine_needs_its_address_only() -> Result<(), Box<dyn Error>> {
    if is_child() {
        Client::from_env()?.start(Start::sms(number())).await?;
        return Ok(());
    }
    let (key, secret) = development::application();
    let emulator = Emulator::builder()
        .application(Application::new(key, secret))
        .start()
        .await?;
    let test = "environment::an_emulator_on_this_machine_needs_its_address_only";
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}", emulator.addr().port());
        let output = tokio::task::block_in_place(|| child(test, &[("SINCH_VERIFICATION_URL", &url)]));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(emulator.inbox(&number()).len(), 1);
        emulator.reset();
    }
    Ok(())
}

#[test]
fn a_base_url_set_later_decides_on_the_development_application() {
    if is_child() {
        let with = |url: &str| ClientBuilder::from_env().base_url(url).build();
        assert!(with("http://127.0.0.1:9901").is_ok());
        let refused = with("https://verification.api.sinch.com").unwrap_err();
        assert_eq!(refused.field(), "SINCH_APPLICATION_KEY");
        return;
    }
    let test = "environment::a_base_url_set_later_decides_on_the_development_application";
    for variables in [&[][..], &[("SINCH_VERIFICATION_URL", "http://127.0.0.1:9901")]] {
        let output = child(test, variables);
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_variable_that_is_missing_or_wrong_is_named() -> Result<(), BuildError> {
    if is_child() {
        return Client::from_env().map(drop);
    }
    let test = "environment::a_variable_that_is_missing_or_wrong_is_named";
    let [key, secret, url] = [
        "SINCH_APPLICATION_KEY",
        "SINCH_APPLICATION_SECRET",
        "SINCH_VERIFICATION_URL",
    ];
    let local = "http://127.0.0.1:9901";
    for (variables, named, fix) in [
        (vec![], key, "sinch-verify serve"),
        (vec![(key, ""), (secret, "")], key, "sinch-verify serve"),
        (
            vec![(url, "http://localhost.evil.com")],
            key,
            "sinch-verify serve",
        ),
        (vec![(url, "http://127.0.0.1.nip.io")], key, "sinch-verify serve"),
        (vec![(secret, SECRET)], key, "sinch-verify serve"),
        (vec![(secret, SECRET), (url, local)], key, "sinch-verify serve"),
        (vec![(key, ""), (secret, SECRET)], key, "sinch-verify serve"),
        (vec![(key, "two words"), (secret, SECRET)], key, "blank"),
        (vec![(key, KEY)], secret, "sinch-verify serve"),
        (vec![(key, KEY), (url, local)], secret, "sinch-verify serve"),
        (vec![(key, KEY), (secret, "not base64!")], secret, "blank"),
        (vec![(key, KEY), (secret, SECRET), (url, "")], url, "unset"),
        (
            vec![(key, KEY), (secret, SECRET), (url, "localhost")],
            url,
            "http://",
        ),
    ] {
        let output = child(test, &variables);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{variables:?}: {told}");
        assert!(told.contains("Error: failed to build a client from the environment\n\nCaused by:\n    "));
        assert!(told.contains(&format!("\n    {named}")), "{variables:?}: {told}");
        assert!(told.contains(fix), "{variables:?}: {told}");
        assert!(!told.contains("not base64!"), "{told}");
    }
    // Without an address it is the real service.
    let output = child(test, &[(key, KEY), (secret, SECRET)]);
    assert!(output.status.success(), "{output:?}");
    Ok(())
}
