//! The timeline of a verification, and interventions: expire, deliver, deny.

use serde_json::Value;
use sinch_verify_emulator::{Emulator, HandsetBehavior, Scope};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::{Code, Report, Start};

use crate::support::{
    NUMBER, Receiver, SHORT, answering, application, basic, builder, call, code, deciding, emulator,
    emulator_calling, eventually, get, json, newest, noon, number, post, public, reply, status_by_id,
};

async fn detail(emulator: &Emulator, id: &str) -> Value {
    json(&get(emulator, &format!("/_emu/verifications/{id}")).await)
}

fn kinds(detail: &Value) -> Vec<&str> {
    let steps = detail["timeline"].as_array().unwrap();
    steps.iter().map(|step| step["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_timeline_links_to_requests_and_deliveries() {
    let receiver = deciding(Decision::Allow).await;
    // The clock is paused, so the order of steps is that of their kinds.
    let emulator = Emulator::builder()
        .application(application().callback_url(receiver.url()))
        .manual_clock(noon())
        .start()
        .await
        .unwrap();
    let started = call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    let wrong = Report::<Sms>::by_id(started.id.clone(), Code::new("wrong").unwrap());
    call(&emulator, &public(), &wrong).await.unwrap_err();
    let right = Report::<Sms>::by_number(number(), newest(&emulator).code.unwrap());
    call(&emulator, &public(), &right).await.unwrap();
    status_by_id(&emulator, &started.id).await;
    assert!(emulator.wait_delivered(SHORT).await);

    let detail = detail(&emulator, started.id.as_str()).await;
    assert_eq!(detail["status"], "SUCCESSFUL");
    assert_eq!(
        kinds(&detail),
        [
            "start",
            "asked",
            "decision",
            "sent",
            "delivered",
            "report",
            "report",
            "ended",
            "result",
            "status"
        ]
    );
    let steps = detail["timeline"].as_array().unwrap();
    assert_eq!(steps[0]["text"], "public request: 200, accepted");
    assert_eq!(steps[2]["text"], "allow");
    assert_eq!(steps[5]["text"], "public request: 400, Invalid identity or code.");
    assert_eq!(steps[7]["text"], "SUCCESSFUL");
    assert_eq!(steps[9]["text"], "basic request: 200, SUCCESSFUL");
    assert_eq!(steps[3]["message"], newest(&emulator).seq);
    // Each link leads to something about this verification.
    let id = started.id.as_str();
    for step in steps {
        if let Some(seq) = step.get("request") {
            let request = json(&get(&emulator, &format!("/_emu/requests/{seq}")).await);
            assert_eq!(request["verificationId"], id);
        }
        if let Some(seq) = step["delivery"].as_u64() {
            let all = emulator.deliveries();
            let delivery = all.iter().find(|delivery| delivery.seq == seq).unwrap();
            assert_eq!(delivery.verification_id.as_str(), id);
        }
    }
}

#[tokio::test]
async fn a_timeline_of_keys_and_denials() {
    let emulator = emulator().await;
    let started = call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    post(
        &emulator,
        &format!("/_emu/numbers/{NUMBER}/keypad"),
        r#"{"digits":"9"}"#,
    )
    .await;
    post(
        &emulator,
        &format!("/_emu/numbers/{NUMBER}/keypad"),
        r#"{"digits":"1"}"#,
    )
    .await;
    let seen = detail(&emulator, started.id.as_str()).await;
    assert_eq!(kinds(&seen), ["start", "sent", "keys", "keys", "ended"]);
    assert_eq!(seen["timeline"][2]["text"], "keys 9 pressed");
    assert_eq!(seen["attempts"], 1);

    let receiver = Receiver::new(|_| reply(500, "")).await;
    let emulator = emulator_calling(&receiver).await;
    assert_eq!(
        code(call(&emulator, &basic(), &Start::sms(number())).await),
        40303
    );
    let list = json(&get(&emulator, "/_emu/verifications").await);
    let id = list["verifications"][0]["id"].as_str().unwrap();
    let denied = detail(&emulator, id).await;
    assert_eq!(kinds(&denied)[..3], ["start", "asked", "decision"]);
    assert_eq!(
        denied["timeline"][0]["request"], 1,
        "though its answer names no verification"
    );
    assert_eq!(
        denied["timeline"][2]["text"],
        "answered 500: the status must be 200"
    );
    assert_eq!(get(&emulator, "/_emu/verifications/none").await.status(), 404);
}

#[tokio::test]
async fn verifications_are_expired_denied_and_delivered_by_request() {
    let emulator = builder()
        .handset_behavior(Scope::Number(number()), HandsetBehavior::Never)
        .start()
        .await
        .unwrap();
    let act =
        async |id: &str, what: &str| post(&emulator, &format!("/_emu/verifications/{id}/{what}"), "").await;

    let first = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert!(emulator.inbox(&number()).is_empty());
    let answer = act(first.id.as_str(), "deliver").await;
    assert_eq!(
        (answer.status().as_u16(), &json(&answer)["status"]),
        (200, &"PENDING".into())
    );
    assert_eq!(emulator.inbox(&number()).len(), 1);
    assert_eq!(act(first.id.as_str(), "deliver").await.status(), 409, "once");
    let answer = json(&act(first.id.as_str(), "expire").await);
    assert_eq!(
        (&answer["status"], &answer["reason"]),
        (&"FAIL".into(), &"Expired".into())
    );
    for again in ["expire", "deny"] {
        let refused = act(first.id.as_str(), again).await;
        assert_eq!(refused.status(), 409);
        assert!(json(&refused)["error"].is_string());
    }

    let second = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let answer = json(&act(second.id.as_str(), "deny").await);
    assert_eq!(
        (&answer["status"], &answer["reason"]),
        (&"DENIED".into(), &"Denied by callback".into())
    );
    // The lost message can still be delivered, too late.
    assert_eq!(act(second.id.as_str(), "deliver").await.status(), 200);
    assert_eq!(emulator.inbox(&number()).len(), 2);
    assert_eq!(act("none", "deny").await.status(), 404);
}

#[tokio::test]
async fn a_start_can_be_denied_before_its_callback_decides() {
    let receiver = Receiver::holding(answering(Decision::Allow)).await;
    let emulator = emulator_calling(&receiver).await;
    let (caller, start) = (public(), Start::sms(number()));
    let (answer, ()) = tokio::join!(call(&emulator, &caller, &start), async {
        let id = eventually(async || {
            let list = json(&get(&emulator, "/_emu/verifications").await);
            list["verifications"][0]["id"].as_str().map(str::to_owned)
        })
        .await;
        let denied = post(&emulator, &format!("/_emu/verifications/{id}/deny"), "").await;
        assert_eq!(denied.status(), 200);
        let undelivered = post(&emulator, &format!("/_emu/verifications/{id}/deliver"), "").await;
        assert_eq!(undelivered.status(), 409, "nothing was sent");
        receiver.release();
    });
    assert_eq!(code(answer), 40303);
}
