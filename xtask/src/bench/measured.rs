//! What criterion measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The medians of every round, by group and function, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Medians(BTreeMap<String, BTreeMap<String, Vec<f64>>>);

/// A group of benches that stand beside each other.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    /// Its name, without the area.
    pub(crate) name: String,
    /// What nothing can be faster than, if the group has it.
    pub(crate) floor: Option<Row>,
    /// What people use today, if the group has it.
    pub(crate) rivals: Vec<Row>,
    /// Ours.
    pub(crate) ours: Vec<Row>,
}

/// One bench.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Its name, without its role and its goal.
    pub(crate) name: String,
    /// The figure of each round, in nanoseconds.
    pub(crate) rounds: Vec<f64>,
    /// The ratio it should keep.
    pub(crate) goal: Option<f64>,
}

impl Row {
    /// The median of the rounds.
    pub(crate) fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// The median of this row's ratio to another, round by round.
    pub(crate) fn ratio_to(&self, other: &Self) -> f64 {
        median(
            self.rounds
                .iter()
                .zip(&other.rounds)
                .map(|(ours, theirs)| ours / theirs)
                .collect(),
        )
    }
}

/// The median of some figures; 0 of none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => 0.0,
        len if len % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

impl Medians {
    /// Adds what the last run left below `folder`, of groups that start with `prefix`.
    pub(crate) fn read(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for group in folders(folder)? {
            for function in folders(&group)? {
                let run = function.join("new");
                let (Ok(what), Ok(figures)) = (
                    json(&run.join("benchmark.json")),
                    json(&run.join("estimates.json")),
                ) else {
                    continue;
                };
                let name = |field: &str| what[field].as_str().map(str::to_owned);
                let (Some(group), Some(function)) = (name("group_id"), name("function_id")) else {
                    continue;
                };
                if let (Some(group), Some(median)) = (
                    group.strip_prefix(prefix),
                    figures["median"]["point_estimate"].as_f64(),
                ) {
                    let rows = self.0.entry(group.to_owned()).or_default();
                    rows.entry(function).or_default().push(median);
                }
            }
        }
        Ok(())
    }

    /// The groups, each row in its role. A bench that was not in every round is of an older
    /// run and left out.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let rounds = self
            .0
            .values()
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .max()
            .unwrap_or(0);
        let group = |(name, rows): (&String, &BTreeMap<String, Vec<f64>>)| {
            let mut group = Group {
                name: name.clone(),
                floor: None,
                rivals: Vec::new(),
                ours: Vec::new(),
            };
            for (name, figures) in rows.iter().filter(|(_, figures)| figures.len() == rounds) {
                if let Some(name) = name.strip_prefix("floor: ") {
                    group.floor = Some(row(name, figures));
                } else if let Some(name) = name.strip_prefix("rival: ") {
                    group.rivals.push(row(name, figures));
                } else {
                    group.ours.push(row(name, figures));
                }
            }
            group
        };
        self.0
            .iter()
            .map(group)
            .filter(|group| !group.ours.is_empty())
            .collect()
    }
}

fn row(name: &str, figures: &[f64]) -> Row {
    let (name, goal) = match name.rsplit_once(", goal ") {
        Some((name, goal)) => (name, goal.parse().ok()),
        None => (name, None),
    };
    Row {
        name: name.to_owned(),
        rounds: figures.to_vec(),
        goal,
    }
}

fn folders(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn json(file: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_role_and_its_goal() {
        let mut medians = Medians::default();
        let rows = medians.0.entry("sign".to_owned()).or_default();
        rows.insert("floor: raw".to_owned(), vec![10.0, 30.0, 20.0]);
        rows.insert("ours, goal 1.5".to_owned(), vec![11.0, 36.0, 40.0]);
        rows.insert("rival: theirs".to_owned(), vec![100.0, 100.0, 100.0]);
        rows.insert("gone".to_owned(), vec![1.0]);
        let groups = medians.groups();
        assert_eq!(groups.len(), 1);
        let (floor, ours) = (groups[0].floor.clone().unwrap(), &groups[0].ours);
        assert_eq!((floor.name.as_str(), floor.median()), ("raw", 20.0));
        assert_eq!(
            (ours.len(), ours[0].name.as_str(), ours[0].goal),
            (1, "ours", Some(1.5))
        );
        // Round by round: 1.1, 1.2, 2.0.
        assert!((ours[0].ratio_to(&floor) - 1.2).abs() < 1e-9);
        assert_eq!(groups[0].rivals[0].name, "theirs");
    }

    #[test]
    fn a_median_of_an_even_number_is_between() {
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
