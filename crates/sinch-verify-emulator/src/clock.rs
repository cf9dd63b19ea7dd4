//! The emulator's two times.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// *Wire time* is the wall clock. It gives the timestamps of requests that are sent and checks those
/// of requests that come in. *Service time* decides when verifications expire and events are due. It
/// can be moved ahead and paused.
#[derive(Debug)]
pub(crate) struct Clock {
    state: Mutex<ClockState>,
    /// The last timestamp given to a replayed delivery.
    last_resend: Mutex<SystemTime>,
}

/// The resolution of timestamps on the wire.
const TICK: Duration = Duration::from_millis(1);

/// When something began, by all clocks, and the time since then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    pub(crate) service: SystemTime,
    pub(crate) wire: SystemTime,
    at: Instant,
}

impl Stopwatch {
    /// The time since the start, whether or not clocks were set or moved meanwhile.
    pub(crate) fn elapsed(&self) -> Duration {
        self.at.elapsed()
    }
}

#[derive(Clone, Copy, Debug)]
struct ClockState {
    service: Service,
    /// The sum of all moves of service time.
    moved: Duration,
}

/// How service time goes. Its serde form is the one of snapshots.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Service {
    /// Service time is as far after `service` as the wall clock is after `wire`.
    Running {
        #[serde(with = "instant")]
        service: SystemTime,
        #[serde(with = "instant")]
        wire: SystemTime,
    },
    /// Service time stands at `now` until it is moved.
    Manual {
        #[serde(with = "instant")]
        now: SystemTime,
    },
}

impl Clock {
    /// A clock whose service time equals the wall clock.
    pub(crate) fn running() -> Self {
        let wire = SystemTime::now();
        Self::new(Service::Running { service: wire, wire })
    }

    /// A clock whose service time stands at `now` until it is moved.
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

    /// The wall clock. No other function of this crate reads it.
    pub(crate) fn wire(&self) -> SystemTime {
        SystemTime::now()
    }

    /// The timestamp of a delivery that is replayed and was first sent at `before`: later than `before`
    /// and than every earlier replay. Two replays with the same timestamp would have the same
    /// signature, and a careful receiver would refuse the second.
    pub(crate) fn wire_for_resend(&self, before: SystemTime) -> SystemTime {
        let mut last = self.last_resend.lock().unwrap_or_else(PoisonError::into_inner);
        *last = self.wire_after(before.max(*last));
        *last
    }

    /// The timestamp of the next try of an event that was tried at `before`: later than `before`, for the
    /// same reason. Tries of different events may share a timestamp: if each had its own, many tries at
    /// one instant would have timestamps too far in the future.
    pub(crate) fn wire_after(&self, before: SystemTime) -> SystemTime {
        self.wire().max(before + TICK)
    }

    /// Service time.
    pub(crate) fn service(&self) -> SystemTime {
        self.lock().service.at(self.wire())
    }

    /// Service time without all moves: it runs with the wall clock and stands while service time is
    /// paused. Delays between tries are measured by it, so that a move does not count as waiting.
    pub(crate) fn unmoved(&self) -> SystemTime {
        let wire = self.wire();
        let ClockState { service, moved } = *self.lock();
        service
            .at(wire)
            .checked_sub(moved)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Service time and wall clock of one moment.
    pub(crate) fn both(&self) -> (SystemTime, SystemTime) {
        let wire = self.wire();
        (self.lock().service.at(wire), wire)
    }

    /// Starts a stopwatch now.
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

    /// Pauses service time.
    pub(crate) fn pause(&self) {
        let wire = self.wire();
        let mut state = self.lock();
        let now = state.service.at(wire);
        state.service = Service::Manual { now };
    }

    /// Lets service time run with the wall clock again, from where it stands.
    pub(crate) fn resume(&self) {
        let wire = self.wire();
        let mut state = self.lock();
        if let Service::Manual { now } = state.service {
            state.service = Service::Running { service: now, wire };
        }
    }

    /// How service time goes, to be saved.
    pub(crate) fn saved(&self) -> Service {
        self.lock().service
    }

    /// Makes service time go as `service` says, even if it goes back.
    pub(crate) fn restore(&self, service: Service) {
        *self.lock() = ClockState {
            service,
            moved: Duration::ZERO,
        };
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.lock().service, Service::Running { .. })
    }

    fn lock(&self) -> MutexGuard<'_, ClockState> {
        // The state is a plain value and valid at all times.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClockState {
    /// Moves service time to `to(now)`, but not past its end.
    fn move_to(&mut self, wire: SystemTime, to: impl FnOnce(SystemTime) -> SystemTime) {
        let now = self.service.at(wire);
        let then = to(now).min(end());
        self.moved += then.duration_since(now).unwrap_or_default();
        self.service.set(then, wire);
    }
}

impl Service {
    /// As it was at wire time `then`, going on from now.
    pub(crate) fn resumed(self, then: SystemTime, now: SystemTime) -> Self {
        match self {
            Self::Manual { .. } => self,
            Self::Running { .. } => Self::Running {
                service: self.at(then),
                wire: now,
            },
        }
    }

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

/// The end of service time, 9999-12-30T00:00:00Z: the year in timestamps on the wire has four digits,
/// in every time zone.
pub(crate) fn end() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_128_000)
}

/// An instant as seconds and nanoseconds since 1970: shorter than the form of `serde`.
pub(crate) mod instant {
    use std::time::{Duration, SystemTime};

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    use super::end;

    pub(crate) fn serialize<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        // No instant of the emulator is before 1970.
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        (since.as_secs(), since.subsec_nanos()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let (seconds, nanoseconds) = <(u64, u32)>::deserialize(deserializer)?;
        let since = Duration::from_secs(seconds).checked_add(Duration::from_nanos(nanoseconds.into()));
        let at = since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        at.filter(|at| *at <= end())
            .ok_or_else(|| D::Error::custom("must be before the year 10000"))
    }
}

/// As [`instant`], for an instant that may be absent.
pub(crate) mod optional_instant {
    use std::time::SystemTime;

    use serde::{Deserializer, Serialize as _, Serializer};

    use super::instant;

    pub(crate) fn serialize<S: Serializer>(
        at: &Option<SystemTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => instant::serialize(at, serializer),
            None => ().serialize(serializer),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SystemTime>, D::Error> {
        instant::deserialize(deserializer).map(Some)
    }
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
        // The wall clock stays years ahead.
        assert!(clock.service() < noon + Duration::from_secs(3600));
        clock.pause();
        assert!(!clock.is_running());
        assert_eq!(clock.service(), clock.service());
    }
}
