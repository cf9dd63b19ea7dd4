use crate::report::format;

/// An axis: the values it spans, and how they are spread over it.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) title: &'static str,
    min: f64,
    max: f64,
    kind: Kind,
}

/// What the values of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Seconds since the beginning, evenly.
    Elapsed,
    /// Counts or rates from zero, evenly.
    Amount,
    /// Latencies in seconds from zero, evenly.
    Latency,
    /// Latencies in seconds, by their orders of magnitude.
    LogLatency,
    /// Percentiles as `log10(1 / (1 - part))`: 0 is none, 1 is 90 %, 2 is 99 %.
    Percentile,
}

impl Axis {
    /// Seconds from zero to `end`.
    pub(crate) fn elapsed(end: f64) -> Self {
        Self {
            title: "since the beginning",
            min: 0.0,
            max: end.max(1.0),
            kind: Kind::Elapsed,
        }
    }

    /// From zero to a round number above `highest`.
    pub(crate) fn amount(title: &'static str, highest: f64) -> Self {
        Self {
            title,
            min: 0.0,
            max: round_up(highest.max(1.0) * 1.05),
            kind: Kind::Amount,
        }
    }

    /// Latencies: evenly where they are close to each other, else by orders of magnitude, because next to a
    /// stall everything else would be flat.
    pub(crate) fn latency(values: impl Iterator<Item = f64>) -> Self {
        let (lowest, highest) = values
            .filter(|value| *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if highest / lowest > 12.0 {
            return Self {
                title: "logarithmic",
                min: 10_f64.powf(lowest.log10().floor()),
                max: round_up(highest * 1.05),
                kind: Kind::LogLatency,
            };
        }
        Self {
            title: "linear",
            min: 0.0,
            max: round_up(highest.max(0.000_001) * 1.05),
            kind: Kind::Latency,
        }
    }

    /// Percentiles, up to the highest that `count` values have.
    pub(crate) fn percentile(count: u64) -> Self {
        Self {
            title: "of the flows are not slower",
            min: 0.0,
            max: Self::percentile_at(1.0, count).max(1.0),
            kind: Kind::Percentile,
        }
    }

    /// The place of a percentile of `count` values. The highest is half a value from 100 %, which has no
    /// place on a logarithmic axis.
    pub(crate) fn percentile_at(part: f64, count: u64) -> f64 {
        let rest = (1.0 - part).max(0.5 / count.max(1) as f64);
        -rest.log10()
    }

    pub(crate) fn max(&self) -> f64 {
        self.max
    }

    /// The place of `value`: 0 for the beginning of the axis, 1 for its end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let part = match self.kind {
            Kind::LogLatency => {
                let value = value.max(self.min);
                (value / self.min).log10() / (self.max / self.min).log10()
            }
            _ => (value - self.min) / (self.max - self.min),
        };
        part.clamp(0.0, 1.0)
    }

    /// The values with a mark, and their texts.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match self.kind {
            Kind::Elapsed => {
                let step = time_step(self.max);
                steps(step, self.max).map(|at| (at, clock(at))).collect()
            }
            Kind::Amount => {
                let step = (self.max / 4.0).max(1.0);
                let step = if self.max >= 4.0 { nice(step) } else { 1.0 };
                steps(step, self.max)
                    .map(|at| (at, format::grouped(at.round() as u64)))
                    .collect()
            }
            Kind::Latency => {
                let step = nice(self.max / 4.0);
                steps(step, self.max).map(|at| (at, short_time(at))).collect()
            }
            Kind::LogLatency => {
                let first = self.min.log10().round() as i32;
                let last = self.max.log10().floor() as i32;
                (first..=last)
                    .map(|power| 10_f64.powi(power))
                    .map(|at| (at, short_time(at)))
                    .collect()
            }
            Kind::Percentile => {
                let half = (0.5, "50 %".to_owned());
                let nines = (1..=self.max as i32).map(|nines| {
                    let percent = 100.0 - 10_f64.powi(2 - nines);
                    (1.0 - 10_f64.powi(-nines), format!("{percent} %"))
                });
                std::iter::once((0.0, "0 %".to_owned()))
                    .chain([half])
                    .chain(nines)
                    .map(|(part, text)| (-(1.0_f64 - part).log10(), text))
                    .collect()
            }
        }
    }
}

/// 0, `step`, and so on up to `max`.
fn steps(step: f64, max: f64) -> impl Iterator<Item = f64> {
    let count = (max / step + 1e-9) as u32;
    (0..=count).map(move |index| f64::from(index) * step)
}

/// The next of 1, 2, 5 times a power of ten.
fn nice(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let factor = value / power;
    let nice = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|nice| factor <= nice * 1.000_001);
    nice.unwrap_or(10.0) * power
}

/// The next value with one or two digits.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let factors = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let factor = factors
        .into_iter()
        .find(|factor| value <= factor * power * 1.000_001);
    factor.unwrap_or(10.0) * power
}

/// A whole number of seconds, minutes or hours between marks.
fn time_step(max: f64) -> f64 {
    let steps = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0,
    ];
    steps
        .into_iter()
        .find(|step| max / step <= 8.0)
        .unwrap_or(14_400.0)
}

/// `20 s`, `1:30` or `2:00:00`.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A time with as few digits as it has: `0`, `500 µs`, `20 ms`, `1.5 s`.
fn short_time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        0.0 => return "0".to_owned(),
        s if s < 0.000_999 => (s * 1e6, "µs"),
        s if s < 0.999 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    let text = format!("{value:.2}");
    format!("{} {unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            texts(&Axis::elapsed(20.0)),
            ["0 s", "5 s", "10 s", "15 s", "20 s"]
        );
        assert_eq!(
            texts(&Axis::elapsed(90.0)),
            ["0 s", "15 s", "30 s", "45 s", "1:00", "1:15", "1:30"]
        );
        assert_eq!(texts(&Axis::amount("", 300.0)), ["0", "100", "200", "300", "400"]);
        assert_eq!(texts(&Axis::amount("", 0.0)), ["0", "1"]);
        assert_eq!(
            texts(&Axis::latency([0.010, 0.018].into_iter())),
            ["0", "5 ms", "10 ms", "15 ms", "20 ms"]
        );
        assert_eq!(
            texts(&Axis::latency([0.000_4, 2.0].into_iter())),
            ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]
        );
        assert_eq!(
            texts(&Axis::latency(std::iter::empty()))
                .first()
                .map(String::as_str),
            Some("0")
        );
        assert_eq!(
            texts(&Axis::percentile(10_000)),
            ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]
        );
    }

    #[test]
    fn positions_are_on_the_axis() {
        for axis in [
            Axis::elapsed(20.0),
            Axis::amount("", 7.0),
            Axis::latency([0.001, 5.0].into_iter()),
            Axis::percentile(10),
        ] {
            for value in [-1.0, 0.0, 0.5, 1e9] {
                assert!((0.0..=1.0).contains(&axis.position(value)), "{value} on {axis:?}");
            }
            assert!(axis.position(axis.max()) > 0.999);
            for (at, _) in axis.ticks() {
                assert!(at <= axis.max() * 1.000_01, "{at} on {axis:?}");
            }
        }
        assert!((Axis::percentile_at(0.99, 1_000_000) - 2.0).abs() < 1e-9);
        assert!((Axis::percentile_at(1.0, 500) - 3.0).abs() < 1e-9);
    }
}
