//! The emulator's two times.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// *Wire time* is the wall clock: timestamps of what is sent, and the freshness of what came.
/// *Service time* is what verifications live by: it can be moved ahead, or made to stand still.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Service>);

#[derive(Clone, Copy, Debug)]
enum Service {
    /// As far ahead of the wall clock as it was moved.
    Running { ahead: Duration },
    /// Moved by hand only.
    Manual { now: SystemTime },
}

impl Clock {
    /// Service time that starts with the wall clock.
    pub(crate) fn running() -> Self {
        Self(Mutex::new(Service::Running {
            ahead: Duration::ZERO,
        }))
    }

    /// Service time that stands at `now` until it is moved.
    pub(crate) fn manual(now: SystemTime) -> Self {
        Self(Mutex::new(Service::Manual { now }))
    }

    /// The wall clock. Nothing else in this crate reads it.
    pub(crate) fn wire(&self) -> SystemTime {
        SystemTime::now()
    }

    /// The time verifications live by.
    pub(crate) fn service(&self) -> SystemTime {
        self.at(self.wire())
    }

    fn at(&self, wire: SystemTime) -> SystemTime {
        match *self.lock() {
            Service::Running { ahead } => {
                let now = wire.checked_add(ahead);
                now.map_or_else(last, |now| now.min(last()))
            }
            Service::Manual { now } => now,
        }
    }

    /// Both times of one moment: that of verifications, and the wall clock.
    pub(crate) fn both(&self) -> (SystemTime, SystemTime) {
        let wire = self.wire();
        (self.at(wire), wire)
    }

    /// Moves service time ahead, but not past its end.
    pub(crate) fn advance(&self, by: Duration) {
        let mut service = self.lock();
        match &mut *service {
            Service::Running { ahead } => {
                let room = last().duration_since(self.wire()).unwrap_or_default();
                *ahead = ahead.saturating_add(by).min(room);
            }
            Service::Manual { now } => *now = now.checked_add(by).map_or_else(last, |then| then.min(last())),
        }
    }

    /// How far ahead of the wall clock service time was moved; `None` when it moves by hand only.
    pub(crate) fn ahead(&self) -> Option<Duration> {
        match *self.lock() {
            Service::Running { ahead } => Some(ahead),
            Service::Manual { .. } => None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Service> {
        // The state is one plain value, whole at all times.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where service time ends, 9999-12-30T00:00:00Z: timestamps of the wire have four digits for the
/// year, and every time zone shall still be able to express them.
fn last() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_128_000)
}
