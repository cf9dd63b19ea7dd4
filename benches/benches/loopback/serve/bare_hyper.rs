//! Bare hyper: the cost of an HTTP service that does nothing.

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

use crate::load_generator::Answer;
use crate::process::{Core, Worker, port, ready};

use super::{listen, until_input_ends};

/// The headers that hyper writes itself.
const OWN: [&str; 3] = ["content-length", "date", "connection"];

/// The behavior of a bare server, given as the first line of its input.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Bare {
    /// Reads the body and always sends the same answer.
    Answer {
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Parses the body as JSON and answers with the same JSON.
    Echo,
}

impl Bare {
    /// The same as `answer`.
    pub(crate) fn like(answer: &Answer<'_>) -> Result<Self> {
        let headers = answer
            .headers()
            .filter(|(name, _)| !OWN.contains(&name.to_lowercase().as_str()));
        Ok(Self::Answer {
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: std::str::from_utf8(answer.body)?.to_owned(),
        })
    }

    /// Starts a server with this behavior. Returns its port too.
    pub(crate) fn start(&self) -> Result<(Worker, u16)> {
        let mut worker = Worker::ours(Core::Server, ["serve", "bare"])?;
        let ready = worker.ask(&serde_json::to_string(self)?)?;
        Ok((worker, port(&ready)?))
    }
}

/// The service for hyper.
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
    until_input_ends(runtime, serve(ready_to))
}

async fn serve(what: Ready) -> Result<()> {
    let listener = listen().await?;
    ready(listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let what = what.clone();
        let service = service_fn(move |request| answer(what.clone(), request));
        // A peer that disconnects is no error.
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
