//! A plain HTTP client and a callback receiver, over real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sinch_verify_emulator::{Application, Builder, CallbackUrl, Emulator, Message, Settings};
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, PathPolicy, SignedMessage, Verifier, VerifyError, Window,
};
use sinch_verify_protocol::callback::{Decision, ResultEvent};
use sinch_verify_protocol::{
    ApplicationKey, ApplicationSecret, Credentials, DecodeError, Endpoint, Event, Method, PhoneNumber,
    StatusById, StatusByNumber, Verification, VerificationId,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

pub(crate) use crate::fixtures::{KEY, SECRET};

pub(crate) const OTHER_KEY: &str = "99999999-8888-7777-6666-555555555555";
pub(crate) const NUMBER: &str = "+46700000001";
pub(crate) const DECISION: &str = "VerificationRequestEvent";
pub(crate) const RESULT: &str = "VerificationResultEvent";
pub(crate) const DELIVERED: &str = "VerificationSmsDeliveredEvent";
pub(crate) const SHORT: Duration = Duration::from_secs(10);

pub(crate) fn key() -> ApplicationKey {
    KEY.parse().unwrap()
}

pub(crate) fn secret() -> ApplicationSecret {
    SECRET.parse().unwrap()
}

/// The start time of a manual clock.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

pub(crate) fn number() -> PhoneNumber {
    NUMBER.parse().unwrap()
}

pub(crate) fn application() -> Application {
    Application::new(key(), secret())
}

pub(crate) fn builder() -> Builder {
    Emulator::builder().application(application()).seed(7)
}

pub(crate) async fn emulator() -> Emulator {
    builder().start().await.unwrap()
}

/// An emulator with other settings.
pub(crate) async fn emulator_with(change: impl FnOnce(&mut Settings)) -> Emulator {
    let mut settings = Settings::default();
    change(&mut settings);
    builder().settings(settings).start().await.unwrap()
}

pub(crate) fn public() -> Credentials {
    Credentials::public(key())
}

pub(crate) fn basic() -> Credentials {
    Credentials::basic(key(), secret())
}

pub(crate) fn signed() -> Credentials {
    Credentials::signed(key(), secret())
}

/// Calls `ask` until it returns a value, and fails after [`SHORT`].
pub(crate) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SHORT, asking).await.expect("it comes true")
}

/// Sends one request on a new connection.
pub(crate) async fn send(emulator: &Emulator, request: Request<Bytes>) -> Response<Bytes> {
    send_to(emulator.addr(), request).await
}

/// As [`send`], to any server.
pub(crate) async fn send_to(server: SocketAddr, request: Request<Bytes>) -> Response<Bytes> {
    let stream = TcpStream::connect(server).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let (mut head, body) = request.into_parts();
    // A request to the server itself has only the path.
    if let Some(path) = head.uri.path_and_query() {
        head.headers
            .entry(http::header::HOST)
            .or_insert_with(|| server.to_string().parse().unwrap());
        head.uri = path.as_str().parse().unwrap();
    }
    let response = sender
        .send_request(Request::from_parts(head, Full::new(body)))
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    connection.abort();
    Response::from_parts(head, body)
}

/// Sends a request for an operation, as a client does.
pub(crate) async fn call<E: Endpoint>(
    emulator: &Emulator,
    credentials: &Credentials,
    operation: &E,
) -> Result<E::Response, DecodeError> {
    let mut request = operation.to_http(&emulator.base_url()).unwrap();
    credentials.authorize(&mut request, SystemTime::now()).unwrap();
    operation.from_http(&send(emulator, request).await)
}

/// The status of a verification, by its id.
pub(crate) async fn status_by_id(emulator: &Emulator, id: &VerificationId) -> Verification {
    call(emulator, &basic(), &StatusById { id: id.clone() })
        .await
        .unwrap()
}

/// The error code that a refused operation carries.
pub(crate) fn code<T: std::fmt::Debug>(answer: Result<T, DecodeError>) -> u32 {
    match answer {
        Err(DecodeError::Api { status, error }) => {
            assert_eq!(error.http_status(), status);
            assert!(error.reference.is_some(), "a support id");
            error.code
        }
        other => panic!("no refusal: {other:?}"),
    }
}

/// A request with basic authorization.
pub(crate) fn plain(method: &str, path: &str, body: &str) -> Request<Bytes> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    basic().authorize(&mut request, SystemTime::now()).unwrap();
    request
}

pub(crate) async fn get(emulator: &Emulator, path: &str) -> Response<Bytes> {
    let request = Request::builder().uri(path).body(Bytes::new()).unwrap();
    send(emulator, request).await
}

pub(crate) async fn post(emulator: &Emulator, path: &str, body: &str) -> Response<Bytes> {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    send(emulator, request).await
}

pub(crate) fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// The newest message to [`number`].
pub(crate) fn newest(emulator: &Emulator) -> Message {
    emulator.inbox(&number()).remove(0)
}

/// A callback receiver that checks signatures and answers with a given function.
pub(crate) struct Receiver {
    url: CallbackUrl,
    got: Arc<Got>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Got {
    posts: Mutex<Vec<Posted>>,
    news: Notify,
    /// Whether invalid callbacks are refused. Otherwise they fail the test.
    refuses: bool,
    /// Whether callbacks have basic authorization in place of signatures.
    basic: bool,
    /// Holds answers back until the test releases them.
    held: Option<Semaphore>,
    seen: Mutex<Vec<Vec<u8>>>,
}

/// One received post.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) event: Event,
    pub(crate) headers: HeaderMap,
    pub(crate) path: String,
}

impl Receiver {
    /// A receiver that answers every event with `answer`.
    pub(crate) async fn new(answer: impl Fn(&Event) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self::at("/callback", answer).await
    }

    /// As [`Receiver::new`], but refuses callbacks that are invalid, stale or replayed.
    pub(crate) async fn careful(answer: impl Fn(&Event) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        let got = Got {
            refuses: true,
            ..Got::default()
        };
        Self::with(got, "/callback", answer).await
    }

    /// As [`Receiver::careful`], for basic authorization in place of signatures. Accepts what is repeated.
    pub(crate) async fn basic(answer: impl Fn(&Event) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        let got = Got {
            refuses: true,
            basic: true,
            ..Got::default()
        };
        Self::with(got, "/callback", answer).await
    }

    /// As [`Receiver::new`], at another path.
    pub(crate) async fn at(
        path: &str,
        answer: impl Fn(&Event) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::with(Got::default(), path, answer).await
    }

    /// As [`Receiver::new`], but sends no answer before [`Receiver::release`].
    pub(crate) async fn holding(answer: impl Fn(&Event) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        let got = Got {
            held: Some(Semaphore::new(0)),
            ..Got::default()
        };
        Self::with(got, "/callback", answer).await
    }

    /// Sends all held answers, and later ones at once.
    pub(crate) fn release(&self) {
        self.got.held.as_ref().expect("answers are held back").close();
    }

    async fn with(
        got: Got,
        path: &str,
        answer: impl Fn(&Event) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let got = Arc::new(got);
        let answer = Arc::new(answer);
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&got);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (got, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                let service = service_fn(move |request| {
                    let (got, answer) = (Arc::clone(&got), Arc::clone(&answer));
                    async move {
                        let event = got.take(request).await;
                        if let Some(held) = &got.held {
                            // There are no permits, so this waits until the semaphore is closed.
                            assert!(held.acquire().await.is_err());
                        }
                        let answer = event.map_or_else(|| reply(401, ""), |event| answer(&event));
                        Ok::<_, Infallible>(answer.map(Full::new))
                    }
                });
                connections.spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            url: url.parse().unwrap(),
            got,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self) -> CallbackUrl {
        self.url.clone()
    }

    pub(crate) fn posts(&self) -> Vec<Posted> {
        self.got.posts.lock().unwrap().clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.posts()
            .iter()
            .map(|posted| posted.event.name().to_owned())
            .collect()
    }

    /// The result events among the posts.
    pub(crate) fn results(&self) -> Vec<ResultEvent> {
        let posts = self.posts().into_iter();
        posts
            .filter_map(|posted| match posted.event {
                Event::Result(result) => Some(*result),
                _ => None,
            })
            .collect()
    }

    /// Waits until this many posts were received.
    pub(crate) async fn wait(&self, posts: usize) {
        let enough = async {
            loop {
                let news = self.got.news.notified();
                if self.posts().len() >= posts {
                    return;
                }
                news.await;
            }
        };
        tokio::time::timeout(SHORT, enough).await.expect("posts came");
    }
}

impl Got {
    /// The event, if the callback is valid.
    async fn take(&self, request: Request<Incoming>) -> Option<Event> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let md5 = ContentMd5::of(&body);
        let path = head.uri.path_and_query().unwrap().as_str();
        let verified = SignedMessage::from_headers(head.method.as_str(), path, &head.headers, &md5).and_then(
            |(authorization, message)| {
                let Authorization::Signed { signature, .. } = authorization else {
                    return Err(VerifyError::NotSigned);
                };
                Verifier::new(key(), &secret()).verify(
                    &message,
                    &signature,
                    SystemTime::now(),
                    Window::default(),
                    PathPolicy::default(),
                )
            },
        );
        if self.basic {
            let expected = plain("POST", "/", "").headers()["authorization"].clone();
            if head.headers.get("authorization") != Some(&expected) {
                return None;
            }
        } else if self.refuses {
            let proof = head
                .headers
                .get("authorization")
                .map(|proof| proof.as_bytes().to_vec());
            let mut seen = self.seen.lock().unwrap();
            let proof = proof.filter(|proof| verified.is_ok() && !seen.contains(proof))?;
            seen.push(proof);
        } else {
            verified.expect("the event verifies");
        }
        let event = Event::decode(&body).unwrap();
        self.posts.lock().unwrap().push(Posted {
            event: event.clone(),
            path: path.to_owned(),
            headers: head.headers,
        });
        self.news.notify_waiters();
        Some(event)
    }
}

/// An answer with this status and body.
pub(crate) fn reply(status: u16, body: &str) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

/// Answers request events with `decision`, and the others with an empty 200.
pub(crate) fn answering(decision: Decision) -> impl Fn(&Event) -> Response<Bytes> + Send + Sync + 'static {
    move |event| match event {
        Event::Request(_) => decision.to_http_response(),
        _ => reply(200, ""),
    }
}

/// A receiver that answers request events with this decision.
pub(crate) async fn deciding(decision: Decision) -> Receiver {
    Receiver::new(answering(decision)).await
}

/// An emulator whose events go to `receiver`.
pub(crate) async fn emulator_calling(receiver: &Receiver) -> Emulator {
    emulator_calling_with(receiver, |_| {}).await
}

/// The builder of an emulator with other settings, whose events go to `receiver`.
pub(crate) fn builder_calling(receiver: &Receiver, change: impl FnOnce(&mut Settings)) -> Builder {
    let mut settings = Settings::default();
    change(&mut settings);
    Emulator::builder()
        .application(application().callback_url(receiver.url()))
        .settings(settings)
        .seed(7)
}

/// As [`emulator_calling`], with other settings.
pub(crate) async fn emulator_calling_with(
    receiver: &Receiver,
    change: impl FnOnce(&mut Settings),
) -> Emulator {
    builder_calling(receiver, change).start().await.unwrap()
}

/// The latest verification of [`number`] by `method`.
pub(crate) async fn status(emulator: &Emulator, method: Method) -> Verification {
    let number = number();
    let query = StatusByNumber { method, number };
    call(emulator, &public(), &query).await.unwrap()
}

/// Waits until every event is delivered or given up.
pub(crate) async fn settled(emulator: &Emulator) {
    assert!(emulator.wait_delivered(SHORT).await);
}
