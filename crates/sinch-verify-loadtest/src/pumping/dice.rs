use crate::model::chance;

/// Random numbers from a seed, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    seed: u64,
    /// Tells apart the dice of one seed.
    of: u64,
    rolls: u64,
}

impl Dice {
    pub(super) fn new(seed: u64, of: u64) -> Self {
        Self { seed, of, rolls: 0 }
    }

    /// Evenly between 0 and 1.
    fn roll(&mut self) -> f64 {
        self.rolls += 1;
        chance(self.seed, self.rolls, self.of)
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.roll() < probability
    }

    /// Evenly between two values.
    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.roll()
    }

    /// A whole number from 0 to below `count`.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        (f64::from(count) * self.roll()) as u32
    }

    /// The time to the next of events that are `mean` apart on average and know nothing of each other.
    pub(super) fn wait(&mut self, mean: f64) -> f64 {
        -mean * self.roll().ln()
    }

    /// A place from 0 to below `count`, where early ones are more likely: the weight falls to a half at `half`.
    pub(super) fn early(&mut self, count: u32, half: f64) -> u32 {
        let all = (f64::from(count) / half).ln_1p();
        (half * (all * self.roll()).exp_m1()) as u32
    }

    /// The place of one of these weights.
    pub(super) fn pick(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.roll() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (place, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0.0) {
            last = place;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }
}
