//! Hashing for the maps that every call looks into.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::mix::mix;

/// A map by ids, numbers or names.
pub(crate) type Map<K, V> = HashMap<K, V, Keyed>;

/// A key that nobody outside knows, another one for each map: whoever chooses numbers and references
/// cannot choose where they go.
#[derive(Clone)]
pub(crate) struct Keyed(u64);

impl Default for Keyed {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0_u64))
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding(self.0)
    }
}

/// Multiplies, and folds the product into half of its length.
pub(crate) struct Folding(u64);

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut whole = [0; 8];
            whole.copy_from_slice(word);
            self.write_u64(u64::from_le_bytes(whole));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            // The length of it too: zeros at its end count.
            let start = rest.len() as u64;
            let word = rest.iter().fold(start, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word);
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        // The golden ratio as a fraction of 2^64.
        let product = u128::from(self.0 ^ n) * 0x9E37_79B9_7F4A_7C15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        // Folding alone leaves ids that follow one another closer together than chance would.
        mix(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher as _;

    use super::Keyed;

    #[test]
    fn what_differs_by_little_goes_elsewhere() {
        let keyed = Keyed::default();
        let mut places = HashSet::new();
        for n in 0..10_000_u128 {
            // Ids of one millisecond, and their halves.
            places.insert(keyed.hash_one(n) >> 48);
            places.insert(keyed.hash_one(n << 80) >> 48);
        }
        // Of 20,000 balls in 65,536 boxes some 17,200 boxes get one.
        assert!(places.len() > 16_800, "{} places", places.len());
        let texts = ["", "a", "a\0", "\0a", "12345678", "123456789", "12345678\0"];
        let hashes: HashSet<u64> = texts.iter().map(|text| keyed.hash_one(text)).collect();
        assert_eq!(hashes.len(), texts.len());
    }
}
