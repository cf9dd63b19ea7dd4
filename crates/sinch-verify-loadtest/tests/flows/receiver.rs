//! Our callback receiver, and who can make it misbehave: the flows that want it to, and nobody else.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use sinch_verify_callback::testing::{CallbackSigner, request_event};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::Settings;
use sinch_verify_loadtest::callbacks::{Codes, Token};
use sinch_verify_loadtest::flows::{Flow, Peer};
use sinch_verify_loadtest::runfile::Setting;
use sinch_verify_loadtest::{LeanWire, Wire as _};
use sinch_verify_protocol::{ApplicationSecret, Method, VerificationId, WireObject as _};

use crate::world::{World, key};

const OUR_RUN: &str = "0123456789abcdef";
/// As many slots as there are ways to misbehave.
const WAYS: u64 = 5;

async fn world(misbehaves: bool) -> (World, Peer) {
    let world = World::build_receiver(Some(Codes::Theirs), Settings::default(), |receiver| {
        receiver.misbehaves = misbehaves;
    })
    .await;
    let peer = world.cast(Setting::Backend, world.inbox()).callbacks.unwrap();
    (world, peer)
}

/// What a request event is answered that claims to be about this slot of a run.
async fn answer(peer: &Peer, signer: &CallbackSigner, run: &str, slot: u64) -> Response<Bytes> {
    let id = VerificationId::new(&format!("{run}{slot}")).unwrap();
    let mut event = request_event(id, Method::Sms, "+46700000001".parse().unwrap());
    let token = Token {
        run: run.parse().unwrap(),
        flow: Flow::BadCallback,
        slot,
    };
    event.custom = Some(token.to_string().into());
    let request = signer.post(peer.url.clone(), event.to_json(), SystemTime::now());
    send(request).await
}

async fn send(request: Request<Bytes>) -> Response<Bytes> {
    let mut wire = LeanWire::new(HyperTransport::default());
    wire.send("callback", request).await.unwrap()
}

#[tokio::test]
async fn forgeries_do_not_make_it_misbehave_and_are_counted() {
    let (world, peer) = world(true).await;
    let other = ApplicationSecret::new("AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
    let forger = CallbackSigner::new(key(), &other);
    for slot in 0..WAYS {
        let answer = answer(&peer, &forger, OUR_RUN, slot).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "slot {slot}");
    }
    let unsigned = Request::post(peer.url.clone())
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
async fn other_runs_do_not_make_it_misbehave() {
    let (world, peer) = world(true).await;
    for slot in 0..WAYS {
        let answer = answer(&peer, &peer.signer, "fedcba9876543210", slot).await;
        assert_eq!(answer.status(), StatusCode::OK, "slot {slot}");
        assert!(answer.body().ends_with(b"}"), "{:?}", answer.body());
    }
    assert_eq!(world.counters().orphans, WAYS);
}

#[tokio::test]
async fn runs_without_such_flows_do_not_misbehave() {
    let (world, peer) = world(false).await;
    for slot in 0..WAYS {
        let answer = answer(&peer, &peer.signer, OUR_RUN, slot).await;
        assert_eq!(answer.status(), StatusCode::OK, "slot {slot}");
        assert!(answer.body().ends_with(b"}"), "{:?}", answer.body());
    }
    let counters = world.counters();
    assert_eq!((counters.callbacks, counters.orphans), (WAYS, 0));
}
