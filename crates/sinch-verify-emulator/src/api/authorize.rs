//! Authorization: finds the application that sent a request.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request;
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, PathForm, PathPolicy, Signature, SignedMessage, VerifyError,
};
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::{ApiError, ApplicationSecret};
use subtle::ConstantTimeEq as _;

use crate::application::AuthorizationLevel;
use crate::core::{Core, Registered};
use crate::engine::AppId;

/// The application that sent a request, and how the request is authorized.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) app: AppId,
    pub(super) level: AuthorizationLevel,
    /// The form of the path that the signature covers, if there is a signature.
    path: Option<PathForm>,
    /// Whether the key has the prefix [`REALM`].
    realm: bool,
}

/// The prefix that the oldest helper library puts before the key.
const REALM: &str = "application\\";

impl Caller {
    /// The anomaly of the signature, if there is one.
    pub(super) fn anomaly(&self) -> Option<String> {
        if self.realm {
            return Some("authorization: the key has the prefix `application\\`".to_owned());
        }
        let anomaly = match self.path? {
            PathForm::Decoded => "signature: covers the decoded path",
            PathForm::WithQuery => "signature: covers the query",
            _ => return None,
        };
        Some(anomaly.to_owned())
    }
}

/// Checks the authorization of a request that came at this wire time, and whether `route` accepts it.
pub(super) fn authorize(
    core: &Core,
    came: SystemTime,
    head: &request::Parts,
    body: &Bytes,
    route: Option<&Route>,
) -> Result<Caller, ApiError> {
    let mut values = head.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(ApiError::new(
            ApiError::AUTHORIZATION_REQUIRED,
            "Authorization required.",
        ));
    };
    // With two headers, a proxy in front could use the other one.
    if values.next().is_some() {
        return Err(unreadable());
    }
    let authorization = Authorization::parse(value.as_bytes()).map_err(|_| unreadable())?;
    let (app, realm) = sender(core, &authorization).ok_or_else(invalid)?;
    let registered = core.registry.get(app).ok_or_else(invalid)?;
    let (level, path) = match &authorization {
        Authorization::Public { .. } => (AuthorizationLevel::Public, None),
        Authorization::Basic { pair } => {
            let secret = pair.split_once(':').map_or("", |(_, secret)| secret);
            let is = |own: &ApplicationSecret| secret.as_bytes().ct_eq(own.expose_text().as_bytes());
            if !registered.secrets().any(|own| bool::from(is(own))) {
                return Err(invalid());
            }
            (AuthorizationLevel::Basic, None)
        }
        Authorization::Signed { signature, .. } => {
            let form = verify(core, came, &registered, head, body, signature)?;
            (AuthorizationLevel::Signed, Some(form))
        }
        _ => return Err(unreadable()),
    };
    let needed = route.map_or(AuthorizationLevel::Public, needed);
    if level < needed.max(registered.minimum) {
        return Err(ApiError::new(
            ApiError::SCHEME,
            "The authorization is weaker than this operation, or this application, requires.",
        ));
    }
    Ok(Caller {
        app,
        level,
        path,
        realm,
    })
}

/// The application with this key, and whether the key has the prefix [`REALM`].
pub(crate) fn sender(core: &Core, authorization: &Authorization<'_>) -> Option<(AppId, bool)> {
    let key = authorization.key();
    let plain = match authorization {
        Authorization::Basic { .. } => key.strip_prefix(REALM),
        _ => None,
    };
    Some((core.registry.find(plain.unwrap_or(key))?, plain.is_some()))
}

/// The weakest authorization that an operation accepts.
pub(super) fn needed(route: &Route) -> AuthorizationLevel {
    match route {
        Route::StatusById { .. } | Route::StatusByReference { .. } => AuthorizationLevel::Basic,
        _ => AuthorizationLevel::Public,
    }
}

fn verify(
    core: &Core,
    came: SystemTime,
    registered: &Registered,
    head: &request::Parts,
    body: &Bytes,
    signature: &Signature,
) -> Result<PathForm, ApiError> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let md5 = ContentMd5::of(body);
    let message = SignedMessage::beside_authorization(head.method.as_str(), path, &head.headers, &md5)
        .map_err(refuse)?;
    let mut refused = VerifyError::Mismatch;
    for verifier in &registered.verifiers {
        let freshness = core.settings().freshness;
        match verifier.verify(&message, signature, came, freshness, PathPolicy::any_sdk()) {
            Ok(form) => return Ok(form),
            Err(error) => refused = error,
        }
    }
    Err(refuse(refused))
}

fn refuse(error: VerifyError) -> ApiError {
    match error {
        VerifyError::MissingTimestamp => ApiError::new(ApiError::TIMESTAMP, "X-Timestamp required."),
        VerifyError::BadTimestamp | VerifyError::Stale { .. } | VerifyError::Future { .. } => {
            ApiError::new(ApiError::TIMESTAMP, format!("Invalid X-Timestamp: {error}."))
        }
        VerifyError::Mismatch => ApiError::new(ApiError::SIGNATURE, "Invalid signature."),
        _ => unreadable(),
    }
}

fn unreadable() -> ApiError {
    ApiError::new(ApiError::AUTHORIZATION_HEADER, "Invalid authorization header.")
}

fn invalid() -> ApiError {
    ApiError::new(ApiError::CREDENTIALS, "Invalid authorization.")
}
