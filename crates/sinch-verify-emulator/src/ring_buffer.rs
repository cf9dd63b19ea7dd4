//! A bounded buffer of the latest items, numbered without gaps.

use std::collections::VecDeque;

/// The latest items. The oldest are dropped. Numbers begin at 1 and continue after [`RingBuffer::clear`],
/// so that no number is used twice.
pub(crate) struct RingBuffer<T> {
    last: u64,
    kept: VecDeque<T>,
    most: usize,
}

impl<T> RingBuffer<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            last: 0,
            kept: VecDeque::new(),
            most,
        }
    }

    /// Adds the item that `make` returns for its number. Returns the number.
    pub(crate) fn push(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        self.last += 1;
        let item = make(self.last);
        if self.kept.len() >= self.most {
            self.kept.pop_front();
        }
        if self.most > 0 {
            self.kept.push_back(item);
        }
        self.last
    }

    /// The number of the latest item.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn get(&self, seq: u64) -> Option<&T> {
        self.kept
            .get(usize::try_from(seq.checked_sub(self.first())?).ok()?)
    }

    /// The oldest item that is kept after `seq`.
    pub(crate) fn after(&self, seq: u64) -> Option<&T> {
        let place = seq.saturating_add(1).saturating_sub(self.first());
        self.kept.get(usize::try_from(place).ok()?)
    }

    /// The items before `seq`, newest first.
    pub(crate) fn before(&self, seq: u64) -> impl Iterator<Item = &T> {
        let older = seq.saturating_sub(self.first());
        let older = usize::try_from(older).unwrap_or(usize::MAX).min(self.kept.len());
        self.kept.range(..older).rev()
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// The number of the oldest item that is kept, or of the next item if none is kept.
    fn first(&self) -> u64 {
        self.last + 1 - self.kept.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::RingBuffer;

    #[test]
    fn numbers_go_on() {
        let mut ring = RingBuffer::new(3);
        for _ in 0..5 {
            ring.push(|seq| seq);
        }
        assert_eq!(ring.before(u64::MAX).copied().collect::<Vec<_>>(), [5, 4, 3]);
        assert_eq!(ring.before(5).copied().collect::<Vec<_>>(), [4, 3]);
        assert_eq!(ring.before(3).count(), 0);
        assert_eq!((ring.get(2), ring.get(3), ring.get(6)), (None, Some(&3), None));
        assert_eq!(
            (ring.after(0), ring.after(3), ring.after(5)),
            (Some(&3), Some(&4), None)
        );
        assert_eq!(ring.after(u64::MAX), None);
        ring.clear();
        assert_eq!((ring.last(), ring.get(5), ring.after(0)), (5, None, None));
        assert_eq!(ring.push(|seq| seq), 6);
        assert_eq!(ring.after(0), Some(&6));
    }

    #[test]
    fn a_buffer_of_none_keeps_nothing() {
        let mut ring = RingBuffer::new(0);
        assert_eq!(ring.push(|seq| seq), 1);
        assert_eq!((ring.get(1), ring.last()), (None, 1));
        assert_eq!(ring.before(u64::MAX).count(), 0);
    }
}
