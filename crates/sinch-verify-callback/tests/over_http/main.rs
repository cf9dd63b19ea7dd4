//! The whole crate behind a real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

#[path = "../fixtures/mod.rs"]
mod fixtures;
mod forgeries;
mod handlers;
mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use sinch_verify_callback::axum::{callback_route, router};
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::protocol::auth::X_TIMESTAMP;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::{self, ApplicationSecret, Code, Credentials, Decision};
use sinch_verify_callback::testing::CallbackSigner;
use sinch_verify_callback::{AcceptedAuth, Callback, ExternalPath, KeyRing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use support::{
    ALLOW_BODY, PATH, allow, allowing, ask, ask_built, builder, event_of, guarded, key, now, other_secret,
    post, post_to, send, send_raw, serve, signer, wire,
};

#[tokio::test]
async fn a_request_event_gets_the_decision() {
    let answered = ask(allow(), post(event_of(&protocol::Method::Sms))).await;
    assert_eq!((answered.status, answered.text()), (StatusCode::OK, ALLOW_BODY));
    assert_eq!(answered.headers[CONTENT_TYPE], "application/json");

    let with_code = |_: RequestEvent| async { Code::new("4821").map(Decision::sms_code) };
    let answered = ask(with_code, post(event_of(&protocol::Method::Sms))).await;
    assert_eq!(answered.text(), r#"{"action":"allow","sms":{"code":"4821"}}"#);
}

#[tokio::test]
async fn basic_authorization_is_answered_where_it_is_accepted() {
    let event = || event_of(&protocol::Method::Sms);
    let posted = |secret: ApplicationSecret| {
        let mut request = post(event());
        request.headers_mut().remove(X_TIMESTAMP);
        let credentials = Credentials::basic(key(), secret);
        credentials.authorize(&mut request, now()).unwrap();
        request
    };
    let accepting = || {
        guarded()
            .accepted_auth(AcceptedAuth::SignedOrBasic)
            .handler(allow())
    };
    let server = serve(router(PATH, accepting().build().unwrap())).await;
    let right = || posted(fixtures::secret());
    // Again and again: only the event and its id protect against a repeat.
    for _ in 0..2 {
        let answered = send(server, right()).await;
        assert_eq!((answered.status, answered.text()), (StatusCode::OK, ALLOW_BODY));
    }
    assert_eq!(send(server, post(event())).await.status, StatusCode::OK);
    let wrong = send(server, posted(other_secret())).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);

    // By default it is refused as any forgery is.
    let refused = ask(allow(), right()).await;
    assert_eq!(refused.without_date(), wrong.without_date());
}

#[tokio::test]
async fn requests_that_are_no_callbacks() {
    let signed = || post(event_of(&protocol::Method::Sms));

    let mut get = signed();
    *get.method_mut() = Method::GET;
    let answered = ask(allow(), get).await;
    assert_eq!(answered.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answered.headers[ALLOW], "POST");

    let mut text = signed();
    text.headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    signer().sign(&mut text, now());
    assert_eq!(
        ask(allow(), text).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );

    let answered = ask_built(builder(allow()).max_body(10), signed()).await;
    assert_eq!(answered.status, StatusCode::PAYLOAD_TOO_LARGE);

    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"event":"VerificationRequestEvent","id":"1"}"#,
    ] {
        let answered = ask(allow(), post(body)).await;
        assert_eq!(
            (answered.status, answered.text()),
            (StatusCode::BAD_REQUEST, ""),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_body_may_come_in_parts_within_its_size_and_deadline() {
    let server = serve(router(PATH, allowing())).await;
    let impatient = builder(allow()).body_deadline(Duration::from_millis(50));
    let impatient = serve(router(PATH, impatient.build().unwrap())).await;

    let request = post(event_of(&protocol::Method::Sms));
    let mut raw = wire(&request, "transfer-encoding: chunked");
    for part in request.body().chunks(11) {
        raw.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        raw.extend_from_slice(part);
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"0\r\n\r\n");
    let answer = send_raw(server, &raw).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(ALLOW_BODY),
        "{answer}"
    );

    // Too large, which no header says: refused while it comes.
    let mut raw = wire(&request, "transfer-encoding: chunked");
    raw.extend_from_slice(b"ffff\r\n");
    raw.extend_from_slice(&vec![b' '; 0xffff]);
    raw.extend_from_slice(b"\r\n10\r\n0123456789abcdef\r\n");
    let answer = send_raw(server, &raw).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    // It says that it is too large: refused before it comes.
    let raw = wire(&request, "content-length: 10000000");
    let answer = send_raw(server, &raw).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    // The rest never comes.
    let mut raw = wire(&request, &format!("content-length: {}", request.body().len()));
    raw.extend_from_slice(&request.body()[..20]);
    let answer = send_raw(impatient, &raw).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");

    // Not signed: answered although the body never comes.
    let raw = format!("POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n");
    let answer = send_raw(server, raw.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_router_has_the_limits_of_the_server() {
    let app = router(PATH, allowing());
    let server = Server::new(app).with_head_deadline(Duration::from_millis(50));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, std::future::pending()));
    // Heads that do not come, or not to their end: the server closes the connection.
    for part in ["", "POST /sinch/callback HTTP/1.1\r\nhost: a\r\n"] {
        let answer = tokio::time::timeout(Duration::from_secs(60), send_raw(address, part.as_bytes()));
        let answer = answer.await.expect("the server closes");
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_long_answer_is_written_to_its_end_before_its_connection_gives_way() {
    // More than the sockets between hold, so it is written while the client reads.
    const LONG: usize = 16 * 1024 * 1024;
    let long = || async { vec![b'x'; LONG] };
    let app = Router::new().route("/long", axum::routing::get(long));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(app)
        .with_max_connections(1)
        .with_grace(Duration::from_secs(3600));
    tokio::spawn(server.serve(listener, std::future::pending()));

    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(request).await.unwrap();
        stream
    };
    let mut first = ask().await;
    let mut answer = vec![0; 1024];
    first.read_exact(&mut answer).await.unwrap();
    // One more, for which the first is to give way. The server has accepted it, or will.
    let mut second = ask().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    first.read_to_end(&mut answer).await.unwrap();
    assert!(answer.len() > LONG, "{} bytes", answer.len());
    let mut answer = vec![0; LONG];
    second.read_exact(&mut answer).await.unwrap();
}

#[tokio::test]
async fn the_path_that_the_client_sees_is_the_signed_one() {
    let event = || event_of(&protocol::Method::Sms);
    let service = |external| {
        let builder = builder(allow()).external_path(external);
        builder.build().unwrap()
    };

    // Nested twice: the signature covers the path that the client sees.
    let route = callback_route(service(ExternalPath::default()));
    let inner = Router::new().route("/callback", route);
    let server = serve(Router::new().nest("/api", Router::new().nest("/sinch", inner))).await;
    assert_eq!(
        send(server, post_to("/api/sinch/callback", event())).await.text(),
        ALLOW_BODY
    );
    let mut moved = post_to("/callback", event());
    *moved.uri_mut() = "/api/sinch/callback".parse().unwrap();
    assert_eq!(send(server, moved).await.status, StatusCode::UNAUTHORIZED);

    // A proxy asks for the whole URL, as HTTP/1.1 lets it.
    let server = serve(router(PATH, service(ExternalPath::default()))).await;
    let mut request = post(event());
    *request.uri_mut() = format!("http://example.com{PATH}").parse().unwrap();
    let mut raw = wire(&request, &format!("content-length: {}", request.body().len()));
    raw.extend_from_slice(request.body());
    let answer = send_raw(server, &raw).await;
    assert!(answer.ends_with(ALLOW_BODY), "{answer}");

    // A proxy takes `/api` away.
    let stripped = service(ExternalPath::prefix("/api").unwrap());
    let server = serve(router("/callback", stripped)).await;
    let mut request = post_to("/api/callback", event());
    *request.uri_mut() = "/callback".parse().unwrap();
    assert_eq!(send(server, request).await.text(), ALLOW_BODY);
    assert_eq!(
        send(server, post_to("/callback", event())).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let server = serve(router(PATH, allowing())).await;
    let one = wire(&post(event_of(&protocol::Method::Sms)), "");
    let body = post(event_of(&protocol::Method::Sms));
    let mut raw = Vec::new();
    for close in ["", "connection: close\r\n"] {
        raw.extend_from_slice(&one[..one.len() - 4]);
        raw.extend_from_slice(format!("\r\n{close}content-length: {}\r\n\r\n", body.body().len()).as_bytes());
        raw.extend_from_slice(body.body());
    }
    let answer = send_raw(server, &raw).await;
    assert_eq!(answer.matches(ALLOW_BODY).count(), 2, "{answer}");
}

#[tokio::test]
async fn keys_are_replaced_under_a_running_server() {
    let service = allowing();
    let receiver = service.receiver().clone();
    let server = serve(router(PATH, service)).await;
    let signed = || post(event_of(&protocol::Method::Sms));
    let by_new = || {
        let mut request = signed();
        CallbackSigner::new(key(), &other_secret()).sign(&mut request, now());
        request
    };
    assert_eq!(send(server, by_new()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(send(server, signed()).await.text(), ALLOW_BODY);

    receiver.replace_keys(KeyRing::new(key(), &other_secret()));
    assert_eq!(send(server, by_new()).await.text(), ALLOW_BODY);
    assert_eq!(send(server, signed()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_handler_function_of_axum_takes_callbacks() {
    async fn answer(callback: Callback) -> Response {
        match callback.event {
            protocol::Event::Request(_) => Decision::Allow.to_http_response().map(Body::from),
            _ => Response::default(),
        }
    }
    let receiver = guarded().build_receiver().unwrap();
    let routes = Router::new().route("/callback", axum::routing::post(answer));
    let server = serve(Router::new().nest("/sinch", routes).with_state(receiver)).await;
    let request = || post(event_of(&protocol::Method::Sms));
    let answered = send(server, request()).await;
    assert_eq!((answered.status, answered.text()), (StatusCode::OK, ALLOW_BODY));
    assert_eq!(answered.headers[CONTENT_TYPE], "application/json");
    // A replay, and a forgery.
    let replayed = send(server, request()).await;
    assert_eq!((replayed.status, replayed.text()), (StatusCode::UNAUTHORIZED, ""));
    let mut forged = request();
    *forged.body_mut() = "{}".into();
    assert_eq!(send(server, forged).await.without_date(), replayed.without_date());
}
