use std::time::Duration;

use crate::model::{Arrival, Rate, Shard, chance};

/// The arrivals of a run, in order. The same seed gives the same.
///
/// A shard's schedule is every n-th arrival of the whole one, so that the shards together are exactly
/// the run that one machine would have made.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    rate: Rate,
    whole: f64,
    seed: u64,
    shard: Shard,
    next: u64,
    /// Where a Poisson process has got to, in seconds.
    reached: f64,
}

impl Schedule {
    /// The arrivals of `shard` in a run over `whole`.
    #[must_use]
    pub(crate) fn new(rate: Rate, whole: Duration, seed: u64, shard: Shard) -> Self {
        Self {
            rate,
            whole: whole.as_secs_f64(),
            seed,
            shard,
            next: 0,
            reached: 0.0,
        }
    }

    /// When the next flow is due, in seconds, whichever shard has it.
    fn advance(&mut self) -> (u64, f64) {
        let index = self.next;
        self.next += 1;
        let number = index as f64;
        let at = match &self.rate {
            Rate::Constant { per_second } => number / per_second,
            Rate::Poisson { per_second } => {
                // The first is not at the beginning: a random moment has nothing to start from.
                self.reached -= chance(self.seed, index, 0).ln() / per_second;
                self.reached
            }
            Rate::Ramp { from, to } => {
                // The flows until t are from * t + slope * t^2 / 2, solved for t in the form that
                // stands a slope of zero.
                let slope = (to - from) / self.whole;
                let root = (from * from + 2.0 * slope * number).max(0.0).sqrt();
                2.0 * number / (from + root)
            }
            Rate::Steps { steps } => {
                let (mut begun, mut before) = (0.0, 0.0);
                for (place, step) in steps.iter().enumerate() {
                    let within = step.per_second * step.seconds;
                    if number < before + within || place + 1 == steps.len() {
                        return (index, begun + (number - before) / step.per_second);
                    }
                    begun += step.seconds;
                    before += within;
                }
                // A rate has at least one step, so this is not reached; nothing is due then.
                self.whole
            }
        };
        (index, at)
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let (index, at) = self.advance();
            if at >= self.whole || at.is_nan() {
                return None;
            }
            if self.shard.has(index) {
                let at = Duration::from_nanos((at * 1e9) as u64);
                return Some(Arrival { index, at: Some(at) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Step;

    const WHOLE: Duration = Duration::from_secs(10);

    fn arrivals(rate: &Rate, seed: u64, shard: Shard) -> Vec<Arrival> {
        Schedule::new(rate.clone(), WHOLE, seed, shard).collect()
    }

    /// How many flows a rate wants in all, on average.
    fn wanted(rate: &Rate) -> f64 {
        match rate {
            Rate::Constant { per_second } | Rate::Poisson { per_second } => per_second * 10.0,
            Rate::Ramp { from, to } => (from + to) / 2.0 * 10.0,
            Rate::Steps { steps } => {
                let (mut left, mut flows) = (10.0_f64, 0.0);
                for (index, step) in steps.iter().enumerate() {
                    let last = index + 1 == steps.len();
                    let time = if last { left } else { step.seconds.min(left) };
                    flows += time * step.per_second;
                    left -= time;
                }
                flows
            }
        }
    }

    fn any_rate() -> impl Strategy<Value = Rate> {
        let step = (1.0..400.0, 0.1..6.0).prop_map(|(per_second, seconds)| Step { per_second, seconds });
        prop_oneof![
            (0.1..500.0).prop_map(|per_second| Rate::Constant { per_second }),
            (0.1..500.0).prop_map(|per_second| Rate::Poisson { per_second }),
            (0.1..500.0, 0.1..500.0).prop_map(|(from, to)| Rate::Ramp { from, to }),
            prop::collection::vec(step, 1..5).prop_map(|steps| Rate::Steps { steps }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn arrivals_are_numbered_in_order_and_within_the_run(rate in any_rate(), seed: u64) {
            let arrivals = arrivals(&rate, seed, Shard::WHOLE);
            for (number, arrival) in arrivals.iter().enumerate() {
                prop_assert_eq!(arrival.index, number as u64);
                prop_assert!(arrival.at < Some(WHOLE));
            }
            prop_assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
        }

        #[test]
        fn there_are_as_many_as_the_rate_wants(rate in any_rate(), seed: u64) {
            let (got, wanted) = (arrivals(&rate, seed, Shard::WHOLE).len() as f64, wanted(&rate));
            let slack = match rate {
                // Six standard deviations, and the smallest of counts.
                Rate::Poisson { .. } => 6.0 * wanted.sqrt() + 6.0,
                _ => 1.0 + 1e-6,
            };
            prop_assert!((got - wanted).abs() <= slack, "{got}, not {wanted}");
        }

        #[test]
        fn the_same_seed_gives_the_same(rate in any_rate(), seed: u64) {
            prop_assert_eq!(arrivals(&rate, seed, Shard::WHOLE), arrivals(&rate, seed, Shard::WHOLE));
        }

        #[test]
        fn shards_together_are_the_whole(rate in any_rate(), seed: u64, of in 1_usize..7) {
            let whole = arrivals(&rate, seed, Shard::WHOLE);
            let mut together = Vec::new();
            for index in 0..of {
                let shard = arrivals(&rate, seed, format!("{index}/{of}").parse().unwrap());
                prop_assert!(shard.len() >= whole.len() / of && shard.len() <= whole.len().div_ceil(of));
                together.extend(shard);
            }
            together.sort_by_key(|arrival| arrival.index);
            prop_assert_eq!(together, whole);
        }
    }

    #[test]
    fn every_second_of_a_ramp_has_its_share() {
        let arrivals = arrivals(
            &Rate::Ramp {
                from: 10.0,
                to: 110.0,
            },
            0,
            Shard::WHOLE,
        );
        for second in 0..10_u64 {
            let got = arrivals
                .iter()
                .filter(|arrival| arrival.at.unwrap().as_secs() == second)
                .count() as i64;
            let wanted = 15 + 10 * second as i64;
            assert!((got - wanted).abs() <= 1, "{got} in second {second}");
        }
    }

    #[test]
    fn gaps_of_a_poisson_process_vary_as_they_should() {
        let due: Vec<_> = Schedule::new(
            Rate::Poisson { per_second: 1000.0 },
            Duration::from_secs(100),
            3,
            Shard::WHOLE,
        )
        .map(|arrival| arrival.at.unwrap())
        .collect();
        let gaps: Vec<f64> = due
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1000.0)
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((0.98..1.02).contains(&mean), "{mean}");
        assert!(
            (0.95..1.05).contains(&variance),
            "an exponential's variance is its mean squared: {variance}"
        );
    }

    #[test]
    fn another_seed_gives_another_poisson_process() {
        let rate = Rate::Poisson { per_second: 50.0 };
        assert_ne!(arrivals(&rate, 1, Shard::WHOLE), arrivals(&rate, 2, Shard::WHOLE));
    }
}
