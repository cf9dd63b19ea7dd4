//! Web pages of other origins: the operations that they may call; and `auto` starts.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use sinch_verify_emulator::{Emulator, Settings};
use sinch_verify_protocol::method::{FlashCall, Sms};
use sinch_verify_protocol::{Method, Report, Start, Status, StatusById, StatusByNumber};

use crate::support::{
    application, basic, builder, call, code, emulator, get, json, number, send, status_by_id,
};

const ORIGIN: &str = "http://shop.example";
const STARTS: &str = "/verification/v1/verifications";

fn preflight(path: &str, verb: &str) -> Request<Bytes> {
    Request::builder()
        .method("OPTIONS")
        .uri(path)
        .header("origin", ORIGIN)
        .header("access-control-request-method", verb)
        .header("access-control-request-headers", "authorization, content-type")
        .body(Bytes::new())
        .unwrap()
}

#[tokio::test]
async fn a_page_may_call_what_public_authorization_may_call() {
    let emulator = emulator().await;
    for (path, verb) in [
        (STARTS, "POST"),
        ("/verification/v1/verifications/id/1", "PUT"),
        ("/verification/v1/verifications/number/+46700000001", "PUT"),
        ("/verification/v1/verifications/number/+46700000001", "PATCH"),
        ("/verification/v1/verifications/sms/number/+46700000001", "GET"),
    ] {
        let response = send(&emulator, preflight(path, verb)).await;
        assert_eq!(response.status(), 204, "{verb} {path}");
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["access-control-allow-methods"], verb);
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.contains("authorization") && allowed.contains("content-type"));
    }
    let request = Request::builder()
        .method("POST")
        .uri(STARTS)
        .header("origin", ORIGIN)
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    let response = send(&emulator, request).await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["access-control-allow-origin"],
        "*",
        "a page may read refusals too"
    );
}

#[tokio::test]
async fn a_page_may_not_call_the_rest() {
    let emulator = emulator().await;
    for (path, verb) in [
        ("/verification/v1/verifications/id/1", "GET"),
        ("/verification/v1/verifications/reference/1", "GET"),
        (STARTS, "DELETE"),
        ("/_emu/reset", "POST"),
    ] {
        let response = send(&emulator, preflight(path, verb)).await;
        assert!(
            !response.headers().contains_key("access-control-allow-origin"),
            "{verb} {path}"
        );
    }
    let plain = get(&emulator, "/verification/v1/verifications/id/1").await;
    assert!(!plain.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn an_auto_start_tries_several_methods() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::auto(number())).await.unwrap();
    let order = started.details.methods_order.clone().unwrap();
    assert_eq!(order, [Method::Seamless, Method::FlashCall, Method::Sms]);
    let sms = started.sms.clone().unwrap();
    let flash_call = started.flash_call.clone().unwrap();
    let seamless = started.seamless.clone().unwrap();
    let (by_sms, by_call) = (
        sms.sub_verification_id.unwrap(),
        flash_call.sub_verification_id.unwrap(),
    );
    assert_eq!(started.details.sub_verification_id, seamless.sub_verification_id);
    assert!(by_sms != by_call && by_sms != started.id);
    let inbox = emulator.inbox(&number());
    let kinds: Vec<_> = inbox.iter().map(|message| message.kind.clone()).collect();
    assert_eq!(kinds, [Method::Sms, Method::FlashCall, Method::Seamless]);
    assert_eq!(
        inbox[2].target_uri.as_deref(),
        seamless.target_uri.as_ref().map(|uri| uri.as_str())
    );

    // A report goes to the id of its method and ends the whole verification.
    let wrong = inbox[0].code.clone().unwrap();
    let cli = inbox[1].cli.clone().unwrap();
    assert_eq!(
        code(
            call(
                &emulator,
                &basic(),
                &Report::<FlashCall>::by_id(by_sms.clone(), "+46700000009".parse().unwrap())
            )
            .await
        ),
        40003
    );
    let ended = call(&emulator, &basic(), &Report::<FlashCall>::by_id(by_call, cli))
        .await
        .unwrap();
    assert_eq!(ended.status, Status::Successful);
    assert_eq!(ended.id, started.id);
    assert_eq!(
        code(call(&emulator, &basic(), &Report::<Sms>::by_id(by_sms, wrong)).await),
        40003
    );
    let status = status_by_id(&emulator, &started.id).await;
    assert_eq!(
        (status.method, status.status),
        (Some(Method::Auto), Status::Successful)
    );
}

#[tokio::test]
async fn an_auto_verification_ends_by_its_address() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::auto(number())).await.unwrap();
    let address = started.seamless.clone().unwrap().target_uri.unwrap();
    let path = address.as_str().strip_prefix(&emulator.url()).unwrap();
    let answer = json(&get(&emulator, path).await);
    assert_eq!(answer["status"], "SUCCESSFUL");
    assert_eq!(answer["id"], started.id.as_str());
}

#[tokio::test]
async fn the_status_by_number_is_not_found_after_the_set_time() {
    let mut settings = Settings::default();
    settings.status_by_number = Some(Duration::from_secs(60));
    let emulator = Emulator::builder()
        .application(application())
        .settings(settings)
        .start()
        .await
        .unwrap();
    let started = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let query = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    assert!(call(&emulator, &basic(), &query).await.is_ok());
    emulator.advance(Duration::from_secs(61));
    assert_eq!(code(call(&emulator, &basic(), &query).await), 40400);
    let by_id = call(
        &emulator,
        &basic(),
        &StatusById {
            id: started.id.clone(),
        },
    )
    .await;
    assert_eq!(by_id.unwrap().status, Status::Pending, "lasting by id");
    let forever = builder().start().await.unwrap();
    call(&forever, &basic(), &Start::sms(number())).await.unwrap();
    forever.advance(Duration::from_secs(86_400));
    assert!(call(&forever, &basic(), &query).await.is_ok());
}
