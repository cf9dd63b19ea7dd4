//! The figures of a replay: tables, or JSON.

use comfy_table::{Cell, CellAlignment};
use serde::Serialize;
use sinch_verify_callback::policy::{PolicyRules, Tally};
use sinch_verify_protocol::timestamp::XTimestamp;

use super::replay::Past;
use crate::print::say;
use crate::table::Column::Value;
use crate::table::{Column, Table, cell};

/// How many ranges are shown.
const RANGES: usize = 10;

/// All figures, for scripts. Amounts are decimals as text, in `currency`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    starts: u64,
    #[serde(flatten)]
    all: Counts,
    /// Denied starts that were verified in the past.
    denied_verified: u64,
    rules: Vec<RuleCounts<'a>>,
    countries: Vec<Named<'a>>,
    /// Those that cost most in the past.
    ranges: Vec<Named<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    allowed: u64,
    denied: u64,
    ended: u64,
    succeeded: u64,
    cost: String,
    denied_cost: String,
}

impl From<&Tally> for Counts {
    fn from(tally: &Tally) -> Self {
        Self {
            allowed: tally.allowed,
            denied: tally.denied,
            ended: tally.ended,
            succeeded: tally.succeeded,
            cost: tally.cost().to_string(),
            denied_cost: tally.denied_cost().to_string(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleCounts<'a> {
    rule: &'a str,
    denied: u64,
    /// Starts that it would have denied, had it been enforced.
    would_deny: u64,
    /// Those of both that were verified in the past.
    verified: u64,
    skipped: u64,
    cost: String,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

/// Prints what a policy would have done.
pub(super) fn print(past: &Past, rules: &PolicyRules, json: bool) -> anyhow::Result<()> {
    let figures = figures(past, rules);
    if json {
        say!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    // Without a currency, the policy counts no costs.
    let cost = |amount: &str| {
        let currency = figures.currency;
        currency.map_or_else(String::new, |currency| format!(", for {amount} {currency}"))
    };
    let span = match (&figures.from, &figures.to) {
        (Some(from), Some(to)) => format!(" from {from} to {to}"),
        _ => String::new(),
    };
    let all = &figures.all;
    say!("{} starts{span}", figures.starts);
    say!("allowed  {}{}", all.allowed, cost(&all.cost));
    say!(
        "denied   {}{}; {} of them were verified in the past",
        all.denied,
        cost(&all.denied_cost),
        figures.denied_verified
    );
    if !figures.rules.is_empty() {
        say!();
        let mut table = Table::new(&[
            Value("rule"),
            Value("denied"),
            Value("would deny"),
            Value("verified"),
            Value("skipped"),
            Value("cost"),
        ]);
        for rule in &figures.rules {
            let counts = [rule.denied, rule.would_deny, rule.verified, rule.skipped];
            let mut cells = vec![cell(rule.rule)];
            cells.extend(counts.map(right));
            cells.push(right(&rule.cost));
            table.add(cells);
        }
        table.print();
    }
    let tables = [
        (const { &columns("country") }, &figures.countries),
        (const { &columns("range") }, &figures.ranges),
    ];
    for (columns, named) in tables {
        if !named.is_empty() {
            say!();
            print_tallies(columns, named);
        }
    }
    Ok(())
}

const fn columns(name: &'static str) -> [Column; 6] {
    [
        Value(name),
        Value("allowed"),
        Value("denied"),
        Value("converted"),
        Value("cost"),
        Value("denied cost"),
    ]
}

fn print_tallies(columns: &'static [Column], named: &[Named<'_>]) {
    let mut table = Table::new(columns);
    for Named { name, counts } in named {
        let converted = (counts.succeeded * 100)
            .checked_div(counts.ended)
            .map_or_else(String::new, |percent| format!("{percent} %"));
        table.add(vec![
            cell(name),
            right(counts.allowed),
            right(counts.denied),
            right(converted),
            right(&counts.cost),
            right(&counts.denied_cost),
        ]);
    }
    table.print();
}

fn right(content: impl std::fmt::Display) -> Cell {
    cell(content).set_alignment(CellAlignment::Right)
}

fn figures<'a>(past: &'a Past, rules: &'a PolicyRules) -> Figures<'a> {
    let report = &past.report;
    let time = |time| XTimestamp::new(time).as_str().to_owned();
    let by_rule = report.rules.iter().map(|(name, tally)| RuleCounts {
        rule: name,
        denied: tally.denied,
        would_deny: tally.observed,
        verified: past.verified_by_rule.get(name).copied().unwrap_or_default(),
        skipped: tally.skipped,
        cost: tally.cost().to_string(),
    });
    let by_country = report.countries.iter().map(|(country, tally)| Named {
        name: country.as_ref().map_or("none", |country| country.as_str()),
        counts: tally.into(),
    });
    let mut ranges: Vec<_> = report.ranges.iter().collect();
    ranges.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.cost() + tally.denied_cost()));
    let ranges = ranges.into_iter().take(RANGES).map(|(range, tally)| Named {
        name: range,
        counts: tally.into(),
    });
    Figures {
        currency: rules.prices.as_ref().map(|prices| prices.currency.as_str()),
        from: past.span.map(|(from, _)| time(from)),
        to: past.span.map(|(_, to)| time(to)),
        starts: report.all.allowed + report.all.denied,
        all: (&report.all).into(),
        denied_verified: past.verified,
        rules: by_rule.collect(),
        countries: by_country.collect(),
        ranges: ranges.collect(),
    }
}
