//! Timestamps, durations, numbers and amounts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::timestamp::{self, XTimestamp};
use sinch_verify_protocol::{AcceptLanguage, Amount, BaseUrl, Expiry, PhoneNumber};

fuzz_target!(|text: &str| {
    if let Ok(time) = timestamp::parse(text) {
        // Years before 1970 have no place in a header we write.
        if time >= std::time::SystemTime::UNIX_EPOCH {
            let read = timestamp::parse(XTimestamp::new(time).as_str()).unwrap();
            assert!(time.duration_since(read).unwrap().as_millis() == 0);
        }
    }
    if let Ok(expiry) = text.parse::<Expiry>() {
        assert_eq!(expiry.to_string(), text);
    }
    if let Ok(number) = text.parse::<PhoneNumber>() {
        assert_eq!(number.to_string(), text);
        assert!(!number.masked().to_string().contains(number.digits()));
    }
    if let Ok(amount) = text.parse::<Amount>() {
        let _ = amount.scaled();
    }
    if let Ok(languages) = text.parse::<AcceptLanguage>() {
        assert_eq!(languages.to_string().parse(), Ok(languages));
    }
    let _ = text.parse::<BaseUrl>();
});
