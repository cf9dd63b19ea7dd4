//! The journal: recorded requests, their explanations, and their snippets.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use sinch_verify_emulator::{Emulator, Operation, Settings};
use sinch_verify_protocol::auth::{ContentMd5, Signer, StringToSign};
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{Code, Credentials, Report, Start, StatusById, VerificationId};

use crate::support::{
    KEY, SECRET, basic, builder, call, emulator, get, json, key, newest, number, plain, public, secret, send,
    signed,
};

const START: &str = "/verification/v1/verifications";
const BODY: &str = r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms"}"#;

async fn list(emulator: &Emulator, query: &str) -> Vec<Value> {
    let answer = get(emulator, &format!("/_emu/requests{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    json(&answer)["requests"].as_array().unwrap().clone()
}

async fn latest(emulator: &Emulator) -> Value {
    let row = list(emulator, "?limit=1").await.remove(0);
    json(&get(emulator, &format!("/_emu/requests/{}", row["seq"])).await)
}

#[tokio::test]
async fn answered_requests_are_told_without_numbers_and_codes() {
    let emulator = emulator().await;
    let mut answered = emulator.answered_requests();
    let started = call(&emulator, &signed(), &Start::sms(number())).await.unwrap();
    let wrong = Report::<Sms>::by_number(number(), Code::new("wrong").unwrap());
    call(&emulator, &basic(), &wrong).await.unwrap_err();
    let first = answered.next().await;
    assert_eq!((first.seq, first.operation), (1, Some(Operation::Start)));
    assert_eq!((first.status, first.error_code), (Some(200), None));
    assert_eq!(first.verification_id, Some(started.id.clone()));
    let second = answered.next().await;
    assert_eq!(
        (second.operation, second.error_code),
        (Some(Operation::Report), Some(40003))
    );
    let shown = format!("{first:?} {second:?}");
    assert!(
        !shown.contains("46700000001") && !shown.contains("wrong"),
        "{shown}"
    );
}

#[tokio::test]
async fn every_request_is_kept_with_its_verification() {
    let emulator = emulator().await;
    let started = call(&emulator, &signed(), &Start::sms(number())).await.unwrap();
    let wrong = Report::<Sms>::by_number(number(), Code::new("wrong").unwrap());
    call(&emulator, &basic(), &wrong).await.unwrap_err();
    let right = Report::<Sms>::by_id(started.id.clone(), newest(&emulator).code.unwrap());
    call(&emulator, &public(), &right).await.unwrap();
    call(
        &emulator,
        &public(),
        &StatusById {
            id: started.id.clone(),
        },
    )
    .await
    .unwrap_err();
    let unknown = VerificationId::new("1").unwrap();
    call(&emulator, &basic(), &StatusById { id: unknown })
        .await
        .unwrap_err();
    let rows = list(&emulator, "").await;
    let column = |name: &str| -> Vec<Value> { rows.iter().map(|row| row[name].clone()).collect() };
    let id = Value::from(started.id.as_str());
    assert_eq!(column("seq"), [5, 4, 3, 2, 1]);
    assert_eq!(
        column("operation"),
        ["status", "status", "report", "report", "start"]
    );
    assert_eq!(
        column("authorization"),
        ["basic", "public", "public", "basic", "signed"]
    );
    assert_eq!(column("status"), [404, 403, 200, 400, 200]);
    let none = Value::Null;
    assert_eq!(
        column("errorCode"),
        [&40400.into(), &40301.into(), &none, &40003.into(), &none].map(Value::clone)
    );
    assert_eq!(
        column("verificationId"),
        [&none, &none, &id, &id, &id].map(Value::clone)
    );
    assert!(column("application").iter().all(|own| own == KEY));
    assert_eq!(rows[4]["verdict"], "accepted");
    assert_eq!(rows[3]["verdict"], "Invalid identity or code.");
    assert!(rows[4]["ms"].as_f64().unwrap() >= 0.0);

    let paged = get(&emulator, "/_emu/requests?limit=2&before=5").await;
    let paged = json(&paged);
    assert_eq!(paged["next"], 3);
    assert_eq!(paged["requests"][0]["seq"], 4);
    let rest = json(&get(&emulator, "/_emu/requests?limit=2&before=3").await);
    assert_eq!(rest.get("next"), None);
    assert_eq!(list(&emulator, "?status=400").await.len(), 1);
    assert_eq!(list(&emulator, &format!("?application={KEY}")).await.len(), 5);
    for (query, found) in [
        ("operation=report", &[3, 2][..]),
        ("verificationMethod=sms", &[3, 2, 1]),
        ("verificationMethod=callout", &[]),
        ("number=%2B46700000001", &[3, 2, 1]),
        ("number=+46700000002", &[]),
        ("text=700000001", &[3, 2, 1]),
        ("text=INVALID%20identity", &[2]),
        ("text=%22wrong%22", &[2]),
        ("text=wrong&operation=start", &[]),
        // The key is in headers only, beside signatures and secrets.
        (&*format!("text={KEY}"), &[]),
    ] {
        let rows = list(&emulator, &format!("?{query}")).await;
        let seqs: Vec<_> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, found, "{query}");
    }
    for bad in [
        "?limit=0",
        "?limit=1001",
        "?before=x",
        "?application=none",
        "?what=1",
        "?operation=stat",
        "/99",
        "/x",
    ] {
        let answer = get(&emulator, &format!("/_emu/requests{bad}")).await;
        assert!(answer.status().is_client_error(), "{bad}");
    }
    emulator.reset();
    assert!(list(&emulator, "").await.is_empty());
}

#[tokio::test]
async fn a_request_is_shown_as_curl_and_rust() {
    let emulator = emulator().await;
    let mut request = plain("POST", START, &BODY.replace("sms", "flashCall"));
    let headers = request.headers_mut();
    headers.insert("accept-language", "sv-SE".parse().unwrap());
    headers.insert("x-note", format!("it's {SECRET}").parse().unwrap());
    send(&emulator, request).await;
    let detail = latest(&emulator).await;
    let text = detail.to_string();
    assert!(!text.contains(SECRET), "{text}");
    assert!(
        !text.contains("QmVJdWtxbDNwVEtKOFJHTDV6bzBEQT09"),
        "nor in base64: {text}"
    );
    let header = |of: &Value, name: &str| {
        let pairs = of.as_array().unwrap();
        let pair = pairs.iter().find(|pair| pair[0] == name);
        pair.unwrap_or_else(|| panic!("{name} in {of}"))[1].clone()
    };
    assert_eq!(header(&detail["headers"], "authorization"), "Basic [hidden]");
    assert_eq!(header(&detail["headers"], "x-note"), "it's [hidden]");
    assert_eq!(detail["body"], BODY.replace("sms", "flashCall"));
    assert!(detail["anomalies"][0].as_str().unwrap().starts_with("method:"));
    assert_eq!(detail["response"]["status"], 200);
    assert!(header(&detail["response"]["headers"], "x-emulator-anomalies").is_string());
    let answer: Value = serde_json::from_str(detail["response"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(answer["id"], detail["verificationId"]);
    assert_eq!(
        detail["curl"],
        format!(
            "curl '{}{START}' --user \"$SINCH_APPLICATION_KEY:$SINCH_APPLICATION_SECRET\" \
             -H 'Content-Type: application/json' -H 'Accept-Language: sv-SE' --data-raw '{}'",
            emulator.url(),
            BODY.replace("sms", "flashCall")
        )
    );
    assert_eq!(
        detail["rust"],
        "use sinch_verify_client::protocol::Start;\n\n\
         let start = Start::flash_call(\"+46700000001\".parse()?)\n    .languages(\"sv-SE\".parse()?);\n\
         let handle = client.start(start).await?;"
    );
    assert_eq!(detail.get("explanation"), None);

    let report = Report::<Sms>::by_number(number(), Code::new("1-2").unwrap());
    let _ = call(&emulator, &public(), &report).await;
    let detail = latest(&emulator).await;
    assert_eq!(
        detail["rust"],
        "use sinch_verify_client::protocol::{Code, PhoneNumber, Report};\n\n\
         let number: PhoneNumber = \"+46700000001\".parse()?;\n\
         let proof = Code::new(\"1-2\")?;\n\
         let report = Report::sms(number, proof);\n\
         let outcome = client.report(report).await?;"
    );
    assert!(
        detail["curl"]
            .as_str()
            .unwrap()
            .starts_with(&format!("curl -X PUT '{}{START}/number/", emulator.url()))
    );
    assert!(
        detail["curl"]
            .as_str()
            .unwrap()
            .contains(&format!("-H 'Authorization: Application {KEY}'"))
    );
}

#[tokio::test]
async fn the_curl_command_only_sends_the_request() {
    let emulator = emulator().await;
    // Other options of curl would read this as a file name, and a shell as commands.
    send(&emulator, plain("POST", START, "@/etc/hostname")).await;
    let curl = latest(&emulator).await["curl"].as_str().unwrap().to_owned();
    assert!(curl.ends_with(" --data-raw '@/etc/hostname'"), "{curl}");
    send(&emulator, plain("`ID`", &format!("{START}?of={{a,b}}"), "")).await;
    let curl = latest(&emulator).await["curl"].as_str().unwrap().to_owned();
    let expected = format!("curl -X '`ID`' --globoff '{}{START}?of={{a,b}}' ", emulator.url());
    assert!(curl.starts_with(&expected), "{curl}");
}

#[tokio::test]
async fn fields_that_the_client_does_not_send_are_named() {
    let emulator = emulator().await;
    for (verb, path, body, left_out) in [
        (
            "POST",
            START.to_owned(),
            r#"{"identity":{"type":"number","endpoint":"+46700000001","x":1},"method":"sms","y\nz":2,"smsOptions":{"w":3},"calloutOptions":{"speech":{"locale":"sv-SE"}}}"#,
            r#""smsOptions.w", "calloutOptions", "y\nz", "identity.x""#,
        ),
        (
            "PUT",
            format!("{START}/number/+46700000001"),
            r#"{"method":"sms","sms":{"code":"1234","cli":"Acme"},"flashcall":{"cli":"+46700000002"}}"#,
            r#""sms.cli", "flashCall""#,
        ),
    ] {
        send(&emulator, plain(verb, &path, body)).await;
        let rust = latest(&emulator).await["rust"].as_str().unwrap().to_owned();
        let comment = format!("\n\n// The client does not send {left_out}.\nlet ");
        assert!(rust.contains(&comment), "{rust}");
    }
}

#[tokio::test]
async fn fields_that_an_sdk_does_not_send_are_named() {
    let emulator = emulator().await;
    let body = r#"{"identity":{"type":"number","endpoint":"+46700000001","x":1},"method":"sms","y\nz":2,"smsOptions":{"expiry":"00:02:00","template":"{{CODE}}","w":[3]}}"#;
    let mut request = plain("POST", START, body);
    request
        .headers_mut()
        .insert("accept-language", "sv-SE".parse().unwrap());
    send(&emulator, request).await;
    let detail = latest(&emulator).await;
    for (language, comments) in [
        (
            "python",
            "\n# The SDK does not send \"identity.x\", \"smsOptions.template\", \"smsOptions.w\", \"y\\nz\".\n\
             # The SDK does not send Accept-Language.\nanswer = ",
        ),
        (
            "java",
            "\n// The SDK does not send \"identity.x\", \"smsOptions.w\", \"y\\nz\".\nvar answer = ",
        ),
    ] {
        let code = detail[language].as_str().unwrap();
        assert!(code.contains(comments), "{code}");
    }
    // The SDK for Node sends the whole body.
    let node = detail["node"].as_str().unwrap();
    assert!(
        !node.contains("does not send") && node.contains(r#""locale": "sv-SE""#),
        "{node}"
    );

    // No SDK reports the outcome of a flash call, and that for Python does not know WhatsApp.
    for (verb, path, body, languages) in [
        (
            "PATCH",
            "/number/+46700000001",
            r#"{"source":"log","data":{"lateCall":true}}"#,
            &[][..],
        ),
        (
            "POST",
            "",
            r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"whatsapp"}"#,
            &["node", "java"],
        ),
        ("POST", "", "no JSON", &[]),
    ] {
        send(&emulator, plain(verb, &format!("{START}{path}"), body)).await;
        let detail = latest(&emulator).await;
        let own = ["node", "python", "java"].into_iter();
        let own: Vec<_> = own.filter(|language| detail.get(language).is_some()).collect();
        assert_eq!(own, languages, "{verb} {path}");
        assert!(detail["curl"].is_string());
    }
}

/// The official client for Java cannot be run here, so this is compared with code that was compiled with it.
#[tokio::test]
async fn a_request_is_shown_as_java() {
    let emulator = emulator().await;
    let mut request = plain(
        "POST",
        START,
        r#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms","reference":"it's \"1\"","smsOptions":{"codeType":"Alpha","expiry":"00:02:00","template":"{{CODE}}"}}"#,
    );
    request
        .headers_mut()
        .insert("accept-language", "sv-SE".parse().unwrap());
    send(&emulator, request).await;
    let java = latest(&emulator).await["java"].as_str().unwrap().to_owned();
    let (imports, rest) = java.split_once("\n\n").unwrap();
    let (client, call) = rest.split_once("\n\n").unwrap();
    let models = "com.sinch.sdk.domains.verification.models.v1";
    assert_eq!(
        imports.lines().skip(1).collect::<Vec<_>>(),
        [
            "import com.sinch.sdk.SinchClient;",
            &format!("import {models}.NumberIdentity;"),
            &format!("import {models}.SmsCodeType;"),
            &format!("import {models}.start.request.VerificationStartRequestSms;"),
            "import com.sinch.sdk.models.Configuration;",
            "import com.sinch.sdk.models.VerificationContext;",
        ]
    );
    assert!(
        client.contains(&format!(".setVerificationUrl(\"{}\")", emulator.url())),
        "{client}"
    );
    assert_eq!(
        call,
        r#"var answer = verification.verificationStart().startSms(
    VerificationStartRequestSms.builder()
        .setIdentity(NumberIdentity.valueOf("+46700000001"))
        .setReference("it's \"1\"")
        .setExpiry("00:02:00")
        .setCodeType(SmsCodeType.from("Alpha"))
        .putExtraOption("template", "{{CODE}}")
        .setAcceptLanguage("sv-SE")
        .build());
System.out.println(answer);"#
    );
    for (verb, path, body, call) in [
        (
            "PUT",
            "/number/+46700000001",
            r#"{"method":"callout","callout":{"code":"1234"}}"#,
            r#"verificationReport().reportPhoneCallByIdentity(
    NumberIdentity.valueOf("+46700000001"),
    VerificationReportRequestPhoneCall.builder()
        .setCode("1234")
        .build());"#,
        ),
        (
            "GET",
            "/flashcall/number/+46700000001",
            "",
            r#"verificationStatus().getByIdentity(NumberIdentity.valueOf("+46700000001"), VerificationMethod.from("flashcall"));"#,
        ),
    ] {
        send(&emulator, plain(verb, &format!("{START}{path}"), body)).await;
        let java = latest(&emulator).await["java"].as_str().unwrap().to_owned();
        assert!(java.contains(call), "{java}");
    }
}

/// A start whose string to sign is changed by `spoil`.
fn badly_signed(spoil: impl FnOnce(&mut StringToSign<'_>)) -> Request<Bytes> {
    let timestamp = XTimestamp::new(SystemTime::now());
    let md5 = ContentMd5::of(BODY.as_bytes());
    let mut string = StringToSign {
        verb: "POST",
        content_md5: &md5,
        content_type: b"application/json",
        timestamp: timestamp.as_bytes(),
        path: START.as_bytes(),
    };
    spoil(&mut string);
    let signature = Signer::new(key(), &secret()).signature(&string);
    Request::builder()
        .method("POST")
        .uri(START)
        .header("content-type", "application/json")
        .header("x-timestamp", timestamp.as_str())
        .header(
            "authorization",
            format!("Application {KEY}:{}", signature.to_text().as_str()),
        )
        .body(Bytes::from(BODY))
        .unwrap()
}

#[tokio::test]
async fn a_wrong_signature_is_explained() {
    let emulator = emulator().await;
    let answer = send(
        &emulator,
        badly_signed(|string| string.content_type = b"application/json; charset=utf-8"),
    )
    .await;
    assert_eq!(json(&answer)["errorCode"], 40102);
    let detail = latest(&emulator).await;
    assert_eq!(detail["verdict"], "Invalid signature.");
    assert_eq!(detail["explanation"]["mistake"], "content-type");
    assert!(
        detail["explanation"]["text"]
            .as_str()
            .unwrap()
            .contains("charset=utf-8")
    );
    let signed = detail["explanation"]["signed"].as_str().unwrap();
    let line = detail["explanation"]["line"].as_str().unwrap();
    let ours = detail["stringToSign"]["ours"].as_str().unwrap();
    assert_eq!(signed.replace("; charset=utf-8", ""), ours);
    let lines = detail["stringToSign"]["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        (&lines[0]["name"], &lines[0]["value"]),
        (&"verb".into(), &"POST".into())
    );
    assert_eq!(lines[4]["value"], START);

    // The expected signature is accepted.
    let mut again = badly_signed(|_| {});
    let timestamp = ours
        .split('\n')
        .nth(3)
        .unwrap()
        .trim_start_matches("x-timestamp:");
    let expected = detail["expectedSignature"].as_str().unwrap();
    let headers = again.headers_mut();
    headers.insert("x-timestamp", timestamp.parse().unwrap());
    let authorization = format!("Application {KEY}:{expected}");
    headers.insert("authorization", authorization.parse().unwrap());
    assert_eq!(send(&emulator, again).await.status(), 200);
    let detail = latest(&emulator).await;
    assert_eq!(
        (detail.get("explanation"), &detail["verdict"]),
        (None, &"accepted".into())
    );

    assert_eq!(line, "content type");

    // A signature that is right, in a form that no service takes.
    let mut odd = badly_signed(|_| {});
    let header = odd.headers()["authorization"]
        .to_str()
        .unwrap()
        .trim_end_matches('=')
        .to_owned();
    odd.headers_mut().insert("authorization", header.parse().unwrap());
    assert_eq!(json(&send(&emulator, odd).await)["errorCode"], 40100);
    let detail = latest(&emulator).await;
    assert_eq!(detail["explanation"]["mistake"], "unpadded-signature");
    assert_eq!(detail["explanation"]["signed"], detail["stringToSign"]["ours"]);

    // The whole address in place of the path, with the host that the request was sent to.
    let url = format!("http://{}{START}", emulator.addr()).leak();
    send(&emulator, badly_signed(|string| string.path = url.as_bytes())).await;
    assert_eq!(latest(&emulator).await["explanation"]["mistake"], "full-url");

    send(&emulator, badly_signed(|string| string.verb = "DELETE")).await;
    assert_eq!(latest(&emulator).await["explanation"]["mistake"], "unknown");
}

#[tokio::test]
async fn other_refusals_are_explained() {
    let emulator = emulator().await;
    let mut old = Start::sms(number());
    old = old.reference(sinch_verify_protocol::Reference::new("old").unwrap());
    let mut request = sinch_verify_protocol::Endpoint::to_http(&old, &emulator.base_url()).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    signed().authorize(&mut request, long_ago).unwrap();
    send(&emulator, request).await;
    let detail = latest(&emulator).await;
    assert_eq!(
        (&detail["explanation"]["mistake"], &detail["errorCode"]),
        (&"timestamp".into(), &40101.into())
    );

    let stranger = Credentials::basic("none".parse().unwrap(), secret());
    call(&emulator, &stranger, &Start::sms(number()))
        .await
        .unwrap_err();
    let detail = latest(&emulator).await;
    assert_eq!(detail["explanation"]["mistake"], "unknown-key");
    assert_eq!(detail.get("application"), None);

    let forgetful = Credentials::basic(key(), "YSBzZWNyZXQgb2Ygb2xkIQ==".parse().unwrap());
    call(&emulator, &forgetful, &Start::sms(number()))
        .await
        .unwrap_err();
    assert_eq!(latest(&emulator).await["explanation"]["mistake"], "wrong-secret");

    for (header, kind) in [("Bearer abcdef", "unreadable"), ("abcdef", "unreadable")] {
        let mut request = plain("POST", START, BODY);
        request
            .headers_mut()
            .insert("authorization", header.parse().unwrap());
        send(&emulator, request).await;
        let detail = latest(&emulator).await;
        assert_eq!(detail["authorization"], kind);
        assert_eq!(detail["explanation"]["mistake"], kind);
        assert!(!detail.to_string().contains("abcdef"), "{detail}");
    }
    let mut request = plain("POST", START, BODY);
    request.headers_mut().remove("authorization");
    send(&emulator, request).await;
    let detail = latest(&emulator).await;
    assert_eq!(
        (&detail["authorization"], &detail["errorCode"]),
        (&"none".into(), &40104.into())
    );
    // A path that is no operation, and a body that is too large.
    send(&emulator, plain("GET", "/favicon", "")).await;
    assert_eq!(latest(&emulator).await["errorCode"], 40400);
    send(&emulator, plain("POST", START, &"x".repeat(70_000))).await;
    assert_eq!(latest(&emulator).await["status"], 413);
}

#[tokio::test]
async fn the_journal_is_bounded_and_can_be_off() {
    for (kept, seen) in [(2, vec![4, 3]), (0, vec![])] {
        let mut settings = Settings::default();
        settings.requests_kept = kept;
        let emulator = builder().settings(settings).start().await.unwrap();
        for _ in 0..4 {
            call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
        }
        let seqs: Vec<_> = list(&emulator, "")
            .await
            .iter()
            .map(|row| row["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(seqs, seen);
    }
}
