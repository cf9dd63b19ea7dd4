use std::time::Duration;

use bytes::{Bytes, BytesMut};
use goose::goose::{GooseRequest, GooseUser, TransactionError};
use http::{Request, Response};
use reqwest::{Client, ClientBuilder, RequestBuilder, redirect, retry};
use sinch_verify_client::transport::MAX_BODY;

use crate::model::{Failure, FailureKind, StepName};
use crate::target::Target;
use crate::wire::{Answer, BoxFuture, WHOLE, Wire};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The client of all users: nothing is repeated, redirected, unpacked or sent through a proxy.
pub(super) fn client(target: &Target) -> reqwest::Result<Client> {
    let mut builder = ClientBuilder::new()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .timeout(WHOLE);
    if let Some((host, address)) = target.pinned() {
        builder = builder.resolve(host, address);
    }
    if !target.is_tls() {
        // The roots of the platform are not even read.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// Sends through the client of a goose user.
pub(crate) struct GooseWire<'a> {
    user: &'a mut GooseUser,
}

impl<'a> GooseWire<'a> {
    pub(crate) fn new(user: &'a mut GooseUser) -> Self {
        Self { user }
    }
}

impl Wire for GooseWire<'_> {
    fn send<'a>(&'a mut self, step: StepName, request: Request<Bytes>) -> BoxFuture<'a, Answer> {
        Box::pin(self.exchange(step, request))
    }
}

impl GooseWire<'_> {
    async fn exchange(&mut self, step: StepName, request: Request<Bytes>) -> Answer {
        let path = request.uri().path().to_owned();
        let request = reqwest::Request::try_from(request)
            .ok()
            // A URL resolves `.` and `..`; the signature covers the path as it was.
            .filter(|request| request.url().path() == path)
            .ok_or_else(|| Failure::new(FailureKind::Request, "the path cannot be sent as it was signed"))?;
        let request = GooseRequest::builder()
            .name(step.as_str())
            .set_request_builder(RequestBuilder::from_parts(self.user.client.clone(), request))
            .build();
        let sent = self.user.request(request).await.map_err(|error| unsent(*error))?;
        let mut answer = sent.response?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await? {
            if chunk.len() > MAX_BODY - body.len() {
                return Err(Failure::new(
                    FailureKind::Decode,
                    "the answer is larger than 64 KiB",
                ));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        Ok(response)
    }
}

/// Goose did not send the request. What it says may hold the URL, and is left out.
fn unsent(error: TransactionError) -> Failure {
    match error {
        TransactionError::Reqwest(error) => error.into(),
        _ => Failure::new(FailureKind::Request, "goose did not send the request"),
    }
}
