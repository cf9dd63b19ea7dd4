//! Any change is refused, and anything at all is answered.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request};
use proptest::prelude::*;
use sinch_verify_callback::Head;
use sinch_verify_callback::protocol::auth::X_TIMESTAMP;

use crate::{event, now, receive, receive_whole, receiver, signed, signer};

/// Flips bit `at` of `bytes`, counted around.
fn flip(bytes: &mut [u8], at: usize) {
    let bit = at % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

/// Flips one bit of a header's value; `false` if that is no value any more,
/// which HTTP itself refuses.
fn flip_header(request: &mut Request<Bytes>, name: &HeaderName, skip: usize, at: usize) -> bool {
    let mut bytes = request.headers()[name].as_bytes().to_vec();
    flip(&mut bytes[skip..], at);
    match HeaderValue::from_bytes(&bytes) {
        Ok(value) => {
            request.headers_mut().insert(name, value);
            true
        }
        Err(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn one_changed_bit_is_enough(part in 0..6_u8, at in 0..4096_usize) {
        let mut request = signed("/sinch/callback");
        let mut path = b"/sinch/callback".to_vec();
        let possible = match part {
            0 => {
                let mut body = request.body().to_vec();
                flip(&mut body, at);
                *request.body_mut() = body.into();
                true
            }
            1 => {
                flip(&mut path, at);
                true
            }
            2 => {
                let mut verb = b"POST".to_vec();
                flip(&mut verb, at);
                Method::from_bytes(&verb).map(|verb| *request.method_mut() = verb).is_ok()
            }
            3 => flip_header(&mut request, &CONTENT_TYPE, 0, at),
            4 => flip_header(&mut request, &X_TIMESTAMP, 0, at),
            // The scheme's letter case is free, so that a bit of it may change.
            _ => flip_header(&mut request, &AUTHORIZATION, "application ".len(), at),
        };
        if let (true, Ok(path)) = (possible, std::str::from_utf8(&path)) {
            let head = Head { path_and_query: path, ..Head::from(&request) };
            prop_assert!(receive(&receiver(), head, request.body().clone()).is_err());
        }
    }

    #[test]
    fn any_signed_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..512)) {
        let request = signer().post("/callback".parse().unwrap(), body, now());
        if let Err(rejection) = receive_whole(&receiver(), &request) {
            prop_assert_eq!(rejection.to_http_response().status(), 400);
        }
    }

    #[test]
    fn any_headers_are_answered(
        authorization in prop::collection::vec(any::<u8>(), 0..100),
        timestamp in prop::collection::vec(any::<u8>(), 0..40),
        content_type in prop::collection::vec(any::<u8>(), 0..40),
        path in "\\PC{0,40}",
    ) {
        let mut request = Request::new(Bytes::from(event()));
        *request.method_mut() = Method::POST;
        let values = [(AUTHORIZATION, authorization), (X_TIMESTAMP, timestamp), (CONTENT_TYPE, content_type)];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request.headers_mut().insert(name, value);
            }
        }
        let head = Head { path_and_query: &path, ..Head::from(&request) };
        prop_assert!(receive(&receiver(), head, request.body().clone()).is_err());
    }
}
