use std::sync::atomic::{AtomicU64, Ordering};

use sinch_verify_protocol::PhoneNumber;

/// The calling code of made-up numbers. It is assigned to no country, so a number can be nobody's.
const CALLING_CODE: &str = "+999";
/// Digits behind the calling code: as many as a number can have.
const DIGITS: usize = 12;
const COUNT: u64 = 1_000_000_000_000;

/// Made-up phone numbers, each given out once.
///
/// A start for a number aborts the pending verification of the same number, so no two flows of a
/// run may share one.
///
/// ```
/// use sinch_verify_loadtest::Numbers;
///
/// let numbers = Numbers::default();
/// assert_ne!(numbers.take(), numbers.take());
/// ```
#[derive(Debug, Default)]
pub struct Numbers {
    next: AtomicU64,
}

impl Numbers {
    /// Numbers from the one with index `first` on, 0 to 10^12 - 1.
    #[must_use]
    pub fn starting_at(first: u64) -> Self {
        Self {
            next: AtomicU64::new(first),
        }
    }

    /// A number that was not given out before; `None` once all 10^12 were.
    pub fn take(&self) -> Option<PhoneNumber> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        if index >= COUNT {
            return None;
        }
        PhoneNumber::parse(&format!("{CALLING_CODE}{index:0DIGITS$}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn never_collide() {
        let numbers = Numbers::default();
        let taken: Vec<_> = thread::scope(|scope| {
            let users: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..500).map(|_| numbers.take().unwrap()).collect::<Vec<_>>()))
                .collect();
            users.into_iter().flat_map(|user| user.join().unwrap()).collect()
        });
        assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 2000);
    }

    #[test]
    fn belong_to_no_country() {
        assert_eq!(Numbers::default().take().unwrap().country(), None);
    }

    #[test]
    fn end() {
        let numbers = Numbers::starting_at(COUNT - 1);
        assert!(numbers.take().is_some());
        assert!(numbers.take().is_none());
    }
}
