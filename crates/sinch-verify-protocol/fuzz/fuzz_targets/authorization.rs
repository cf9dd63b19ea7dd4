//! The `Authorization` header, and routes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::auth::Authorization;
use sinch_verify_protocol::server::Route;

fuzz_target!(|header: &[u8]| {
    if let Ok(authorization) = Authorization::parse(header) {
        if let Authorization::Signed { key, signature } = &authorization {
            let written = format!("Application {key}:{}", signature.to_text().as_str());
            let again = Authorization::parse(written.as_bytes());
            assert!(matches!(again, Ok(Authorization::Signed { signature: again, .. }) if again.matches(signature)));
        }
        assert!(!format!("{authorization:?}").is_empty());
    }
    if let Ok(path) = std::str::from_utf8(header) {
        let _ = Route::parse(&http::Method::GET, path);
        let _ = Route::parse(&http::Method::PUT, &format!("/verification/v1/verifications{path}"));
    }
});
