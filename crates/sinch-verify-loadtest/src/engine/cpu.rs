use std::fs;
use std::path::Path;
use std::time::Duration;

/// How busy the generator's threads are: those that carry out flows, and the schedule.
///
/// An emulator in the same process has threads of its own, which are left out.
#[derive(Debug)]
pub(crate) struct Busy {
    /// As many of them as can run at once.
    workers: u32,
    last: Option<Duration>,
}

/// What the threads of the generator are called.
pub(crate) const WORKER: &str = "user";
pub(crate) const SCHEDULE: &str = "schedule";
/// The unit of processor time in Linux's `/proc`: a hundredth of a second on every platform.
const TICK: Duration = Duration::from_millis(10);

impl Busy {
    /// A meter for a generator with so many workers.
    #[must_use]
    pub(crate) fn new(workers: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self {
            workers: u32::try_from(workers.min(cores)).unwrap_or(u32::MAX),
            last: taken(),
        }
    }

    /// How busy they were since the last call, `passed` ago: 1 for all of them all the time. `None`
    /// where the system does not say.
    pub(crate) fn since_last(&mut self, passed: Duration) -> Option<f64> {
        let now = taken();
        let before = std::mem::replace(&mut self.last, now);
        // Threads that ended take their time with them.
        let took = now?.saturating_sub(before?).as_secs_f64();
        let whole = (passed * self.workers).as_secs_f64();
        (whole > 0.0).then(|| (took / whole).min(1.0))
    }
}

/// The processor time that all threads of the generator took so far.
fn taken() -> Option<Duration> {
    let mut all = Duration::ZERO;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        // A thread may end while it is looked at.
        all += thread
            .ok()
            .and_then(|thread| of_thread(&thread.path()))
            .unwrap_or_default();
    }
    Some(all)
}

fn of_thread(thread: &Path) -> Option<Duration> {
    let stat = fs::read_to_string(thread.join("stat")).ok()?;
    // `id (name) state ...`; the name may hold anything, but ours do not.
    let (head, rest) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    if name != WORKER && name != SCHEDULE {
        return None;
    }
    // User and system time are the 14th and 15th field, the state is the 3rd.
    let mut times = rest.split_whitespace().skip(11).map(str::parse::<u32>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some(TICK * user.checked_add(system)?)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Instant;

    use super::*;

    fn spin(name: &str, stop: &Arc<AtomicBool>) -> std::io::Result<thread::JoinHandle<()>> {
        let stop = Arc::clone(stop);
        let spin = move || while !stop.load(Ordering::Relaxed) {};
        thread::Builder::new().name(name.to_owned()).spawn(spin)
    }

    #[test]
    fn only_the_generators_threads_count() {
        let stop = Arc::<AtomicBool>::default();
        let mut busy = Busy::new(1);
        spin("emulator", &stop).unwrap();
        thread::sleep(Duration::from_millis(100));
        assert_eq!(busy.since_last(Duration::from_millis(100)), Some(0.0));
        spin(WORKER, &stop).unwrap();
        let begun = Instant::now();
        // On a busy machine the thread may have to wait.
        let seen = (0..100).find_map(|_| {
            thread::sleep(Duration::from_millis(50));
            busy.since_last(begun.elapsed()).filter(|part| *part > 0.0)
        });
        stop.store(true, Ordering::Relaxed);
        assert!(seen.is_some());
    }
}
