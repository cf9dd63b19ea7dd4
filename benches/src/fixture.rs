//! The application of all benches and attacks.

use anyhow::Result;
use sinch_verify_callback::testing::{CallbackSigner, request_event};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Method, VerificationId, WireObject as _};

/// The path of the callback URL.
pub const CALLBACK_PATH: &str = "/sinch/callback";

/// Its key.
pub const KEY: &str = "11111111-2222-3333-4444-555555555555";
/// Its secret, a random value.
pub const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";

/// Its key.
///
/// # Errors
///
/// Never, as [`KEY`] is one.
pub fn key() -> Result<ApplicationKey> {
    Ok(ApplicationKey::new(KEY)?)
}

/// Its secret.
///
/// # Errors
///
/// Never, as [`SECRET`] is one.
pub fn secret() -> Result<ApplicationSecret> {
    Ok(ApplicationSecret::new(SECRET)?)
}

/// The `n`th phone number of a series from 0 to 9. No two series have the same number.
///
/// All are mobile numbers of China: no smaller country has as many as the benches need.
#[must_use]
pub fn number(series: u64, n: u64) -> String {
    format!("+8613{series}{n:08}")
}

/// Signs callbacks as the service does.
///
/// # Errors
///
/// Never, as [`KEY`] and [`SECRET`] are one.
pub fn signer() -> Result<CallbackSigner> {
    Ok(CallbackSigner::new(key()?, &secret()?))
}

/// The body of the `n`th request event. Each is about another verification.
///
/// # Errors
///
/// `n` has more than 8 digits.
pub fn event(n: u64) -> Result<String> {
    let id = VerificationId::new(&format!("0198a1b2-c3d4-7e5f-8a9b-{n:012}"))?;
    Ok(request_event(id, Method::Sms, number(2, n).parse()?).to_json())
}
