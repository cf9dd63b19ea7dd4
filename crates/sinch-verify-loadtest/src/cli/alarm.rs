use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Calls a function after a time, unless it is dropped before.
///
/// It has an OS thread of its own: busy workers of an async runtime cannot delay it. So it can end a run on
/// time, and one that is stuck.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// Dropping it wakes the thread.
    _disarm: Sender<()>,
}

impl Alarm {
    /// Calls `function` after `delay`.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub(crate) fn after(delay: Duration, function: impl FnOnce() + Send + 'static) -> std::io::Result<Self> {
        let (disarm, disarmed) = mpsc::channel();
        thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            if disarmed.recv_timeout(delay) == Err(RecvTimeoutError::Timeout) {
                function();
            }
        })?;
        Ok(Self { _disarm: disarm })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn calls_after_the_delay() {
        let (call, called) = channel();
        let _alarm = Alarm::after(Duration::from_millis(5), move || call.send(()).unwrap()).unwrap();
        called.recv().unwrap();
    }

    #[test]
    fn dropped_alarm_never_calls() {
        let (call, called) = channel();
        drop(Alarm::after(Duration::from_secs(3600), move || call.send(()).unwrap()).unwrap());
        // The thread ends without the call, which drops its end of the channel.
        assert!(called.recv().is_err());
    }
}
