//! Counts that were accepted, and how others differ from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::profile::Profile;

/// How many percent more than its baseline a row may need.
const MARGIN: u64 = 3;
/// How many of the functions that grew are named.
const NAMED: usize = 5;

/// Counts by the names of rows.
pub(crate) type Rows = BTreeMap<String, Counts>;

/// What one call of a row needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    instructions: u64,
    /// Absent where the bench does not count them.
    allocations: Option<u64>,
    /// The instructions of the functions that need at least a hundredth of all.
    functions: BTreeMap<String, u64>,
}

/// The counts of all rows, and why they were accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    pub(crate) reason: String,
    pub(crate) rows: Rows,
}

impl Counts {
    /// The share of one call in what was counted during so many.
    pub(crate) fn of_one_call(counted: &Profile, allocations: Option<u64>, calls: u64) -> Self {
        let share = |count: u64| (count + calls / 2) / calls;
        let instructions = share(counted.instructions());
        let functions = counted.functions.iter();
        Self {
            instructions,
            allocations: allocations.map(share),
            functions: functions
                .map(|(name, count)| (name.clone(), share(*count)))
                .filter(|(_, count)| *count >= listed_from(instructions))
                .collect(),
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "instructions": self.instructions, "functions": self.functions });
        if let Some(allocations) = self.allocations {
            json["allocations"] = allocations.into();
        }
        json
    }

    fn read(json: &Value) -> Result<Self> {
        let functions = json["functions"].as_object().context("no `functions`")?;
        let functions = functions.iter().map(|(name, count)| {
            let count = count.as_u64();
            Ok((
                name.clone(),
                count.with_context(|| format!("`{name}` has no count"))?,
            ))
        });
        Ok(Self {
            instructions: json["instructions"].as_u64().context("no `instructions`")?,
            allocations: json["allocations"].as_u64(),
            functions: functions.collect::<Result<_>>()?,
        })
    }

    /// The functions that need more than before, those that grew most first, as sentences.
    fn grown_since(&self, old: &Self) -> Vec<String> {
        let mut grown = Vec::new();
        for (name, &new) in &self.functions {
            let (before, text) = match old.functions.get(name) {
                Some(&before) => (before, before.to_string()),
                None => {
                    let limit = listed_from(old.instructions);
                    (limit, format!("less than {limit}"))
                }
            };
            if new > before {
                grown.push((new - before, format!("{name}: {new}, before: {text}")));
            }
        }
        grown.sort_by(|(a, _), (b, _)| b.cmp(a));
        grown.into_iter().take(NAMED).map(|(_, text)| text).collect()
    }
}

/// The instructions from which a function of a row is listed.
fn listed_from(instructions: u64) -> u64 {
    instructions.div_ceil(100)
}

impl Baseline {
    /// Reads what [`Baseline::to_json`] writes.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text)?;
        let rows = json["rows"].as_object().context("no `rows`")?;
        let rows = rows.iter().map(|(name, counts)| {
            let counts = Counts::read(counts).with_context(|| format!("row `{name}`"))?;
            Ok((name.clone(), counts))
        });
        Ok(Self {
            reason: json["reason"].as_str().context("no `reason`")?.to_owned(),
            rows: rows.collect::<Result<_>>()?,
        })
    }

    /// Text with a line for each count, sorted by name, so that a diff shows what changed.
    pub(crate) fn to_json(&self) -> String {
        let rows: BTreeMap<_, _> = self
            .rows
            .iter()
            .map(|(name, row)| (name, row.to_json()))
            .collect();
        let json = json!({ "reason": self.reason, "rows": rows });
        format!("{json:#}\n")
    }

    /// Compares each row with its baseline.
    pub(crate) fn compare(&self, new: &Rows) -> Comparison {
        let names: BTreeSet<&String> = self.rows.keys().chain(new.keys()).collect();
        let compared = names.into_iter().map(|name| Compared {
            name: name.clone(),
            old: self.rows.get(name).cloned(),
            new: new.get(name).cloned(),
        });
        Comparison(compared.collect())
    }
}

/// How rows differ from their baseline. `Display` shows them as a table.
#[derive(Debug)]
pub(crate) struct Comparison(Vec<Compared>);

#[derive(Debug)]
struct Compared {
    name: String,
    old: Option<Counts>,
    new: Option<Counts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    WithinMargin,
    More,
    Less,
    WithoutBaseline,
    /// The bench has no such row any more.
    BaselineOnly,
}

impl Comparison {
    /// Fails where a row needs more than its baseline, or has none.
    pub(crate) fn ensure_passed(&self) -> Result<()> {
        let failed = self.0.iter().filter(|row| {
            use Verdict::{BaselineOnly, More, WithoutBaseline};
            matches!(row.verdict(), More | WithoutBaseline | BaselineOnly)
        });
        let failed: Vec<&str> = failed.map(|row| row.name.as_str()).collect();
        ensure!(
            failed.is_empty(),
            "rows that differ from their baseline: {}; make the functions named above cheaper, or, if the change is \
             worth it, run `cargo xtask bench gate --accept REASON` and commit the baseline",
            failed.join(", ")
        );
        Ok(())
    }
}

impl Compared {
    fn verdict(&self) -> Verdict {
        let (old, new) = match (&self.old, &self.new) {
            (Some(old), Some(new)) => (old, new),
            (None, _) => return Verdict::WithoutBaseline,
            (_, None) => return Verdict::BaselineOnly,
        };
        let figures = [
            (old.instructions, new.instructions),
            (old.allocations.unwrap_or(0), new.allocations.unwrap_or(0)),
        ];
        if figures.iter().any(|(old, new)| new * 100 > old * (100 + MARGIN)) {
            Verdict::More
        } else if figures.iter().any(|(old, new)| new * 100 < old * (100 - MARGIN)) {
            Verdict::Less
        } else {
            Verdict::WithinMargin
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>12} {:>12} {:>9} {:>12} {:>12}",
            "row", "instructions", "baseline", "change", "allocations", "baseline"
        )?;
        for row in &self.0 {
            write!(f, "{row}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instructions = |counts: &Option<Counts>| counts.as_ref().map(|counts| counts.instructions);
        let allocations = |counts: &Option<Counts>| counts.as_ref().and_then(|counts| counts.allocations);
        let shown = |figure: Option<u64>| figure.map_or_else(String::new, |figure| figure.to_string());
        let change = match (instructions(&self.old), instructions(&self.new)) {
            (Some(old), Some(new)) => format!("{:+.1} %", 100.0 * (new as f64 / old as f64 - 1.0)),
            _ => String::new(),
        };
        let verdict = match self.verdict() {
            Verdict::WithinMargin => String::new(),
            Verdict::More => format!("  FAILED: more than +{MARGIN} %"),
            Verdict::Less => "  accept it, so that it stays as fast".to_owned(),
            Verdict::WithoutBaseline => "  no baseline".to_owned(),
            Verdict::BaselineOnly => "  only in the baseline".to_owned(),
        };
        let line = format!(
            "{:<20} {:>12} {:>12} {change:>9} {:>12} {:>12}{verdict}",
            self.name,
            shown(instructions(&self.new)),
            shown(instructions(&self.old)),
            shown(allocations(&self.new)),
            shown(allocations(&self.old)),
        );
        writeln!(f, "{}", line.trim_end())?;
        if let (Verdict::More, Some(old), Some(new)) = (self.verdict(), &self.old, &self.new) {
            for function in new.grown_since(old) {
                writeln!(f, "    {function}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(allocations: u64, functions: &[(&str, u64)]) -> Counts {
        let functions = functions.iter().map(|(name, count)| ((*name).to_owned(), *count));
        let counted = Profile {
            functions: functions.collect(),
        };
        Counts::of_one_call(&counted, Some(allocations), 1)
    }

    fn baseline(row: Counts) -> Baseline {
        Baseline {
            reason: "a faster clock".to_owned(),
            rows: Rows::from([("sign".to_owned(), row)]),
        }
    }

    fn compare(old: Counts, new: Counts) -> Comparison {
        baseline(old).compare(&Rows::from([("sign".to_owned(), new)]))
    }

    #[test]
    fn a_row_may_need_three_percent_more_but_no_more() {
        let cases = [
            (1000, 1030, true, ""),
            (1000, 1031, false, "FAILED: more than +3 %"),
            (1000, 970, true, ""),
            (1000, 969, true, "accept it, so that it stays as fast"),
        ];
        for (old, new, passes, said) in cases {
            let comparison = compare(counts(0, &[("a", old)]), counts(0, &[("a", new)]));
            assert_eq!(comparison.ensure_passed().is_ok(), passes, "{old} to {new}");
            let line = comparison.to_string().lines().nth(1).unwrap().to_owned();
            assert!(line.ends_with(said), "{line}");
        }
    }

    #[test]
    fn the_functions_that_grew_are_named_with_both_counts() {
        let old = counts(0, &[("md::of", 400), ("sign", 500), ("time", 95), ("small", 5)]);
        let new = counts(0, &[("md::of", 390), ("sign", 560), ("time", 96), ("small", 31)]);
        let comparison = compare(old, new);
        let expected = "\
row                  instructions     baseline    change  allocations     baseline
sign                         1077         1000    +7.7 %            0            0  FAILED: more than +3 %
    sign: 560, before: 500
    small: 31, before: less than 10
    time: 96, before: 95
";
        assert_eq!(comparison.to_string(), expected);
        let error = comparison.ensure_passed().unwrap_err().to_string();
        assert!(
            error.starts_with("rows that differ from their baseline: sign; make"),
            "{error}"
        );
        assert!(error.contains("--accept REASON"), "{error}");
    }

    #[test]
    fn the_first_allocation_fails_a_row_that_had_none() {
        let row = |allocations| counts(allocations, &[("sign", 1000)]);
        assert!(compare(row(0), row(1)).ensure_passed().is_err());
        assert!(compare(row(12), row(12)).ensure_passed().is_ok());
    }

    #[test]
    fn a_row_on_one_side_only_fails() {
        let row = counts(0, &[("sign", 1000)]);
        let added = Baseline::default().compare(&baseline(row.clone()).rows);
        assert!(added.ensure_passed().is_err());
        assert!(added.to_string().contains("no baseline"), "{added}");
        let removed = baseline(row).compare(&Rows::new());
        assert!(removed.ensure_passed().is_err());
        assert!(removed.to_string().contains("only in the baseline"), "{removed}");
    }

    #[test]
    fn a_call_has_its_rounded_share() {
        let counted = Profile {
            functions: [("a".to_owned(), 99_960), ("b".to_owned(), 49)].into(),
        };
        let counts = Counts::of_one_call(&counted, Some(1250), 100);
        assert_eq!((counts.instructions, counts.allocations), (1000, Some(13)));
        assert_eq!(counts.functions, [("a".to_owned(), 1000)].into());
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let mut row = counts(12, &[("<A as B>::c", 20), ("malloc", 7)]);
        let text = baseline(row.clone()).to_json();
        assert_eq!(
            text,
            r#"{
  "reason": "a faster clock",
  "rows": {
    "sign": {
      "allocations": 12,
      "functions": {
        "<A as B>::c": 20,
        "malloc": 7
      },
      "instructions": 27
    }
  }
}
"#
        );
        assert_eq!(Baseline::read(&text).unwrap(), baseline(row.clone()));
        row.allocations = None;
        assert_eq!(
            Baseline::read(&baseline(row.clone()).to_json()).unwrap(),
            baseline(row)
        );
        let error = Baseline::read(r#"{"reason":"x","rows":{"sign":{"functions":{}}}}"#).unwrap_err();
        assert_eq!(format!("{error:#}"), "row `sign`: no `instructions`");
    }
}
