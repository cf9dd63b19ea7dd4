//! The lists of the control interface: information, phones, verifications.

use std::time::{Duration, SystemTime};

use sinch_verify_emulator::{Application, AuthorizationLevel, Emulator, Settings};
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{Code, Credentials, Reference, Report, Start};

use crate::support::{
    KEY, NUMBER, OTHER_KEY, Receiver, application, basic, builder, call, emulator, get, json, number, post,
    reply, secret,
};

#[tokio::test]
async fn the_emulator_describes_itself() {
    let wall_clock = || XTimestamp::new(SystemTime::now()).as_str().to_owned();
    let began = wall_clock();
    let receiver = Receiver::new(|_| reply(200, "")).await;
    let other: sinch_verify_protocol::ApplicationKey = OTHER_KEY.parse().unwrap();
    let other = Application::new(other, secret()).minimum_authorization(AuthorizationLevel::Signed);
    let emulator = Emulator::builder()
        .application(application().callback_url(receiver.url()))
        .application(other)
        .seed(u64::MAX)
        .start()
        .await
        .unwrap();
    let answer = get(&emulator, "/_emu/info").await;
    assert!(!String::from_utf8_lossy(answer.body()).contains(crate::support::SECRET));
    let info = json(&answer);
    assert_eq!(
        info["seed"], "18446744073709551615",
        "as a text, which no script rounds"
    );
    assert_eq!(info["url"], emulator.url());
    assert_eq!(info["strictness"], "warn");
    let started_at = info["startedAt"].as_str().unwrap();
    assert!(
        (began.as_str()..=wall_clock().as_str()).contains(&started_at),
        "{started_at}"
    );
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        info["applications"],
        serde_json::json!([
            {
                "key": KEY,
                "minimum": "public",
                "callbackAuth": "signed",
                "callbackUrl": receiver.url().to_string(),
            },
            {"key": OTHER_KEY, "minimum": "signed", "callbackAuth": "signed"},
        ])
    );
}

#[tokio::test]
async fn phones_are_listed_by_their_latest_message() {
    let emulator = emulator().await;
    for n in [1, 2, 3, 1] {
        let number = format!("+4670000000{n}").parse().unwrap();
        call(&emulator, &basic(), &Start::callout(number)).await.unwrap();
    }
    let phones = json(&get(&emulator, "/_emu/phones").await);
    let numbers: Vec<_> = phones["phones"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phone| phone["number"].as_str().unwrap())
        .collect();
    assert_eq!(numbers, ["+46700000001", "+46700000003", "+46700000002"]);
    let first = &phones["phones"][0];
    assert_eq!(
        (&first["messages"], &first["pendingCallout"]),
        (&2.into(), &true.into())
    );
    assert_eq!(
        (&first["last"]["seq"], &first["last"]["kind"]),
        (&4.into(), &"callout".into())
    );
    let latest = json(&get(&emulator, "/_emu/numbers/+46700000001/messages?limit=1").await);
    assert_eq!(first["last"], latest["messages"][0]);
    assert!(first["last"]["code"].is_string());

    let code = first["last"]["code"].as_str().unwrap();
    for (text, found) in [("00000003", 1), ("+4670000000", 3), (code, 1), ("999999", 0)] {
        let phones = json(&get(&emulator, &format!("/_emu/phones?text={text}")).await);
        assert_eq!(phones["phones"].as_array().unwrap().len(), found, "{text}");
    }

    assert_eq!(first["status"], "PENDING");
    emulator.press_keypad(&number(), "1").unwrap();
    let page = json(&get(&emulator, "/_emu/phones?limit=2").await);
    assert_eq!(page["phones"][0]["status"], "SUCCESSFUL");
    assert_eq!(page["phones"][0]["pendingCallout"], false);
    assert_eq!(page["next"], 3);
    let rest = json(&get(&emulator, "/_emu/phones?limit=2&before=3").await);
    assert_eq!(rest["phones"][0]["number"], "+46700000002");
    assert_eq!(rest.get("next"), None);

    let one = format!("/_emu/numbers/{NUMBER}/messages?limit=1");
    let page = json(&get(&emulator, &one).await);
    assert_eq!(
        (&page["messages"][0]["seq"], &page["next"]),
        (&4.into(), &4.into())
    );
    let rest = json(&get(&emulator, &format!("{one}&before=4")).await);
    assert_eq!((&rest["messages"][0]["seq"], rest.get("next")), (&1.into(), None));
    emulator.reset();
    assert_eq!(
        json(&get(&emulator, "/_emu/phones").await),
        serde_json::json!({"phones": []})
    );
}

#[tokio::test]
async fn a_dropped_message_does_not_count_for_the_order_of_phones() {
    let mut settings = Settings::default();
    settings.verifications_kept = 1;
    settings.abort_predecessor = false;
    let emulator = builder().settings(settings).start().await.unwrap();
    let other = "+46700000002".parse().unwrap();
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    call(&emulator, &basic(), &Start::sms(other)).await.unwrap();
    let second = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    // The newest message of the first phone is dropped when another verification ends.
    let code = emulator.inbox(&number())[0].code.clone().unwrap();
    call(
        &emulator,
        &basic(),
        &Report::<Sms>::by_id(second.id.clone(), code),
    )
    .await
    .unwrap();
    let code = emulator.inbox(&other)[0].code.clone().unwrap();
    call(&emulator, &basic(), &Report::<Sms>::by_number(other, code))
        .await
        .unwrap();
    let phones = json(&get(&emulator, "/_emu/phones").await);
    let shown: Vec<_> = phones["phones"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phone| {
            (
                phone["number"].as_str().unwrap(),
                phone["last"]["seq"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown, [("+46700000002", 2), (NUMBER, 1)]);
}

#[tokio::test]
async fn verifications_are_listed_newest_first_and_filtered() {
    let other: sinch_verify_protocol::ApplicationKey = OTHER_KEY.parse().unwrap();
    let theirs = Credentials::basic(other.clone(), secret());
    let emulator = builder()
        .application(Application::new(other, secret()))
        .start()
        .await
        .unwrap();
    let reference = Reference::new("order-1").unwrap();
    let first = call(&emulator, &basic(), &Start::sms(number()).reference(reference))
        .await
        .unwrap();
    let wrong = Report::<Sms>::by_id(first.id.clone(), Code::new("wrong").unwrap());
    call(&emulator, &basic(), &wrong).await.unwrap_err();
    emulator.advance(Duration::from_secs(1));
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    let far = "+46700000002".parse().unwrap();
    call(&emulator, &theirs, &Start::sms(far)).await.unwrap();

    let all = json(&get(&emulator, "/_emu/verifications").await);
    let all = all["verifications"].as_array().unwrap();
    assert_eq!(
        all.iter()
            .map(|one| one["seq"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [3, 2, 1]
    );
    let oldest = &all[2];
    assert_eq!(oldest["id"], first.id.as_str());
    assert_eq!(
        (&oldest["number"], &oldest["method"]),
        (&NUMBER.into(), &"sms".into())
    );
    assert_eq!(
        (&oldest["status"], oldest.get("reason")),
        (&"ABORTED".into(), None)
    );
    assert_eq!(
        (&oldest["attempts"], &oldest["attemptsAllowed"]),
        (&1.into(), &3.into())
    );
    assert_eq!(
        (&oldest["reference"], &oldest["application"]),
        (&"order-1".into(), &KEY.into())
    );
    let time = |of: &serde_json::Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    assert!(time(oldest, "startedAt") < time(oldest, "endedAt"));
    assert!(time(oldest, "endedAt") < time(oldest, "expiresAt"));
    assert_eq!(all[1].get("endedAt"), None);

    for (query, seqs) in [
        ("?status=PENDING", &[3, 2][..]),
        ("?status=ABORTED", &[1]),
        ("?method=sms", &[3, 1]),
        ("?number=%2B46700000001", &[2, 1]),
        ("?number=+46700000001&method=callout", &[2]),
        (&format!("?application={OTHER_KEY}"), &[3]),
        ("?before=3&limit=1", &[2]),
        ("?status=ERROR", &[]),
    ] {
        let answer = json(&get(&emulator, &format!("/_emu/verifications{query}")).await);
        let listed = answer["verifications"].as_array().unwrap();
        let listed: Vec<_> = listed.iter().map(|one| one["seq"].as_u64().unwrap()).collect();
        assert_eq!(listed, seqs, "{query}");
    }
    let page = json(&get(&emulator, "/_emu/verifications?limit=2").await);
    assert_eq!(page["next"], 2);
    for bad in ["?application=none", "?number=abc", "?limit=0", "?colour=red"] {
        let answer = get(&emulator, &format!("/_emu/verifications{bad}")).await;
        assert_eq!(answer.status(), 400, "{bad}");
    }
    post(&emulator, "/_emu/reset", "").await;
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let all = json(&get(&emulator, "/_emu/verifications").await);
    assert_eq!(all["verifications"][0]["seq"], 4, "numbers go on");
}
