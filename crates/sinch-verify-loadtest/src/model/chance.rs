use std::hash::{BuildHasher as _, RandomState};

/// A random number between 0 and 1 for the flow of this index. The same seed gives the same number, so
/// that every shard of a run finds its part of one and the same schedule.
///
/// `of` tells apart the several things that are left to chance in one flow.
pub(crate) fn chance(seed: u64, index: u64, of: u64) -> f64 {
    let mixed = mix(mix(seed ^ mix(of)).wrapping_add(index));
    // 53 bits, so that a float holds them; the half keeps it between 0 and 1.
    ((mixed >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A seed that no other run or attack has. The keys of the map hasher come from the operating system.
pub(crate) fn random_seed() -> u64 {
    RandomState::new().hash_one(0)
}

/// Every bit of the result depends on every bit of `value`: the finalizer of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_evenly_and_without_memory() {
        const N: u64 = 100_000;
        for of in [0, 1] {
            let mut buckets = [0_u32; 10];
            let mut rises = 0;
            for slot in 0..N {
                let value = chance(7, slot, of);
                buckets[(value * 10.0) as usize] += 1;
                rises += u32::from(value < chance(7, slot + 1, of));
            }
            // Ten standard deviations on either side.
            for count in buckets {
                assert!((9_050..10_950).contains(&count), "{buckets:?}");
            }
            assert!((49_000..51_000).contains(&rises), "{rises}");
        }
    }

    #[test]
    fn depends_on_everything() {
        let value = chance(1, 2, 3);
        assert_eq!(value, chance(1, 2, 3));
        for other in [chance(0, 2, 3), chance(1, 0, 3), chance(1, 2, 0), chance(2, 1, 3)] {
            assert_ne!(value, other);
        }
    }
}
