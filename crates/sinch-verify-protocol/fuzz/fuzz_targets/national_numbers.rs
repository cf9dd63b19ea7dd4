//! Caller ids and typed numbers in any country: what is read is a number, and reads as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::{NumberPlans, PhoneNumber};

fuzz_target!(|input: (&str, u8, u8)| {
    let (text, first, second) = input;
    let letter = |byte: u8| char::from(b'A' + byte % 26);
    let country = Country::parse(&String::from_iter([letter(first), letter(second)])).unwrap();
    let plans = NumberPlans::new();
    let caller = Candidates::new(text).with_country(country, &plans);
    if let Some(number) = caller.e164() {
        assert!(caller.iter().any(|form| form.text() == number.as_str()));
    }
    if let Ok(number) = PhoneNumber::from_typed(text, country, &plans) {
        assert_eq!(PhoneNumber::from_typed(number.as_str(), None, &plans), Ok(number));
    }
});
