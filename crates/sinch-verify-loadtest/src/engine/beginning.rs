use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

use super::options::Options;

/// From when all users are there until the first flow, where no other time was asked for, or it has
/// passed.
const PAUSE: Duration = Duration::from_millis(20);

/// When the first flow of a run is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// By the clock that flows are timed by.
    pub(super) at: Instant,
    /// By the wall clock.
    pub(super) wall: Timestamp,
}

impl Beginning {
    /// For a run whose users are all there.
    pub(super) fn now(options: &Options) -> Self {
        Self::of(options, Instant::now(), SystemTime::now())
    }

    /// The same at this moment, which is `wall` by the wall clock.
    fn of(options: &Options, now: Instant, wall: SystemTime) -> Self {
        let ahead = options.wait(wall).unwrap_or(PAUSE);
        Self {
            at: now + ahead,
            wall: Timestamp::try_from(wall + ahead).unwrap_or_default(),
        }
    }
}

/// By how much a run that began at `wall` missed the time it was asked for; `None` for one that did
/// not.
///
/// A run that misses it begins after the pause at the earliest. Anything less is the difference between
/// two readings of a clock.
pub(super) fn missed(options: &Options, wall: Timestamp) -> Option<Duration> {
    let wall = SystemTime::try_from(wall).ok()?;
    let by = wall.duration_since(options.start_at?).ok()?;
    (by >= PAUSE).then_some(by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Registry;

    /// How long after now it begins, and by how much it misses what was asked, when that is so many
    /// milliseconds from now.
    fn begins(asked: Option<i64>) -> (Duration, Option<Duration>) {
        let (now, wall) = (
            Instant::now(),
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_000),
        );
        let workload = Registry::new([])
            .unwrap()
            .workload("sms", &"sms=1".parse().unwrap());
        let mut options = Options::new(workload.unwrap(), Duration::from_secs(1));
        options.start_at = asked.map(|ms| {
            let by = Duration::from_millis(ms.unsigned_abs());
            if ms < 0 { wall - by } else { wall + by }
        });
        let beginning = Beginning::of(&options, now, wall);
        let ahead = beginning.at - now;
        let begins = SystemTime::try_from(beginning.wall).unwrap();
        assert_eq!(begins, wall + ahead, "on both clocks");
        (ahead, missed(&options, beginning.wall))
    }

    #[test]
    fn run_begins_when_asked_or_as_soon_as_it_can() {
        let ms = Duration::from_millis;
        assert_eq!(begins(None), (PAUSE, None));
        assert_eq!(begins(Some(3_000)), (ms(3_000), None));
        assert_eq!(begins(Some(1)), (ms(1), None));
        assert_eq!(begins(Some(0)), (ms(0), None));
        assert_eq!(begins(Some(-1)), (PAUSE, Some(PAUSE + ms(1))));
        assert_eq!(begins(Some(-500)), (PAUSE, Some(PAUSE + ms(500))));
    }
}
