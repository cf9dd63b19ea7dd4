//! Nothing forged gets in, and no forger learns why.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use sinch_verify_callback::axum::router;
use sinch_verify_callback::protocol;
use sinch_verify_callback::protocol::auth::X_TIMESTAMP;

use crate::support::{ALLOW_BODY, PATH, allowing, event_of, now, post, post_to, send, serve, signer};

/// Turns a callback that is signed into one that must not be taken.
type Forge = Box<dyn Fn(&mut Request<Bytes>)>;

#[tokio::test]
async fn every_forgery_is_refused_alike() {
    let server = serve(router(PATH, allowing())).await;
    let forgeries: Vec<(&str, Forge)> = vec![
        (
            "no authorization",
            Box::new(|r| drop(r.headers_mut().remove(AUTHORIZATION))),
        ),
        (
            "no timestamp",
            Box::new(|r| drop(r.headers_mut().remove(X_TIMESTAMP))),
        ),
        ("two authorizations", Box::new(|r| double(r, AUTHORIZATION))),
        ("two timestamps", Box::new(|r| double(r, X_TIMESTAMP))),
        ("two content types", Box::new(|r| double(r, CONTENT_TYPE))),
        (
            "wrong scheme",
            Box::new(|r| edit(r, AUTHORIZATION, |v| v.replace("application", "Instance"))),
        ),
        (
            "basic",
            Box::new(|r| edit(r, AUTHORIZATION, |_| "Basic a2V5OnNlY3JldA==".to_owned())),
        ),
        (
            "unknown key",
            Box::new(|r| edit(r, AUTHORIZATION, |v| v.replace("669E", "669F"))),
        ),
        (
            "short signature",
            Box::new(|r| edit(r, AUTHORIZATION, |v| v[..v.len() - 4].to_owned())),
        ),
        (
            "long signature",
            Box::new(|r| edit(r, AUTHORIZATION, |v| format!("{v}AAAA"))),
        ),
        (
            "signature without padding",
            Box::new(|r| edit(r, AUTHORIZATION, |v| v.replace('=', ""))),
        ),
        (
            "signature not canonical",
            Box::new(|r| edit(r, AUTHORIZATION, |v| uncanonical(&v))),
        ),
        (
            "signature bit",
            Box::new(|r| edit(r, AUTHORIZATION, |v| flip_at(&v, v.len() - 10))),
        ),
        (
            "timestamp bit",
            Box::new(|r| edit(r, X_TIMESTAMP, |v| flip_at(&v, 22))),
        ),
        (
            "content type bit",
            Box::new(|r| edit(r, CONTENT_TYPE, |v| v.replace("utf-8", "utf-9"))),
        ),
        (
            "content type case",
            Box::new(|r| edit(r, CONTENT_TYPE, |v| v.replace("utf-8", "UTF-8"))),
        ),
        (
            "stale",
            Box::new(|r| signer().sign(r, now() - Duration::from_secs(301))),
        ),
        (
            "future",
            Box::new(|r| signer().sign(r, now() + Duration::from_secs(61))),
        ),
        (
            "body bit",
            Box::new(|r| {
                let mut body = r.body().to_vec();
                body[10] ^= 1;
                *r.body_mut() = body.into();
            }),
        ),
        ("empty body", Box::new(|r| *r.body_mut() = Bytes::new())),
        (
            "signed for another path",
            Box::new(|r| {
                *r = post_to("/sinch/other", r.body().clone());
                *r.uri_mut() = PATH.parse().unwrap();
            }),
        ),
        (
            "signed for another verb",
            Box::new(|r| {
                *r.method_mut() = Method::PUT;
                signer().sign(r, now());
                *r.method_mut() = Method::POST;
            }),
        ),
    ];
    let mut first = None;
    for (name, forge) in forgeries {
        let mut request = post(event_of(&protocol::Method::Sms));
        forge(&mut request);
        let answered = send(server, request).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{name}");
        let seen = answered.without_date();
        assert_eq!(first.get_or_insert_with(|| seen.clone()), &seen, "{name}");
    }
    // And the same server still takes the real thing.
    let answered = send(server, post(event_of(&protocol::Method::Sms))).await;
    assert_eq!(answered.text(), ALLOW_BODY);
}

fn double(request: &mut Request<Bytes>, name: HeaderName) {
    let value = request.headers()[&name].clone();
    request.headers_mut().append(name, value);
}

fn edit(request: &mut Request<Bytes>, name: HeaderName, change: impl Fn(String) -> String) {
    let value = change(request.headers()[&name].to_str().unwrap().to_owned());
    request
        .headers_mut()
        .insert(name, HeaderValue::from_str(&value).unwrap());
}

/// The same 32 bytes in base64 that sets the two bits that must be zero.
fn uncanonical(value: &str) -> String {
    let mut bytes = value.as_bytes().to_vec();
    let last = bytes.len() - 2;
    // Canonical last characters are every fourth of the alphabet; its successor has one bit more.
    bytes[last] = match bytes[last] {
        b'8' => b'9',
        letter => letter + 1,
    };
    String::from_utf8(bytes).unwrap()
}

fn flip_at(value: &str, at: usize) -> String {
    let mut bytes = value.as_bytes().to_vec();
    bytes[at] = if bytes[at].is_ascii_digit() {
        bytes[at] ^ 1
    } else {
        bytes[at] ^ 0x20
    };
    String::from_utf8(bytes).unwrap()
}
