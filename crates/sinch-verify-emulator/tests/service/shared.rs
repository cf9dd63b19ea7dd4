//! One emulator for many tests, each with an application of its own.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use sinch_verify_emulator::{
    ControlError, Emulator, Fault, FaultRule, HandsetBehavior, TestApplication, testing,
};
use sinch_verify_protocol::{
    Credentials, DecodeError, Endpoint, Start, Status, StatusById, Verification, VerificationId,
};
use tokio::net::TcpListener;

use crate::support::{SHORT, code, get, json, post, send_to};

fn credentials(application: &TestApplication) -> Credentials {
    Credentials::signed(
        application.key().parse().unwrap(),
        application.secret().parse().unwrap(),
    )
}

/// Calls an operation for an application.
async fn call<E: Endpoint>(application: &TestApplication, operation: &E) -> Result<E::Response, DecodeError> {
    let url = application.url();
    let mut request = operation.to_http(&url.parse().unwrap()).unwrap();
    let now = SystemTime::now();
    credentials(application).authorize(&mut request, now).unwrap();
    let address = url.trim_start_matches("http://").parse().unwrap();
    operation.from_http(&send_to(address, request).await)
}

async fn status(application: &TestApplication, id: &VerificationId) -> Verification {
    call(application, &StatusById { id: id.clone() }).await.unwrap()
}

async fn shared() -> (Emulator, TestApplication, TestApplication) {
    let emulator = Emulator::builder().start().await.unwrap();
    let (first, second) = (emulator.application(), emulator.application());
    (emulator, first, second)
}

#[tokio::test]
async fn applications_do_not_see_each_others_verifications_and_messages() {
    let (emulator, first, second) = shared().await;
    let phone = first.phone();
    let of_first = call(&first, &Start::callout(phone)).await.unwrap().id.clone();
    assert!(second.inbox(&phone).is_empty());
    let error = second.press_keypad(&phone, "1").unwrap_err();
    assert_eq!(error, ControlError::NoCallout);
    assert_eq!(second.hang_up(&phone).unwrap_err(), ControlError::NoCall);
    assert_eq!(
        code(call(&second, &StatusById { id: of_first.clone() }).await),
        40400
    );
    let error = second.expire(&of_first).unwrap_err();
    assert_eq!(error, ControlError::NotPending(of_first.clone()));

    let of_second = call(&second, &Start::callout(phone)).await.unwrap().id.clone();
    assert_eq!(emulator.inbox(&phone).len(), 2);
    let message = first.wait_message(&phone, 0, SHORT).await.unwrap();
    assert_eq!(message.verification_id, of_first);
    let verified = first.press_keypad(&phone, "1").unwrap();
    assert_eq!(verified.status, Status::Successful);
    assert_eq!(status(&second, &of_second).await.status, Status::Pending);
    second.expire(&of_second).unwrap();
    assert_eq!(status(&second, &of_second).await.status, Status::Fail);
    assert_eq!(
        second.expire(&of_second).unwrap_err(),
        ControlError::NotPending(of_second)
    );
}

#[tokio::test]
async fn applications_have_their_own_faults_behavior_and_callbacks() {
    let (_emulator, first, second) = shared().await;
    let phone = first.phone();
    first
        .add_fault(FaultRule::api(Fault::Status { status: 503 }))
        .unwrap();
    second.add_fault(FaultRule::callback(Fault::Stall)).unwrap();
    first.set_handset_behavior(HandsetBehavior::Never);
    assert!(call(&first, &Start::sms(phone)).await.is_err());
    let of_second = call(&second, &Start::sms(phone)).await.unwrap().id.clone();
    assert_eq!(second.inbox(&phone).len(), 1);
    assert_eq!((first.faults().len(), second.faults().len()), (1, 1));
    first.clear_faults();
    assert_eq!((first.faults().len(), second.faults().len()), (0, 1));
    let of_first = call(&first, &Start::sms(phone)).await.unwrap().id.clone();
    assert!(first.inbox(&phone).is_empty());

    // A receiver that never answers.
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/callback", receiver.local_addr().unwrap());
    first
        .set_callback_url(url.parse::<sinch_verify_emulator::CallbackUrl>().unwrap())
        .unwrap();
    first.expire(&of_first).unwrap();
    second.expire(&of_second).unwrap();
    assert!(second.wait_delivered(SHORT).await);
    assert!(!first.wait_delivered(Duration::from_millis(10)).await);
    first.set_callback_url(None).unwrap();
    drop(receiver);
    assert!(first.wait_delivered(SHORT).await);
    assert_eq!((first.deliveries().len(), second.deliveries().len()), (1, 0));
}

#[test]
fn the_emulator_of_a_process_outlives_the_runtime_of_a_test() {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let application = testing::application().unwrap();
            let phone = application.phone();
            call(&application, &Start::sms(phone)).await.unwrap();
            assert!(application.wait_message(&phone, 0, SHORT).await.is_some());
            application
        })
    };
    let (first, second) = (run(), run());
    assert_eq!(first.url(), second.url());
    assert_ne!((first.key(), first.secret()), (second.key(), second.secret()));
    assert_eq!(first.phone(), second.phone(), "their phones are apart");
    let phones: BTreeSet<String> = (0..2_000).map(|_| first.phone().to_string()).collect();
    assert_eq!(phones.len(), 2_000);
}

#[tokio::test]
async fn scripts_get_an_application_of_their_own_too() {
    let (emulator, other, _) = shared().await;
    let made = json(&post(&emulator, "/_emu/applications", "").await);
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    assert_eq!(text("url"), emulator.url());
    let (key, secret) = (text("key"), text("secret"));
    let phone = other.phone();
    let mut request = Start::sms(phone).to_http(&emulator.base_url()).unwrap();
    let own = Credentials::signed(key.parse().unwrap(), secret.parse().unwrap());
    own.authorize(&mut request, SystemTime::now()).unwrap();
    assert_eq!(send_to(emulator.addr(), request).await.status(), 200);
    for (key, messages) in [(key.as_str(), 1), (other.key(), 0)] {
        let path = format!("/_emu/numbers/{phone}/messages?application={key}");
        let listed = json(&get(&emulator, &path).await);
        assert_eq!(listed["messages"].as_array().unwrap().len(), messages);
    }
    let keypad = format!("/_emu/numbers/{phone}/keypad?application={}", other.key());
    assert_eq!(post(&emulator, &keypad, r#"{"digits":"1"}"#).await.status(), 404);
}
