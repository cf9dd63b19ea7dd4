//! Handing callbacks on to an application.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri};
use sinch_verify_callback::testing::CallbackSigner;
use sinch_verify_client::Transport;
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_protocol::url::HttpUrl;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

use crate::exit::{root_cause, usage};
use crate::target::transport_to;

/// How long the application may take. The service waits longer, or the answer would come too late
/// for it: the emulator 5 seconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// An application that callbacks are handed on to.
#[derive(Clone)]
pub(super) struct Forward<T = ReqwestTransport> {
    to: Uri,
    /// Signs for the application's path, where that is another than ours.
    signer: Option<CallbackSigner>,
    transport: T,
}

/// What the application made of a callback.
pub(super) struct Forwarded {
    /// Its answer, or why there is none.
    pub(super) answer: Result<Response<Bytes>, NoAnswer>,
    pub(super) took: Duration,
}

/// Why an application gave no answer.
pub(super) enum NoAnswer {
    /// It took too long.
    Late,
    /// It could not be asked, or its answer broke off.
    Failed(String),
}

impl Forward {
    /// Hands on to `to` what came at `path`.
    pub(super) fn new(
        to: &HttpUrl,
        live: bool,
        path: &str,
        key: &ApplicationKey,
        secret: &ApplicationSecret,
    ) -> anyhow::Result<Self> {
        if !to.is_loopback() && !live {
            return Err(usage(format!(
                "--forward-to: {} is not this machine; add --live if that is meant",
                to.host()
            )));
        }
        let transport = transport_to(to, PATIENCE)?;
        let to = Uri::from(to.clone());
        let signer = (to.path() != path).then(|| CallbackSigner::new(key.clone(), secret));
        Ok(Self {
            to,
            signer,
            transport,
        })
    }
}

impl<T: Transport> Forward<T> {
    /// What it does, in a line.
    pub(super) fn describe(&self) -> String {
        let how = match self.signer {
            Some(_) => "signed anew for that path",
            None => "as it came: the path is the same",
        };
        format!("Forwarding to {}, {how}.", self.to)
    }

    /// Hands a callback on: verbatim, or signed at `signed_at` for the application's path. `None` is for
    /// a callback without a signature.
    pub(super) async fn send(&self, parts: &Parts, body: Bytes, signed_at: Option<SystemTime>) -> Forwarded {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.to.clone();
        *request.headers_mut() = end_to_end(&parts.headers);
        if let (Some(signer), Some(at)) = (&self.signer, signed_at) {
            signer.sign(&mut request, at);
        }
        let since = Instant::now();
        let answer = match tokio::time::timeout(PATIENCE, self.transport.send(request)).await {
            Ok(Ok(mut answer)) => {
                let headers = end_to_end(answer.headers());
                *answer.headers_mut() = headers;
                Ok(answer)
            }
            Ok(Err(error)) => Err(NoAnswer::Failed(root_cause(&error))),
            Err(_) => Err(NoAnswer::Late),
        };
        Forwarded {
            answer,
            took: since.elapsed(),
        }
    }
}

impl NoAnswer {
    /// The status that stands for the answer, where the event asks nothing.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::Failed(_) => StatusCode::BAD_GATEWAY,
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Late => format!("late: the application did not answer in {PATIENCE:?}"),
            Self::Failed(why) => format!("no answer from the application: {why}"),
        }
    }
}

/// The headers that are not about the connection they came over.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    const OF_A_CONNECTION: [HeaderName; 8] = [
        CONNECTION,
        CONTENT_LENGTH,
        HOST,
        KEEP_ALIVE,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    let mut headers = headers.clone();
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use sinch_verify_client::TransportError;

    use super::*;

    struct Silent;

    impl Transport for Silent {
        async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_takes_too_long_is_late() {
        let forward = Forward {
            to: Uri::from_static("http://127.0.0.1:1/"),
            signer: None,
            transport: Silent,
        };
        let (parts, ()) = Request::new(()).into_parts();
        let forwarded = forward.send(&parts, Bytes::new(), None).await;
        let no_answer = forwarded.answer.err().unwrap();
        assert_eq!(no_answer.status(), StatusCode::GATEWAY_TIMEOUT);
        assert!(
            no_answer.describe().starts_with("late"),
            "{}",
            no_answer.describe()
        );
    }
}
