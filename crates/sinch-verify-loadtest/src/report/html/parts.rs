//! The parts of the page but for its plots.

use std::fmt::{Result, Write as _};

use crate::measure::{FlowTally, Interval};
use crate::report::escape::Html;
use crate::report::figures::{self, Block};
use crate::report::text;
use crate::runfile::{Load, RunFile};
use crate::verdict::Exit;

/// The verdict, and what was run.
pub(super) fn banner(run: &RunFile, out: &mut String) -> Result {
    let (word, meaning) = figures::verdict(run);
    let verdict = run.verdict.as_ref();
    let tone = match verdict.map(|verdict| verdict.exit) {
        Some(Exit::Pass) => "good",
        Some(Exit::Invalid | Exit::Stopped) | None => "doubt",
        Some(_) => "bad",
    };
    writeln!(
        out,
        r#"<header class="{tone}">
<p class="word">{word}</p>
<div>
<h1>{}</h1>
<p>{}</p>"#,
        Html(figures::headline(run)),
        Html(meaning)
    )?;
    let reasons = verdict.map_or(&[][..], |verdict| &verdict.reasons);
    if !reasons.is_empty() {
        out.push_str("<ul>\n");
        for reason in reasons {
            writeln!(out, "<li>{}</li>", Html(reason))?;
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</div>\n</header>\n");
    Ok(())
}

/// The few figures to look at first.
pub(super) fn tiles(run: &RunFile, total: &FlowTally, out: &mut String) -> Result {
    let percentile = |percent| {
        figures::end_to_end(total)
            .map_or_else(|| "–".to_owned(), |times| text::time(times.percentile(percent)))
    };
    let finished = total.finished();
    let failed = match finished {
        0 => "no flow finished".to_owned(),
        _ => format!("{} of them", text::percent(total.failed as f64 / finished as f64)),
    };
    let done = figures::per_second(run, finished);
    let wanted = figures::wanted(run).map_or_else(
        || format!("by {}", run.setup.load),
        |wanted| format!("of {} wanted", text::rate(wanted)),
    );
    let dropped = match run.setup.load {
        Load::Open { .. } => format!("{} late", text::grouped(run.counters.late)),
        Load::Closed { .. } => "closed model".to_owned(),
    };
    out.push_str("<dl class=\"tiles\">\n");
    for (name, value, note) in [
        ("median", percentile(50.0), "end to end".to_owned()),
        ("p99", percentile(99.0), "1 in 100 is slower".to_owned()),
        ("p99.9", percentile(99.9), "1 in 1000 is slower".to_owned()),
        ("flows", text::rate(done), wanted),
        (
            "finished",
            text::grouped(finished),
            format!("{} started", text::grouped(total.started())),
        ),
        ("failed", text::grouped(total.failed), failed),
        ("dropped", text::grouped(run.counters.dropped), dropped),
    ] {
        writeln!(
            out,
            "<div><dt>{name}</dt><dd><b>{}</b><span>{}</span></dd></div>",
            Html(value),
            Html(note)
        )?;
    }
    out.push_str("</dl>\n");
    Ok(())
}

/// The thresholds.
pub(super) fn checks(run: &RunFile, out: &mut String) -> Result {
    let checks = run.verdict.as_ref().map_or(&[][..], |verdict| &verdict.checks);
    if checks.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section>\n<h2>Thresholds</h2>\n<table class=\"checks\">\n<thead><tr><th>metric<th>limit<th>measured<th>kept\
         </thead>\n<tbody>\n",
    );
    for check in checks {
        let (class, kept) = if check.kept {
            ("kept", "✓ yes")
        } else {
            ("missed", "✗ no")
        };
        writeln!(
            out,
            "<tr class=\"{class}\"><th scope=\"row\">{}<td>{}<td>{}<td class=\"sign\">{kept}",
            Html(&check.metric),
            Html(&check.limit),
            Html(check.measured.as_deref().unwrap_or("nothing"))
        )?;
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
    Ok(())
}

/// How long everything took.
pub(super) fn times(run: &RunFile, total: &FlowTally, out: &mut String) -> Result {
    let blocks = figures::blocks(run, total);
    if blocks.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section>\n<h2>Times</h2>\n<p class=\"note\">Milliseconds. Failed flows and unanswered requests are not in \
         the figures of the others.</p>\n<div class=\"scroll\"><table class=\"times\">\n<thead><tr><th><th><th>count\
         <th>p50<th>p90<th>p95<th>p99<th>p99.9<th>max</thead>\n",
    );
    for block in &blocks {
        rows(block, out)?;
    }
    out.push_str("</table></div>\n</section>\n");
    Ok(())
}

fn rows(block: &Block<'_>, out: &mut String) -> Result {
    writeln!(
        out,
        "<tbody>\n<tr class=\"flow\"><th scope=\"rowgroup\" colspan=\"9\">{}",
        Html(block.name)
    )?;
    for (interval, times) in block.tally.times.iter().filter(|(_, times)| times.count() > 0) {
        let main = if *interval == Interval::EndToEnd {
            " class=\"main\""
        } else {
            ""
        };
        write!(
            out,
            "<tr{main}><th scope=\"row\">{interval}<td class=\"what\">{}<td>{}",
            figures::describe(*interval),
            text::grouped(times.count())
        )?;
        for percent in [50.0, 90.0, 95.0, 99.0, 99.9] {
            write!(out, "<td>{}", text::milliseconds(times.percentile(percent)))?;
        }
        writeln!(out, "<td>{}", text::milliseconds(times.max()))?;
    }
    out.push_str("</tbody>\n");
    Ok(())
}

/// What went wrong.
pub(super) fn failures(run: &RunFile, out: &mut String) -> Result {
    let rows: Vec<_> = run
        .flows
        .flows()
        .flat_map(|(flow, tally)| {
            tally
                .failures
                .iter()
                .map(move |(kind, failures)| (flow, kind, failures))
        })
        .collect();
    out.push_str("<section>\n<h2>Failures</h2>\n");
    if rows.is_empty() {
        out.push_str("<p class=\"note\">No flow failed.</p>\n</section>\n");
        return Ok(());
    }
    out.push_str(
        "<div class=\"scroll\"><table class=\"failures\">\n<thead><tr><th>kind<th>flow<th>count<th>the first of them\
         </thead>\n<tbody>\n",
    );
    for (flow, kind, failures) in rows {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}<td>{flow}<td>{}<td>{}",
            Html(kind),
            text::grouped(failures.count),
            Html(&failures.example)
        )?;
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
    Ok(())
}

/// How the run was set up, and everything that was counted.
pub(super) fn setup(run: &RunFile, out: &mut String) -> Result {
    let (setup, counters, generator) = (&run.setup, &run.counters, &run.generator);
    let cpu = generator.cpu.map_or_else(|| "unknown".to_owned(), text::percent);
    let mut facts = vec![
        ("scenario", setup.what()),
        ("setting", setup.setting.to_string()),
        (
            "load",
            format!("{}, up to {} users", setup.load, setup.load.users()),
        ),
        ("duration", text::rounded(setup.duration_seconds)),
        ("warm-up left out", text::rounded(setup.warm_up_seconds)),
        ("grace", text::rounded(setup.grace_seconds)),
        ("phone", setup.phone.to_string()),
        ("target", setup.target.clone()),
        ("transport", setup.transport.to_string()),
        (
            "callbacks",
            if setup.callbacks { "listened for" } else { "off" }.to_owned(),
        ),
        ("seed", setup.seed.to_string()),
        ("began", run.started_at.clone()),
        ("run", run.run.to_string()),
        (
            "shards",
            format!("{} of {}", run.shards.present.len(), run.shards.of),
        ),
        ("load tester", format!("sinch-verify-load {}", run.version)),
        (
            "machine",
            format!(
                "{} {}, {} processors",
                generator.os, generator.arch, generator.cores
            ),
        ),
        ("generator", format!("{} threads, {cpu} busy", generator.workers)),
        ("most in flight", text::grouped(generator.in_flight_max)),
    ];
    if let Some(crowded) = figures::crowded(run) {
        facts.push(("users", crowded));
    }
    if let Some(spending) = &run.spending {
        facts.push((
            "spent",
            format!(
                "{} {currency} for {} verifications, {} {currency} allowed",
                spending.spent,
                spending.started,
                spending.limit,
                currency = spending.currency
            ),
        ));
    }
    let counts = [
        ("scheduled", counters.scheduled),
        ("started", counters.started),
        ("finished", counters.finished),
        ("failed", counters.failed),
        ("aborted at the end", counters.aborted),
        ("dropped", counters.dropped),
        ("late by over 5 ms", counters.late),
        ("callbacks taken", counters.callbacks),
        ("callbacks twice", counters.duplicates),
        ("callbacks too late", counters.overdue),
        ("callbacks of no flow", counters.orphans),
        ("callbacks refused", counters.refused),
    ];
    out.push_str("<div class=\"pair\">\n<section>\n<h2>Setup</h2>\n<dl class=\"facts\">\n");
    for (name, value) in facts {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Html(value))?;
    }
    out.push_str("</dl>\n</section>\n<section>\n<h2>Counted</h2>\n<dl class=\"facts counts\">\n");
    for (name, value) in counts {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", text::grouped(value))?;
    }
    out.push_str("</dl>\n</section>\n</div>\n");
    Ok(())
}

/// What the figures mean.
pub(super) fn reading(run: &RunFile, out: &mut String) -> Result {
    let model = match run.setup.load {
        Load::Open { .. } => {
            "Open model: flows fall due by a schedule, whatever the target does, and every time end to end begins when \
             its flow was due. A target that stalls cannot slow the schedule down, so the wait of everybody behind it is \
             in the figures."
        }
        Load::Closed { .. } => {
            "Closed model: each user begins a flow only when the one before is over. A target that stalls is asked less, \
             so latency under a stall is understated here; use a rate to measure it."
        }
    };
    writeln!(
        out,
        "<footer>\n<h2>How to read this</h2>\n<p>{model}</p>\n<p><code>lag</code> is the load tester's own delay. Where it \
         is over 5 ms and more than a tenth of the time end to end, where flows were dropped, or where its processors were busy, the run \
         is invalid: it measured the load tester.</p>\n<p>Percentiles are read from histograms that are exact to three \
         digits, and shards are added bucket by bucket; nothing is averaged.</p>\n</footer>"
    )
}
