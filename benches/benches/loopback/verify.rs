//! Checks callbacks in process, and remembers their signatures.

use std::fs;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sinch_verify_callback::protocol::auth::{ContentMd5, Signature};
use sinch_verify_callback::replay::{Inserted, MemoryStore, ReplayStore as _, SignatureDigest};
use sinch_verify_callback::{CallbackBuilder, Head, KeyRing};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use crate::fixture;
use crate::process::{number, serve_lines};
use crate::serve::one_core;

/// A callback in the file.
#[derive(Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

fn recorded(file: &str) -> Result<Vec<Recorded>> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}

/// Checks the callbacks of a file one after the other, repeatedly.
pub(crate) fn check(file: &str) -> Result<()> {
    let callbacks = recorded(file)?
        .into_iter()
        .map(Callback::new)
        .collect::<Result<Vec<_>>>()?;
    let keys = KeyRing::new(fixture::key()?, &fixture::secret()?);
    let receiver = CallbackBuilder::new(keys).build_receiver()?;
    serve_lines(|words| {
        let (count, begun) = (number(words, 1)?, Instant::now());
        for callback in callbacks.iter().cycle().take(usize::try_from(count)?) {
            let head = Head {
                method: &callback.method,
                path_and_query: &callback.path,
                headers: &callback.headers,
            };
            let head = receiver.check_head(head, SystemTime::now())?;
            receiver.verify(&head, &ContentMd5::of(callback.body.as_bytes()))?;
        }
        Ok(json!({ "seconds": begun.elapsed().as_secs_f64() }))
    })
}

/// Checks the bodies of a file one after the other, repeatedly, with the headers of Standard Webhooks.
pub(crate) fn check_standard(file: &str) -> Result<()> {
    let webhook = Webhook::new(fixture::SECRET)?;
    let bodies = recorded(file)?.into_iter().map(|recorded| recorded.body);
    let bodies: Vec<String> = bodies.collect();
    serve_lines(|words| {
        let (count, begun) = (number(words, 1)?, Instant::now());
        // Signed for each line anew, which is a few hundred of many checks: it takes them for five minutes only.
        let now = jiff::Timestamp::now().as_second();
        let signed = |(n, body): (usize, &String)| {
            let id = format!("msg_{n}");
            let signature = webhook.sign(&id, now, body.as_bytes())?;
            let mut headers = HeaderMap::new();
            for (name, value) in [
                (HEADER_WEBHOOK_ID, id),
                (HEADER_WEBHOOK_TIMESTAMP, now.to_string()),
                (HEADER_WEBHOOK_SIGNATURE, signature),
            ] {
                headers.insert(name, value.try_into()?);
            }
            anyhow::Ok(headers)
        };
        let headers = bodies
            .iter()
            .enumerate()
            .map(signed)
            .collect::<Result<Vec<_>>>()?;
        let webhooks = headers.iter().zip(&bodies).cycle();
        for (headers, body) in webhooks.take(usize::try_from(count)?) {
            webhook.verify(body.as_bytes(), headers)?;
        }
        Ok(json!({ "seconds": begun.elapsed().as_secs_f64() }))
    })
}

struct Callback {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Callback {
    fn new(recorded: Recorded) -> Result<Self> {
        let header = |(name, value): (String, String)| {
            Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?))
        };
        Ok(Self {
            method: recorded.method.parse()?,
            path: recorded.path,
            headers: recorded.headers.into_iter().map(header).collect::<Result<_>>()?,
            body: recorded.body,
        })
    }
}

/// Remembers as many more signatures as each line of standard input says.
pub(crate) fn remember() -> Result<()> {
    let runtime = one_core()?;
    let store = MemoryStore::new(NonZeroUsize::new(1 << 24).context("no room")?);
    let now = SystemTime::now();
    let lifetime = Duration::from_secs(420);
    let mut next = 0_u64;
    serve_lines(|words| {
        for _ in 0..number(words, 1)? {
            next += 1;
            // Random bytes, as signatures are.
            let mut bytes = [0; 32];
            for (part, seed) in bytes.chunks_exact_mut(8).zip(1_u64..) {
                let mixed = (next ^ seed << 60).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                part.copy_from_slice(
                    &(mixed ^ mixed >> 29)
                        .wrapping_mul(0xBF58_476D_1CE4_E5B9)
                        .to_le_bytes(),
                );
            }
            let signature = Signature::parse(STANDARD.encode(bytes).as_bytes()).context("no signature")?;
            let digest = SignatureDigest::of(&signature);
            let inserted = runtime.block_on(store.insert_signature(digest, now, lifetime))?;
            ensure!(inserted == Inserted::New, "two signatures are the same");
        }
        if store.signatures() as u64 != next {
            bail!("the store forgot something");
        }
        Ok(json!({ "held": next }))
    })
}
