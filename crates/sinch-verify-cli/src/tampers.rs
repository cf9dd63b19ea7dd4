//! What the emulator spoils callbacks with, to put a receiver to the test.

use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use sinch_verify_callback::testing::{CallbackSigner, Tamper};
use sinch_verify_emulator::TamperKit;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

/// The callback crate's ways to spoil a callback, for the emulator, which does not know that crate.
pub(crate) struct Tampers;

impl TamperKit for Tampers {
    fn names(&self) -> Vec<&'static str> {
        Tamper::ALL.iter().map(|tamper| tamper.name()).collect()
    }

    fn spoil(
        &self,
        name: &str,
        key: &ApplicationKey,
        secret: &ApplicationSecret,
        request: &mut Request<Bytes>,
        now: SystemTime,
    ) {
        if let Ok(tamper) = name.parse::<Tamper>() {
            tamper.apply(&CallbackSigner::new(key.clone(), secret), request, now);
        }
    }
}
