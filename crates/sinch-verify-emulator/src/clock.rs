//! The emulator's two times.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// *Wire time* is the wall clock: timestamps of what is sent, and the freshness of what came.
/// *Service time* is what verifications live by: it can be moved ahead, or made to stand still.
#[derive(Debug)]
pub(crate) struct Clock {
    state: Mutex<ClockState>,
    /// The last timestamp that was made for something that is sent again.
    last_resend: Mutex<SystemTime>,
}

/// How fine timestamps on the wire are.
const TICK: Duration = Duration::from_millis(1);

/// When something began, by all clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    pub(crate) service: SystemTime,
    pub(crate) wire: SystemTime,
    at: Instant,
}

impl Stopwatch {
    /// How long it has taken, however clocks were set or moved meanwhile.
    pub(crate) fn elapsed(&self) -> Duration {
        self.at.elapsed()
    }
}

#[derive(Clone, Copy, Debug)]
struct ClockState {
    service: Service,
    /// How far service time was moved by hand in all.
    moved: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Service {
    /// As long after `service` as the wall clock is after `wire`.
    Running { service: SystemTime, wire: SystemTime },
    /// Moved by hand only.
    Manual { now: SystemTime },
}

impl Clock {
    /// Service time that starts with the wall clock.
    pub(crate) fn running() -> Self {
        let wire = SystemTime::now();
        Self::new(Service::Running { service: wire, wire })
    }

    /// Service time that stands at `now` until it is moved.
    pub(crate) fn manual(now: SystemTime) -> Self {
        Self::new(Service::Manual { now })
    }

    fn new(service: Service) -> Self {
        Self {
            state: Mutex::new(ClockState {
                service,
                moved: Duration::ZERO,
            }),
            last_resend: Mutex::new(SystemTime::UNIX_EPOCH),
        }
    }

    /// The wall clock. Nothing else in this crate reads it.
    pub(crate) fn wire(&self) -> SystemTime {
        SystemTime::now()
    }

    /// The wall clock for something that was sent at `before` and is sent again: later on the wire
    /// than `before`, and than everything else that was sent again. Signed twice within one tick,
    /// an event would have one signature, and a careful receiver would refuse the second.
    pub(crate) fn wire_for_resend(&self, before: SystemTime) -> SystemTime {
        let mut last = self.last_resend.lock().unwrap_or_else(PoisonError::into_inner);
        *last = self.wire_after(before.max(*last));
        *last
    }

    /// The wall clock for the next try of what was tried at `before`: later on the wire than that,
    /// for the same reason. Tries of different events may share a tick: many that fall due at once
    /// would run ahead of what receivers take.
    pub(crate) fn wire_after(&self, before: SystemTime) -> SystemTime {
        self.wire().max(before + TICK)
    }

    /// The time verifications live by.
    pub(crate) fn service(&self) -> SystemTime {
        self.lock().service.at(self.wire())
    }

    /// Service time as if it had never been moved by hand: it goes with the wall clock, and stands
    /// while service time stands. Waits are measured by it, so that a move is no part of them.
    pub(crate) fn unmoved(&self) -> SystemTime {
        let wire = self.wire();
        let ClockState { service, moved } = *self.lock();
        service
            .at(wire)
            .checked_sub(moved)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Both times of one moment: that of verifications, and the wall clock.
    pub(crate) fn both(&self) -> (SystemTime, SystemTime) {
        let wire = self.wire();
        (self.lock().service.at(wire), wire)
    }

    /// Now, for something that begins.
    pub(crate) fn start_stopwatch(&self) -> Stopwatch {
        let (service, wire) = self.both();
        let at = Instant::now();
        Stopwatch { service, wire, at }
    }

    /// Moves service time ahead, but not past its end.
    pub(crate) fn advance(&self, by: Duration) {
        let wire = self.wire();
        self.lock()
            .move_to(wire, |now| now.checked_add(by).unwrap_or_else(end));
    }

    /// Moves service time ahead to `at`, if it is before that.
    pub(crate) fn advance_to(&self, at: SystemTime) {
        let wire = self.wire();
        self.lock().move_to(wire, |now| now.max(at));
    }

    /// Lets service time stand from now on.
    pub(crate) fn pause(&self) {
        let wire = self.wire();
        let mut state = self.lock();
        let now = state.service.at(wire);
        state.service = Service::Manual { now };
    }

    /// Lets service time go on with the wall clock, from where it stands.
    pub(crate) fn resume(&self) {
        let wire = self.wire();
        let mut state = self.lock();
        if let Service::Manual { now } = state.service {
            state.service = Service::Running { service: now, wire };
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.lock().service, Service::Running { .. })
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
        // The state is one plain value, whole at all times.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClockState {
    /// Moves service time from what it is to what `to` makes of it, but not past its end.
    fn move_to(&mut self, wire: SystemTime, to: impl FnOnce(SystemTime) -> SystemTime) {
        let now = self.service.at(wire);
        let then = to(now).min(end());
        self.moved += then.duration_since(now).unwrap_or_default();
        self.service.set(then, wire);
    }
}

impl Service {
    fn at(self, then: SystemTime) -> SystemTime {
        match self {
            Self::Manual { now } => now,
            Self::Running { service, wire } => {
                let now = match then.duration_since(wire) {
                    Ok(passed) => service.checked_add(passed),
                    // The wall clock was set back.
                    Err(before) => service.checked_sub(before.duration()),
                };
                now.map_or_else(end, |now| now.min(end()))
            }
        }
    }

    fn set(&mut self, to: SystemTime, then: SystemTime) {
        *self = match self {
            Self::Manual { .. } => Self::Manual { now: to },
            Self::Running { .. } => Self::Running {
                service: to,
                wire: then,
            },
        };
    }
}

/// Where service time ends, 9999-12-30T00:00:00Z: timestamps of the wire have four digits for the
/// year, and every time zone shall still be able to express them.
pub(crate) fn end() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_128_000)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Clock, Service, TICK, end};

    #[test]
    fn service_time_goes_with_the_wall_clock_from_where_it_was_put() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let second = Duration::from_secs(1);
        let mut service = Service::Running {
            service: noon,
            wire: noon,
        };
        assert_eq!(service.at(noon + second), noon + second);
        assert_eq!(
            service.at(noon - second),
            noon - second,
            "the wall clock was set back"
        );
        service.set(noon + 100 * second, noon + second);
        assert_eq!(service.at(noon + 2 * second), noon + 101 * second);
        service.set(end(), noon);
        assert_eq!(service.at(noon + second), end());
    }

    #[test]
    fn what_is_sent_again_has_a_timestamp_of_its_own() {
        let clock = Clock::running();
        let mut last = clock.wire() + Duration::from_secs(1);
        for _ in 0..100 {
            let again = clock.wire_for_resend(last);
            assert!(again >= last + TICK);
            last = again;
        }
        assert!(clock.wire_for_resend(SystemTime::UNIX_EPOCH) >= last + TICK);
    }

    #[test]
    fn a_move_is_no_part_of_what_passes_by_itself() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let clock = Clock::manual(noon);
        clock.advance(Duration::from_secs(7));
        clock.advance_to(noon);
        clock.advance_to(noon + Duration::from_secs(9));
        clock.advance(Duration::MAX);
        assert_eq!((clock.service(), clock.unmoved()), (end(), noon));
        let clock = Clock::manual(noon);
        clock.advance(Duration::from_secs(3600));
        clock.resume();
        let before = clock.unmoved();
        assert!(before >= noon);
        clock.advance(Duration::from_secs(3600));
        let passed = clock.unmoved().duration_since(before).unwrap();
        assert!(passed < Duration::from_secs(3600));
    }

    #[test]
    fn a_try_has_a_later_timestamp_than_the_one_before_it() {
        let clock = Clock::running();
        let ahead = clock.wire() + Duration::from_secs(60);
        assert_eq!(clock.wire_after(ahead), ahead + TICK);
        assert!(
            clock.wire_after(SystemTime::UNIX_EPOCH) < ahead,
            "no later than it must be"
        );
    }

    #[test]
    fn a_clock_stands_and_goes_on() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let clock = Clock::manual(noon);
        clock.advance(Duration::from_secs(7));
        clock.advance_to(noon);
        assert_eq!(clock.service(), noon + Duration::from_secs(7), "never back");
        clock.resume();
        assert!(clock.is_running());
        // Years behind the wall clock, and it stays so.
        assert!(clock.service() < noon + Duration::from_secs(3600));
        clock.pause();
        assert!(!clock.is_running());
        assert_eq!(clock.service(), clock.service());
    }
}
