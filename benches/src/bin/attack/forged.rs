//! Sends a million forged callbacks to a receiver, with authentic ones in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Uri};
use sha2::{Digest as _, Sha256};
use sinch_verify_benches::fixture::{self, KEY, SECRET};
use sinch_verify_callback::protocol::auth::X_TIMESTAMP;
use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret};
use sinch_verify_callback::testing::{CallbackSigner, Tamper};

use crate::Scale;
use crate::receiver::{Receiver, Store, callback};
use crate::row::Row;
use crate::traffic::{Sender, in_parallel};

const FORGERIES: u64 = 1_000_000;

/// The number of forged callbacks between two authentic ones.
const HONEST_EVERY: u64 = 50;

/// Forges the `n`th callback of a kind.
type Forge = fn(&Forger, u64) -> Result<Request<Bytes>>;

const KINDS: [(&str, Forge); 6] = [
    (
        "a byte of the path, a header or the body changed",
        Forger::changed,
    ),
    ("each case of the tamper kit", Forger::tampered),
    ("a random signature", Forger::random),
    ("signed too early, or for later", Forger::out_of_time),
    ("not signed", Forger::unsigned),
    (
        "signed for another path, with another key or secret",
        Forger::misdirected,
    ),
];

pub(crate) async fn run(scale: Scale) -> Result<()> {
    let mut receiver = Receiver::start(&Store::Memory)?;
    let attack = Arc::new(Attack {
        forger: Forger::new(receiver.url().clone())?,
        sender: Sender::new(),
        taken: AtomicU64::new(0),
        honest: AtomicU64::new(0),
        honest_taken: AtomicU64::new(0),
    });
    let all_begun = Instant::now();
    for (name, forge) in KINDS {
        let count = scale.of(FORGERIES.div_ceil(KINDS.len() as u64), 2 * HONEST_EVERY);
        let begun = Instant::now();
        in_parallel(count, 64, &attack, move |attack, n| async move {
            attack.send(forge, n).await
        })
        .await?;
        Row {
            attack: &format!("forged: {name}"),
            sent: count,
            counted: "taken",
            count: attack.taken.swap(0, Ordering::Relaxed),
            goal: Some(0),
            took: begun.elapsed(),
            memory: receiver.peak(),
        }
        .print()?;
    }
    let sent = attack.honest.load(Ordering::Relaxed);
    let mut row = Row {
        attack: "forged: authentic callbacks in between",
        sent,
        counted: "not taken",
        count: sent - attack.honest_taken.load(Ordering::Relaxed),
        goal: Some(0),
        took: all_begun.elapsed(),
        memory: receiver.peak(),
    };
    row.print()?;
    // The receiver's own count: no forged callback reached the handler.
    row.counted = "decisions beside one for each";
    row.count = receiver.counts()?.decided.abs_diff(sent);
    row.print()
}

struct Attack {
    forger: Forger,
    sender: Sender,
    /// The number of forged callbacks that were accepted.
    taken: AtomicU64,
    /// The numbers of authentic callbacks that were sent and that were accepted.
    honest: AtomicU64,
    honest_taken: AtomicU64,
}

impl Attack {
    /// Sends a forged callback, and sometimes an authentic one.
    async fn send(&self, forge: Forge, n: u64) -> Result<()> {
        if self.sender.is_taken(forge(&self.forger, n)?).await {
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
        if n.is_multiple_of(HONEST_EVERY) {
            self.honest.fetch_add(1, Ordering::Relaxed);
            if self.sender.is_taken(self.forger.authentic()?).await {
                self.honest_taken.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

struct Forger {
    signer: CallbackSigner,
    /// Has the right key and another secret.
    guessing: CallbackSigner,
    /// Has the right secret and another key.
    unknown: CallbackSigner,
    url: Uri,
    next: AtomicU64,
}

impl Forger {
    fn new(url: Uri) -> Result<Self> {
        let guessed = ApplicationSecret::new("YSBndWVzc2VkIHNlY3JldA==")?;
        let unknown = ApplicationKey::new("99999999-2222-3333-4444-555555555555")?;
        Ok(Self {
            signer: fixture::signer()?,
            guessing: CallbackSigner::new(fixture::key()?, &guessed),
            unknown: CallbackSigner::new(unknown, &fixture::secret()?),
            url,
            next: AtomicU64::new(0),
        })
    }

    /// A new authentic callback, which must be accepted.
    fn authentic(&self) -> Result<Request<Bytes>> {
        callback(&self.signer, &self.url, self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn changed(&self, n: u64) -> Result<Request<Bytes>> {
        let mut request = self.authentic()?;
        let at = usize::try_from(n / 5)?;
        // One bit, chosen so that text stays text and more than the case of a letter changes.
        let change = |bytes: &mut [u8]| {
            let at = at % bytes.len();
            bytes[at] ^= 4;
        };
        let header = |request: &mut Request<Bytes>, name: HeaderName| -> Result<()> {
            let value = request.headers_mut().get_mut(&name);
            let value = value.context("a callback lacks a header")?;
            let mut bytes = value.as_bytes().to_vec();
            change(&mut bytes);
            *value = HeaderValue::from_bytes(&bytes)?;
            Ok(())
        };
        match n % 5 {
            0 => {
                let mut path = fixture::CALLBACK_PATH.as_bytes().to_vec();
                // The first byte is kept, because without it there is no path.
                change(&mut path[1..]);
                *request.uri_mut() = self.at_path(std::str::from_utf8(&path)?)?;
            }
            1 => header(&mut request, CONTENT_TYPE)?,
            2 => header(&mut request, X_TIMESTAMP)?,
            3 => header(&mut request, AUTHORIZATION)?,
            _ => {
                let mut body = request.body().to_vec();
                change(&mut body);
                *request.body_mut() = body.into();
            }
        }
        Ok(request)
    }

    fn tampered(&self, n: u64) -> Result<Request<Bytes>> {
        let mut request = self.authentic()?;
        let tamper = Tamper::ALL[usize::try_from(n)? % Tamper::ALL.len()];
        tamper.apply(&self.signer, &mut request, SystemTime::now());
        Ok(request)
    }

    fn random(&self, n: u64) -> Result<Request<Bytes>> {
        let signature = STANDARD.encode(Sha256::digest(n.to_be_bytes()));
        self.authorized(&format!("application {KEY}:{signature}"))
    }

    fn out_of_time(&self, n: u64) -> Result<Request<Bytes>> {
        let mut request = self.authentic()?;
        let now = SystemTime::now();
        // Outside the window of 5 minutes past and 1 minute ahead. Timestamps in the future have a margin,
        // because a callback gets older on its way.
        let at = match n % 2 {
            0 => now.checked_sub(Duration::from_secs(301 + n)),
            _ => now.checked_add(Duration::from_secs(600 + n)),
        };
        self.signer.sign(&mut request, at.context("no such time")?);
        Ok(request)
    }

    fn unsigned(&self, n: u64) -> Result<Request<Bytes>> {
        let basic = STANDARD.encode(format!("{KEY}:{SECRET}"));
        match n % 5 {
            0 => {
                let mut request = self.authentic()?;
                request.headers_mut().remove(AUTHORIZATION);
                Ok(request)
            }
            1 => self.authorized(&format!("Basic {basic}")),
            2 => self.authorized(&format!("application {KEY}")),
            3 => self.authorized(&format!("application {KEY}:")),
            _ => self.authorized(&format!("Bearer {n:x}")),
        }
    }

    fn misdirected(&self, n: u64) -> Result<Request<Bytes>> {
        const PATHS: [&str; 6] = [
            "/",
            "/sinch/callback/",
            "/sinch//callback",
            "/sinch/Callback",
            "/sinch/callbac%6B",
            "/sinch/./callback",
        ];
        let mut request = self.authentic()?;
        match n % 3 {
            0 => *request.uri_mut() = self.at_path(PATHS[usize::try_from(n / 3)? % PATHS.len()])?,
            1 => self.guessing.sign(&mut request, SystemTime::now()),
            _ => self.unknown.sign(&mut request, SystemTime::now()),
        }
        Ok(request)
    }

    /// An authentic callback with another authorization.
    fn authorized(&self, value: &str) -> Result<Request<Bytes>> {
        let mut request = self.authentic()?;
        request.headers_mut().insert(AUTHORIZATION, value.parse()?);
        Ok(request)
    }

    fn at_path(&self, path: &str) -> Result<Uri> {
        let authority = self.url.authority().context("the receiver has no address")?;
        Ok(format!("http://{authority}{path}").parse()?)
    }
}
