use serde::{Deserialize, Serialize};

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
    /// How busy those threads were over the run, 1 for all of them all the time; `None` where the
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
}
