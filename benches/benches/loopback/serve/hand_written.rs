//! The callback receiver as a careful user writes it without this project: an axum handler over raw crates.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use md5::{Digest as _, Md5};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::fixture;

/// The limits of our receiver, so that both do the same work.
const PAST: SignedDuration = SignedDuration::from_mins(5);
const FUTURE: SignedDuration = SignedDuration::from_mins(1);
const REMEMBERED: Duration = Duration::from_secs(420);
const DEADLINE: Duration = Duration::from_secs(3);
const DECIDED: Duration = Duration::from_secs(15 * 60);
/// The time between two passes that drop what has expired.
const SWEEP: Duration = Duration::from_secs(60);
/// More signatures than a run has.
const ROOM: u64 = 16_000_000;

/// A router whose handler does as much as `level` says.
pub(super) fn router(level: &str) -> Result<Router> {
    let (guard, decisions) = match level {
        "check" => (Guard::None, None),
        "guard" => (Guard::Map(Mutex::default()), None),
        "decisions" => (Guard::Map(Mutex::default()), Some(Mutex::default())),
        "moka" => {
            let cache = Cache::builder().max_capacity(ROOM).time_to_live(REMEMBERED);
            (Guard::Moka(cache.build()), None)
        }
        _ => bail!("no hand-written receiver is named {level:?}"),
    };
    let app = App {
        hmac: Hmac::new_from_slice(&STANDARD.decode(fixture::SECRET)?)?,
        guard,
        decisions,
    };
    let route = post(callback).with_state(Arc::new(app));
    Ok(Router::new().route(fixture::CALLBACK_PATH, route))
}

struct App {
    hmac: Hmac<Sha256>,
    guard: Guard,
    decisions: Option<Mutex<Expiring<String, Action>>>,
}

/// Remembers the signatures that were taken.
enum Guard {
    None,
    Map(Mutex<Expiring<[u8; 32], ()>>),
    Moka(Cache<[u8; 32], ()>),
}

/// A map with the time at which each entry was made.
struct Expiring<K, V> {
    entries: HashMap<K, (Instant, V)>,
    swept: Instant,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    id: String,
    #[expect(dead_code, reason = "read as a user would, who needs it")]
    method: String,
    identity: Identity,
    #[expect(dead_code, reason = "read as a user would, who needs it")]
    reference: Option<String>,
    #[expect(dead_code, reason = "read as a user would, who needs it")]
    custom: Option<String>,
    #[expect(dead_code, reason = "read as a user would, who needs it")]
    price: Option<Price>,
}

#[derive(Deserialize)]
struct Identity {
    endpoint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read as a user would, who needs it")]
struct Price {
    amount: f64,
    currency_id: String,
}

#[derive(Serialize)]
struct Answer {
    action: Action,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Allow,
    Deny,
}

async fn callback(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let signature = app
        .check(uri.path(), &headers, &body)
        .ok_or(StatusCode::UNAUTHORIZED)?;
    if !app.guard.is_new(signature) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let event: Event = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    if event.event != "VerificationRequestEvent" {
        return Ok(StatusCode::OK.into_response());
    }
    let action = match &app.decisions {
        None => decide(event).await,
        Some(decisions) => decide_once(decisions, event).await,
    };
    Ok(Json(Answer { action }).into_response())
}

impl App {
    /// The signature, if it covers the request and the request is fresh.
    fn check(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> Option<[u8; 32]> {
        const X_TIMESTAMP: HeaderName = HeaderName::from_static("x-timestamp");
        let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        if content_type.split(';').next()?.trim() != "application/json" {
            return None;
        }
        let timestamp = headers.get(X_TIMESTAMP)?.to_str().ok()?;
        let age = Timestamp::now().duration_since(Timestamp::from_str(timestamp).ok()?);
        if age > PAST || age < -FUTURE {
            return None;
        }
        let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        let (key, signature) = credentials.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("application") || key != fixture::KEY {
            return None;
        }
        let md5 = STANDARD.encode(Md5::digest(body));
        let mut hmac = self.hmac.clone();
        hmac.update(format!("POST\n{md5}\n{content_type}\nx-timestamp:{timestamp}\n{path}").as_bytes());
        let signature: [u8; 32] = STANDARD.decode(signature).ok()?.try_into().ok()?;
        hmac.verify_slice(&signature).ok()?;
        Some(signature)
    }
}

impl Guard {
    fn is_new(&self, signature: [u8; 32]) -> bool {
        match self {
            Self::None => true,
            Self::Map(map) => {
                let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
                map.insert(signature, (), REMEMBERED).is_none()
            }
            Self::Moka(cache) => cache.entry(signature).or_insert(()).is_fresh(),
        }
    }
}

impl<K: Eq + std::hash::Hash, V: Copy> Expiring<K, V> {
    /// Inserts `value`, or gives the one that is there.
    fn insert(&mut self, key: K, value: V, lifetime: Duration) -> Option<V> {
        let now = Instant::now();
        if now - self.swept > SWEEP {
            self.entries.retain(|_, (at, _)| now - *at < lifetime);
            self.swept = now;
        }
        match self.entries.entry(key) {
            Entry::Occupied(there) if now - there.get().0 < lifetime => Some(there.get().1),
            entry => {
                entry.insert_entry((now, value));
                None
            }
        }
    }

    fn get(&self, key: &K, lifetime: Duration) -> Option<V> {
        let (at, value) = self.entries.get(key)?;
        (at.elapsed() < lifetime).then_some(*value)
    }
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            swept: Instant::now(),
        }
    }
}

/// The decision of the user's code.
async fn decide(event: Event) -> Action {
    if event.identity.endpoint.starts_with('+') {
        Action::Allow
    } else {
        Action::Deny
    }
}

/// Decides in a task of its own and within the deadline, and once for each verification.
async fn decide_once(decisions: &Mutex<Expiring<String, Action>>, event: Event) -> Action {
    let lock = || decisions.lock().unwrap_or_else(PoisonError::into_inner);
    let id = event.id.clone();
    if let Some(action) = lock().get(&id, DECIDED) {
        return action;
    }
    let action = match tokio::time::timeout(DEADLINE, tokio::spawn(decide(event))).await {
        Ok(Ok(action)) => action,
        Ok(Err(_)) | Err(_) => Action::Deny,
    };
    lock().insert(id, action, DECIDED).unwrap_or(action)
}
