//! What the reports say. The forms, text, Markdown and HTML, only lay it out.

use jiff::Timestamp;

use super::format;
use super::table::{Column, Table, Tone};
use crate::model::{FlowTally, Latency, Load, StepName};
use crate::runfile::RunFile;
use crate::verdict::{CheckResult, Exit, Lag, TooFew};

/// A name and its value.
pub(super) type Fact = (&'static str, String);

/// The percentiles in tables of times.
const PERCENTILES: [(f64, &str); 5] = [
    (50.0, "p50"),
    (90.0, "p90"),
    (95.0, "p95"),
    (99.0, "p99"),
    (99.9, "p99.9"),
];

/// In place of a percentile that has too few samples: it would be the slowest of them.
const TOO_FEW: &str = "–";

/// What the dash in tables of times means.
pub(super) const NOTE_ON_TIMES: &str = "Milliseconds. A dash is a percentile with fewer than 5 samples beyond it. Only requests that were answered \
     are counted, and end to end only flows that succeeded.";

/// The verdict in a word, and in a sentence.
pub(super) struct Judgement {
    pub(super) word: &'static str,
    pub(super) sentence: String,
    pub(super) tone: Tone,
    /// Why, one fragment per reason.
    pub(super) reasons: Vec<String>,
}

pub(super) fn judgement(run: &RunFile) -> Judgement {
    let Some(verdict) = &run.verdict else {
        return Judgement {
            word: "Not judged",
            sentence: "This is a part of a run: merge all shards to judge it.".to_owned(),
            tone: Tone::Doubt,
            reasons: Vec::new(),
        };
    };
    let failed = |result| matches!(result, CheckResult::Failed | CheckResult::NotMeasured);
    let checks = verdict.checks.len();
    let failed = verdict.checks.iter().filter(|check| failed(check.result)).count();
    let (word, tone, sentence) = match verdict.exit {
        Exit::Pass if checks == 0 => ("Pass", Tone::Good, "No flow failed."),
        Exit::Pass => ("Pass", Tone::Good, "All thresholds passed."),
        Exit::Failed if failed > 0 => ("Fail", Tone::Bad, ""),
        Exit::Failed => ("Fail", Tone::Bad, "The run failed for these reasons:"),
        Exit::Invalid => (
            "Invalid",
            Tone::Doubt,
            "The figures do not describe the target, for these reasons:",
        ),
        Exit::Stopped => ("Stopped", Tone::Doubt, "The run ended early:"),
        Exit::Unreachable => ("Unreachable", Tone::Bad, "The target could not be reached."),
        Exit::Usage => ("Usage", Tone::Bad, "Nothing was sent."),
    };
    let sentence = match sentence {
        "" => format!("{failed} of {checks} thresholds failed."),
        sentence => sentence.to_owned(),
    };
    Judgement {
        word,
        sentence,
        tone,
        reasons: verdict.reasons.clone(),
    }
}

/// The run in one line.
pub(super) fn headline(run: &RunFile) -> String {
    let setup = &run.setup;
    let mut line = format!(
        "{}: {} for {}, {} transport, against {}",
        setup.what(),
        setup.load,
        format::length(setup.duration_seconds),
        setup.transport,
        setup.target
    );
    if run.shards.of > 1 {
        line.push_str(&format!(
            ", {} of {} shards",
            run.shards.present.len(),
            run.shards.of
        ));
    }
    line
}

/// Where the figures come from, and how to get them again.
pub(super) fn origin(run: &RunFile) -> Vec<Fact> {
    let generator = &run.generator;
    let started: Result<Timestamp, _> = run.started_at.parse();
    vec![
        (
            "started",
            started.map_or_else(
                |_| run.started_at.clone(),
                |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            ),
        ),
        ("seed", run.setup.seed.to_string()),
        (
            "machine",
            format!(
                "{} {}, {} processors, {} threads for the flows",
                generator.os, generator.arch, generator.cores, generator.workers
            ),
        ),
        ("command", command_line(run)),
        ("version", format!("{}, run {}", run.version, run.run)),
    ]
}

/// A command that runs the same again. It is made from the setup, so it cannot hold a number, a code or a
/// secret; words in capitals stand for values that a run file does not hold.
fn command_line(run: &RunFile) -> String {
    let setup = &run.setup;
    let seconds = |seconds: f64| format!("{seconds}s");
    let mut words = vec![("--scenario", setup.scenario.to_string())];
    if let Some(mix) = &setup.mix {
        words.push(("--mix", mix.to_string()));
    }
    words.push(("--setting", setup.setting.to_string()));
    match &setup.load {
        Load::Open { rate, .. } => words.push(("--rate", rate.to_string())),
        Load::Closed { ramp_seconds, .. } if *ramp_seconds > 0.0 => {
            words.push(("--ramp", seconds(*ramp_seconds)));
        }
        Load::Closed { .. } => {}
    }
    words.extend([
        ("--users", setup.load.users().to_string()),
        ("--duration", seconds(setup.duration_seconds)),
        ("--warm-up", seconds(setup.warm_up_seconds)),
        ("--grace", seconds(setup.grace_seconds)),
        ("--phone", setup.phone.to_string()),
        ("--transport", setup.transport.to_string()),
        ("--seed", setup.seed.to_string()),
    ]);
    // A setup names the target in words, with the URL at their end.
    let target = setup.target.rsplit_once(" at ");
    if let Some((_, url)) = target {
        words.push(("--target", url.to_owned()));
    }
    match (setup.callbacks, target) {
        (true, Some(_)) => words.push(("--callback-listen", "ADDRESS".to_owned())),
        (false, None) => words.push(("--no-callbacks", String::new())),
        _ => {}
    }
    if run.shards.of > 1 {
        let index = match run.shards.present.as_slice() {
            [one] => one.to_string(),
            _ => "I".to_owned(),
        };
        words.push(("--shard", format!("{index}/{}", run.shards.of)));
        words.push(("--start-at", "TIME".to_owned()));
    }
    if let Some(spending) = &run.spending {
        words.extend([
            ("--live", String::new()),
            ("--max-verifications", "N".to_owned()),
            ("--max-cost", spending.limit.to_string()),
            ("--worst-price", "AMOUNT".to_owned()),
            ("--currency", spending.currency.clone()),
            ("--numbers", "FILE".to_owned()),
        ]);
    }
    let words = words.into_iter().map(|(flag, value)| match value.as_str() {
        "" => format!(" {flag}"),
        value => format!(" {flag} {value}"),
    });
    "sinch-verify-load run".to_owned() + &words.collect::<String>()
}

/// Everything that was counted.
pub(super) fn counted(run: &RunFile) -> Vec<Fact> {
    let (counters, generator) = (&run.counters, &run.generator);
    let total = run.flows.total();
    let count = format::grouped;
    let rate = |count| format::rate(run.per_second(count).unwrap_or(0.0));
    let mut facts = vec![
        ("model", run.setup.load.label().to_owned()),
        ("flows", flows(run)),
        (
            "ends",
            format!(
                "{} succeeded, {} failed, {} cut off, {}",
                count(total.succeeded),
                count(total.failed),
                count(total.aborted),
                rate(total.finished())
            ),
        ),
    ];
    if let Some(wanted) = wanted(run) {
        facts.push((
            "schedule",
            format!(
                "{} due, {}, {} dropped, {} started over 5 ms late",
                count(counters.scheduled),
                format::rate(wanted),
                count(counters.dropped),
                count(counters.late)
            ),
        ));
    }
    match Lag::of(run) {
        Some(Ok(lag)) => facts.push(("own delay", lag.to_string())),
        Some(Err(too_few)) => facts.push(("own delay", format!("not judged: {too_few}"))),
        None => {}
    }
    let cpu = generator.cpu.map(format::percent);
    facts.push((
        "users",
        crowded(run).unwrap_or_else(|| {
            let users = count(generator.in_flight_max);
            match cpu {
                Some(cpu) => format!("{users} at once at most, threads {cpu} busy"),
                None => format!("{users} at once at most"),
            }
        }),
    ));
    facts.push((
        "requests",
        format!("{} sent, {}", count(total.requests), rate(total.requests)),
    ));
    if run.setup.callbacks {
        facts.push((
            "callbacks",
            format!(
                "{} taken, {} of them repeated, {} too late, {} of no flow; {} refused",
                count(counters.callbacks),
                count(counters.duplicates),
                count(counters.overdue),
                count(counters.orphans),
                count(counters.refused)
            ),
        ));
    }
    if let Some(spending) = &run.spending {
        facts.push((
            "spent",
            format!(
                "{} of {} {} for {} verifications",
                spending.spent, spending.limit, spending.currency, spending.started
            ),
        ));
    }
    facts
}

/// How many flows were started, and how many of them do not count.
pub(super) fn flows(run: &RunFile) -> String {
    let warm_up = run.warm_up.started;
    let started = format::grouped(run.counters.started + warm_up);
    match (run.counters.started, warm_up) {
        (_, 0) => format!("{started} started"),
        (0, _) => format!("{started} started, all of them in the warm-up, which does not count"),
        _ => format!(
            "{started} started, {} of them in the warm-up, which does not count",
            format::grouped(warm_up)
        ),
    }
}

/// How many flows fell due in a second; `None` in a closed model, where none do.
pub(super) fn wanted(run: &RunFile) -> Option<f64> {
    match run.setup.load {
        Load::Open { .. } => {
            let seconds = (run.setup.duration_seconds.min(run.seconds) - run.setup.warm_up_seconds).max(0.0);
            (seconds > 0.0).then(|| run.counters.scheduled as f64 / seconds)
        }
        Load::Closed { .. } => None,
    }
}

/// A warning where more than 80 % of the users of an open model were busy at once: when the target gets a
/// little slower, flows wait for a user.
fn crowded(run: &RunFile) -> Option<String> {
    let Load::Open { users, .. } = run.setup.load else {
        return None;
    };
    let pool = users as u64 * run.shards.present.len() as u64;
    let most = run.generator.in_flight_max;
    (most * 5 > pool * 4)
        .then(|| format!("{most} of {pool} were busy at once: raise --users, so that no flow waits for one"))
}

/// The distribution end to end of the flows that succeeded.
pub(super) fn end_to_end(tally: &FlowTally) -> Option<&Latency> {
    tally.time(StepName::END_TO_END).filter(|times| times.count() > 0)
}

/// The thresholds; `None` where there are none.
pub(super) fn thresholds(run: &RunFile) -> Option<Table> {
    let mut table = Table::new([
        Column::Text("threshold"),
        Column::Text("limit"),
        Column::Number("measured"),
        Column::Text("result"),
    ]);
    for check in run.verdict.iter().flat_map(|verdict| &verdict.checks) {
        let (tone, result) = match check.result {
            CheckResult::Passed => (Tone::Good, "✓ passed"),
            CheckResult::Failed => (Tone::Bad, "✗ failed"),
            CheckResult::NotMeasured => (Tone::Bad, "✗ not measured"),
            CheckResult::NotJudged => (Tone::Doubt, "? not judged"),
        };
        let [metric, limit, measured] = [&check.metric, &check.limit, &check.measured].map(Clone::clone);
        table.push(tone, [metric, limit, measured, result.to_owned()]);
    }
    table.non_empty()
}

/// The times end to end, a row for each flow, and one for all together where there are several.
pub(super) fn overview(run: &RunFile) -> Option<Table> {
    let mut table = Table::new(time_columns("end to end, ms"));
    let total = run.flows.total();
    let several = run.flows.flows().count() > 1;
    let all = several.then(|| ("all flows".to_owned(), &total));
    let each = run.flows.flows().map(|(flow, tally)| (flow.to_string(), tally));
    for (name, tally) in all.into_iter().chain(each) {
        if let Some(times) = end_to_end(tally) {
            table.push(Tone::Plain, time_row(name, times));
        }
    }
    table.non_empty()
}

/// Everything that was measured of flows, a row for each time.
pub(super) fn times(tally: &FlowTally) -> Option<Table> {
    let mut table = Table::new(time_columns("ms"));
    for (step, times) in &tally.times {
        if times.count() > 0 {
            table.push(Tone::Plain, time_row(step.to_string(), times));
        }
    }
    table.non_empty()
}

fn time_columns(first: &'static str) -> Vec<Column> {
    let percentiles = PERCENTILES.map(|(_, name)| Column::Number(name));
    let mut columns = vec![Column::Text(first), Column::Number("count")];
    columns.extend(percentiles);
    columns.push(Column::Number("max"));
    columns
}

fn time_row(name: String, times: &Latency) -> Vec<String> {
    let mut cells = vec![name, format::grouped(times.count())];
    cells.extend(
        PERCENTILES.map(|(percent, _)| match TooFew::check(times.count(), percent) {
            Ok(()) => format::milliseconds(times.percentile(percent)),
            Err(_) => TOO_FEW.to_owned(),
        }),
    );
    cells.push(format::milliseconds(times.max()));
    cells
}

/// The failures by kind, the most frequent first.
pub(super) fn failures(run: &RunFile) -> Option<Table> {
    let mut table = Table::new([
        Column::Text("failure"),
        Column::Text("flow"),
        Column::Number("count"),
        Column::Text("first example"),
    ]);
    let mut rows: Vec<_> = run
        .flows
        .flows()
        .flat_map(|(flow, tally)| {
            let failures = tally.failures.iter();
            failures.map(move |(kind, failures)| (kind, flow.to_string(), failures))
        })
        .collect();
    rows.sort_by_key(|(_, _, failures)| std::cmp::Reverse(failures.count));
    for (kind, flow, failures) in rows {
        let cells = [
            kind.to_string(),
            flow,
            format::grouped(failures.count),
            failures.example.clone(),
        ];
        table.push(Tone::Bad, cells);
    }
    table.non_empty()
}
