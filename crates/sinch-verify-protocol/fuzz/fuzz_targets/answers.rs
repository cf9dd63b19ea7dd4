//! Answers of the service: whatever comes, reading does not panic, and what was
//! read is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::{ApiError, Verification, WireObject};

fn twice<T: WireObject + PartialEq + std::fmt::Debug>(body: &[u8]) {
    if let Ok(value) = T::decode(body) {
        let again = T::decode(value.to_json().as_bytes());
        assert_eq!(again.as_ref(), Ok(&value));
    }
}

fuzz_target!(|body: &[u8]| {
    twice::<StartResponse>(body);
    twice::<Verification>(body);
    twice::<ApiError>(body);
    if let Ok(received) = StartRequest::receive(body) {
        let again = StartRequest::decode(received.value.to_json().as_bytes());
        assert_eq!(again.as_ref(), Ok(&received.value));
    }
});
