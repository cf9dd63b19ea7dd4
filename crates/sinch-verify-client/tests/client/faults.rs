//! What the caller is told when the service, or the way to it, breaks: on every transport, with
//! nothing sent again.

use std::error::Error as _;
use std::time::Duration;

use crate::fault_server::{Fault, FaultServer, Seen, answer, refusing};
use crate::script::{report, seen};
use crate::support::{KEY, PATIENT, SECRET, builder, number};
use sinch_verify_client::protocol::call_outcome::{CallOutcome, FlashCallOutcome};
use sinch_verify_client::protocol::{ApiError, Method, Start, VerificationId};
use sinch_verify_client::transport::{HyperTransport, ReqwestTransport};
use sinch_verify_client::{Client, Error, Phase, RetryPolicy, TransportError, TransportErrorKind};

fn clients(base_url: &str, timeout: Duration) -> Vec<(&'static str, Client)> {
    let builder = || {
        builder(base_url)
            .attempt_timeout(timeout)
            .retry(RetryPolicy::never())
    };
    vec![
        ("reqwest", builder().build().unwrap()),
        (
            "hyper",
            builder()
                .transport(HyperTransport::new(timeout * 3 / 4))
                .build()
                .unwrap(),
        ),
    ]
}

/// What a caller learns from an error.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    phase: Phase,
    kind: Option<TransportErrorKind>,
    may_have_been_sent: bool,
    status: Option<u16>,
    code: Option<u32>,
    /// The predicates that hold.
    is: Vec<&'static str>,
}

impl Told {
    fn by(error: &Error) -> Self {
        let kind = error
            .source()
            .and_then(|source| source.downcast_ref::<TransportError>())
            .map(TransportError::kind);
        let is = [
            ("timeout", error.is_timeout()),
            ("connect", error.is_connect()),
            ("denied", error.is_denied()),
            ("rate_limited", error.is_rate_limited()),
            ("not_found", error.is_not_found()),
        ];
        Self {
            phase: error.phase(),
            kind,
            may_have_been_sent: error.may_have_been_sent(),
            status: error.status().map(|status| status.as_u16()),
            code: error.as_api_error().map(|error| error.code),
            is: is
                .iter()
                .filter(|(_, holds)| *holds)
                .map(|(name, _)| *name)
                .collect(),
        }
    }

    fn transport(kind: TransportErrorKind, may_have_been_sent: bool, is: &[&'static str]) -> Self {
        Self {
            phase: Phase::Transport,
            kind: Some(kind),
            may_have_been_sent,
            status: None,
            code: None,
            is: is.to_vec(),
        }
    }

    fn answered(status: u16, code: Option<u32>, is: &[&'static str]) -> Self {
        Self {
            phase: Phase::Decode,
            kind: None,
            may_have_been_sent: true,
            status: Some(status),
            code,
            is: is.to_vec(),
        }
    }
}

/// No error shows the number, the path, the key's signature or the secret.
fn check_silent(error: &Error) {
    let text = format!("{error} | {error:#} | {error:?}");
    for private in [
        &number().as_str()[1..],
        "%2B46",
        "verification/v1",
        SECRET,
        "Application ",
    ] {
        assert!(!text.contains(private), "{private} in {text}");
    }
    assert!(error.to_string().starts_with(char::is_lowercase), "{error}");
    assert!(error.source().is_some());
}

/// Starts a verification, reports a code and asks for a status by number, against a server with this
/// fault.
async fn check(fault: Fault, timeout: Duration, expected: Told) {
    for pick in 0..2 {
        let server = FaultServer::start(fault.clone()).await;
        let (name, client) = clients(&server.base_url, timeout).remove(pick);

        let check = |error: Error, expected: &Told, seen: Seen| {
            check_silent(&error);
            let which = format!("{} over {name}, {fault:?}", error.operation());
            assert_eq!(Told::by(&error), *expected, "{which}: {error:#}");
            assert_eq!(server.seen(), seen, "{which}");
        };
        let error = client.start(Start::sms(number())).await.unwrap_err();
        check(error, &expected, seen(1, 0, 0));

        // Only a start is denied; but for that, all are told the same.
        let mut expected = expected.clone();
        expected.is.retain(|is| *is != "denied");
        let error = client.report(report()).await.unwrap_err();
        check(error, &expected, seen(1, 1, 0));
        let error = client.status_by_number(Method::Sms, number()).await.unwrap_err();
        check(error, &expected, seen(1, 1, 1));
    }
}

#[tokio::test]
async fn refused_connection_was_never_sent() {
    let base_url = refusing();
    for (name, client) in clients(&base_url, PATIENT) {
        let error = client.start(Start::sms(number())).await.unwrap_err();
        check_silent(&error);
        let expected = Told::transport(TransportErrorKind::Connect, false, &["connect"]);
        assert_eq!(Told::by(&error), expected, "{name}: {error:#}");
    }
}

#[tokio::test]
async fn unknown_host_was_never_sent() {
    // A name under `.invalid` never resolves.
    for (name, client) in clients("http://host.invalid", PATIENT) {
        let error = client.start(Start::sms(number())).await.unwrap_err();
        assert!(error.is_connect(), "{name}: {error:#}");
        assert!(!error.may_have_been_sent(), "{name}");
    }
}

/// A listener whose queue is full lets a connection hang. Only Linux drops it so.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn slow_connection_was_never_sent() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // The queue is full once a connection hangs: on loopback one with room is there at once.
    let mut fillers = Vec::new();
    while let Ok(filler) = tokio::time::timeout(
        Duration::from_millis(200),
        tokio::net::TcpStream::connect(address),
    )
    .await
    {
        fillers.push(filler.unwrap());
    }

    for (name, client) in clients(&format!("http://{address}"), Duration::from_millis(200)) {
        let error = client.start(Start::sms(number())).await.unwrap_err();
        check_silent(&error);
        let expected = Told::transport(TransportErrorKind::ConnectTimeout, false, &["timeout", "connect"]);
        assert_eq!(Told::by(&error), expected, "{name}: {error:#}");
    }
    drop(fillers);
}

#[tokio::test]
async fn reset_may_have_been_sent() {
    let expected = Told::transport(TransportErrorKind::Interrupted, true, &[]);
    check(Fault::Reset, PATIENT, expected).await;
}

#[tokio::test]
async fn close_before_the_answer_may_have_been_sent() {
    let expected = Told::transport(TransportErrorKind::Interrupted, true, &[]);
    check(Fault::Close, PATIENT, expected).await;
}

#[tokio::test]
async fn an_end_within_head_or_body_may_have_been_sent() {
    let whole = answer("200 OK", r#"{"id":"1","method":"sms"}"#);
    let head = whole.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    for cut in [10, head, whole.len() - 5] {
        for fault in [Fault::SayAndClose, Fault::SayAndReset] {
            let expected = Told::transport(TransportErrorKind::Interrupted, true, &[]);
            check(fault(whole[..cut].to_vec()), PATIENT, expected).await;
        }
    }
}

#[tokio::test]
async fn stall_is_a_timeout() {
    let timeout = Duration::from_millis(200);
    let whole = answer("200 OK", r#"{"id":"1","method":"sms"}"#);
    for fault in [
        Fault::Stall,
        Fault::SayAndStall(whole[..10].to_vec()),
        Fault::SayAndStall(whole[..whole.len() - 5].to_vec()),
        Fault::Drip(whole, Duration::from_millis(20)),
    ] {
        let expected = Told::transport(TransportErrorKind::Timeout, true, &["timeout"]);
        check(fault, timeout, expected).await;
    }
}

#[tokio::test]
async fn garbage_is_an_error_of_the_transport() {
    let expected = Told::transport(TransportErrorKind::Other, true, &[]);
    check(
        Fault::SayAndClose(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
        PATIENT,
        expected,
    )
    .await;
}

#[tokio::test]
async fn huge_bodies_are_not_read() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n{".to_vec();
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..65 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[b' '; 1024]);
        chunked.extend_from_slice(b"\r\n");
    }
    for fault in [Fault::SayAndStall(announced), Fault::SayAndStall(chunked)] {
        let expected = Told::transport(TransportErrorKind::BodyTooLarge, true, &[]);
        check(fault, PATIENT, expected).await;
    }
}

/// Nothing is asked for in a packed form, and nothing is unpacked: what is small on the wire cannot
/// become large here.
#[tokio::test]
async fn packed_bodies_are_not_unpacked() {
    // What would be a good answer, `{"id":"1","method":"sms"}`.
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaLQ\xb2R2T\xd2Q\xcaM-\xc9\xc8\
        \x07q\x8as\x8b\x95j\x01\xea\x6aH\xed\x19\x00\x00\x00";
    const DEFLATE: &[u8] = b"x\x9c\xabV\xcaLQ\xb2R2T\xd2Q\xcaM-\xc9\xc8\x07q\x8as\x8b\x95j\x01[\xf5\x07{";
    for (encoding, packed) in [("gzip", GZIP), ("deflate", DEFLATE)] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: {encoding}\r\n\
             content-length: {}\r\n\r\n",
            packed.len()
        );
        let fault = Fault::Say([head.as_bytes(), packed].concat());
        check(fault, PATIENT, Told::answered(200, None, &[])).await;
    }
}

#[tokio::test]
async fn the_largest_body_is_read_whole() {
    // White space before the object, to exactly the cap, in two writes at least.
    let object = r#"{"id":"1","method":"sms"}"#;
    let body = " ".repeat(64 * 1024 - object.len()) + object;
    let server = FaultServer::start(Fault::answer("200 OK", &body)).await;
    for (name, client) in clients(&server.base_url, PATIENT) {
        let started = client.start(Start::sms(number())).await.unwrap();
        assert_eq!(started.id.as_str(), "1", "{name}");
    }
}

#[tokio::test]
async fn success_without_a_body_says_nothing_about_the_outcome() {
    let no_content = b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
    check(
        Fault::Say(no_content.clone()),
        PATIENT,
        Told::answered(204, None, &[]),
    )
    .await;

    // The one operation whose answer holds nothing.
    let server = FaultServer::start(Fault::Say(no_content)).await;
    for (_, client) in clients(&server.base_url, PATIENT) {
        let outcome = FlashCallOutcome::new(number(), CallOutcome::Late);
        client.flash_call_outcome(outcome).await.unwrap();
    }
}

#[tokio::test]
async fn success_that_is_no_json_is_an_error() {
    let fault = Fault::answer("200 OK", "<html>welcome</html>");
    check(fault, PATIENT, Told::answered(200, None, &[])).await;
}

#[tokio::test]
async fn api_errors_are_told_apart() {
    for (status, code, is) in [
        (400, 40001, &[][..]),
        (401, 40102, &[]),
        (403, ApiError::RESTRICTED, &["denied"]),
        (403, ApiError::SCHEME, &[]),
        (404, 40400, &["not_found"]),
        (409, 40900, &[]),
        (429, 42901, &["rate_limited"]),
        (500, 50000, &[]),
        (503, 50300, &[]),
    ] {
        let body = format!(r#"{{"errorCode":{code},"message":"Some text.","reference":""}}"#);
        let fault = Fault::answer(&format!("{status} Reason"), &body);
        check(fault, PATIENT, Told::answered(status, Some(code), is)).await;
    }
}

#[tokio::test]
async fn a_refused_report_is_not_a_denied_start() {
    let body = r#"{"errorCode":40303,"message":"Forbidden"}"#;
    let server = FaultServer::start(Fault::answer("403 Forbidden", body)).await;
    for (_, client) in clients(&server.base_url, PATIENT) {
        let error = client.report(report()).await.unwrap_err();
        assert_eq!(error.as_api_error().unwrap().code, ApiError::RESTRICTED);
        assert!(!error.is_denied());
        assert_eq!(error.operation(), "report_verification");
    }
}

#[tokio::test]
async fn errors_without_an_error_object_keep_their_status() {
    for (status, body, is) in [
        (502, "<html>bad gateway</html>", &[][..]),
        (429, "", &["rate_limited"]),
        (403, "forbidden", &[]),
    ] {
        let fault = Fault::answer(&format!("{status} Reason"), body);
        check(fault, PATIENT, Told::answered(status, None, is)).await;
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = FaultServer::start(Fault::answer("200 OK", r#"{"id":"1","method":"sms"}"#)).await;
        let redirect = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {}/x\r\ncontent-length: 0\r\n\r\n",
            elsewhere.base_url
        );
        check(
            Fault::Say(redirect.into_bytes()),
            PATIENT,
            Told::answered(status, None, &[]),
        )
        .await;
        assert!(elsewhere.requests().is_empty());
    }
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    let body = r#"{"id":"1","method":"sms","status":"PENDING"}"#;
    let server = FaultServer::start(Fault::SayAndClose(answer("200 OK", body))).await;
    for (name, client) in clients(&server.base_url, PATIENT) {
        for _ in 0..3 {
            let id = VerificationId::new("1").unwrap();
            client
                .status_by_id(id)
                .await
                .unwrap_or_else(|error| panic!("{name}: {error:#}"));
            // For the transport to see that the connection was closed, which nothing shows.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn https_over_a_plain_transport_is_refused_before_sending() {
    let server = FaultServer::start(Fault::Close).await;
    let base_url = server.base_url.replace("http:", "https:");
    let builder = || Client::builder().public(KEY).base_url(&*base_url);
    let plain = ReqwestTransport::plain(PATIENT).unwrap();
    for client in [
        builder().transport(plain).build().unwrap(),
        builder().transport(HyperTransport::default()).build().unwrap(),
    ] {
        let error = client.start(Start::sms(number())).await.unwrap_err();
        let expected = Told::transport(TransportErrorKind::Other, false, &[]);
        assert_eq!(Told::by(&error), expected);
        assert!(format!("{error:#}").contains("plain http only"), "{error:#}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_failed_tls_handshake_was_never_sent() {
    let server = FaultServer::start(Fault::Reset).await;
    let base_url = server.base_url.replace("http:", "https:");
    match Client::builder().public(KEY).base_url(base_url).build() {
        Ok(client) => {
            let error = client.start(Start::sms(number())).await.unwrap_err();
            let expected = Told::transport(TransportErrorKind::Connect, false, &["connect"]);
            assert_eq!(Told::by(&error), expected, "{error:#}");
        }
        // A machine without any root certificate.
        Err(error) => assert_eq!(error.field(), "transport"),
    }
}

#[tokio::test]
async fn a_path_that_would_change_under_way_is_refused() {
    let server = FaultServer::start(Fault::Close).await;
    let client = Client::builder()
        .application_signed(KEY, SECRET)
        .base_url(format!("{}/a/../b", server.base_url))
        .build()
        .unwrap();
    let error = client.start(Start::sms(number())).await.unwrap_err();
    let expected = Told::transport(TransportErrorKind::Other, false, &[]);
    assert_eq!(Told::by(&error), expected);
    assert!(server.requests().is_empty());
}
