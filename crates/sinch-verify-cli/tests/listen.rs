//! `listen`: what reaches it, what it answers, and what it leaves behind.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use running::{KEY, SECRET, command, stderr};
use serde_json::Value;
use sinch_verify_callback::axum::router;
use sinch_verify_callback::protocol::callback::{RequestEvent, ResultEvent, SmsResult};
use sinch_verify_callback::protocol::{
    ApplicationKey, ApplicationSecret, Decision, Method, Reason, Status, VerificationId, WireObject as _,
};
use sinch_verify_callback::testing::{CallbackSigner, request_event, result_event, sms_delivered_event};
use sinch_verify_callback::{AcceptedAuth, CallbackBuilder, KeyRing};
use sinch_verify_client::Transport as _;
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_emulator::{Application, CallbackAuth, Emulator};

const NUMBER: &str = "+46700000001";
const OTHER_SECRET: &str = "JViE5vDor0Sw3WllZka15Q==";

fn key() -> ApplicationKey {
    ApplicationKey::new(KEY).unwrap()
}

fn secret() -> ApplicationSecret {
    ApplicationSecret::new(SECRET).unwrap()
}

/// A `listen` that runs, and what it said so far.
struct Listening {
    child: Child,
    stdout: BufReader<ChildStdout>,
    greeting: String,
    url: String,
}

impl Listening {
    fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = listen(args, environment).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        // Where it listens, and where callbacks come from: then it is ready.
        stdout.read_line(&mut greeting).unwrap();
        stdout.read_line(&mut greeting).unwrap();
        let url = greeting.strip_prefix("Listening on ").unwrap();
        let url = url.split_once(' ').unwrap().0.to_owned();
        Self {
            child,
            stdout,
            greeting,
            url,
        }
    }

    /// One that no emulator posts to.
    fn alone(args: &[&str]) -> Self {
        Self::start(&[&["--no-register"], args].concat(), &[])
    }

    /// One that prints JSON, and its greeting beside it.
    fn for_scripts(args: &[&str]) -> Self {
        let mut command = listen(&[&["--no-register", "--json"], args].concat(), &[]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut greeting)
            .unwrap();
        let url = greeting.strip_prefix("Listening on ").unwrap();
        Self {
            url: url.split_once(' ').unwrap().0.to_owned(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
            greeting,
        }
    }

    /// Waits for its end; gives the exit code and what it said after the greeting.
    async fn end(mut self) -> (Option<i32>, String) {
        let waiting = tokio::task::spawn_blocking(move || {
            let mut said = String::new();
            self.stdout.read_to_string(&mut said).unwrap();
            (self.child.wait().unwrap().code(), said)
        });
        waiting.await.unwrap()
    }

    fn event(&self) -> Request<Bytes> {
        self.event_at(SystemTime::now())
    }

    fn event_at(&self, now: SystemTime) -> Request<Bytes> {
        self.event_of("v-1", now)
    }

    /// The request event of a verification, signed at `now`.
    fn event_of(&self, id: &str, now: SystemTime) -> Request<Bytes> {
        let id = VerificationId::new(id).unwrap();
        let event = request_event(id, Method::Sms, NUMBER.parse().unwrap());
        CallbackSigner::new(key(), &secret()).post(self.url.parse().unwrap(), event.to_json(), now)
    }
}

/// A test that fails leaves nothing behind that others would wait for.
impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = command(&[&["listen", "--port", "0"], args].concat());
    command
        .envs([
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", SECRET),
        ])
        .envs(environment.iter().copied());
    command
}

/// The result event of a verification that expired.
fn expired() -> ResultEvent {
    let id = VerificationId::new("v-1").unwrap();
    let mut event = result_event(id, Method::Sms, NUMBER.parse().unwrap(), Status::Fail);
    event.reason = Some(Reason::Expired);
    event
}

async fn send(request: Request<Bytes>) -> Response<Bytes> {
    let transport = ReqwestTransport::plain(Duration::from_secs(20)).unwrap();
    transport.send(request).await.unwrap()
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// An application that takes callbacks at `path` by the rules.
async fn application(path: &str) -> String {
    let decide = |_: RequestEvent| async { Decision::Allow };
    let builder = CallbackBuilder::new(KeyRing::new(key(), &secret()));
    let service = builder.handler(decide).build().unwrap();
    let base = serve(router(path, service)).await;
    format!("{base}{path}")
}

async fn emulator(callback_url: Option<&str>) -> Emulator {
    let mut application = Application::new(key(), secret());
    if let Some(url) = callback_url {
        application = application.callback_url(url.parse().unwrap());
    }
    Emulator::builder()
        .application(application)
        .start()
        .await
        .unwrap()
}

async fn callback_url(emulator: &Emulator) -> Value {
    let request = Request::get(format!("{}/_emu/info", emulator.url()));
    let info = send(request.body(Bytes::new()).unwrap()).await;
    let info: Value = serde_json::from_slice(info.body()).unwrap();
    info["applications"][0]["callbackUrl"].clone()
}

async fn start_verification(emulator: &Emulator) -> Option<i32> {
    let mut command = command(&["start", NUMBER, "--url", &emulator.url()]);
    command.envs([
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", SECRET),
    ]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    output.await.unwrap().status.code()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulator_posts_here_and_then_where_it_did_before() {
    for before in [None, Some("http://127.0.0.1:9/before")] {
        let emulator = emulator(before).await;
        let at = [("SINCH_VERIFICATION_URL", &*emulator.url())];
        let listening = Listening::start(&["--count", "1", "--code", "4821"], &at);
        assert!(
            listening
                .greeting
                .contains(&format!("The emulator at {}", emulator.url()))
        );
        assert_eq!(callback_url(&emulator).await, listening.url.as_str());
        assert_eq!(start_verification(&emulator).await, Some(0));
        let (code, said) = listening.end().await;
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("--> request  sms") && said.contains("<-- 200 allow code [set]"),
            "{said}"
        );
        assert_eq!(callback_url(&emulator).await, Value::from(before));
        let message = &emulator.inbox(&NUMBER.parse().unwrap())[0];
        assert_eq!(message.code.as_ref().unwrap().expose(), "4821");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn who_stops_it_gets_the_callback_url_back() {
    let emulator = emulator(None).await;
    let at = [("SINCH_VERIFICATION_URL", &*emulator.url())];
    // The last is what a terminal sends that is closed.
    for signal in ["INT", "TERM", "HUP"] {
        let listening = Listening::start(&["--decide", "deny"], &at);
        assert_eq!(start_verification(&emulator).await, Some(3), "denied");
        let pid = listening.child.id();
        assert!(
            Command::new("sh")
                .args(["-c", &format!("kill -{signal} {pid}")])
                .status()
                .unwrap()
                .success()
        );
        let (code, said) = listening.end().await;
        assert_eq!(code, Some(0), "{signal}");
        assert!(said.contains("<-- 200 deny"), "{said}");
        assert_eq!(callback_url(&emulator).await, Value::Null, "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_whether_it_is_there_is_no_callback() {
    let listening = Listening::alone(&["--count", "1"]);
    for method in [http::Method::GET, http::Method::HEAD, http::Method::OPTIONS] {
        let mut probe = Request::new(Bytes::new());
        *probe.method_mut() = method;
        *probe.uri_mut() = listening.event().uri().clone();
        assert_eq!(send(probe).await.status(), 405);
    }
    send(listening.event()).await;
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_somebody_else_set_stays() {
    let emulator = emulator(None).await;
    let at = [("SINCH_VERIFICATION_URL", &*emulator.url())];
    let listening = Listening::start(&["--count", "1"], &at);
    let event = listening.event();
    let theirs = "http://127.0.0.1:9/theirs";
    let request = Request::put(format!("{}/_emu/applications/{KEY}/callback", emulator.url()));
    send(request.body(format!(r#"{{"url":"{theirs}"}}"#).into()).unwrap()).await;
    send(event).await;
    assert_eq!(listening.end().await.0, Some(0));
    assert_eq!(callback_url(&emulator).await, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_names_its_mistake_here_and_nothing_to_the_sender() {
    let other_secret = ApplicationSecret::new(OTHER_SECRET).unwrap();
    let forged = |request: &mut Request<Bytes>| {
        CallbackSigner::new(key(), &other_secret).sign(request, SystemTime::now());
    };
    type Spoil<'a> = &'a dyn Fn(&mut Request<Bytes>);
    let cases: [(Spoil<'_>, u16, &str); 5] = [
        (&forged, 401, "made with another secret"),
        (
            &|request| {
                let bare = http::HeaderValue::from_static("application/json");
                request.headers_mut().insert("content-type", bare);
            },
            401,
            "\"application/json; charset=utf-8\" was signed",
        ),
        (
            &|request| drop(request.headers_mut().remove("authorization")),
            401,
            "missing_authorization",
        ),
        (
            &|request| *request.method_mut() = http::Method::PUT,
            405,
            "method",
        ),
        (
            &|request| {
                let uri = request
                    .uri()
                    .to_string()
                    .replace("/sinch/callback", "/sinch/other");
                *request.uri_mut() = uri.parse().unwrap();
            },
            404,
            "/sinch/other was asked for",
        ),
    ];
    let count = cases.len().to_string();
    let listening = Listening::alone(&["--count", &count]);
    for (spoil, status, _) in &cases {
        let mut event = listening.event();
        spoil(&mut event);
        let answer = send(event).await;
        assert_eq!(answer.status(), *status);
        assert_eq!(answer.body(), "");
    }
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(1));
    let mut lines = said.lines();
    for (_, status, why) in &cases {
        let (came, answered) = (lines.next().unwrap(), lines.next().unwrap());
        assert!(came.contains("--> refused  ") && came.contains(why), "{came}");
        assert!(answered.ends_with(&format!("<-- {status}")), "{answered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_refused_and_an_event_sent_again_is_not() {
    let listening = Listening::alone(&["--count", "3"]);
    let now = SystemTime::now();
    let event = listening.event_at(now);
    assert_eq!(send(event.clone()).await.status(), 200);
    assert_eq!(send(event).await.status(), 401);
    assert_eq!(
        send(listening.event_at(now - Duration::from_secs(1)))
            .await
            .status(),
        200
    );
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(1));
    assert!(said.contains("--> refused  replayed"), "{said}");
    assert_eq!(said.matches("<-- 200 allow").count(), 2, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_at_another_path_takes_what_is_signed_anew() {
    let application = application("/hook").await;
    let listening = Listening::alone(&["--count", "1", "--forward-to", &application]);
    let answer = send(listening.event()).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.body()[..]),
        (200, &br#"{"action":"allow"}"#[..])
    );
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!(
        "Forwarding to {application}, signed anew for that path."
    )));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_at_the_same_path_gets_what_came() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let book = Arc::clone(&got);
    let app = Router::new().route(
        "/sinch/callback",
        post(move |headers: HeaderMap, body: Bytes| async move {
            book.lock().unwrap().push((headers, body));
            ([("x-own", "1")], r#"{"action":"deny"}"#)
        }),
    );
    let to = format!("{}/sinch/callback", serve(app).await);
    let listening = Listening::alone(&["--count", "1", "--forward-to", &to]);
    let sent = listening.event();
    let answer = send(sent.clone()).await;
    // The answer as it is, a deny and headers of its own included.
    assert_eq!(
        (&answer.body()[..], &answer.headers()["x-own"]),
        (&br#"{"action":"deny"}"#[..], &"1".parse().unwrap())
    );
    let (headers, body) = got.lock().unwrap().remove(0);
    assert_eq!(&body, sent.body());
    for (name, value) in sent.headers() {
        assert_eq!(headers.get(name), Some(value), "{name}");
    }
    assert!(to.contains(headers["host"].to_str().unwrap()));
    assert_eq!(listening.end().await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_answers_wrongly_is_told_of() {
    // Bound without a listener: connections are refused, and no other program gets the port.
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone = format!("http://{}/sinch/callback", bound.local_addr().unwrap());
    let wrong = serve(Router::new().fallback(|| async { r#"{"action":"maybe"}"# })).await;
    let failing = serve(Router::new().fallback(|| async { http::StatusCode::INTERNAL_SERVER_ERROR })).await;
    for (to, status, body, said_of_it) in [
        (
            &*gone,
            200,
            r#"{"action":"deny"}"#,
            "no answer from the application",
        ),
        (&*wrong, 200, r#"{"action":"maybe"}"#, "maybe  "),
        (&*failing, 500, "", "no decision"),
    ] {
        let listening = Listening::alone(&["--count", "1", "--forward-to", to]);
        let answer = send(listening.event()).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.body()[..]),
            (status, body.as_bytes()),
            "{to}"
        );
        let (code, said) = listening.end().await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(said_of_it), "{said}");
    }
    // What asks nothing must be told again.
    let listening = Listening::alone(&["--count", "1", "--forward-to", &gone]);
    let id = VerificationId::new("v-1").unwrap();
    let event = result_event(id, Method::Sms, NUMBER.parse().unwrap(), Status::Successful);
    let signer = CallbackSigner::new(key(), &secret());
    let event = signer.post(listening.url.parse().unwrap(), event.to_json(), SystemTime::now());
    assert_eq!(send(event).await.status(), 502);
    assert_eq!(listening.end().await.0, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_failed_is_shown_with_its_reason() {
    let listening = Listening::alone(&["--count", "1"]);
    let signer = CallbackSigner::new(key(), &secret());
    let url = listening.url.parse().unwrap();
    send(signer.post(url, expired().to_json(), SystemTime::now())).await;
    let (_, said) = listening.end().await;
    assert!(said.contains("  v-1  FAIL (Expired)\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_codes_are_hidden_unless_they_are_to_be_shown() {
    for (args, number, code) in [(&[][..], "+4670***01", "[set]"), (&["--reveal"], NUMBER, "4821")] {
        let listening = Listening::alone(&[&["--count", "1", "--code", "4821"], args].concat());
        send(listening.event()).await;
        let (_, said) = listening.end().await;
        assert!(
            said.contains(number) && said.contains(&format!("code {code}")),
            "{said}"
        );
        assert_eq!(said.contains(NUMBER), !args.is_empty(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_get_a_line_of_json_for_each_callback() {
    let listening = Listening::for_scripts(&["--count", "3", "--events", "request,result"]);
    // Not one of those that are to be shown: answered without a word.
    let delivered = sms_delivered_event(
        VerificationId::new("v-1").unwrap(),
        NUMBER.parse().unwrap(),
        SmsResult::Successful,
    );
    let signer = CallbackSigner::new(key(), &secret());
    let post = |body: String| signer.post(listening.url.parse().unwrap(), body, SystemTime::now());
    assert_eq!(send(post(delivered.to_json())).await.status(), 200);

    send(listening.event()).await;
    send(post(expired().to_json())).await;
    let mut spoilt = listening.event_at(SystemTime::now() - Duration::from_secs(3));
    *spoilt.body_mut() = Bytes::from_static(b"{}");
    send(spoilt).await;
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(1));
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3, "{said}");
    for (field, value) in [
        ("event", Value::from("request")),
        ("verificationId", "v-1".into()),
        ("method", "sms".into()),
        ("number", "+4670***01".into()),
        ("verified", true.into()),
        ("status", 200.into()),
        ("decision", "allow".into()),
        ("by", "listen".into()),
        ("problem", Value::Null),
    ] {
        assert_eq!(lines[0][field], value, "{field}");
    }
    assert_eq!(
        (&lines[1]["outcome"], &lines[1]["outcomeReason"]),
        (&"FAIL".into(), &"Expired".into())
    );
    assert_eq!(
        (&lines[2]["verified"], &lines[2]["reason"]),
        (&false.into(), &"mismatch".into())
    );
    assert!(lines[2]["mistake"].is_string() && lines[2]["status"] == 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_out_of_turn_name_their_verification() {
    // The second comes once the first is here, and the first is answered once the second is.
    let [first_came, second_came] = [0, 1].map(|_| Arc::new(tokio::sync::Notify::new()));
    let came = Arc::clone(&first_came);
    let app = Router::new().fallback(move |body: Bytes| async move {
        let event: Value = serde_json::from_slice(&body).unwrap();
        match event["id"].as_str() {
            Some("v-1") => {
                came.notify_one();
                second_came.notified().await;
            }
            _ => second_came.notify_one(),
        }
        r#"{"action":"allow"}"#
    });
    let listening = Listening::alone(&["--count", "2", "--forward-to", &serve(app).await]);
    let first = tokio::spawn(send(listening.event()));
    first_came.notified().await;
    send(listening.event_of("v-2", SystemTime::now())).await;
    first.await.unwrap();
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.lines()
            .any(|line| line.contains("<-- 200 allow") && line.ends_with("  v-1")),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_emulator_it_says_where_callbacks_are_to_be_posted() {
    let other = serve(Router::new()).await;
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let refusing = format!("http://{}", bound.local_addr().unwrap());
    for (url, said) in [
        ("https://verification.api.sinch.com", "a tunnel to"),
        (&other, "No emulator is at"),
        (&refusing, "sinch-verify serve --callback-url"),
    ] {
        let at = [("SINCH_VERIFICATION_URL", url)];
        let listening = Listening::start(&["--timeout", "0s"], &at);
        let told = listening.greeting.lines().nth(1).unwrap();
        assert!(told.contains(said) && told.contains(&listening.url), "{told}");
        assert_eq!(listening.end().await.0, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_the_time_is_over() {
    let none = Listening::alone(&["--count", "1", "--timeout", "0s"]);
    assert_eq!(none.end().await.0, Some(5));
    let none = listen(
        &["--no-register", "--count", "1", "--timeout", "0s", "--json"],
        &[],
    )
    .output()
    .unwrap();
    let document: Value = serde_json::from_slice(&none.stdout).unwrap();
    assert_eq!(document["error"]["message"], "0 of 1 callbacks came in 0s");
    assert_eq!(document["error"]["timedOut"], true);
    assert_eq!(Listening::alone(&["--timeout", "0s"]).end().await.0, Some(0));
}

#[test]
fn what_cannot_be_done_says_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = [
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", SECRET),
    ];
    for (args, code, why) in [
        (&["--port", &*port][..], 1, "--port"),
        (&["--path", "sinch"], 2, "--path"),
        (&["--path", "/a?b"], 2, "--path"),
        (&["--forward-to", "127.0.0.1:3000/x"], 2, "--forward-to"),
        (&["--forward-to", "http://example.com/x"], 2, "--live"),
        (&["--decide", "deny", "--code", "1234"], 2, "--decide"),
        (
            &["--forward-to", "http://127.0.0.1:1/", "--code", "1234"],
            2,
            "--code",
        ),
        (&["--events", "requests"], 2, "--events"),
        (&["--count", "0"], 2, "--count"),
    ] {
        let output = command(&[&["listen"], args].concat())
            .envs(environment)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{args:?}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_does_not_know_the_key_is_named() {
    let emulator = emulator(None).await;
    let at = [
        ("SINCH_VERIFICATION_URL", &*emulator.url()),
        ("SINCH_APPLICATION_KEY", "11111111-2222-3333-4444-555555555555"),
    ];
    let mut command = listen(&[], &at);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("SINCH_APPLICATION_KEY"),
        "{}",
        stderr(&output)
    );
}

/// A folder with a policy that allows one start in an hour for a number.
fn one_start_an_hour(mode: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    let rule = "[[velocity]]\nper = \"number\"\nlimit = 1\nwindow = \"1h\"\n";
    std::fs::write(&file, format!("mode = \"{mode}\"\n{rule}")).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

/// The lines without times and durations.
fn timeless(said: &str) -> Vec<String> {
    let lines = said.lines().map(|line| line.split_once(' ').unwrap().1);
    let is_time = |words: &&str| {
        words
            .strip_suffix(" ms")
            .is_none_or(|ms| ms.parse::<u64>().is_err())
    };
    lines
        .map(|line| line.split("  ").filter(is_time).collect::<Vec<_>>().join("  "))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_denies_with_the_rule_and_the_masked_number() {
    for (mode, action, denial) in [
        ("enforce", "deny", "velocity-number-1h: +4670***01 (1 in 1h)"),
        (
            "observe",
            "allow",
            "would deny: velocity-number-1h: +4670***01 (1 in 1h)",
        ),
    ] {
        let (_folder, policy) = one_start_an_hour(mode);
        let listening = Listening::alone(&["--count", "2", "--policy", &policy]);
        for id in ["v-1", "v-2"] {
            send(listening.event_of(id, SystemTime::now())).await;
        }
        let (code, said) = listening.end().await;
        assert_eq!(code, Some(0), "a denial is a good answer: {said}");
        assert_eq!(
            timeless(&said),
            [
                "--> request  sms  +4670***01  v-1",
                "<-- 200 allow",
                "--> request  sms  +4670***01  v-2",
                &format!("<-- 200 {action}  {denial}"),
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_does_not_get_what_a_policy_denies() {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().fallback(move || async move {
        let mut count = count.lock().unwrap();
        *count += 1;
        // The first start is denied by the application: the policy must not count it.
        if *count == 1 {
            r#"{"action":"deny"}"#
        } else {
            r#"{"action":"allow"}"#
        }
    });
    let to = serve(app).await;
    let (_folder, policy) = one_start_an_hour("enforce");
    let listening = Listening::for_scripts(&["--count", "3", "--policy", &policy, "--forward-to", &to]);
    let mut answers = Vec::new();
    for id in ["v-1", "v-2", "v-3"] {
        let answer = send(listening.event_of(id, SystemTime::now())).await;
        answers.push(String::from_utf8(answer.body().to_vec()).unwrap());
    }
    let (allow, deny) = (r#"{"action":"allow"}"#, r#"{"action":"deny"}"#);
    assert_eq!(answers, [deny, allow, deny]);
    assert_eq!(*asked.lock().unwrap(), 2);
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(0), "{said}");
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["by"], &last["decision"]),
        (&"policy".into(), &"deny".into())
    );
    let denial = &last["denial"];
    assert_eq!(
        (&denial["rule"], &denial["limit"]),
        (&"velocity-number-1h".into(), &"1 in 1h".into())
    );
    assert_eq!(denial["key"], "+4670***01");
    assert!(denial["retryAt"].is_string(), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_not_shown_are_denied_too() {
    let (_folder, policy) = one_start_an_hour("enforce");
    let listening = Listening::alone(&[
        "--timeout",
        "60s",
        "--count",
        "1",
        "--events",
        "result",
        "--policy",
        &policy,
    ]);
    let mut answers = Vec::new();
    for id in ["v-1", "v-2"] {
        let answer = send(listening.event_of(id, SystemTime::now())).await;
        answers.push(String::from_utf8(answer.body().to_vec()).unwrap());
    }
    assert_eq!(answers, [r#"{"action":"allow"}"#, r#"{"action":"deny"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_with_basic_authorization_are_taken_where_that_is_said() {
    let emulator = emulator(None).await;
    emulator.set_callback_auth(&key(), CallbackAuth::Basic).unwrap();
    let at = [("SINCH_VERIFICATION_URL", &*emulator.url())];
    let listening = Listening::start(&["--count", "1"], &at);
    assert_eq!(start_verification(&emulator).await, Some(3), "denied");
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("not_signed") && said.contains("--accept-basic"),
        "{said}"
    );
    // Its result event is not tried again.
    emulator.reset();

    let listening = Listening::start(&["--count", "1", "--accept-basic"], &at);
    assert_eq!(start_verification(&emulator).await, Some(0));
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("<-- 200 allow"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_authorization_is_handed_on_as_it_came() {
    // The path differs from the one that callbacks come to, so a signed callback is signed anew.
    let decide = |_: RequestEvent| async { Decision::Allow };
    let service = CallbackBuilder::new(KeyRing::new(key(), &secret()))
        .accepted_auth(AcceptedAuth::SignedOrBasic)
        .handler(decide)
        .build()
        .unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let headers = Arc::clone(&seen);
    let note = axum::middleware::map_request(move |request: Request<axum::body::Body>| {
        let has = |name| request.headers().contains_key(name);
        headers
            .lock()
            .unwrap()
            .push((has("authorization"), has("x-timestamp")));
        async move { request }
    });
    let base = serve(router("/own", service).layer(note)).await;
    let emulator = emulator(None).await;
    let at = [("SINCH_VERIFICATION_URL", &*emulator.url())];
    let to = format!("{base}/own");
    let args = [
        "--events",
        "request",
        "--count",
        "2",
        "--accept-basic",
        "--forward-to",
        &to,
    ];
    let listening = Listening::start(&args, &at);
    for auth in [CallbackAuth::Basic, CallbackAuth::Signed] {
        emulator.set_callback_auth(&key(), auth).unwrap();
        assert_eq!(start_verification(&emulator).await, Some(0));
    }
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(*seen.lock().unwrap(), [(true, false), (true, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_with_characters_outside_ascii_is_that_of_the_callback_url() {
    let emulator = emulator(None).await;
    let at = [("SINCH_VERIFICATION_URL", &*emulator.url())];
    let listening = Listening::start(&["--count", "1", "--path", "/återkoppling"], &at);
    assert!(listening.url.ends_with("/%C3%A5terkoppling"), "{}", listening.url);
    assert_eq!(start_verification(&emulator).await, Some(0));
    let (code, said) = listening.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(callback_url(&emulator).await, Value::Null);
}
