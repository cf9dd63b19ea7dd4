use serde::{Deserialize, Serialize};

use crate::model::{Second, Setup};

/// The machine a run was made on, and how busy the generator was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Generator {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The processor, such as `x86_64`.
    pub arch: String,
    /// How many processors the process may use.
    pub cores: usize,
    /// How many threads carried out the flows.
    pub workers: usize,
    /// How busy those threads were while flows that count were started, 1 for all of them all the time; `None` where the
    /// system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// The most flows that were under way at once. Merged, the sum over all shards.
    pub in_flight_max: u64,
}

impl Generator {
    /// This machine, with `workers` threads for the flows.
    #[must_use]
    pub fn here(workers: usize) -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            workers,
            cpu: None,
            in_flight_max: 0,
        }
    }

    /// How busy the threads were in the whole seconds in which flows that count were started. The
    /// time that the last of them took after that, when nothing else is to be done, is none of them.
    #[must_use]
    pub(crate) fn busy(setup: &Setup, series: &[Second]) -> Option<f64> {
        let counts = setup.warm_up_seconds.ceil() as u64..setup.duration_seconds.floor() as u64;
        let busy: Vec<f64> = series
            .iter()
            .filter(|second| counts.contains(&second.at))
            .filter_map(|second| second.cpu)
            .collect();
        (!busy.is_empty()).then(|| busy.iter().sum::<f64>() / busy.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runfile::sample_run;

    #[test]
    fn only_seconds_that_count_say_how_busy_it_was() {
        let mut setup = sample_run().setup;
        (setup.warm_up_seconds, setup.duration_seconds) = (0.5, 3.5);
        let mut series: Vec<_> = (0..5)
            .map(|at| Second {
                at,
                ..Second::default()
            })
            .collect();
        // A warm-up, a run at its limit, and the idle end of it.
        for (second, cpu) in series.iter_mut().zip([0.2, 1.0, 0.9, 0.3, 0.0]) {
            second.cpu = Some(cpu);
        }
        assert_eq!(Generator::busy(&setup, &series), Some(0.95));
        series[1].cpu = None;
        assert_eq!(Generator::busy(&setup, &series), Some(0.9));
        assert_eq!(Generator::busy(&setup, &series[..1]), None);
    }
}
