//! What the benches of pure code sign, check, decode and match.

use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use http::{HeaderMap, HeaderValue};
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, PathPolicy, Signed, SignedMessage, Signer, Verifier, Window,
};

use crate::fixture::{CALLBACK_PATH, key, secret};

/// The path of starts.
pub const START_PATH: &str = "/verification/v1/verifications";
/// The content type of all bodies.
pub const JSON: &str = "application/json; charset=utf-8";

/// A start, 150 bytes.
pub const START: &[u8] = br#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"sms","reference":"order-7781-a-reference-of-some-length","custom":"session 4217-882-01"}"#;
/// A request event, 230 bytes.
pub const EVENT: &[u8] = br#"{"id":"0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","event":"VerificationRequestEvent","method":"sms","identity":{"type":"number","endpoint":"+46700000001"},"reference":"order-7781","price":{"amount":0.0453,"currencyId":"EUR"},"custom":"s-42"}"#;
/// The answer to a start.
pub const ANSWER: &[u8] = br#"{"id":"0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","method":"sms","sms":{"template":"Your code is {{CODE}}.","interceptionTimeout":298,"codeType":"Numeric"},"_links":[{"rel":"status","href":"https://dc-euc1-std.verification.api.sinch.com/verification/v1/verifications/id/0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","method":"GET"},{"rel":"report","href":"https://dc-euc1-std.verification.api.sinch.com/verification/v1/verifications/id/0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","method":"PUT"}]}"#;

/// A filter for caller ids.
pub const FILTER: &str = "(.*)70123(.*)";
/// A caller id that [`FILTER`] matches.
pub const CALLER: &str = "+46701234567";

/// The template of a message.
pub const TEMPLATE: &str = "Your verification code is {{CODE}}. Verified by Sinch";
/// A message by [`TEMPLATE`], with a prefix and the hash of an app.
pub const MESSAGE: &str = "<#> Your verification code is 1234. Verified by Sinch\nXtNB5qNssI/";

/// A policy with all kinds of rules, of which none denies the first start of a number.
pub const RULES: &str = r#"
    [destinations]
    allow-countries = ["CN", "SE"]
    deny-prefixes = ["+46900"]
    [prices]
    currency = "EUR"
    [caller]
    from = "custom"
    written-by = "backend"
    [[velocity]]
    per = "number"
    limit = 5
    window = "1h"
    [[velocity]]
    per = "country"
    limit = 1000000000
    burst = 1000000000
    window = "1h"
    [[velocity]]
    per = "caller"
    limit = 1000000000
    burst = 1000000000
    window = "1h"
    [[cooldown]]
    pauses = ["30s", "60s", "5m"]
    [[lockout]]
    failures = 5
    window = "1h"
    block = "1h"
    [[budget]]
    period = "day"
    amount = "9000000000"
    [[conversion]]
    floor-percent = 10
    block = "1h"
"#;

/// The time of all signatures.
#[must_use]
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_067)
}

/// [`EVENT`] as a signed callback, and its verifier.
pub struct SignedEvent {
    /// Timestamp and signature.
    pub signed: Signed,
    headers: HeaderMap,
    verifier: Verifier,
}

impl SignedEvent {
    /// Signs [`EVENT`] at [`now`].
    ///
    /// # Errors
    ///
    /// Never, as all headers are texts.
    pub fn new() -> Result<Self> {
        let signer = Signer::new(key()?, &secret()?);
        let signed = signer.sign("POST", CALLBACK_PATH, JSON.as_bytes(), EVENT, now());
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(JSON));
        headers.insert("x-timestamp", signed.timestamp.as_str().parse()?);
        headers.insert("authorization", signed.callback_authorization(&key()?).parse()?);
        headers.insert("host", HeaderValue::from_static("127.0.0.1"));
        Ok(Self {
            signed,
            headers,
            verifier: Verifier::new(key()?, &secret()?),
        })
    }

    /// Checks headers, window and signature of `body`.
    ///
    /// # Errors
    ///
    /// The signature is not that of `body`.
    pub fn check(&self, body: &[u8]) -> Result<()> {
        let md5 = ContentMd5::of(body);
        let (authorization, message) =
            SignedMessage::from_headers("POST", CALLBACK_PATH, &self.headers, &md5)?;
        let Authorization::Signed { key, signature } = authorization else {
            bail!("the callback is not signed");
        };
        if key != self.verifier.key().as_str() {
            bail!("the callback is signed with another key");
        }
        let (window, policy) = (Window::default(), PathPolicy::default());
        self.verifier
            .verify(&message, &signature, now(), window, policy)?;
        Ok(())
    }
}
