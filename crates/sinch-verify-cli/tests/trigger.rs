//! `trigger` against the library's receiver, and against receivers with faults.
#![allow(clippy::unwrap_used, reason = "a failure should stop the test")]

mod running;

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use running::{KEY, SECRET, Served};
use sinch_verify_callback::axum::router;
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::testing::Tamper;
use sinch_verify_callback::{CallbackService, Code, Decision, InDoubt, Method, ReplayGuard, RequestEvent};
use sinch_verify_client::Transport as _;
use sinch_verify_client::transport::ReqwestTransport;

async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A receiver that decides by method, with a new code each time.
fn receiver(guard: Option<ReplayGuard>) -> Router {
    let count = AtomicU32::new(0);
    let decide = move |event: RequestEvent| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        async move {
            match event.method {
                Method::Sms => Code::new(&format!("{n:04}")).map(Decision::sms_code),
                _ => Ok(Decision::Allow),
            }
        }
    };
    let builder = CallbackService::builder(KEY, SECRET).handler(decide);
    let builder = match guard {
        Some(guard) => builder.guard(guard),
        None => builder.without_guard(),
    };
    router("/sinch/callback", builder.build().unwrap())
}

async fn trigger(event: &str, to: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify"));
    command
        .args(["trigger", event, "--to", to, "--key", KEY, "--secret", SECRET])
        .args(args)
        .stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_with_a_guard_passes_everything() {
    let guard = ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse);
    let server = serve(receiver(Some(guard))).await;
    let to = format!("http://{server}/sinch/callback");
    for method in ["sms", "flashcall", "callout", "seamless", "whatsapp"] {
        let output = trigger("request", &to, &["--method", method]).await;
        assert_eq!(output.status.code(), Some(0), "{method}: {}", stdout(&output));
        assert!(stdout(&output).contains(r#"200 {"action":"allow""#), "{method}");
    }
    for event in ["result", "sms-delivered"] {
        let output = trigger(event, &to, &[]).await;
        assert_eq!(output.status.code(), Some(0), "{event}: {}", stdout(&output));
    }
    for tamper in ["body", "loose-base64", "replay", "sent-again"] {
        let output = trigger("request", &to, &["--tamper", tamper]).await;
        assert_eq!(output.status.code(), Some(0), "{tamper}: {}", stdout(&output));
    }

    let output = trigger("request", &to, &["--tamper", "all"]).await;
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let count = Tamper::ALL.len() + 3;
    assert!(
        text.contains(&format!("{count} of {count} answers as expected")),
        "{text}"
    );
    let output = trigger("result", &to, &["--tamper", "all", "--json"]).await;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ok"], true, "{document}");
    assert_eq!(document["rows"].as_array().unwrap().len(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_with_faults_are_found_out() {
    // No guard: a replay counts, and an event that is sent again gets another code.
    let server = serve(receiver(None)).await;
    let to = format!("http://{server}/sinch/callback");
    for (tamper, code) in [("replay", 1), ("sent-again", 1), ("all", 1), ("stale", 0)] {
        let output = trigger("request", &to, &["--tamper", tamper]).await;
        assert_eq!(output.status.code(), Some(code), "{tamper}: {}", stdout(&output));
    }

    // Looks at nothing, and answers all alike.
    for (body, event, args, code) in [
        (r#"{"action":"allow"}"#, "request", &[][..], 0),
        (r#"{"action":"maybe"}"#, "request", &[], 1),
        ("{}", "request", &[], 1),
        (r#"{"action":"allow","sms":{"code":"1234"}}"#, "request", &[], 0),
        (
            r#"{"action":"allow","sms":{"code":"1234"}}"#,
            "request",
            &["--method", "callout"],
            1,
        ),
        ("", "result", &[], 0),
        ("", "sms-delivered", &[], 0),
        ("", "request", &["--tamper", "signature"], 1),
    ] {
        let server = serve(Router::new().route("/", post(move || async move { body }))).await;
        let output = trigger(event, &format!("http://{server}/"), args).await;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{event} {body}: {}",
            stdout(&output)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_names_the_mistake() {
    // No program listens here, and no system hands this port out by itself.
    let output = trigger("request", "http://127.0.0.1:1/", &[]).await;
    assert_eq!(output.status.code(), Some(5));
    let told = stdout(&output);
    for part in ["no answer", "is the receiver running", "refused"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("the service"), "{told}");
    // Not this machine, no URL, no such tampering.
    for (to, args) in [
        ("http://example.com/callback", &[][..]),
        ("/callback", &[]),
        ("127.0.0.1:8000/x", &[]),
        ("http://127.0.0.1:1/", &["--status", "FAIL"]),
        ("http://127.0.0.1:1/", &["--reason", "Expired"]),
        ("http://127.0.0.1:1/", &["--tamper", "nothing"]),
    ] {
        let output = trigger("request", to, args).await;
        assert_eq!(output.status.code(), Some(2), "{to}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !to.ends_with("/x") || told.contains("http://127.0.0.1:8000"),
            "{told}"
        );
    }
    // The variable is named.
    let output = Command::new(env!("CARGO_BIN_EXE_sinch-verify"))
        .args(["trigger", "request", "--to", "http://127.0.0.1:1/"])
        .env("SINCH_APPLICATION_KEY", KEY)
        .env_remove("SINCH_APPLICATION_SECRET")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("SINCH_APPLICATION_SECRET"), "{told}");
}

/// What the event says is the caller's to choose.
#[tokio::test(flavor = "multi_thread")]
async fn the_event_says_what_it_is_told() {
    let (heard, mut events) = tokio::sync::mpsc::unbounded_channel();
    let listen = post(move |body: String| async move { heard.send(body).unwrap() });
    let to = format!("http://{}/", serve(Router::new().route("/", listen)).await);
    let own = ["--reference", "login-17", "--custom", "mine", "--method", "data"];
    for (event, args, expected) in [
        (
            "result",
            &[][..],
            &[("status", "SUCCESSFUL"), ("method", "seamless")][..],
        ),
        (
            "result",
            &["--status", "DENIED", "--reason", "Denied by callback"],
            &[("status", "DENIED"), ("reason", "Denied by callback")],
        ),
        (
            "result",
            &["--reason", "expired"],
            &[("status", "FAIL"), ("reason", "Expired")],
        ),
        (
            "sms-delivered",
            &[],
            &[("smsResult", "Successful"), ("method", "sms")],
        ),
        (
            "sms-delivered",
            &["--status", "failed"],
            &[("smsResult", "Failed")],
        ),
        ("request", &[], &[("method", "seamless")]),
    ] {
        let output = trigger(event, &to, &[&own, args].concat()).await;
        assert_ne!(
            output.status.code(),
            Some(2),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let body: serde_json::Value = serde_json::from_str(&events.try_recv().unwrap()).unwrap();
        let own = [("reference", "login-17"), ("custom", "mine")];
        for (field, value) in own.iter().chain(expected) {
            assert_eq!(body[field], *value, "{body}");
        }
    }
    let slip = trigger("result", &to, &["--status", "FIAL"]).await;
    assert_eq!(slip.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&slip.stderr).contains("ABORTED"));
}

/// A receiver that refuses everything is told from one with a bad answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_it_may_come_from() {
    let refuse = post(|| async { http::StatusCode::UNAUTHORIZED });
    let to = format!("http://{}/", serve(Router::new().route("/", refuse)).await);
    for event in ["request", "result"] {
        let output = trigger(event, &to, &[]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stdout(&output).contains("this key and secret"),
            "{}",
            stdout(&output)
        );
    }
}

/// The same kit, behind `serve`: what passes here passes there.
#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_puts_a_receiver_to_the_same_test() {
    let guard = ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse);
    let server = serve(receiver(Some(guard))).await;
    let callback_url = format!("http://{server}/sinch/callback");
    let emulator = Served::start(&[
        "--app-key",
        KEY,
        "--app-secret",
        SECRET,
        "--callback-url",
        &callback_url,
    ]);
    let request = http::Request::post(format!("{}/_emu/conformance", emulator.url))
        .body(format!(r#"{{"application":"{KEY}"}}"#).into())
        .unwrap();
    let answer = ReqwestTransport::plain(Duration::from_secs(20))
        .unwrap()
        .send(request)
        .await
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(report["checks"].as_array().unwrap().len(), 6 + Tamper::ALL.len());
}
