//! Callback events and decisions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::callback::{DecisionBody, Event};
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::{Method, WireObject};

fuzz_target!(|body: &[u8]| {
    if let Ok(event) = Event::decode(body) {
        assert!(matches!(event, Event::Unknown(_)) || event.id().is_some());
    }
    if let Ok(received) = DecisionBody::receive(body) {
        for method in [Method::Sms, Method::FlashCall, Method::Callout, Method::Seamless, Method::WhatsApp] {
            if let Some(decision) = received.value.decision(&method) {
                assert!(decision.fits(&method));
                let again = DecisionBody::decode(decision.to_json().as_bytes()).unwrap();
                assert_eq!(again.decision(&method), Some(decision));
            }
        }
    }
    if let Ok(received) = ReportRequest::receive(body) {
        let _ = received.value.require_proof();
    }
});
