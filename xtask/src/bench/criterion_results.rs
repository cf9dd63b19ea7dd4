//! Reads the results of criterion.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The medians of every round, by group and function, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Medians(BTreeMap<String, BTreeMap<String, Vec<f64>>>);

impl Medians {
    /// Adds the results of the last run below `folder`, of groups that start with `prefix`.
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

    /// The lines: each of our benches, compared with each floor and each rival of its group, round by round. A
    /// bench without a result in every round is from an older run and left out.
    pub(crate) fn lines(&self) -> Vec<String> {
        let rounds = self
            .0
            .values()
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .max()
            .unwrap_or(0);
        let mut lines = Vec::new();
        for (group, benches) in &self.0 {
            let benches = benches.iter().filter(|(_, figures)| figures.len() == rounds);
            let benches: Vec<Bench<'_>> = benches.map(|(name, figures)| Bench::new(name, figures)).collect();
            let of = |role| benches.iter().filter(move |bench| bench.role == role);
            for ours in of(Role::Ours) {
                for floor in of(Role::Floor) {
                    let name = format!("floor: {}", floor.name);
                    let goal = ours.goal.map(|goal| json!({ "ratio-at-most": goal }));
                    lines.extend(ours.beside(floor, group, &name, false, goal.as_ref()));
                }
                for rival in of(Role::Rival) {
                    let goal = rival.goal.map(|goal| json!({ "ratio-at-least": goal }));
                    lines.extend(ours.beside(rival, group, rival.name, true, goal.as_ref()));
                }
            }
        }
        lines
    }
}

/// The role of a bench in its group.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Ours,
    /// A lower bound that cannot be beaten.
    Floor,
    /// The program that people use today.
    Rival,
}

/// One bench, and its figure of each round in nanoseconds.
struct Bench<'a> {
    role: Role,
    /// Its name, without its role and its goal.
    name: &'a str,
    goal: Option<f64>,
    figures: &'a [f64],
}

impl<'a> Bench<'a> {
    fn new(name: &'a str, figures: &'a [f64]) -> Self {
        let (name, goal) = match name.rsplit_once(", goal ") {
            Some((name, goal)) => (name, goal.parse().ok()),
            None => (name, None),
        };
        let (role, name) = if let Some(name) = name.strip_prefix("floor: ") {
            (Role::Floor, name)
        } else if let Some(name) = name.strip_prefix("rival: ") {
            (Role::Rival, name)
        } else {
            (Role::Ours, name)
        };
        Self {
            role,
            name,
            goal,
            figures,
        }
    }

    /// A line for each round.
    fn beside(
        &self,
        other: &Bench<'_>,
        group: &str,
        name: &str,
        times_as_fast: bool,
        goal: Option<&Value>,
    ) -> impl Iterator<Item = String> {
        let rounds = self.figures.iter().zip(other.figures);
        rounds.map(move |(ours, theirs)| {
            json!({
                "what": group,
                "unit": "nanoseconds",
                "goal": goal,
                "times-as-fast": times_as_fast,
                "ours": { "name": self.name, "value": ours },
                "beside": { "name": name, "value": theirs },
            })
            .to_string()
        })
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
    use super::super::rows::{Verdict, median, read};
    use super::*;

    #[test]
    fn a_name_says_its_role_and_its_goal() {
        let mut medians = Medians::default();
        let group = medians.0.entry("sign".to_owned()).or_default();
        group.insert("floor: raw".to_owned(), vec![10.0, 30.0, 20.0]);
        group.insert("ours, goal 1.5".to_owned(), vec![11.0, 36.0, 22.0]);
        group.insert("rival: theirs, goal 10".to_owned(), vec![100.0, 100.0, 100.0]);
        group.insert("gone".to_owned(), vec![1.0]);
        let rows = read(&medians.lines()).unwrap();
        assert_eq!(rows.len(), 2, "ours beside the floor, ours beside the rival");
        assert_eq!(rows[0].what, "sign: ours");
        assert_eq!(rows[0].beside.as_ref().unwrap().0, "floor: raw");
        // Round by round: 1.1, 1.2, 1.1.
        assert!((median(&rows[0].compared()) - 1.1).abs() < 1e-9);
        assert_eq!(rows[0].verdict(), Some(Verdict::Met));
        assert_eq!(rows[1].beside.as_ref().unwrap().0, "theirs");
        // 9.1, 2.8 and 4.5 times as fast.
        assert!((median(&rows[1].compared()) - 100.0 / 22.0).abs() < 1e-9);
        assert_eq!(
            rows[1].verdict(),
            Some(Verdict::NotDecided),
            "the rounds are further apart than the goal is away"
        );
    }
}
