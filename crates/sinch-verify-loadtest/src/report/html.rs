//! The page.

mod charts;

use std::fmt::{Result, Write as _};

use super::escape::Html;
use super::format;
use super::summary::{self, Fact};
use super::table::Table;
use crate::model::{FlowTally, Load};
use crate::runfile::RunFile;
use crate::verdict::TooFew;

/// The style of the page: on a light and on a dark screen, and on paper.
const STYLE: &str = concat!(
    include_str!("html/colors.css"),
    include_str!("html/plot.css"),
    include_str!("html/style.css"),
);

/// The style of a plot that stands alone.
pub(super) const PLOT_STYLE: &str = concat!(include_str!("html/colors.css"), include_str!("html/plot.css"));

/// The whole page.
pub(super) fn write(run: &RunFile, out: &mut String) -> Result {
    // The policy keeps the page from fetching and running anything, whatever text is in it.
    writeln!(
        out,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{}: {}</title>
<style>
{STYLE}</style>
</head>
<body>
<main>"#,
        summary::judgement(run).word,
        Html(summary::headline(run))
    )?;
    let total = run.flows.total();
    banner(run, out)?;
    facts(&summary::origin(run), out)?;
    tiles(run, &total, out)?;
    section("Thresholds", summary::thresholds(run), out)?;
    charts::write(run, &total, out)?;
    times(run, &total, out)?;
    match summary::failures(run) {
        Some(failures) => section("Failures", Some(failures), out)?,
        None => {
            out.push_str("<section>\n<h2>Failures</h2>\n<p class=\"note\">No flow failed.</p>\n</section>\n");
        }
    }
    out.push_str("<section>\n<h2>Counted</h2>\n");
    facts(&summary::counted(run), out)?;
    out.push_str("</section>\n");
    reading(run, &total, out)?;
    writeln!(out, "</main>\n</body>\n</html>")
}

/// The verdict, and what was run.
fn banner(run: &RunFile, out: &mut String) -> Result {
    let judgement = summary::judgement(run);
    writeln!(
        out,
        r#"<header class="{}">
<p class="word">{}</p>
<div>
<h1>{}</h1>
<p>{}</p>"#,
        judgement.tone.class(),
        judgement.word,
        Html(summary::headline(run)),
        Html(judgement.sentence)
    )?;
    if !judgement.reasons.is_empty() {
        out.push_str("<ul>\n");
        for reason in &judgement.reasons {
            writeln!(out, "<li>{}</li>", Html(reason))?;
        }
        out.push_str("</ul>\n");
    }
    writeln!(out, "</div>\n</header>")
}

fn facts(facts: &[Fact], out: &mut String) -> Result {
    out.push_str("<dl class=\"facts\">\n");
    for (name, value) in facts {
        write!(out, "<dt>{name}</dt><dd>")?;
        match name {
            // A line may break between its options, and not at their hyphens.
            &"command" => {
                let options = value.split(" --").map(|option| Html(option).to_string());
                let options: Vec<_> = options.collect();
                write!(
                    out,
                    "<code><span>{}</span></code>",
                    options.join("</span> <span>--")
                )?;
            }
            _ => write!(out, "{}", Html(value))?,
        }
        writeln!(out, "</dd>")?;
    }
    writeln!(out, "</dl>")
}

/// The few figures to look at first.
fn tiles(run: &RunFile, total: &FlowTally, out: &mut String) -> Result {
    let percentile = |percent, note: &str| {
        let Some(times) = summary::end_to_end(total) else {
            return ("–".to_owned(), "no flow succeeded".to_owned());
        };
        match TooFew::check(times.count(), percent) {
            Ok(()) => (format::time(times.percentile(percent)), note.to_owned()),
            Err(too_few) => ("–".to_owned(), too_few.to_string()),
        }
    };
    let count = format::grouped;
    let finished = total.finished();
    let failed = match finished {
        0 => "no flow finished".to_owned(),
        _ => format!(
            "{} of them",
            format::percent(total.failed as f64 / finished as f64)
        ),
    };
    let rate = format::rate(run.per_second(finished).unwrap_or(0.0));
    let wanted = summary::wanted(run).map_or_else(
        || format!("by {}", run.setup.load),
        |wanted| format!("of {} wanted", format::rate(wanted)),
    );
    let warm_up = format!("{} more in the warm-up", count(run.warm_up.started));
    let dropped = match run.setup.load {
        Load::Open { .. } => format!("{} late", count(run.counters.late)),
        Load::Closed { .. } => "closed model".to_owned(),
    };
    out.push_str("<dl class=\"tiles\">\n");
    for (name, (value, note)) in [
        ("median", percentile(50.0, "end to end")),
        ("p99", percentile(99.0, "1 in 100 is slower")),
        ("p99.9", percentile(99.9, "1 in 1,000 is slower")),
        ("rate", (rate, wanted)),
        ("finished", (count(finished), warm_up)),
        ("failed", (count(total.failed), failed)),
        ("dropped", (count(run.counters.dropped), dropped)),
    ] {
        writeln!(
            out,
            "<div><dt>{name}</dt><dd><b>{}</b><span>{}</span></dd></div>",
            Html(value),
            Html(note)
        )?;
    }
    writeln!(out, "</dl>")
}

fn section(title: &str, table: Option<Table>, out: &mut String) -> Result {
    match table {
        Some(table) => writeln!(out, "<section>\n<h2>{title}</h2>\n{}</section>", table.html()),
        None => Ok(()),
    }
}

/// How long everything took: the flows side by side, the steps of all, and folded the steps of each.
fn times(run: &RunFile, total: &FlowTally, out: &mut String) -> Result {
    let several = run.flows.flows().count() > 1;
    let Some(all) = summary::times(total) else {
        return Ok(());
    };
    writeln!(
        out,
        "<section>\n<h2>Times</h2>\n<p class=\"note\">{}</p>",
        summary::NOTE_ON_TIMES
    )?;
    if !several {
        return writeln!(out, "{}</section>", all.html());
    }
    if let Some(overview) = summary::overview(run) {
        out.push_str(&overview.html());
    }
    let each = run.flows.flows().filter_map(|(flow, tally)| {
        let times = summary::times(tally)?;
        Some((flow.to_string(), times))
    });
    let all = std::iter::once(("all flows".to_owned(), all));
    for (index, (name, times)) in all.chain(each).enumerate() {
        writeln!(
            out,
            "<details{}>\n<summary>Steps of {}</summary>\n{}</details>",
            if index == 0 { " open" } else { "" },
            Html(name),
            times.html()
        )?;
    }
    writeln!(out, "</section>")
}

/// What the figures mean.
fn reading(run: &RunFile, total: &FlowTally, out: &mut String) -> Result {
    let model = match run.setup.load {
        Load::Open { .. } => {
            "Open model: flows are due by a schedule, whatever the target does, and every time end to end starts when \
             its flow was due. A target that stalls cannot slow the schedule down, so the wait behind it is in the \
             figures."
        }
        Load::Closed { .. } => {
            "Closed model: each user starts a flow only when the one before has ended. A target that stalls receives \
             fewer requests, so latency under a stall is understated here; use a rate to measure it."
        }
    };
    writeln!(
        out,
        "<footer>\n<h2>How to read this</h2>\n<p>{model}</p>\n<p>A run is invalid where the load tester was the \
         bottleneck: its own delay (<code>lag</code>) was over 5 ms and over a tenth of the time end to end, it dropped \
         flows, or its threads were busy.</p>\n<p>Percentiles come from histograms that are exact to three digits. \
         Shards are added bucket by bucket; nothing is averaged.</p>\n<dl class=\"facts\">"
    )?;
    for step in total.times.keys() {
        writeln!(
            out,
            "<dt><code>{step}</code></dt><dd>{}</dd>",
            Html(step.summary())
        )?;
    }
    writeln!(out, "</dl>\n</footer>")
}
