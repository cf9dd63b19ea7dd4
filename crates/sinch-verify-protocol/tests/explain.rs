//! Each known signing mistake is named by what it leads to.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod fixtures;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixtures::SECRET;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use sinch_verify_protocol::ApplicationSecret;
use sinch_verify_protocol::auth::{ContentMd5, Explain, Finding, Mistake, Signature, SignedMessage};

const STAMP: &str = "2026-01-02T03:04:05.067Z";
const BODY: &[u8] = br#"{"method":"sms"}"#;
const TYPE: &str = "application/json; charset=utf-8";
const PATH: &str = "/verification/v1/verifications/reference/a%20b+c";

/// Signs by hand, as a sender with a mistake would.
fn hmac(secret: &[u8], string: &str) -> Signature {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(string.as_bytes());
    Signature::parse(STANDARD.encode(mac.finalize().into_bytes()).as_bytes()).unwrap()
}

fn find(body: &[u8], path_and_query: &str, signed: &str, secret: &[u8]) -> Finding {
    let md5 = ContentMd5::of(body);
    let message = SignedMessage {
        verb: "POST",
        path_and_query,
        content_type: TYPE.as_bytes(),
        timestamp: STAMP.as_bytes(),
        content_md5: &md5,
    };
    let decoded = ApplicationSecret::new(SECRET).unwrap();
    Explain {
        message: &message,
        body,
        secret: &decoded,
    }
    .signature(&hmac(secret, signed))
}

fn mistake(finding: Finding, signed: &str) -> Mistake {
    match finding {
        Finding::Mistake {
            mistake,
            signed: found,
        } => {
            assert_eq!(String::from_utf8_lossy(&found), signed);
            mistake
        }
        other => panic!("{other:?} for {signed:?}"),
    }
}

#[test]
fn each_known_mistake_is_named() {
    let secret = STANDARD.decode(SECRET).unwrap();
    let md5 = ContentMd5::of(BODY);
    let md5 = md5.as_str();
    let hex: String = Md5::digest(BODY)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let right = format!("POST\n{md5}\n{TYPE}\nx-timestamp:{STAMP}\n{PATH}");
    let query = format!("{PATH}?x=1");
    let content_type = |signed: &str| Mistake::ContentType {
        signed: signed.to_owned(),
    };
    let cases = [
        (
            right.replace("utf-8", "UTF-8"),
            content_type("application/json; charset=UTF-8"),
        ),
        (
            right.replace("; charset=utf-8", ""),
            content_type("application/json"),
        ),
        (
            right.replace("; charset=utf-8", ";charset=utf-8"),
            content_type("application/json;charset=utf-8"),
        ),
        (right.replace(TYPE, ""), content_type("")),
        (right.replace(TYPE, "null"), content_type("null")),
        (right.replace("%20", " "), Mistake::DecodedPath),
        (right.replace("b+c", "b%2Bc"), Mistake::EncodedPath),
        (
            right.replace("\n/verification", "\nverification"),
            Mistake::NoLeadingSlash,
        ),
        (right.replace(md5, ""), Mistake::NoMd5),
        (right.replace(md5, &hex), Mistake::HexMd5),
        (
            right.replace("x-timestamp:", "x-timestamp:x-timestamp:"),
            Mistake::DoubledTimestampName,
        ),
        (right.replace("x-timestamp:", ""), Mistake::NoTimestampName),
        (
            right.replace("x-timestamp:", "X-Timestamp:"),
            Mistake::TimestampNameCase,
        ),
        (right.replace("POST", "post"), Mistake::LowerCaseVerb),
        (right.replace("POST", "PUT"), Mistake::Verb { signed: "PUT" }),
        (
            right.replace(md5, ContentMd5::of(&[BODY, b"\n"].concat()).as_str()),
            Mistake::BodyLineEnd,
        ),
        (right.replace('\n', "\r\n"), Mistake::CrLf),
        (format!("{right}\n"), Mistake::TrailingLineEnd),
        (
            format!("{}\r\n", right.replace('\n', "\r\n")),
            Mistake::TrailingLineEnd,
        ),
    ];
    for (signed, expected) in cases {
        assert_eq!(mistake(find(BODY, PATH, &signed, &secret), &signed), expected);
    }
    let with_query = format!("{right}?x=1");
    assert_eq!(
        mistake(find(BODY, &query, &with_query, &secret), &with_query),
        Mistake::WithQuery
    );
    assert_eq!(
        mistake(find(BODY, PATH, &right, SECRET.as_bytes()), &right),
        Mistake::UndecodedSecret
    );

    let empty = format!("POST\n1B2M2Y8AsgTpgAmY7PhCfg==\n{TYPE}\nx-timestamp:{STAMP}\n{PATH}");
    assert_eq!(
        mistake(find(b"", PATH, &empty, &secret), &empty),
        Mistake::Md5OfNothing
    );
}

#[test]
fn a_right_signature_is_right_and_an_unknown_one_shows_our_string() {
    let secret = STANDARD.decode(SECRET).unwrap();
    let md5 = ContentMd5::of(BODY);
    let right = format!("POST\n{}\n{TYPE}\nx-timestamp:{STAMP}\n{PATH}", md5.as_str());
    assert_eq!(find(BODY, PATH, &right, &secret), Finding::Right);
    assert_eq!(
        find(BODY, PATH, &right, b"another secret"),
        Finding::Unknown {
            expected: right.clone().into_bytes()
        }
    );
}

#[test]
fn the_first_line_that_differs_is_named() {
    let md5 = ContentMd5::of(BODY);
    let message = SignedMessage {
        verb: "POST",
        path_and_query: PATH,
        content_type: TYPE.as_bytes(),
        timestamp: STAMP.as_bytes(),
        content_md5: &md5,
    };
    let secret = ApplicationSecret::new(SECRET).unwrap();
    let explain = Explain {
        message: &message,
        body: BODY,
        secret: &secret,
    };
    let right = format!("POST\n{}\n{TYPE}\nx-timestamp:{STAMP}\n{PATH}", md5.as_str());
    assert_eq!(explain.difference(right.as_bytes()), None);
    for (theirs, line) in [
        (right.replace("utf-8", "UTF-8"), "content type"),
        (right.replace("POST", "PUT"), "verb"),
        (right.replace(md5.as_str(), ""), "body's MD5"),
        (format!("{right}\n"), "a line too many"),
        (right.replace(&format!("\n{PATH}"), ""), "path"),
    ] {
        assert_eq!(
            explain
                .difference(theirs.as_bytes())
                .map(|difference| difference.line),
            Some(line)
        );
    }
}
