//! Where the client's randomness comes from.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// Gives random bits: for the references of starts that were given none, and for the jitter of
/// pauses.
///
/// A client takes [`SystemEntropy`] unless it is given another, in a test for example. References
/// must be unique, so no two processes may be given the same bits.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// The next 64 bits.
    fn next_u64(&self) -> u64;
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&self) -> u64 {
        // Where the system has none to give, the standard library's seeds are the next best.
        getrandom::u64().unwrap_or_else(|_| RandomState::new().hash_one(0))
    }
}
