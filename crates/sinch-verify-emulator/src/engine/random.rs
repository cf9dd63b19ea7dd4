//! Random values: ids, codes, caller ids, secrets of addresses.

use std::time::SystemTime;

use rand::{Rng as _, RngExt as _};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::{Code, CodeType};

use super::ids::Uid;

/// A stream of pseudo-random values that the seed determines.
#[derive(Debug)]
pub(super) struct Random {
    stream: ChaCha12Rng,
    ids: u32,
}

/// How much of a stream was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    word: u128,
    ids: u32,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            stream: ChaCha12Rng::seed_from_u64(seed),
            ids: 0,
        }
    }

    /// Where the stream stands.
    pub(super) fn position(&self) -> Position {
        Position {
            word: self.stream.get_word_pos(),
            ids: self.ids,
        }
    }

    /// The stream of `seed` from `position` on.
    pub(super) fn at(seed: u64, position: Position) -> Self {
        let mut random = Self::new(seed);
        random.stream.set_word_pos(position.word);
        random.ids = position.ids;
        random
    }

    /// A new id. Ids sort in the order of creation, so that timers at one instant run in that order.
    pub(super) fn uid(&mut self, now: SystemTime) -> Uid {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = since.as_millis() & 0xFFFF_FFFF_FFFF;
        let tail = u128::from(self.ids) << 42 | u128::from(self.stream.next_u64() >> 22);
        self.ids = self.ids.wrapping_add(1);
        // A version 7 UUID has 12 free bits after the version and 62 after the variant.
        Uid(millis << 80 | 7 << 76 | tail >> 62 << 64 | 0b10 << 62 | tail & ((1 << 62) - 1))
    }

    /// A code of `length` characters.
    pub(super) fn code(&mut self, kind: &CodeType, length: u8) -> Option<Code> {
        // Letters and digits that look alike are left out.
        let alphabet: &[u8] = match kind {
            CodeType::Alpha => b"ABCDEFGHJKLMNPQRSTUVWXYZ",
            CodeType::Alphanumeric => b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ",
            _ => b"0123456789",
        };
        let text: String = (0..length.clamp(1, 10))
            .map(|_| char::from(alphabet[self.stream.random_range(0..alphabet.len())]))
            .collect();
        Code::new(&text).ok()
    }

    /// A number from the range that the British regulator reserves for use in drama, so it is never
    /// assigned.
    pub(super) fn fictional_number(&mut self) -> String {
        const RANGES: [&str; 15] = [
            "113496", "114496", "115496", "116496", "117496", "118496", "121496", "131496", "141496",
            "151496", "161496", "191498", "207946", "163296", "770090",
        ];
        let range = RANGES[self.stream.random_range(0..RANGES.len())];
        let last = self.stream.random_range(0..1000_u32);
        format!("+44{range}0{last:03}")
    }

    /// The secret part of the address of a data verification.
    pub(super) fn secret(&mut self) -> u64 {
        self.stream.next_u64()
    }
}
