//! Authorizes and posts one event, and keeps the result in the delivery log.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use sinch_verify_protocol::VerificationId;
use sinch_verify_protocol::auth::Signer;
use sinch_verify_protocol::identity::Identity;

use crate::clock::Stopwatch;
use crate::core::{CallbackAnswer, Core, PostResult, Registered};
use crate::delivery::{ConformanceCheck, Delivery};
use crate::engine::AppId;
use crate::fault::{Fault, RequestFacts};
use crate::feed::FeedEvent;
use crate::operation::Operation;

/// How many bytes of an answer's body the log keeps.
const BODY_BYTES_KEPT: usize = 4096;

/// An event that is ready to be posted.
pub(super) struct OutgoingEvent<'a> {
    pub(super) app: AppId,
    pub(super) verification_id: VerificationId,
    pub(super) event: &'a str,
    /// The number of the try, 1 for the first.
    pub(super) attempt: u32,
    pub(super) request: Request<Bytes>,
    pub(super) timeout: Duration,
    pub(super) fault: Option<Fault>,
    /// The delivery that this one replays, and how the request was changed.
    pub(super) replay_of: Option<u64>,
    pub(super) variant: Option<&'a str>,
    pub(super) conformance: Option<ConformanceCheck>,
}

/// Whether the answer is the required one, and a remark about it.
pub(super) type Judgement = (bool, Option<String>);

/// Posts an event, judges the answer and keeps both in the delivery log. Returns the number there.
pub(super) async fn post(
    core: &Core,
    mut outgoing: OutgoingEvent<'_>,
    judge: impl FnOnce(&PostResult) -> Judgement,
) -> u64 {
    let stopwatch = core.clock().start_stopwatch();
    let (request, fault) = (outgoing.request.clone(), outgoing.fault.take());
    if let Some(fault) = &fault {
        core.metrics.fault(fault);
    }
    let outcome = core.callback_client.send(request, outgoing.timeout, fault).await;
    let judgement = judge(&outcome);
    keep(core, outgoing, &stopwatch, outcome.as_ref().ok(), judgement)
}

/// Keeps an event in the delivery log that is not posted.
pub(super) fn unsent(core: &Core, outgoing: OutgoingEvent<'_>, why: &str) {
    keep(
        core,
        outgoing,
        &core.clock().start_stopwatch(),
        None,
        (false, Some(why.to_owned())),
    );
}

fn keep(
    core: &Core,
    outgoing: OutgoingEvent<'_>,
    stopwatch: &Stopwatch,
    answered: Option<&CallbackAnswer>,
    (ok, verdict): Judgement,
) -> u64 {
    let now = core.clock().service();
    let request = &outgoing.request;
    let delivery = Delivery {
        seq: 0,
        verification_id: outgoing.verification_id,
        event: outgoing.event.to_owned(),
        attempt: outgoing.attempt,
        url: request.uri().to_string(),
        at: stopwatch.wire,
        service: (stopwatch.service, now),
        took: stopwatch.elapsed(),
        request_headers: header_pairs(request.headers()),
        request: String::from_utf8_lossy(request.body()).into_owned(),
        status: answered.map(|answered| answered.status.as_u16()),
        response_headers: answered.map_or_else(Vec::new, |answered| header_pairs(&answered.headers)),
        response: answered.map(|answered| {
            let head = &answered.body[..answered.body.len().min(BODY_BYTES_KEPT)];
            String::from_utf8_lossy(head).into_owned()
        }),
        ok,
        replay_of: outgoing.replay_of,
        variant: outgoing.variant.map(str::to_owned),
        conformance: outgoing.conformance,
        verdict,
    };
    core.metrics.delivery(outgoing.event, ok);
    let feed_event = FeedEvent::delivery(&delivery);
    let seq = core.log.push(outgoing.app, delivery);
    core.feed.push(now, feed_event(seq));
    seq
}

/// Headers as text. Basic authorization is hidden, because it holds the secret.
fn header_pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pairs = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = match value.split_once(' ') {
            Some((scheme, _)) if *name == AUTHORIZATION && scheme.eq_ignore_ascii_case("basic") => {
                format!("{scheme} [hidden]")
            }
            _ => value.into_owned(),
        };
        (name.as_str().to_owned(), value)
    });
    pairs.collect()
}

/// The request for an event, authorized as the application has it, and changed if there is a fault.
pub(super) fn authorized(
    url: &Uri,
    own: &Registered,
    body: Bytes,
    now: SystemTime,
    fault: Option<&Fault>,
) -> Request<Bytes> {
    let half = body.slice(..body.len() / 2);
    let body = match fault {
        Some(Fault::Malformed) => half.clone(),
        _ => body,
    };
    let mut request = unauthorized(url, body);
    own.authorize_callback(&mut request, now);
    match fault {
        Some(Fault::Truncate) => request.map(|_| half),
        _ => request,
    }
}

/// The signed request for an event, also if the application has basic authorization.
pub(super) fn signed(url: &Uri, signer: &Signer, body: Bytes, now: SystemTime) -> Request<Bytes> {
    let mut request = unauthorized(url, body);
    signer.sign_callback(&mut request, now);
    request
}

/// The request for an event without authorization.
pub(super) fn unauthorized(url: &Uri, body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, Signer::CALLBACK_CONTENT_TYPE);
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("sinch-verify-emulator/", env!("CARGO_PKG_VERSION"))),
    );
    request
}

/// The fault for an event about `identity`, if a rule matches.
pub(super) fn fault_for(
    core: &Core,
    signer: &Signer,
    operation: Operation,
    identity: &Identity,
) -> Option<Fault> {
    core.faults.pick(&RequestFacts {
        operation,
        number: identity.phone_number().ok(),
        application: signer.key().as_str(),
    })
}
