//! A hash of numbers, for pseudo-random values outside the engine: support ids, jitter, fault rules.

/// The finalizer of the SplitMix64 generator: a bijection that spreads `n` over all 64 bits.
pub(crate) fn splitmix64(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}
