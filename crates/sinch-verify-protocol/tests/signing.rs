//! Published signing examples, with every intermediate value.
//!
//! `known_answer` entries must verify, `refuted` ones are wrong as printed,
//! `derived` ones are regression values in the style of official SDKs.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod fixtures;

use std::time::SystemTime;

use serde_json::Value;
use sinch_verify_protocol::auth::{
    Authorization, BodyHasher, ContentMd5, PathPolicy, Signature, SignedMessage, Signer, StringToSign,
    Verifier, VerifyError, Window,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, timestamp};

struct Vector {
    id: String,
    json: Value,
    content_md5: ContentMd5,
}

impl Vector {
    fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_default()
    }

    fn key(&self) -> ApplicationKey {
        ApplicationKey::new(self.text("key")).unwrap()
    }

    fn secret(&self) -> ApplicationSecret {
        ApplicationSecret::lenient(self.text("secret_base64")).unwrap()
    }

    fn string_to_sign(&self) -> StringToSign<'_> {
        StringToSign {
            verb: self.text("verb"),
            content_md5: &self.content_md5,
            content_type: self.text("content_type").as_bytes(),
            timestamp: self.text("x_timestamp").as_bytes(),
            path: self.text("canonical_path").as_bytes(),
        }
    }

    fn message(&self) -> SignedMessage<'_> {
        SignedMessage {
            verb: self.text("verb"),
            path_and_query: self.text("canonical_path"),
            content_type: self.text("content_type").as_bytes(),
            timestamp: self.text("x_timestamp").as_bytes(),
            content_md5: &self.content_md5,
        }
    }

    fn signed_at(&self) -> SystemTime {
        timestamp::parse(self.text("x_timestamp")).unwrap()
    }
}

fn vectors(group: &str) -> Vec<Vector> {
    let all: Value = serde_json::from_str(include_str!("vectors/signing-vectors.json")).unwrap();
    let list = all[group].as_array().unwrap();
    assert!(!list.is_empty());
    list.iter()
        .map(|json| Vector {
            id: json["id"].as_str().unwrap().to_owned(),
            content_md5: ContentMd5::of(json["body"].as_str().unwrap_or_default().as_bytes()),
            json: json.clone(),
        })
        .collect()
}

/// Secret, MD5, string and signature of an entry, as the file has them.
fn check_intermediate_values(vector: &Vector) {
    let id = &vector.id;
    let hex: String = vector
        .secret()
        .expose_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, vector.text("secret_hex"), "{id}: secret");
    assert_eq!(
        vector.content_md5.as_str(),
        vector.text("content_md5"),
        "{id}: content MD5"
    );
    let string = vector.string_to_sign();
    assert_eq!(
        string.to_bytes(),
        vector.text("string_to_sign").as_bytes(),
        "{id}: string to sign"
    );
    let signature = Signer::new(vector.key(), &vector.secret()).signature(&string);
    assert_eq!(
        signature.to_text().as_str(),
        vector.text("computed_signature"),
        "{id}: signature"
    );
}

#[test]
fn known_answers_verify_with_every_intermediate_value() {
    for vector in vectors("known_answer") {
        let id = &vector.id;
        check_intermediate_values(&vector);
        assert_eq!(
            vector.text("expected_signature"),
            vector.text("computed_signature"),
            "{id}"
        );
        if let Some(md5) = vector.json["expected_content_md5"].as_str() {
            assert_eq!(vector.content_md5.as_str(), md5, "{id}: published MD5");
        }
        let published = Signature::parse(vector.text("expected_signature").as_bytes()).unwrap();
        if vector.text("scheme") == "Instance" {
            // The legacy scheme signs a path without its leading slash, which no
            // request has: it goes through the string on a raw path only.
            let signature = Signer::new(vector.key(), &vector.secret()).signature(&vector.string_to_sign());
            assert!(signature.matches(&published), "{id}");
            let header = format!(
                "Instance {}:{}",
                vector.text("key"),
                vector.text("expected_signature")
            );
            let header = Authorization::parse(header.as_bytes());
            assert!(matches!(header, Ok(Authorization::Instance { .. })), "{id}");
            continue;
        }
        let verifier = Verifier::new(vector.key(), &vector.secret());
        let now = vector.signed_at();
        verifier
            .verify(
                &vector.message(),
                &published,
                now,
                Window::default(),
                PathPolicy::default(),
            )
            .unwrap_or_else(|error| panic!("{id}: {error}"));
    }
}

#[test]
fn refuted_examples_do_not_verify() {
    let mut without_signature = 0;
    for vector in vectors("refuted") {
        let id = &vector.id;
        check_intermediate_values(&vector);
        let Some(printed) = vector.json["expected_signature"].as_str() else {
            // Its signature was never published: the wrong MD5 is what shows.
            assert_ne!(
                vector.content_md5.as_str(),
                vector.text("expected_content_md5"),
                "{id}"
            );
            without_signature += 1;
            continue;
        };
        let printed = Signature::parse(printed.as_bytes()).unwrap();
        let signer = Signer::new(vector.key(), &vector.secret());
        assert!(
            !signer.signature(&vector.string_to_sign()).matches(&printed),
            "{id}"
        );
        let verifier = Verifier::new(vector.key(), &vector.secret());
        for paths in [PathPolicy::default(), PathPolicy::any_sdk()] {
            assert_eq!(
                verifier.check_signature(&vector.message(), &printed, paths),
                Err(VerifyError::Mismatch),
                "{id}"
            );
        }
    }
    assert_eq!(without_signature, 1);
}

#[test]
fn sdk_styles_are_signed_as_recorded() {
    for vector in vectors("derived") {
        check_intermediate_values(&vector);
    }
}

#[test]
fn the_hello_example_signs_the_same_through_the_signer() {
    let vector = vectors("known_answer")
        .into_iter()
        .find(|vector| vector.id == "node-java-post")
        .unwrap();
    let signed = Signer::new(vector.key(), &vector.secret()).sign(
        "POST",
        vector.text("canonical_path"),
        vector.text("content_type").as_bytes(),
        vector.text("body").as_bytes(),
        vector.signed_at(),
    );
    assert_eq!(signed.timestamp.as_str(), vector.text("x_timestamp"));
    let header = signed.authorization(&vector.key());
    assert_eq!(
        header,
        format!("Application my-key-id:{}", vector.text("expected_signature"))
    );
    assert!(matches!(
        Authorization::parse(header.as_bytes()),
        Ok(Authorization::Signed { key: "my-key-id", .. })
    ));
}

#[test]
fn an_empty_body_has_an_empty_line_and_not_the_md5_of_nothing() {
    assert_eq!(ContentMd5::of(b"").as_str(), "");
    assert_eq!(BodyHasher::new().finish(), ContentMd5::EMPTY);
    let mut hasher = BodyHasher::new();
    hasher.update(b"");
    assert_eq!(hasher.finish().as_str(), "");
}

#[test]
fn strict_secrets_are_padded_standard_base64() {
    assert!(ApplicationSecret::new(fixtures::SECRET).is_ok());
    for lenient_only in ["BeIukql3pTKJ8RGL5zo0DA", "app-secret", "9876543210"] {
        assert!(ApplicationSecret::new(lenient_only).is_err(), "{lenient_only}");
        assert!(ApplicationSecret::lenient(lenient_only).is_ok(), "{lenient_only}");
    }
    for never in ["", "not base64!"] {
        assert!(ApplicationSecret::lenient(never).is_err(), "{never}");
    }
}

#[test]
fn the_window_has_two_sides() {
    use std::time::Duration;
    let now = timestamp::parse("2026-01-02T03:04:05Z").unwrap();
    let window = Window::default();
    for (stamp, expected) in [
        ("2026-01-02T03:04:05Z", Ok(())),
        ("2026-01-02T02:59:05.0000000Z", Ok(())),
        (
            "2026-01-02T02:59:04Z",
            Err(VerifyError::Stale {
                by: Duration::from_secs(1),
            }),
        ),
        ("2026-01-02T03:05:05+00:00", Ok(())),
        (
            "2026-01-02T03:05:06.500",
            Err(VerifyError::Future {
                by: Duration::from_millis(1500),
            }),
        ),
        ("yesterday", Err(VerifyError::BadTimestamp)),
        ("", Err(VerifyError::BadTimestamp)),
    ] {
        let checked = window.check(stamp.as_bytes(), now).map(|_| ());
        assert_eq!(checked, expected, "{stamp}");
    }
}

#[test]
fn path_forms_of_official_sdks_are_policy() {
    let vector = &vectors("known_answer")[0];
    let signer = Signer::new(vector.key(), &vector.secret());
    let verifier = Verifier::new(vector.key(), &vector.secret());
    let sign = |path: &str| {
        signer.signature(&StringToSign {
            path: path.as_bytes(),
            ..vector.string_to_sign()
        })
    };
    let received = SignedMessage {
        path_and_query: "/reference/a%20b?x=1",
        ..vector.message()
    };
    for (signed_path, default_takes_it) in [
        ("/reference/a%20b", true),
        ("/reference/a b", false),
        ("/reference/a%20b?x=1", false),
    ] {
        let signature = sign(signed_path);
        let by_default = verifier.check_signature(&received, &signature, PathPolicy::default());
        assert_eq!(by_default.is_ok(), default_takes_it, "{signed_path}");
        verifier
            .check_signature(&received, &signature, PathPolicy::any_sdk())
            .unwrap();
    }
}

#[test]
fn authorization_headers_that_cannot_be_read() {
    for header in [
        "",
        "Application",
        "Application ",
        "Bearer abc",
        "Application key:short",
        "Application key:!!!!",
        // Non-canonical base64: the last character has stray bits.
        "Application key:qDXMwzfaxCRS849c/2R0hg0nphgdHciTo7OdM6MsdnN=",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Application key two",
    ] {
        assert!(Authorization::parse(header.as_bytes()).is_err(), "{header}");
    }
    assert!(matches!(
        Authorization::parse(b"application  key"),
        Ok(Authorization::Public { key: "key" })
    ));
    assert!(matches!(
        Authorization::parse(b"basic a2V5OnNlY3JldA=="),
        Ok(Authorization::Basic { .. })
    ));
}
