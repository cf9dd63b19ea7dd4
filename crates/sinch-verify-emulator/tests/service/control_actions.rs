//! Control requests that change something: clock, callback URLs, behaviors, tried verifications.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use sinch_verify_emulator::{AuthorizationLevel, Emulator, Settings};
use sinch_verify_protocol::callback::{Decision, Event};
use sinch_verify_protocol::{Start, StatusById};

use crate::support::{
    KEY, NUMBER, Receiver, SHORT, application, basic, builder, call, code, deciding, emulator,
    emulator_calling, emulator_calling_with, eventually, get, json, newest, noon, number, post, public,
    reply, send, status_by_id,
};

async fn clock(emulator: &Emulator, body: &str) -> Value {
    let answer = post(emulator, "/_emu/clock", body).await;
    assert_eq!(answer.status(), 200, "{body}");
    json(&answer)
}

async fn with(emulator: &Emulator, verb: &str, path: &str, body: &str) -> (u16, Value) {
    let request = Request::builder()
        .method(verb)
        .uri(path)
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    let answer = send(emulator, request).await;
    (
        answer.status().as_u16(),
        serde_json::from_slice(answer.body()).unwrap_or_default(),
    )
}

#[tokio::test]
async fn the_clock_is_paused_resumed_and_moved() {
    let emulator = emulator().await;
    let stands = clock(&emulator, r#"{"pause":true}"#).await;
    assert_eq!((&stands["manual"], stands.get("aheadMs")), (&true.into(), None));
    assert_eq!(
        clock(&emulator, r#"{"pause":true}"#).await["service"],
        stands["service"]
    );
    assert_eq!(
        post(&emulator, "/_emu/clock", r#"{"to":"next"}"#).await.status(),
        409,
        "nothing is due, so the clock was not moved; start a verification, or use advance"
    );

    let started = call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let before = json(&get(&emulator, "/_emu/clock").await);
    assert!(before["nextDeadline"].as_str() < before["nextExpiry"].as_str());
    // It stops ringing first, then it expires.
    let rang = clock(&emulator, r#"{"to":"next"}"#).await;
    assert_eq!(rang["service"], before["nextDeadline"]);
    let id = started.id.clone();
    let told = status_by_id(&emulator, &id).await;
    assert_eq!((told.call_complete, told.status.is_final()), (Some(true), false));
    let over = clock(&emulator, r#"{"to":"next-expiry"}"#).await;
    assert_eq!(over["service"], before["nextExpiry"]);
    assert_eq!(over.get("nextExpiry"), None);
    let told = call(&emulator, &basic(), &StatusById { id }).await.unwrap();
    assert_eq!(told.reason.unwrap().as_str(), "Expired");

    let goes_on = clock(&emulator, r#"{"pause":false}"#).await;
    assert_eq!(goes_on["manual"], false);
    assert!(goes_on["aheadMs"].as_i64().unwrap() > 200_000, "{goes_on}");
    for bad in [
        r#"{"pause":1}"#,
        r#"{"to":"lunch"}"#,
        r#"{"pause":true,"advance":"1s"}"#,
        "{}",
    ] {
        assert_eq!(post(&emulator, "/_emu/clock", bad).await.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn after_the_clock_is_resumed_verifications_expire_by_themselves() {
    let mut settings = Settings::default();
    settings.expiry = Duration::from_millis(50);
    let emulator = builder()
        .settings(settings)
        .manual_clock(noon())
        .start()
        .await
        .unwrap();
    let started = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    emulator.resume_clock();
    let query = StatusById {
        id: started.id.clone(),
    };
    eventually(async || {
        let status = call(&emulator, &basic(), &query).await.unwrap().status;
        status.is_final().then_some(())
    })
    .await;
    emulator.pause_clock();
    let stands = emulator.now();
    assert!(
        stands < noon() + Duration::from_secs(60),
        "years behind the wall clock"
    );
    assert!(!emulator.advance_to_next());
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert!(emulator.advance_to_next());
    assert_eq!(emulator.now(), stands + Duration::from_millis(50));
}

#[tokio::test]
async fn a_callback_url_over_http() {
    let receiver = Receiver::new(|_| Decision::Allow.to_http_response()).await;
    let emulator = emulator().await;
    let path = format!("/_emu/applications/{KEY}/callback");
    let url = format!(r#"{{"url":"{}"}}"#, receiver.url());
    assert_eq!(with(&emulator, "PUT", &path, &url).await.0, 200);
    call(&emulator, &public(), &Start::callout(number()))
        .await
        .unwrap();
    assert_eq!(receiver.posts().len(), 1);
    assert_eq!(with(&emulator, "PUT", &path, r#"{"url":null}"#).await.0, 200);
    assert_eq!(
        code(call(&emulator, &public(), &Start::callout(number())).await),
        40303
    );
    for (path, body, status) in [
        ("/_emu/applications/none/callback", url.as_str(), 404),
        (&path, r#"{"url":"https://127.0.0.1/"}"#, 400),
        (&path, r#"{"url":"http://192.0.2.1/"}"#, 400),
        (&path, r#"{"uri":"http://127.0.0.1/"}"#, 400),
    ] {
        let (told, answer) = with(&emulator, "PUT", path, body).await;
        assert_eq!(told, status, "{path} {body}");
        assert!(answer["error"].is_string());
    }
}

#[tokio::test]
async fn behaviors_are_listed_and_forgotten_one_by_one() {
    let emulator = emulator().await;
    for body in [
        r#"{"behavior":{"do":"never"}}"#.to_owned(),
        format!(r#"{{"application":"{KEY}","behavior":{{"do":"wait"}}}}"#),
        r#"{"prefix":"+46","behavior":{"do":"report","after":"2s","wrong":1}}"#.to_owned(),
        r#"{"prefix":"+4670","behavior":{"do":"busy","after":"1s"}}"#.to_owned(),
        format!(r#"{{"number":"{NUMBER}","behavior":{{"do":"late","after":"1m"}}}}"#),
    ] {
        assert_eq!(
            with(&emulator, "PUT", "/_emu/behaviors", &body).await.0,
            200,
            "{body}"
        );
    }
    let listed = json(&get(&emulator, "/_emu/behaviors").await);
    assert_eq!(
        listed["behaviors"],
        serde_json::json!([
            {"number": NUMBER, "behavior": {"do": "late", "after": "1m"}},
            {"prefix": "+4670", "behavior": {"do": "busy", "after": "1s"}},
            {"prefix": "+46", "behavior": {"do": "report", "after": "2s", "wrong": 1}},
            {"application": KEY, "behavior": {"do": "wait"}},
            {"everyone": true, "behavior": {"do": "never"}},
        ])
    );
    let everyone = "everyone=true";
    let application = format!("application={KEY}");
    for (left, query) in (1..5)
        .rev()
        .zip(["prefix=%2B46", everyone, "number=+46700000001", &application])
    {
        let path = format!("/_emu/behaviors?{query}");
        assert_eq!(with(&emulator, "DELETE", &path, "").await.0, 200, "{query}");
        let listed = json(&get(&emulator, "/_emu/behaviors").await);
        assert_eq!(listed["behaviors"].as_array().unwrap().len(), left, "{query}");
    }
    let two = "/_emu/behaviors?number=+46700000001&everyone=true";
    assert_eq!(with(&emulator, "DELETE", two, "").await.0, 400);
    assert_eq!(with(&emulator, "DELETE", "/_emu/behaviors", "").await.0, 200);
    assert_eq!(
        json(&get(&emulator, "/_emu/behaviors").await),
        serde_json::json!({"behaviors": []})
    );
}

#[tokio::test]
async fn events_that_wait_are_listed() {
    let receiver = Receiver::new(|event| match event {
        Event::Request(_) => Decision::Allow.to_http_response(),
        _ => reply(503, ""),
    })
    .await;
    let emulator = emulator_calling_with(&receiver, |settings| {
        settings.event_backoff = Duration::from_secs(3600);
    })
    .await;
    let empty = json(&get(&emulator, "/_emu/queue").await);
    assert_eq!(empty, serde_json::json!({"waiting": []}));
    let started = call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    receiver.wait(2).await;
    emulator.advance(Duration::from_secs(300));
    let waiting = eventually(async || {
        let queue = json(&get(&emulator, "/_emu/queue").await);
        let is_planned = queue["waiting"][1]["nextAt"].is_string();
        is_planned.then(|| queue["waiting"].clone())
    })
    .await;
    let (behind, first) = (&waiting[0], &waiting[1]);
    assert_eq!(first["event"], "VerificationSmsDeliveredEvent");
    assert_eq!(
        (&first["attempt"], &first["underWay"]),
        (&2.into(), &false.into())
    );
    assert_eq!(behind["event"], "VerificationResultEvent");
    assert_eq!((&behind["attempt"], behind.get("nextAt")), (&1.into(), None));
    for event in [first, behind] {
        assert_eq!(event["verificationId"], started.id.as_str());
        assert_eq!(event["application"], KEY);
        assert_eq!(event["url"], receiver.url().to_string());
    }
    let of = format!("/_emu/deliveries?verification={}&limit=1", started.id.as_str());
    let page = json(&get(&emulator, &of).await);
    assert_eq!(
        (&page["deliveries"][0]["seq"], &page["next"]),
        (&2.into(), &2.into())
    );
    let none = json(&get(&emulator, "/_emu/deliveries?verification=none").await);
    assert_eq!(none, serde_json::json!({"deliveries": []}));
    emulator.reset();
    assert_eq!(json(&get(&emulator, "/_emu/queue").await), empty);
}

#[tokio::test]
async fn the_emulator_starts_a_verification_itself() {
    let emulator = emulator().await;
    let body = r#"{"method":"sms","number":"+46700000001","reference":"order-1","custom":"it's","acceptLanguage":"sv-SE"}"#;
    let tried = json(&post(&emulator, "/_emu/try", body).await);
    assert_eq!(tried["status"], 200);
    assert_eq!(
        tried["response"]["id"],
        newest(&emulator).verification_id.as_str()
    );
    assert!(newest(&emulator).text.unwrap().starts_with("Din verifieringskod"));
    let seq = &tried["request"];
    let noted = json(&get(&emulator, &format!("/_emu/requests/{seq}")).await);
    assert_eq!(
        (&noted["authorization"], &noted["verdict"]),
        (&"signed".into(), &"accepted".into())
    );
    assert_eq!((&noted["curl"], &noted["rust"]), (&tried["curl"], &tried["rust"]));
    assert!(tried["curl"].as_str().unwrap().contains(r"it'\''s"), "{tried}");
    assert_eq!(
        tried["rust"],
        "use sinch_verify_client::protocol::{Custom, Reference, Start};\n\n\
         let start = Start::sms(\"+46700000001\".parse()?)\n    .reference(Reference::new(\"order-1\")?)\n    \
         .custom(Custom::new(\"it's\")?)\n    .languages(\"sv-SE\".parse()?);\n\
         let handle = client.start(start).await?;"
    );

    let again = json(&post(&emulator, "/_emu/try", body).await);
    assert_eq!(
        (&again["status"], &again["response"]["errorCode"]),
        (&409.into(), &40900.into())
    );
    for method in ["flashcall", "callout", "seamless", "whatsapp", "auto"] {
        let body = format!(r#"{{"method":"{method}","number":"+46700000001","application":"{KEY}"}}"#);
        let tried = json(&post(&emulator, "/_emu/try", &body).await);
        assert_eq!(tried["response"]["method"], method, "{tried}");
    }
    for bad in [
        "{}",
        r#"{"method":"pigeon","number":"+46700000001"}"#,
        r#"{"method":"sms","number":"46"}"#,
        r#"{"method":"sms","number":"+46700000001","application":"none"}"#,
        r#"{"method":"sms","number":"+46700000001","reference":"a b"}"#,
        r#"{"method":"sms","number":"+46700000001","acceptLanguage":"?"}"#,
    ] {
        assert_eq!(post(&emulator, "/_emu/try", bad).await.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn the_emulator_reports_as_a_backend_where_a_device_may_not() {
    let strict = application().minimum_authorization(AuthorizationLevel::Signed);
    let emulator = Emulator::builder()
        .application(strict)
        .seed(7)
        .start()
        .await
        .unwrap();
    for method in ["sms", "callout", "whatsapp", "flashcall"] {
        let body = format!(r#"{{"method":"{method}","number":"{NUMBER}"}}"#);
        assert_eq!(json(&post(&emulator, "/_emu/try", &body).await)["status"], 200);
        let message = newest(&emulator);
        let path = format!("/_emu/verifications/{}/report", message.verification_id.as_str());
        let report = |proof: &str| match method {
            "flashcall" => format!(r#"{{"method":"flashCall","flashCall":{{"cli":"{proof}"}}}}"#),
            _ => format!(r#"{{"method":"{method}","{method}":{{"code":"{proof}"}}}}"#),
        };
        let wrong = json(
            &post(
                &emulator,
                &path,
                &report(if method == "flashcall" {
                    "+46700000009"
                } else {
                    "wrong"
                }),
            )
            .await,
        );
        assert_eq!(
            (&wrong["status"], &wrong["response"]["errorCode"]),
            (&400.into(), &40003.into()),
            "{method}"
        );
        let proof = match (&message.cli, &message.code) {
            (Some(cli), _) => cli.expose(),
            (None, code) => code.as_ref().unwrap().expose(),
        };
        let right = json(&post(&emulator, &path, &report(proof)).await);
        assert_eq!(right["response"]["status"], "SUCCESSFUL", "{method}: {right}");
        assert!(
            right["rust"]
                .as_str()
                .unwrap()
                .ends_with("let outcome = client.report(report).await?;"),
            "{right}"
        );
        let noted = json(&get(&emulator, &format!("/_emu/requests/{}", right["request"])).await);
        assert_eq!(
            (&noted["authorization"], &noted["verdict"]),
            (&"signed".into(), &"accepted".into())
        );
    }
    let known = newest(&emulator).verification_id;
    for (id, body, status) in [
        (known.as_str(), "{}", 400),
        (known.as_str(), r#"{"method":"sms"}"#, 400),
        (known.as_str(), r#"{"method":"seamless"}"#, 400),
        ("unknown", r#"{"method":"sms","sms":{"code":"1234"}}"#, 404),
    ] {
        let answer = post(&emulator, &format!("/_emu/verifications/{id}/report"), body).await;
        assert_eq!(answer.status(), status, "{body}");
    }
}

#[tokio::test]
async fn the_delivered_event_of_a_late_sms_comes_when_it_arrives() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling(&receiver).await;
    post(
        &emulator,
        "/_emu/behaviors",
        r#"{"behavior":{"do":"late","after":"1m"}}"#,
    )
    .await;
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    assert_eq!(receiver.names(), ["VerificationRequestEvent"]);
    emulator.advance(Duration::from_secs(60));
    assert!(emulator.wait_delivered(SHORT).await);
    assert_eq!(receiver.names()[1..], ["VerificationSmsDeliveredEvent"]);
    assert_eq!(emulator.inbox(&number()).len(), 1);
}
