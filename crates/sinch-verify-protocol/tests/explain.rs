//! Each known signing mistake is named by what it leads to.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod fixtures;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixtures::SECRET;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use proptest::prelude::*;
use sha2::Sha256;
use sinch_verify_protocol::auth::{
    Authorization, BodyForm, ContentMd5, Explain, Finding, InvalidAuthorization, Mistake, Signature,
    SignedMessage,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

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
        host: Some("shop.example:8443"),
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
        (format!("{right}/"), Mistake::TrailingSlash),
        (
            right.replace("\n/", "\nhttps://shop.example:8443/"),
            Mistake::FullUrl,
        ),
        (
            right.replace("\n/", "\nhttps://verification.api.sinch.com/"),
            Mistake::FullUrl,
        ),
        (right.replace('\n', "\\n"), Mistake::LiteralLineEnds),
        (
            right.replace("x-timestamp:", "x-timestamp: "),
            Mistake::TimestampBlank,
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
            expected: right.into_bytes()
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
        host: None,
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

/// The string over another body than the one that is sent.
fn string_over(body: &[u8]) -> String {
    format!(
        "POST\n{}\n{TYPE}\nx-timestamp:{STAMP}\n{PATH}",
        ContentMd5::of(body).as_str()
    )
}

fn body_forms(sent: &[u8], signed: &[u8]) -> Vec<BodyForm> {
    let secret = STANDARD.decode(SECRET).unwrap();
    let string = string_over(signed);
    match mistake(find(sent, PATH, &string, &secret), &string) {
        Mistake::BodyForm { signed } => signed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_body_that_was_written_again_after_signing_is_named() {
    use BodyForm::*;
    let compact =
        r#"{"to":"+46700000001","url":"https://a.example/b","name":"Zoë","list":[1.50,{}],"none":[]}"#;
    let spaced = r#"{"to": "+46700000001", "url": "https://a.example/b", "name": "Zoë", "list": [1.50, {}], "none": []}"#;
    let indented = |indent: &str| {
        [
            "{",
            "1\"to\": \"+46700000001\",",
            "1\"url\": \"https://a.example/b\",",
            "1\"name\": \"Zoë\",",
            "1\"list\": [",
            "21.50,",
            "2{}",
            "1],",
            "1\"none\": []",
            "}",
        ]
        .map(|line| match line.strip_prefix('1') {
            Some(line) => format!("{indent}{line}"),
            None => match line.strip_prefix('2') {
                Some(line) => format!("{indent}{indent}{line}"),
                None => line.to_owned(),
            },
        })
        .join("\n")
    };
    let latin1 = |text: &str| -> Vec<u8> { text.chars().map(|c| u8::try_from(c).unwrap()).collect() };
    let twice = |text: &str| -> Vec<u8> { text.bytes().map(char::from).collect::<String>().into_bytes() };
    let slashes = |text: &str| text.replace('/', "\\/");
    let cases: Vec<(&str, Vec<u8>, Vec<BodyForm>)> = vec![
        (spaced, compact.into(), vec![Compact]),
        (compact, spaced.into(), vec![Spaced]),
        (compact, indented("  ").into(), vec![Indented]),
        (compact, indented("    ").into(), vec![Indented]),
        (compact, indented("\t").into(), vec![Indented]),
        (
            compact,
            compact.replace('ë', "\\u00eb").into(),
            vec![AsciiEscaped],
        ),
        (
            compact,
            compact.replace('ë', "\\u00EB").into(),
            vec![AsciiEscaped],
        ),
        (compact, slashes(compact).into(), vec![SlashEscaped]),
        (
            compact,
            slashes(compact).replace('ë', "\\u00eb").into(),
            vec![SlashEscaped, AsciiEscaped],
        ),
        (compact, compact.replace('+', "\\u002B").into(), vec![PlusEscaped]),
        (compact, compact.replace('+', "\\u002b").into(), vec![PlusEscaped]),
        (
            compact,
            compact.replace('+', "\\u002B").replace('ë', "\\u00EB").into(),
            vec![PlusEscaped],
        ),
        (compact, latin1(compact), vec![Latin1]),
        (compact, twice(compact), vec![Utf8Twice]),
        (
            compact,
            spaced.replace('ë', "\\u00eb").into(),
            vec![Spaced, AsciiEscaped],
        ),
        (
            compact,
            slashes(&indented("    ")).into(),
            vec![Indented, SlashEscaped],
        ),
    ];
    for (sent, signed, forms) in cases {
        assert_eq!(
            body_forms(sent.as_bytes(), &signed),
            forms,
            "{}",
            signed.escape_ascii()
        );
        // And the other way round there is a name too.
        assert!(
            !body_forms(&signed, sent.as_bytes()).is_empty(),
            "{}",
            signed.escape_ascii()
        );
    }
    assert_eq!(
        body_forms(slashes(compact).as_bytes(), compact.as_bytes()),
        [Unescaped]
    );
    assert_eq!(body_forms(&latin1(compact), compact.as_bytes()), [Latin1]);
    assert_eq!(body_forms(&twice(compact), compact.as_bytes()), [Utf8Twice]);
    assert_eq!(body_forms("Zoë".as_bytes(), &latin1("Zoë")), [Latin1]);
}

#[test]
fn each_form_of_a_body_has_a_name_and_the_line_that_differs() {
    let body = br#"{"method": "sms"}"#;
    let md5 = ContentMd5::of(body);
    let message = message(&md5);
    let secret = ApplicationSecret::new(SECRET).unwrap();
    let explain = Explain {
        message: &message,
        body,
        host: None,
        secret: &secret,
    };
    let string = string_over(BODY);
    let bytes = STANDARD.decode(SECRET).unwrap();
    let finding = explain.signature(&hmac(&bytes, &string));
    let mistake = mistake(finding, &string);
    assert_eq!(mistake.name(), "body-compact");
    assert_eq!(
        mistake.to_string(),
        "the body was signed compact, without blanks between values, and sent in another form; \
         sign the bytes that are sent"
    );
    let difference = explain.difference(string.as_bytes()).unwrap();
    assert_eq!(difference.line, "body's MD5");
    assert_eq!(difference.given.as_deref(), Some(ContentMd5::of(BODY).as_str()));
}

fn message(md5: &ContentMd5) -> SignedMessage<'_> {
    SignedMessage {
        verb: "POST",
        path_and_query: PATH,
        content_type: TYPE.as_bytes(),
        timestamp: STAMP.as_bytes(),
        content_md5: md5,
    }
}

#[test]
fn a_signature_in_another_form_is_named_where_it_is_right() {
    let md5 = ContentMd5::of(BODY);
    let message = message(&md5);
    let secret = ApplicationSecret::new(SECRET).unwrap();
    let explain = Explain {
        message: &message,
        body: BODY,
        host: None,
        secret: &secret,
    };
    let bytes = STANDARD.decode(SECRET).unwrap();
    let forms = |signature: Signature| {
        let text = signature.to_text().as_str().to_owned();
        let hex = |upper: bool| -> String {
            let digits = |byte: &u8| {
                if upper {
                    format!("{byte:02X}")
                } else {
                    format!("{byte:02x}")
                }
            };
            signature.as_bytes().iter().map(digits).collect()
        };
        let url_safe = text.replace('+', "-").replace('/', "_");
        let unpadded = text.trim_end_matches('=').to_owned();
        [
            (hex(false), Mistake::HexSignature),
            (hex(true), Mistake::HexSignature),
            (url_safe.clone(), Mistake::UrlSafeSignature),
            (
                url_safe.trim_end_matches('=').to_owned(),
                Mistake::UrlSafeSignature,
            ),
            (unpadded, Mistake::UnpaddedSignature),
        ]
    };
    let right = string_over(BODY);
    let signature = hmac(&bytes, &right);
    assert!(
        signature.to_text().as_str().contains(['+', '/']),
        "an example that url-safe base64 changes"
    );
    for (text, expected) in forms(signature) {
        let header = format!("Application key:{text}");
        assert!(
            matches!(
                Authorization::parse(header.as_bytes()),
                Err(InvalidAuthorization::SignatureForm)
            ),
            "{text}"
        );
        let (key, text) = Authorization::key_and_signature_text(header.as_bytes()).unwrap();
        assert_eq!(key, "key");
        assert_eq!(mistake(explain.signature_text(text), &right), expected);
    }
    // Beside another mistake, that one is named; a wrong secret stays unknown.
    for (text, _) in forms(hmac(&bytes, &right.replace("POST", "post"))) {
        let finding = explain.signature_text(text.as_bytes());
        assert!(
            matches!(
                finding,
                Finding::Mistake {
                    mistake: Mistake::LowerCaseVerb,
                    ..
                }
            ),
            "{finding:?}"
        );
    }
    for (text, _) in forms(hmac(b"another secret", &right)) {
        assert!(
            matches!(explain.signature_text(text.as_bytes()), Finding::Unknown { .. }),
            "{text}"
        );
    }
    let unreadable = explain.signature_text(b"%%%");
    assert_eq!(
        unreadable,
        Finding::Unknown {
            expected: right.into_bytes()
        }
    );
    assert_eq!(
        explain.signature_text(signature.to_text().as_str().as_bytes()),
        Finding::Right
    );
}

#[test]
fn a_key_or_secret_with_a_stray_character_says_which_and_where() {
    let key = "669E367E-6BBA-48AB-AF15-266871C28135";
    let at = |before: &str, after: &str| {
        ApplicationKey::new(&format!("{before}{key}{after}"))
            .unwrap_err()
            .to_string()
    };
    for (message, expected) in [
        (
            at("", "\n"),
            "application key has a line feed at offset 36; remove it",
        ),
        (
            at("", "\r\n"),
            "application key has a carriage return at offset 36; remove it and the line end",
        ),
        (at(" ", ""), "application key has a blank at offset 0; remove it"),
        (at("\t", ""), "application key has a tab at offset 0; remove it"),
        (
            at("\"", "\""),
            "application key has a double quote at offset 0; remove the quotes around it",
        ),
        (
            at("'", "'"),
            "application key has a single quote at offset 0; remove the quotes around it",
        ),
        (
            at("", ":secret"),
            "application key has a colon at offset 36; remove it and what is behind it",
        ),
        (
            at("\u{feff}", ""),
            "application key has the character U+FEFF at offset 0; remove it",
        ),
    ] {
        assert_eq!(message, expected);
    }
    let wrong = |before: &str, after: &str| {
        let text = format!("{before}{SECRET}{after}");
        let (strict, lenient) = (ApplicationSecret::new(&text), ApplicationSecret::lenient(&text));
        let message = strict.unwrap_err().to_string();
        assert_eq!(message, lenient.unwrap_err().to_string());
        assert!(!message.contains("BeIu"), "{message}");
        message
    };
    assert_eq!(
        wrong("", "\n"),
        "application secret has a line feed at offset 24; remove it"
    );
    assert_eq!(
        wrong("\"", "\""),
        "application secret has a double quote at offset 0; remove the quotes around it"
    );
    assert_eq!(
        wrong("", " "),
        "application secret has a blank at offset 24; remove it"
    );
}

#[test]
fn hostile_bodies_take_no_more_than_their_share() {
    let secret = STANDARD.decode(SECRET).unwrap();
    let deep = [
        vec![b'['; 30_000],
        vec![b'1'],
        b",1".repeat(1000),
        vec![b']'; 30_000],
    ]
    .concat();
    let wide = format!("[{}]", ["[0]"; 16_000].join(","));
    let large = format!(r#"{{"a": "{}"}}"#, "+/".repeat(Explain::MAX_BODY));
    for body in [deep, wide.into_bytes(), large.clone().into_bytes()] {
        let finding = find(&body, PATH, "something else", &secret);
        assert!(matches!(finding, Finding::Unknown { .. }));
    }
    // Beyond the limit no other form of the body is tried.
    let signed = string_over(large.replace(": ", ":").as_bytes());
    assert!(matches!(
        find(large.as_bytes(), PATH, &signed, &secret),
        Finding::Unknown { .. }
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn another_writing_of_any_json_is_found_and_another_secret_never(
        fields in prop::collection::btree_map("[a-zé/+]{1,6}", "\\PC{0,12}", 1..5),
        other in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let value = serde_json::to_value(&fields).unwrap();
        let compact = serde_json::to_string(&value).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let secret = STANDARD.decode(SECRET).unwrap();
        for (sent, signed, form) in [
            (&pretty, &compact, BodyForm::Compact),
            (&compact, &pretty, BodyForm::Indented),
        ] {
            let string = string_over(signed.as_bytes());
            let found = mistake(find(sent.as_bytes(), PATH, &string, &secret), &string);
            prop_assert_eq!(found, Mistake::BodyForm { signed: vec![form] });
            let found = find(sent.as_bytes(), PATH, &string, &other);
            let is_unknown = matches!(found, Finding::Unknown { .. });
            prop_assert!(is_unknown);
        }
    }

    #[test]
    fn any_message_is_explained_without_a_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        path in "\\PC{0,30}",
        text in prop::collection::vec(any::<u8>(), 0..70),
    ) {
        let md5 = ContentMd5::of(&body);
        let message = SignedMessage { path_and_query: &path, ..message(&md5) };
        let secret = ApplicationSecret::new(SECRET).unwrap();
        let explain = Explain { message: &message, body: &body, host: Some(&path), secret: &secret };
        let is_unknown = matches!(explain.signature_text(&text), Finding::Unknown { .. });
        prop_assert!(is_unknown);
    }
}
