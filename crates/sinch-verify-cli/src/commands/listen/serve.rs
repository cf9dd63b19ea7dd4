//! Taking callbacks over HTTP.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use sinch_verify_callback::policy::PolicyVerdict;
use sinch_verify_callback::{Callback, CallbackService, Context, Full, Reason, Receiver, Rejection};
use sinch_verify_protocol::ApplicationSecret;
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, Explain, InvalidAuthorization, SignedMessage, VerifyError,
};
use tokio::sync::mpsc;

use crate::mistake;
use crate::registration::Registered;

use super::answer::Answer;
use super::decide::Decider;
use super::forward::Forward;
use super::gate::Gate;
use super::printer::{Printer, Refusal};
use super::summary::{Kind, Summary};

/// What callbacks are met with.
pub(super) struct Listen {
    pub(super) path: String,
    /// Checks, and decides where no application does.
    pub(super) service: CallbackService<Decider>,
    /// To explain signatures that are wrong.
    pub(super) secret: ApplicationSecret,
    /// With the development key and secret: the emulator that callbacks come from.
    pub(super) paired_with: Option<Arc<Registered>>,
    /// The policy in front of both.
    pub(super) gate: Option<Gate>,
    pub(super) forward: Option<Forward>,
    pub(super) printer: Printer,
    /// The events to tell of; all when there are none.
    pub(super) events: Vec<Kind>,
    /// Whether each callback was authentic and well answered.
    pub(super) verdicts: mpsc::UnboundedSender<bool>,
}

/// Answers a request.
pub(super) async fn take(State(listen): State<Arc<Listen>>, request: Request<Body>) -> Response<Body> {
    let (at, since) = (SystemTime::now(), Instant::now());
    let (parts, body) = request.into_parts();
    let response = match listen.check(&parts, body).await {
        Ok((callback, body)) => listen.answer(callback, &parts, body, (at, since)).await,
        // What browsers and probes ask for by themselves is no callback.
        Err((status, _)) if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) => status,
        Err((response, refusal)) => {
            let _ = listen.verdicts.send(false);
            listen
                .printer
                .refused(at, &refusal, response.status(), since.elapsed());
            response
        }
    };
    response.map(Body::from)
}

/// A refusal, for the sender and for the terminal.
type Refused = (Response<Bytes>, Refusal);

impl Listen {
    /// The callback, if it is authentic, fresh and new.
    async fn check(&self, parts: &Parts, body: Body) -> Result<(Callback, Bytes), Refused> {
        // First of all: a connection is closed in order only when nothing is left on it.
        let body = read(body).await?;
        if parts.uri.path() != self.path {
            let why = format!(
                "{} was asked for, callbacks are taken at {}",
                parts.uri.path(),
                self.path
            );
            return Err(refused(StatusCode::NOT_FOUND, "path", why));
        }
        if let Some(emulator) = &self.paired_with
            && !emulator.is_current().await.unwrap_or(false)
        {
            let why =
                "the emulator no longer posts here, and everyone knows the development key and secret; \
                       start `sinch-verify listen` again"
                    .to_owned();
            return Err(refused(StatusCode::FORBIDDEN, "development key", why));
        }
        let receiver = self.service.receiver();
        let received = receiver.receive(parts, Full::new(body.clone())).await;
        let callback = received.map_err(|rejection| self.explained(&rejection, parts, &body))?;
        Ok((callback, body))
    }

    async fn answer(
        &self,
        callback: Callback,
        parts: &Parts,
        body: Bytes,
        (at, since): (SystemTime, Instant),
    ) -> Response<Bytes> {
        let event = callback.event.clone();
        let is_shown = self.events.is_empty() || self.events.contains(&Kind::of(&event));
        let summary = Summary::of(&event, &callback.anomalies, self.printer.reveals());
        let line = is_shown.then(|| self.printer.arrived(at, &summary));
        let context = Context::new(callback.verified.application().clone(), at);
        let verdict = match &self.gate {
            Some(gate) => gate.check(&event, &context).await,
            None => Ok(PolicyVerdict::default()),
        };
        let answer = match verdict {
            Ok(verdict) => {
                let forward = self.forward.as_ref().filter(|_| is_shown);
                let answer = match forward {
                    Some(forward) => {
                        // Basic authorization covers no path, so it is handed on as it came.
                        let signed_at = callback.verified.path_form().map(|_| at);
                        Answer::handed_back(&event, forward.send(parts, body, signed_at).await)
                    }
                    None => Answer::own(self.service.answer(callback).await),
                };
                if let Some(gate) = &self.gate {
                    gate.answered(&event, &context, &answer).await;
                }
                Answer { verdict, ..answer }
            }
            Err(answer) => *answer,
        };
        if let Some(line) = line {
            self.printer
                .answered(line, &summary, &event, &answer, since.elapsed());
            // Verdicts are not taken once it is over.
            let _ = self.verdicts.send(answer.problem.is_none());
        }
        answer.response
    }

    /// Opaque for the sender, with the mistake for us.
    fn explained(&self, rejection: &Rejection, parts: &Parts, body: &[u8]) -> Refused {
        let is_mismatch = matches!(
            rejection.reason(),
            Reason::Unauthorized(
                VerifyError::Mismatch | VerifyError::Authorization(InvalidAuthorization::SignatureForm)
            )
        );
        let why = match rejection.reason() {
            Reason::Unauthorized(VerifyError::NotSigned) if is_basic(parts) => {
                format!("{rejection}; --accept-basic takes basic authorization")
            }
            _ => rejection.to_string(),
        };
        let refusal = Refusal {
            reason: rejection.reason().name().to_owned(),
            why,
            mistake: is_mismatch.then(|| self.mistake(parts, body)).flatten(),
        };
        (rejection.to_http_response(), refusal)
    }

    fn mistake(&self, parts: &Parts, body: &[u8]) -> Option<String> {
        let path = parts.uri.path_and_query()?.as_str();
        let content_md5 = ContentMd5::of(body);
        let verb = parts.method.as_str();
        let message = SignedMessage::beside_authorization(verb, path, &parts.headers, &content_md5).ok()?;
        let header = parts.headers.get(AUTHORIZATION)?.as_bytes();
        let (_, signature) = Authorization::key_and_signature_text(header)?;
        let explain = Explain {
            message: &message,
            body,
            host: parts.headers.get(HOST).and_then(|host| host.to_str().ok()),
            secret: &self.secret,
        };
        Some(mistake::describe(&explain, signature))
    }
}

fn is_basic(parts: &Parts) -> bool {
    let authorization = SignedMessage::authorization(&parts.headers);
    matches!(authorization, Ok(Authorization::Basic { .. }))
}

/// Reads a body as far as a receiver would.
async fn read(body: Body) -> Result<Bytes, Refused> {
    let read = axum::body::to_bytes(body, Receiver::MAX_BODY);
    match tokio::time::timeout(Receiver::BODY_DEADLINE, read).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => {
            let why = format!(
                "it broke off, or is larger than {} bytes: {error}",
                Receiver::MAX_BODY
            );
            Err(refused(StatusCode::PAYLOAD_TOO_LARGE, "body", why))
        }
        Err(_) => {
            let why = "it did not come in time".to_owned();
            Err(refused(StatusCode::REQUEST_TIMEOUT, "body", why))
        }
    }
}

fn refused(status: StatusCode, reason: &str, why: String) -> Refused {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let reason = reason.to_owned();
    let refusal = Refusal {
        reason,
        why,
        mistake: None,
    };
    (response, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit() {
        let body = |len| Body::from(vec![b' '; len]);
        assert_eq!(
            read(body(Receiver::MAX_BODY)).await.ok().unwrap().len(),
            Receiver::MAX_BODY
        );
        let (response, refusal) = read(body(Receiver::MAX_BODY + 1)).await.err().unwrap();
        assert_eq!((response.status().as_u16(), &*refusal.reason), (413, "body"));
    }
}
