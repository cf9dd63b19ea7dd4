//! Typed codes: what is read is a code, and reads as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::Code;

fuzz_target!(|text: &str| {
    match (Code::new(text), Code::from_typed(text)) {
        (Ok(code), typed) => assert_eq!(typed, Ok(code)),
        (Err(_), Ok(code)) => assert_eq!(Code::from_typed(code.expose()), Ok(code)),
        (Err(_), Err(error)) => assert!(!error.to_string().is_empty()),
    }
});
