//! The requests as written without a client crate: raw crates, and structs with the needed fields.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::fixture;

pub(crate) const JSON: &str = "application/json; charset=utf-8";
const START: &str = "/verification/v1/verifications";

/// Signs requests.
#[derive(Clone)]
pub(crate) struct HandWritten {
    hmac: Hmac<Sha256>,
}

/// The headers that authorize a request.
pub(crate) struct Signed {
    pub(crate) authorization: String,
    pub(crate) timestamp: String,
}

impl HandWritten {
    pub(crate) fn new() -> Result<Self> {
        let secret = STANDARD.decode(fixture::SECRET)?;
        Ok(Self {
            hmac: Hmac::new_from_slice(&secret)?,
        })
    }

    pub(crate) fn sign(&self, verb: &str, path: &str, content_type: &str, body: &[u8]) -> Result<Signed> {
        let md5 = match body {
            [] => String::new(),
            body => STANDARD.encode(Md5::digest(body)),
        };
        let timestamp = jiff::Timestamp::now().round(jiff::Unit::Millisecond)?.to_string();
        let text = format!("{verb}\n{md5}\n{content_type}\nx-timestamp:{timestamp}\n{path}");
        let mut hmac = self.hmac.clone();
        hmac.update(text.as_bytes());
        let signature = STANDARD.encode(hmac.finalize().into_bytes());
        Ok(Signed {
            authorization: format!("Application {}:{signature}", fixture::KEY),
            timestamp,
        })
    }

    /// A signed request to `base`.
    pub(crate) fn request<B: From<Bytes>>(
        &self,
        base: &str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Request<B>> {
        let (verb, content_type) = match body {
            Some(_) => ("POST", JSON),
            None => ("GET", ""),
        };
        let body = body.unwrap_or_default();
        let signed = self.sign(verb, path, content_type, &body)?;
        let mut request = Request::builder()
            .method(verb)
            .uri(format!("{base}{path}"))
            .header("authorization", signed.authorization)
            .header("x-timestamp", signed.timestamp);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        Ok(request.body(B::from(Bytes::from(body)))?)
    }

    pub(crate) fn status<B: From<Bytes>>(&self, base: &str, id: &str) -> Result<Request<B>> {
        self.request(base, &format!("{START}/id/{id}"), None)
    }

    pub(crate) fn start<B: From<Bytes>>(
        &self,
        base: &str,
        number: &str,
        reference: &str,
    ) -> Result<Request<B>> {
        let body = serde_json::to_vec(&Start {
            identity: Identity {
                kind: "number",
                endpoint: number,
            },
            method: "sms",
            reference,
        })?;
        self.request(base, START, Some(body))
    }
}

#[derive(Serialize)]
struct Start<'a> {
    identity: Identity<'a>,
    method: &'a str,
    reference: &'a str,
}

#[derive(Serialize)]
struct Identity<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    endpoint: &'a str,
}

/// The needed fields of the answer to a start.
#[derive(Debug, Deserialize)]
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) method: String,
}

/// The needed fields of the answer to a status query.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "read as a user would, who needs them")]
pub(crate) struct Status {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) reference: Option<String>,
}
