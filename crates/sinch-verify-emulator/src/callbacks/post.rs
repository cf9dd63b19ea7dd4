//! One signed post and its answer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sinch_verify_protocol::VerificationId;
use sinch_verify_protocol::auth::Signer;
use sinch_verify_protocol::identity::Identity;

use crate::clock::Begun;
use crate::core::Core;
use crate::delivery::Delivery;
use crate::engine::AppId;
use crate::fault::{Case, Fault};
use crate::feed::Happening;
use crate::operation::Operation;

/// The most of an answer that is read.
const LIMIT: usize = 64 * 1024;

/// How much of an answer's body the log keeps.
const KEPT: usize = 4096;

/// Posts events over plain HTTP. Redirects are answers like any other: they are not followed.
pub(crate) struct Poster(Client<HttpConnector, Full<Bytes>>);

/// What came back.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What became of a post: the answer, or why there is none.
pub(super) type Outcome = Result<Answered, String>;

/// An event that is ready to be posted.
pub(super) struct Parcel<'a> {
    pub(super) app: AppId,
    pub(super) verification_id: VerificationId,
    pub(super) event: &'a str,
    /// Which try this is, 1 for the first.
    pub(super) attempt: u32,
    pub(super) request: Request<Bytes>,
    pub(super) timeout: Duration,
    pub(super) fault: Option<Fault>,
    /// The delivery that this repeats, if it was ordered, and how it was changed.
    pub(super) replay_of: Option<u64>,
    pub(super) variant: Option<&'a str>,
}

/// Whether a post did its job, and what was wrong with the answer or an anomaly of it.
pub(super) type Judgement = (bool, Option<String>);

/// Posts an event, judges the answer, and keeps both; gives the number under which.
pub(super) async fn post(
    core: &Core,
    mut parcel: Parcel<'_>,
    judge: impl FnOnce(&Outcome) -> Judgement,
) -> u64 {
    let began = core.clock().begun();
    let (request, fault) = (parcel.request.clone(), parcel.fault.take());
    let outcome = core.poster.send(request, parcel.timeout, fault).await;
    let judgement = judge(&outcome);
    keep(core, parcel, &began, outcome.as_ref().ok(), judgement)
}

/// Keeps an event that is not posted.
pub(super) fn unsent(core: &Core, parcel: Parcel<'_>, why: &str) {
    keep(
        core,
        parcel,
        &core.clock().begun(),
        None,
        (false, Some(why.to_owned())),
    );
}

fn keep(
    core: &Core,
    parcel: Parcel<'_>,
    began: &Begun,
    answered: Option<&Answered>,
    (ok, verdict): Judgement,
) -> u64 {
    let now = core.clock().service();
    let request = &parcel.request;
    let delivery = Delivery {
        seq: 0,
        verification_id: parcel.verification_id,
        event: parcel.event.to_owned(),
        attempt: parcel.attempt,
        url: request.uri().to_string(),
        at: began.wire,
        service: (began.service, now),
        took: began.took(),
        request_headers: pairs(request.headers()),
        request: String::from_utf8_lossy(request.body()).into_owned(),
        status: answered.map(|answered| answered.status.as_u16()),
        response_headers: answered.map_or_else(Vec::new, |answered| pairs(&answered.headers)),
        response: answered.map(|answered| {
            let head = &answered.body[..answered.body.len().min(KEPT)];
            String::from_utf8_lossy(head).into_owned()
        }),
        ok,
        replay_of: parcel.replay_of,
        variant: parcel.variant.map(str::to_owned),
        verdict,
    };
    let told = Happening::delivery(&delivery);
    let seq = core.log.push(parcel.app, delivery);
    core.feed.push(now, told(seq));
    seq
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pairs = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    pairs.collect()
}

/// The event as it goes out, signed at `now`; a fault may have spoilt it.
pub(super) fn signed(
    url: &Uri,
    signer: &Signer,
    body: Bytes,
    now: SystemTime,
    fault: Option<&Fault>,
) -> Request<Bytes> {
    let half = body.slice(..body.len() / 2);
    match fault {
        Some(Fault::Malformed) => sign(url, signer, half, now),
        Some(Fault::Truncate) => sign(url, signer, body, now).map(|_| half),
        _ => sign(url, signer, body, now),
    }
}

fn sign(url: &Uri, signer: &Signer, body: Bytes, now: SystemTime) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, Signer::CALLBACK_CONTENT_TYPE);
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("sinch-verify-emulator/", env!("CARGO_PKG_VERSION"))),
    );
    signer.sign_callback(&mut request, now);
    request
}

impl Poster {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // A request that is canceled because a kept connection went away was never sent, and goes
        // out on a new one. That is the one case in which the client below sends anything again.
        Self(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connector),
        )
    }

    async fn send(&self, request: Request<Bytes>, timeout: Duration, fault: Option<Fault>) -> Outcome {
        let exchange = async {
            match fault {
                Some(Fault::Latency { to, .. }) => tokio::time::sleep(to).await,
                Some(Fault::Stall) => return std::future::pending().await,
                Some(Fault::Reset { .. }) => return Err("not sent: a reset was ordered".to_owned()),
                Some(Fault::Status { status }) => {
                    return Ok(Answered {
                        status: StatusCode::from_u16(status).map_err(|error| error.to_string())?,
                        headers: HeaderMap::new(),
                        body: Bytes::new(),
                    });
                }
                _ => {}
            }
            let response = self.0.request(request.map(Full::new)).await;
            let (head, body) = response.map_err(|error| describe(&error))?.into_parts();
            let body = Limited::new(body, LIMIT)
                .collect()
                .await
                .map_err(|error| format!("the answer's body could not be read: {error}"))?;
            Ok(Answered {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} ms", timeout.as_millis())),
        }
    }
}

/// What goes wrong with an event about `identity`, if anything.
pub(super) fn strike(
    core: &Core,
    signer: &Signer,
    operation: Operation,
    identity: &Identity,
) -> Option<Fault> {
    core.faults.strike(&Case {
        operation,
        number: identity.phone_number().ok(),
        application: signer.key().as_str(),
    })
}

/// The error with its sources: the first alone says next to nothing.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
