use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Does something after a time on the wall clock, unless it is dropped before.
///
/// It runs on an OS thread of its own: an async runtime whose workers are all busy cannot delay it.
/// That makes it fit both to end a run on time and to end one that is stuck.
#[derive(Debug)]
pub struct Alarm {
    /// Dropped, it wakes the thread.
    _disarm: Sender<()>,
}

impl Alarm {
    /// Calls `ring` after `delay`.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub fn after(delay: Duration, ring: impl FnOnce() + Send + 'static) -> std::io::Result<Self> {
        let (disarm, disarmed) = mpsc::channel();
        thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            if disarmed.recv_timeout(delay) == Err(RecvTimeoutError::Timeout) {
                ring();
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
    fn rings() {
        let (rang, heard) = channel();
        let _alarm = Alarm::after(Duration::from_millis(5), move || rang.send(()).unwrap()).unwrap();
        heard.recv().unwrap();
    }

    #[test]
    fn dropped_alarm_never_rings() {
        let (rang, heard) = channel();
        drop(Alarm::after(Duration::from_secs(3600), move || rang.send(()).unwrap()).unwrap());
        // The thread ends without ringing, which drops its end of the channel.
        assert!(heard.recv().is_err());
    }
}
