//! Bare hyper: what an HTTP service costs that does nothing.

use std::io::BufRead as _;

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{listen, ready};

/// What a bare server does, given as the first line of its input.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Bare {
    /// It reads the body and answers always the same.
    Answer {
        headers: Vec<(String, String)>,
        body: String,
    },
    /// It reads the body as JSON and answers with the same JSON.
    Echo,
}

/// What it does, as hyper takes it.
#[derive(Clone)]
enum Ready {
    Answer(HeaderMap, Bytes),
    Echo,
}

pub(crate) fn run(runtime: &Runtime) -> Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let ready_to = match serde_json::from_str(&line)? {
        Bare::Echo => Ready::Echo,
        Bare::Answer { headers, body } => {
            let parsed = headers
                .into_iter()
                .map(|(name, value)| Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?)));
            Ready::Answer(parsed.collect::<Result<_>>()?, Bytes::from(body))
        }
    };
    // Whoever started this server ends it by ending its input.
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(ended);
    });
    runtime.block_on(async {
        tokio::select! {
            result = serve(ready_to) => result,
            _ = end => Ok(()),
        }
    })
}

async fn serve(what: Ready) -> Result<()> {
    let listener = listen().await?;
    ready(listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let what = what.clone();
        let service = service_fn(move |request| answer(what.clone(), request));
        // A peer that goes away is none of our business.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(what: Ready, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let body = request.into_body().collect().await?.to_bytes();
    match what {
        Ready::Answer(headers, answer) => {
            let mut response = Response::new(Full::new(answer));
            *response.headers_mut() = headers;
            Ok(response)
        }
        Ready::Echo => {
            let value: Value = serde_json::from_slice(&body)?;
            let mut response = Response::new(Full::new(Bytes::from(serde_json::to_vec(&value)?)));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(http::header::CONTENT_TYPE, json);
            Ok(response)
        }
    }
}
