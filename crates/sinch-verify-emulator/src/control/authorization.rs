//! Explains the authorization of a recorded request: its sender, and the mistake in its signature.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST};
use serde_json::{Value, json as value};
use sinch_verify_protocol::ApiError;
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, Explain, Finding, InvalidAuthorization, SignedMessage, StringToSign,
};

use crate::api;
use crate::core::{Core, Registered};
use crate::engine::AppId;
use crate::journal::Exchange;

/// The kind of authorization of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthorizationScheme {
    None,
    Public,
    Basic,
    Signed,
    Unreadable,
}

impl AuthorizationScheme {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Public => "public",
            Self::Basic => "basic",
            Self::Signed => "signed",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The sender that a request names.
pub(super) struct Sender {
    pub(super) kind: AuthorizationScheme,
    /// The application with the key in the request.
    pub(super) app: Option<AppId>,
    /// The text of the signature, also where its form is wrong.
    signature: Option<Vec<u8>>,
}

impl Sender {
    pub(super) fn of(core: &Core, headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (first, more) = (values.next(), values.next());
        let Some(value) = first else {
            return Self::by(AuthorizationScheme::None, None);
        };
        let authorization = match Authorization::parse(value.as_bytes()) {
            Ok(authorization) => authorization,
            Err(InvalidAuthorization::SignatureForm) if more.is_none() => {
                return Self::with_unreadable_signature(core, value.as_bytes());
            }
            Err(_) => return Self::by(AuthorizationScheme::Unreadable, None),
        };
        let app = api::sender(core, &authorization).map(|(app, _)| app);
        match authorization {
            _ if more.is_some() => Self::by(AuthorizationScheme::Unreadable, None),
            Authorization::Public { .. } => Self::by(AuthorizationScheme::Public, app),
            Authorization::Basic { .. } => Self::by(AuthorizationScheme::Basic, app),
            Authorization::Signed { signature, .. } => Self {
                signature: Some(signature.to_text().as_str().into()),
                ..Self::by(AuthorizationScheme::Signed, app)
            },
            _ => Self::by(AuthorizationScheme::Unreadable, None),
        }
    }

    /// A signature in a form that no service accepts.
    fn with_unreadable_signature(core: &Core, value: &[u8]) -> Self {
        let parts = Authorization::key_and_signature_text(value);
        Self {
            signature: parts.map(|(_, text)| text.to_vec()),
            ..Self::by(
                AuthorizationScheme::Unreadable,
                parts.and_then(|(key, _)| core.registry.find(key)),
            )
        }
    }

    fn by(kind: AuthorizationScheme, app: Option<AppId>) -> Self {
        Self {
            kind,
            app,
            signature: None,
        }
    }
}

/// The mistake in a request's authorization: a name for programs, a text for people, and the string
/// that was signed by mistake, with the line that differs.
struct Explanation {
    mistake: String,
    text: String,
    signed: Option<String>,
    line: Option<&'static str>,
}

impl Explanation {
    fn new(mistake: &str, text: impl Into<String>) -> Self {
        Self {
            mistake: mistake.to_owned(),
            text: text.into(),
            signed: None,
            line: None,
        }
    }
}

/// Adds to `detail` the string to sign, the expected signature, and an explanation of the mistake.
pub(super) fn inspect(
    core: &Core,
    exchange: &Exchange,
    headers: &HeaderMap,
    sender: &Sender,
    detail: &mut Value,
) {
    let own = sender.app.and_then(|app| core.registry.get(app));
    let own = own.as_deref();
    let unreadable = || {
        Explanation::new(
            "unreadable",
            "the Authorization header is not readable; send one header with `Application KEY`, \
             `Application KEY:SIGNATURE` or `Basic BASE64`",
        )
    };
    let explanation = match (sender.kind, own) {
        (AuthorizationScheme::None, _) => None,
        (AuthorizationScheme::Unreadable, Some(own)) if sender.signature.is_some() => {
            let explained = signature(core, own, exchange, headers, sender, detail);
            Some(
                explained
                    .filter(|explained| explained.signed.is_some())
                    .unwrap_or_else(unreadable),
            )
        }
        (AuthorizationScheme::Unreadable, _) => Some(unreadable()),
        (_, None) => Some(Explanation::new(
            "unknown-key",
            "the emulator has no application with this key; GET /_emu/info lists them",
        )),
        (AuthorizationScheme::Signed, Some(own)) => signature(core, own, exchange, headers, sender, detail),
        (_, Some(_)) if detail["errorCode"] == ApiError::CREDENTIALS => Some(Explanation::new(
            "wrong-secret",
            "the secret does not belong to this key; check the secret",
        )),
        _ => None,
    };
    if let Some(Explanation {
        mistake,
        text,
        signed,
        line,
    }) = explanation
    {
        detail["explanation"] = value!({"mistake": mistake, "text": text});
        if let Some(signed) = signed {
            detail["explanation"]["signed"] = signed.into();
        }
        if let Some(line) = line {
            detail["explanation"]["line"] = line.into();
        }
    }
}

fn signature(
    core: &Core,
    own: &Registered,
    exchange: &Exchange,
    headers: &HeaderMap,
    sender: &Sender,
    detail: &mut Value,
) -> Option<Explanation> {
    let (verb, target) = (exchange.verb(), exchange.target().to_string());
    let body: &Bytes = &exchange.body;
    let md5 = ContentMd5::of(body);
    let message = match SignedMessage::beside_authorization(verb.as_str(), &target, headers, &md5) {
        Ok(message) => message,
        Err(error) => return Some(Explanation::new("header", error.to_string())),
    };
    let string = message.string_to_sign();
    let ours = String::from_utf8_lossy(&string.to_bytes()).into_owned();
    let lines = StringToSign::LINES.iter().zip(ours.split('\n'));
    let lines: Vec<_> = lines
        .map(|(name, text)| value!({"name": name, "value": text}))
        .collect();
    detail["stringToSign"] = value!({"ours": ours, "lines": lines});
    detail["expectedSignature"] = own.signer.signature(&string).to_text().as_str().into();

    let explain = Explain {
        message: &message,
        body,
        host: headers.get(HOST).and_then(|host| host.to_str().ok()),
        secret: &own.secret,
    };
    let given = sender.signature.as_deref()?;
    let by_older = own.secrets().skip(1).any(|secret| {
        let explain = Explain { secret, ..explain };
        explain.signature_text(given) == Finding::Right
    });
    match explain.signature_text(given) {
        Finding::Unknown { .. } if by_older => stale(core, exchange, message.timestamp),
        Finding::Mistake { mistake, signed } => Some(Explanation {
            line: explain.difference(&signed).map(|difference| difference.line),
            signed: Some(String::from_utf8_lossy(&signed).into_owned()),
            ..Explanation::new(mistake.name(), mistake.to_string())
        }),
        Finding::Unknown { .. } => Some(Explanation::new(
            "unknown",
            "no known mistake explains this signature; check the secret, and that the bytes that were signed are \
             those that were sent",
        )),
        // The signature is right, so only the timestamp can be wrong.
        _ => stale(core, exchange, message.timestamp),
    }
}

fn stale(core: &Core, exchange: &Exchange, timestamp: &[u8]) -> Option<Explanation> {
    let fresh = core.settings().freshness.check(timestamp, exchange.wire);
    Some(Explanation::new("timestamp", fresh.err()?.to_string()))
}
