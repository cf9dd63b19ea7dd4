//! Makes up keys and secrets for applications.

use std::sync::atomic::Ordering;

use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

use super::Core;
use crate::splitmix::splitmix64;

impl Core {
    /// A key and a secret that this emulator has not returned before.
    pub(crate) fn new_credentials(&self) -> (ApplicationKey, ApplicationSecret) {
        let n = self.credentials.fetch_add(1, Ordering::Relaxed);
        credentials(self.seed, n)
    }
}

/// The key and the secret number `n` of an emulator with this seed.
fn credentials(seed: u64, n: u64) -> (ApplicationKey, ApplicationSecret) {
    let random = |part: u64| splitmix64(splitmix64(seed) ^ splitmix64(n << 2 | part));
    let key = format!("{:016x}{:016x}", random(0), random(1));
    let parts = [&key[..8], &key[8..12], &key[12..16], &key[16..20], &key[20..]];
    // Hexadecimal digits are valid base64.
    let secret = format!("{:016x}{:016x}", random(2), random(3));
    #[expect(
        clippy::expect_used,
        reason = "hexadecimal digits and dashes are a key and valid base64"
    )]
    let credentials = (
        ApplicationKey::new(&parts.join("-")).expect("digits and dashes make a key"),
        ApplicationSecret::new(&secret).expect("32 digits are base64"),
    );
    credentials
}
