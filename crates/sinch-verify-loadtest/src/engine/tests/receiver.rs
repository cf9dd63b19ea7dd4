//! Our callback receiver, and which flows it answers wrongly: only those whose scenario says so.

use std::time::SystemTime;

use crate::callbacks::{Codes, Token};
use crate::model::{ScenarioName, StepName};
use crate::scenario::ReceiverLink;
use crate::wire::{DirectWire, Wire as _};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use sinch_verify_callback::testing::{CallbackSigner, request_event};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::Settings;
use sinch_verify_protocol::{ApplicationSecret, Method, VerificationId, WireObject as _};

use super::world::{World, key};

const OUR_RUN: &str = "0123456789abcdef";
/// As many indexes as there are wrong answers.
const WAYS: u64 = 5;

async fn world(rules: bool) -> (World, ReceiverLink) {
    let world = World::build_receiver(Some(Codes::Theirs), Settings::default(), |receiver| {
        if !rules {
            receiver.answers.0.values_mut().for_each(|rule| *rule = None);
        }
    })
    .await;
    let link = world.receiver().unwrap();
    (world, link)
}

/// What a request event is answered that claims to be about the flow of this index.
async fn answer(link: &ReceiverLink, signer: &CallbackSigner, run: &str, index: u64) -> Response<Bytes> {
    let id = VerificationId::new(&format!("{run}{index}")).unwrap();
    let mut event = request_event(id, Method::Sms, "+46700000001".parse().unwrap());
    let token = Token {
        run: run.parse().unwrap(),
        scenario: ScenarioName::new("bad-callback").unwrap(),
        index,
    };
    event.custom = Some(token.to_string().into());
    let request = signer.post(link.url.clone(), event.to_json(), SystemTime::now());
    send(request).await
}

async fn send(request: Request<Bytes>) -> Response<Bytes> {
    let mut wire = DirectWire::new(HyperTransport::default());
    wire.send(StepName::CALLBACK_REFUSED, request).await.unwrap()
}

#[tokio::test]
async fn forgeries_are_refused_as_ever_and_are_counted() {
    let (world, link) = world(true).await;
    let other = ApplicationSecret::new("AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
    let forger = CallbackSigner::new(key(), &other);
    for index in 0..WAYS {
        let answer = answer(&link, &forger, OUR_RUN, index).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "index {index}");
    }
    let unsigned = Request::post(link.url.clone())
        .header("content-type", "application/json")
        .body(Bytes::from_static(
            br#"{"event":"VerificationRequestEvent","id":"1","method":"sms","identity":{"type":"number","endpoint":"+46700000001"},"custom":"0123456789abcdef/bad-callback/1"}"#,
        ))
        .unwrap();
    assert_eq!(send(unsigned).await.status(), StatusCode::UNAUTHORIZED);
    let counters = world.counters();
    assert_eq!((counters.refused, counters.callbacks), (WAYS + 1, 0));
}

#[tokio::test]
async fn events_of_other_runs_are_answered_as_ever() {
    let (world, link) = world(true).await;
    for index in 0..WAYS {
        let answer = answer(&link, &link.signer, "fedcba9876543210", index).await;
        assert_eq!(answer.status(), StatusCode::OK, "index {index}");
        assert!(answer.body().ends_with(b"}"), "{:?}", answer.body());
    }
    assert_eq!(world.counters().orphans, WAYS);
}

#[tokio::test]
async fn runs_without_rules_answer_well() {
    let (world, link) = world(false).await;
    for index in 0..WAYS {
        let answer = answer(&link, &link.signer, OUR_RUN, index).await;
        assert_eq!(answer.status(), StatusCode::OK, "index {index}");
        assert!(answer.body().ends_with(b"}"), "{:?}", answer.body());
    }
    let counters = world.counters();
    assert_eq!((counters.callbacks, counters.orphans), (WAYS, 0));
}
