use std::fmt::Write as _;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sinch_verify_callback::policy::{FraudPolicy, PolicyRules};

use super::tally::{Tally, Users, day};
use super::traffic::Traffic;
use crate::report::{Axis, Mark, Plot, Series, svg_file};

/// What a policy does with many days of traffic: under attack, and at a launch.
#[derive(Clone, Debug)]
pub struct Study {
    attacked: Vec<(Traffic, Tally)>,
    launches: Vec<Tally>,
}

impl Study {
    /// Simulates a day under attack and a launch for each seed from 1 to `seeds`, each with a policy that has
    /// counted nothing yet.
    ///
    /// # Errors
    ///
    /// When the rules are not valid, or a policy's store has no room for another key.
    pub async fn run(rules: &PolicyRules, seeds: u64) -> Result<Self, Box<dyn std::error::Error>> {
        let mut study = Self {
            attacked: Vec::new(),
            launches: Vec::new(),
        };
        for seed in 1..=seeds {
            let traffic = Traffic::attacked(seed);
            let tally = day(&FraudPolicy::builder(rules.clone()).build()?, &traffic).await?;
            study.attacked.push((traffic, tally));
            let launch = Traffic::launch(seed);
            let tally = day(&FraudPolicy::builder(rules.clone()).build()?, &launch).await?;
            study.launches.push(tally);
        }
        Ok(study)
    }

    /// The figures as Markdown: a table, and the worst day.
    #[must_use]
    pub fn markdown(&self) -> String {
        let all = self.attacked.iter().map(|(_, tally)| tally);
        let paid: Decimal = all.clone().map(|tally| tally.attack.paid).sum();
        let cost: Decimal = all.clone().map(|tally| tally.attack.cost).sum();
        let outside = sum(all.clone().map(|tally| tally.outside));
        let inside = sum(all.clone().map(|tally| tally.inside));
        let launch = sum(self.launches.iter().map(|tally| tally.outside));
        let share = percent(paid, cost);
        let met = |is_met: bool| if is_met { "yes" } else { "no" };
        let mut text = String::from("| what | goal | figure | met |\n|---|---|---|---|\n");
        let rows = [
            (
                "the attack's cost that is paid",
                "at most 2 %",
                format!("{share:.2} %: {paid:.0} of {cost:.0} EUR"),
                met(share <= 2.0),
            ),
            (
                "honest users outside the attacked ranges that are denied",
                "at most 0.1 %",
                of(outside),
                met(outside.denied * 1000 <= outside.users),
            ),
            (
                "honest users inside the attacked ranges that are denied",
                "",
                of(inside),
                "",
            ),
            (
                "users of a launch that are denied",
                "none",
                of(launch),
                met(launch.denied == 0),
            ),
        ];
        for (what, goal, figure, met) in rows {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {what} | {goal} | {figure} | {met} |");
        }
        if let Some((traffic, tally)) = self.worst() {
            let (attack, outside) = (&tally.attack, of(tally.outside));
            let _ = writeln!(
                text,
                "\nThe worst day is that of seed {}, with {:.0} times the honest starts: {:.2} % of {:.0} EUR \
                 are paid, for {} of {} messages.\n{outside} users outside the attacked ranges are denied.",
                traffic.seed,
                traffic.attack,
                percent(attack.paid, attack.cost),
                attack.cost,
                attack.allowed,
                attack.starts,
            );
        }
        text
    }

    /// The worst day as an SVG file: what bots ask for, and what goes ahead.
    #[must_use]
    pub fn svg(&self) -> String {
        let slices = self.worst().map_or(&[][..], |(_, tally)| &tally.slices);
        let width = Tally::SLICE.as_secs_f64();
        let series = |name: &str, class, mark, count: fn(&super::Starts) -> u32| {
            let points = slices.iter().enumerate();
            let mut points: Vec<_> = points
                .map(|(place, slice)| (place as f64 * width, Some(f64::from(count(slice)))))
                .collect();
            if let Some((_, last)) = points.last().copied() {
                points.push((points.len() as f64 * width, last));
            }
            Series {
                name: name.to_owned(),
                class,
                mark,
                points,
            }
        };
        let highest = slices.iter().map(|slice| slice.starts).max().unwrap_or_default();
        svg_file(&Plot {
            describes: "starts of bots in ten minutes, over a day: asked for, and paid".to_owned(),
            x: Axis::elapsed(24.0 * 3600.0),
            y: Axis::amount("starts of bots in 10 minutes", f64::from(highest)),
            series: vec![
                series("asked for", "c1", Mark::Area, |slice| slice.starts),
                series("paid", "bad", Mark::Step, |slice| slice.allowed),
            ],
            shade: None,
            hints: Vec::new(),
        })
    }

    /// The day of which the largest share is paid.
    fn worst(&self) -> Option<&(Traffic, Tally)> {
        let share = |(_, tally): &&(Traffic, Tally)| percent(tally.attack.paid, tally.attack.cost);
        self.attacked.iter().max_by(|a, b| share(a).total_cmp(&share(b)))
    }
}

fn sum(all: impl Iterator<Item = Users>) -> Users {
    all.fold(Users::default(), |sum, users| Users {
        users: sum.users + users.users,
        denied: sum.denied + users.denied,
    })
}

fn of(users: Users) -> String {
    let share = 100.0 * f64::from(users.denied) / f64::from(users.users.max(1));
    format!("{share:.2} %: {} of {}", users.denied, users.users)
}

fn percent(part: Decimal, whole: Decimal) -> f64 {
    let share = part.checked_div(whole).unwrap_or_default();
    100.0 * share.to_f64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_study_shows_what_is_paid_and_who_is_denied() {
        let study = Study::run(&PolicyRules::new(), 1).await.unwrap();
        let text = study.markdown();
        assert!(text.contains("| at most 2 % | 100.00 %: "), "{text}");
        assert!(text.contains("| none | 0.00 %: 0 of 4"), "{text}");
        assert!(text.contains("The worst day is that of seed 1, "), "{text}");
        let svg = study.svg();
        assert!(
            svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""),
            "{svg}"
        );
        assert!(
            svg.contains(">asked for</text>") && svg.contains(">paid</text>"),
            "{svg}"
        );
    }
}
