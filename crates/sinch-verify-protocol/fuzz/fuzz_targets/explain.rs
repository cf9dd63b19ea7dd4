//! Wrong signatures explained: any body, path and signature text end without a panic, a body that is
//! sent as it was signed is right, and one that was written again is named.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::auth::{
    ContentMd5, Explain, Finding, Mistake, SignedMessage, Signer, StringToSign,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

fuzz_target!(|input: (&[u8], &str, &[u8])| {
    let (body, path, text) = input;
    let (Ok(key), Ok(secret)) = (
        ApplicationKey::new("key"),
        ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA=="),
    ) else {
        return;
    };
    let content_md5 = ContentMd5::of(body);
    let message = SignedMessage {
        verb: "POST",
        path_and_query: path,
        content_type: b"application/json",
        timestamp: b"2026-01-02T03:04:05.067Z",
        content_md5: &content_md5,
    };
    let explain = Explain {
        message: &message,
        body,
        host: Some(path),
        secret: &secret,
    };
    let _ = explain.signature_text(text);
    let _ = explain.difference(text);

    let signer = Signer::new(key, &secret);
    let string = message.string_to_sign();
    assert_eq!(explain.signature(&signer.signature(&string)), Finding::Right);
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) {
        // A value may lose fields that come twice, and digits of numbers: only its own writings are compared.
        let (compact, pretty) = (value.to_string(), format!("{value:#}"));
        let md5 = ContentMd5::of(compact.as_bytes());
        let sent = ContentMd5::of(pretty.as_bytes());
        let message = SignedMessage {
            content_md5: &sent,
            ..message
        };
        let explain = Explain {
            message: &message,
            body: pretty.as_bytes(),
            ..explain
        };
        let signature = signer.signature(&StringToSign {
            content_md5: &md5,
            ..string
        });
        match explain.signature(&signature) {
            Finding::Right => assert_eq!(compact, pretty),
            Finding::Mistake {
                mistake: Mistake::BodyForm { .. },
                ..
            } => {}
            // Without a body there is one form only, and a large one is not written again.
            other => assert!(pretty.len() > Explain::MAX_BODY, "{other:?}"),
        }
    }
});
