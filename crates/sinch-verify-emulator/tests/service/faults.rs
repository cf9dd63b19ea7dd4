//! Fault rules.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use sinch_verify_emulator::{Application, ControlError, Emulator, Fault, FaultRule, Operation};
use sinch_verify_protocol::{ApplicationKey, Reference, Report, Start, Status, method::Sms};
use tokio::net::TcpStream;

use crate::support::{
    Receiver, SHORT, basic, call, code, emulator, emulator_calling, json, newest, number, plain, post, reply,
    send, status_by_id,
};

const STARTS: &str = "/verification/v1/verifications";
const START: &str = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms"}"#;

/// The result of a request whose answer may be incomplete.
async fn raw(emulator: &Emulator, verb: &str, path: &str, body: &str) -> Result<Bytes, hyper::Error> {
    let stream = TcpStream::connect(emulator.addr()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut request = plain(verb, path, body);
    let host = emulator.addr().to_string().parse().unwrap();
    request.headers_mut().insert(http::header::HOST, host);
    let response = sender.send_request(request.map(Full::new)).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

fn only(operation: Operation, mut rule: FaultRule) -> FaultRule {
    rule.operation = Some(operation);
    rule
}

#[tokio::test]
async fn an_answer_is_lost_with_its_connection() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let mut rule = only(Operation::Report, FaultRule::api(Fault::Reset { handled: true }));
    rule.count = Some(1);
    emulator.add_fault(rule).unwrap();
    let code = newest(&emulator).code.unwrap();
    let path = format!("{STARTS}/id/{}", started.id);
    let body = format!(r#"{{"method":"sms","sms":{{"code":"{}"}}}}"#, code.expose());
    assert!(raw(&emulator, "PUT", &path, &body).await.is_err());
    let status = status_by_id(&emulator, &started.id).await;
    assert_eq!(status.status, Status::Successful, "it was carried out");
    assert_eq!(emulator.faults()[0].hits, 1);
}

/// A rule for a number applies however a request names the verification.
#[tokio::test]
async fn a_number_is_meant_by_id_and_by_reference_too() {
    let emulator = emulator().await;
    let start = |number: &str, reference: &str| {
        Start::sms(number.parse().unwrap()).reference(Reference::new(reference).unwrap())
    };
    let meant = call(&emulator, &basic(), &start("+46700000001", "meant"))
        .await
        .unwrap();
    let other = call(&emulator, &basic(), &start("+46700000002", "other"))
        .await
        .unwrap();
    let mut rule = FaultRule::api(Fault::Status { status: 500 });
    rule.number = Some(number());
    emulator.add_fault(rule).unwrap();
    let status = async |verb: &str, path: &str, body: &str| {
        let path = format!("{STARTS}/{path}");
        send(&emulator, plain(verb, &path, body)).await.status().as_u16()
    };
    let report = r#"{"method":"sms","sms":{"code":"0-0"}}"#;
    for (id, reference, get, put) in [
        (meant.id.clone(), "meant", 500, 500),
        (other.id.clone(), "other", 200, 400),
    ] {
        assert_eq!(status("GET", &format!("id/{id}"), "").await, get, "{reference}");
        assert_eq!(status("GET", &format!("reference/{reference}"), "").await, get);
        assert_eq!(status("PUT", &format!("id/{id}"), report).await, put);
    }
    let faults = emulator.faults();
    assert_eq!((faults[0].seen, faults[0].hits), (3, 3));
    assert_eq!(status("GET", "id/unknown", "").await, 404);
}

#[tokio::test]
async fn a_request_is_lost_with_its_connection() {
    let emulator = emulator().await;
    let id = emulator
        .add_fault(FaultRule::api(Fault::Reset { handled: false }))
        .unwrap();
    assert!(raw(&emulator, "POST", STARTS, START).await.is_err());
    assert!(emulator.inbox(&number()).is_empty());
    assert!(emulator.remove_fault(id) && !emulator.remove_fault(id));
    assert!(raw(&emulator, "POST", STARTS, START).await.is_ok());
}

#[tokio::test]
async fn faults_change_statuses_bodies_and_time() {
    let emulator = emulator().await;
    emulator
        .add_fault(FaultRule::api(Fault::Status { status: 502 }))
        .unwrap();
    assert_eq!(
        code(call(&emulator, &basic(), &Start::sms(number())).await),
        50200
    );
    assert!(emulator.inbox(&number()).is_empty());

    emulator.clear_faults();
    emulator.add_fault(FaultRule::api(Fault::Truncate)).unwrap();
    assert!(raw(&emulator, "POST", STARTS, START).await.is_err());
    assert_eq!(emulator.inbox(&number()).len(), 1);

    emulator.clear_faults();
    emulator.add_fault(FaultRule::api(Fault::Malformed)).unwrap();
    let body = raw(&emulator, "POST", STARTS, START).await.unwrap();
    assert!(body.ends_with(b"}<"));

    emulator.clear_faults();
    let by = Duration::from_millis(60);
    emulator
        .add_fault(FaultRule::api(Fault::Latency {
            from: by,
            to: by,
            spread: sinch_verify_emulator::Spread::Tail,
        }))
        .unwrap();
    let began = Instant::now();
    raw(&emulator, "POST", STARTS, START).await.unwrap();
    assert!(began.elapsed() >= by);

    emulator.clear_faults();
    emulator.add_fault(FaultRule::api(Fault::Stall)).unwrap();
    let stalled = raw(&emulator, "POST", STARTS, START);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), stalled)
            .await
            .is_err()
    );
    tokio::time::timeout(SHORT, emulator.shutdown()).await.unwrap();
}

#[tokio::test]
async fn rules_name_what_they_are_for() {
    let other: ApplicationKey = crate::support::OTHER_KEY.parse().unwrap();
    let other = Application::new(other, crate::support::secret());
    let emulator = crate::support::builder()
        .application(other)
        .start()
        .await
        .unwrap();
    let mut rule = FaultRule::api(Fault::Status { status: 500 });
    rule.number = Some("+46700000002".parse().unwrap());
    emulator.add_fault(rule).unwrap();
    let mut rule = only(Operation::Start, FaultRule::api(Fault::Status { status: 500 }));
    rule.application = Some(crate::support::OTHER_KEY.to_owned());
    emulator.add_fault(rule).unwrap();
    let started = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let other = Start::sms("+46700000002".parse().unwrap());
    assert_eq!(code(call(&emulator, &basic(), &other).await), 50000);
    let proof = newest(&emulator).code.unwrap();
    assert!(
        call(
            &emulator,
            &basic(),
            &Report::<Sms>::by_id(started.id.clone(), proof)
        )
        .await
        .is_ok()
    );
    let refused = emulator.add_fault(FaultRule::api(Fault::Status { status: 200 }));
    assert!(matches!(refused, Err(ControlError::Fault(_))));
}

#[tokio::test]
async fn faults_are_set_over_http() {
    let emulator = emulator().await;
    let body = r#"{"on":"api","operation":"start","every":2,"fault":{"kind":"status","status":503}}"#;
    let added = post(&emulator, "/_emu/faults", body).await;
    assert_eq!(json(&added)["id"], 1);
    assert!(call(&emulator, &basic(), &Start::sms(number())).await.is_ok());
    assert_eq!(
        code(call(&emulator, &basic(), &Start::sms(number())).await),
        50300
    );
    let list = json(&crate::support::get(&emulator, "/_emu/faults").await);
    assert_eq!(list["faults"][0]["hits"], 1);
    assert_eq!(list["faults"][0]["seen"], 2);
    assert_eq!(list["faults"][0]["rule"]["fault"]["kind"], "status");
    for (path, status) in [
        ("/_emu/faults/1", 200),
        ("/_emu/faults/1", 404),
        ("/_emu/faults", 200),
    ] {
        assert_eq!(send(&emulator, plain("DELETE", path, "")).await.status(), status);
    }
    for bad in [
        r#"{"on":"api","fault":{"kind":"status","status":99}}"#,
        r#"{"on":"api","probability":2,"fault":{"kind":"stall"}}"#,
        r#"{"on":"api","every":0,"fault":{"kind":"stall"}}"#,
        r#"{"on":"callback","operation":"start","fault":{"kind":"stall"}}"#,
        r#"{"on":"api","fault":{"kind":"latency","from":"2s","to":"1s"}}"#,
        r#"{"on":"moon","fault":{"kind":"stall"}}"#,
    ] {
        assert_eq!(post(&emulator, "/_emu/faults", bad).await.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn a_lost_result_event_is_sent_again() {
    let receiver = Receiver::new(|_| reply(200, r#"{"action":"allow"}"#)).await;
    let emulator = emulator_calling(&receiver).await;
    for fault in [Fault::Reset { handled: false }, Fault::Status { status: 503 }] {
        let mut rule = only(Operation::Delivered, FaultRule::callback(fault));
        rule.count = Some(1);
        emulator.add_fault(rule).unwrap();
    }
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert!(emulator.wait_delivered(SHORT).await);
    let tries: Vec<bool> = emulator
        .deliveries()
        .iter()
        .rev()
        .map(|delivery| delivery.ok)
        .collect();
    assert_eq!(tries, [true, false, false, true]);
    assert_eq!(
        receiver.names(),
        ["VerificationRequestEvent", "VerificationSmsDeliveredEvent"]
    );
}

#[tokio::test]
async fn an_unheard_request_event_denies() {
    let receiver = Receiver::new(|_| reply(200, r#"{"action":"allow"}"#)).await;
    let emulator = emulator_calling(&receiver).await;
    let rule = only(
        Operation::Request,
        FaultRule::callback(Fault::Reset { handled: false }),
    );
    emulator.add_fault(rule).unwrap();
    assert_eq!(
        code(call(&emulator, &basic(), &Start::sms(number())).await),
        40303
    );
}
