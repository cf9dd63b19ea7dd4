use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer as Reader, Serializer as _, V2Serializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest time told apart; longer ones count as this. An hour.
pub(super) const LONGEST_US: u64 = 3_600_000_000;
/// The least time told apart.
const SHORTEST_US: u64 = 1;
/// Percentiles are exact to this many digits.
const DIGITS: u8 = 3;

/// A histogram of the one form that all of ours have.
#[expect(
    clippy::expect_used,
    reason = "bounds and digits are constants that the histogram takes"
)]
pub(super) fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(SHORTEST_US, LONGEST_US, DIGITS).expect("valid bounds")
}

/// A histogram of microseconds in HdrHistogram's V2 form; base64 of it as JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(Vec<u8>);

impl Packed {
    #[expect(
        clippy::expect_used,
        reason = "the form is written to memory, and a histogram of 22 buckets is far from its limits"
    )]
    pub(super) fn new(histogram: &Histogram<u64>) -> Self {
        let mut bytes = Vec::new();
        V2Serializer::new()
            .serialize(histogram, &mut bytes)
            .expect("memory takes it");
        Self(bytes)
    }

    pub(super) fn unpack(&self) -> Result<Histogram<u64>, BadHistogram> {
        self.check_head().ok_or(BadHistogram)?;
        Reader::new()
            .deserialize(&mut self.0.as_slice())
            .map_err(|_| BadHistogram)
    }

    /// Looks at what the reader would allocate memory by, which comes from a file.
    fn check_head(&self) -> Option<()> {
        const HEAD: usize = 40;
        let word = |at: usize| Some(u32::from_be_bytes(*self.0.get(at..)?.first_chunk()?));
        let long = |at: usize| Some(u64::from_be_bytes(*self.0.get(at..)?.first_chunk()?));
        let payload = usize::try_from(word(4)?).ok()?;
        let ours = payload == self.0.len().checked_sub(HEAD)?
            && word(12)? == u32::from(DIGITS)
            && long(16)? == SHORTEST_US
            && long(24)? == LONGEST_US;
        ours.then_some(())
    }
}

impl Default for Packed {
    fn default() -> Self {
        Self::new(&empty())
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.0.len())
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(&*text).map_err(de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// Not a histogram of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadHistogram;

impl fmt::Display for BadHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an HdrHistogram in V2 form, of 1 us to 1 h with three digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Packed {
        let mut latency = super::super::Latency::default();
        (1..500u64).for_each(|n| latency.record(std::time::Duration::from_micros(n * 37)));
        latency.pack()
    }

    #[test]
    fn every_cut_is_refused() {
        let whole = sample();
        assert!(whole.unpack().is_ok());
        for end in 0..whole.0.len() {
            assert_eq!(
                Packed(whole.0[..end].to_vec()).unpack(),
                Err(BadHistogram),
                "{end}"
            );
        }
    }

    #[test]
    fn a_flipped_bit_in_the_head_is_refused() {
        let whole = sample();
        for bit in 0..32 * 8 {
            let mut bytes = whole.0.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Packed(bytes).unpack(), Err(BadHistogram), "{bit}");
        }
    }
}
