//! The plots of the page.

use std::fmt::{Result, Write as _};
use std::time::Duration;

use crate::model::{FlowTally, Latency, Load, Second, StepName};
use crate::report::format;
use crate::report::plot::{Axis, Mark, Plot, Series, svg};
use crate::report::summary;
use crate::runfile::RunFile;

/// The most points that can be told apart; longer runs are drawn in spans of several seconds.
const POINTS: usize = 240;

/// The plots, in a grid.
pub(super) fn write(run: &RunFile, total: &FlowTally, out: &mut String) -> Result {
    let spans = spans(run);
    if spans.is_empty() {
        return Ok(());
    }
    let width = if spans.iter().any(|span| span.seconds.len() > 1) {
        format!("each point {} seconds", spans[0].seconds.len())
    } else {
        "each point a second".to_owned()
    };
    out.push_str("<section class=\"charts\">\n");
    let latency = latency(run, &spans);
    figure(
        out,
        "Latency over time",
        &format!("End to end, by when flows finished; {width}."),
        &latency,
    )?;
    if let Some(plot) = percentiles(run, total) {
        let note = "End to end, of the whole run, with one more nine at every mark.";
        figure(out, "Latency by percentile", note, &plot)?;
    }
    let note = match run.setup.load {
        Load::Open { .. } => "Flows due and flows finished, in a second.",
        Load::Closed { .. } => "Flows that finished, in a second.",
    };
    figure(out, "Throughput", note, &throughput(run, &spans))?;
    match errors(run, &spans) {
        Some(plot) => figure(
            out,
            "Errors",
            "Flows that failed or were dropped, in a second.",
            &plot,
        )?,
        None => empty(out, "Errors", "No flow failed, and none was dropped.")?,
    }
    match callbacks(run, &spans) {
        Some(plot) => figure(
            out,
            "Callbacks",
            "Events that the receiver took, in a second.",
            &plot,
        )?,
        None => empty(out, "Callbacks", no_callback(run, total))?,
    }
    figure(
        out,
        "In flight",
        "Flows in flight at the end of each second.",
        &in_flight(run, &spans),
    )?;
    out.push_str("</section>\n");
    Ok(())
}

fn figure(out: &mut String, title: &str, note: &str, plot: &Plot) -> Result {
    writeln!(
        out,
        "<figure>\n<figcaption><b>{title}</b> {note}</figcaption>\n{}</figure>",
        svg(plot)
    )
}

fn empty(out: &mut String, title: &str, note: &str) -> Result {
    writeln!(
        out,
        "<figure class=\"empty\">\n<figcaption><b>{title}</b></figcaption>\n<p>{note}</p>\n</figure>"
    )
}

/// Some seconds in a row, drawn as one point.
struct Span<'a> {
    from: f64,
    to: f64,
    seconds: &'a [Second],
    /// End to end, of all of them together: p50, p90 and p99.
    latency: Option<[Duration; 3]>,
}

/// The percentiles that are drawn over time.
const DRAWN: [f64; 3] = [50.0, 90.0, 99.0];

impl Span<'_> {
    fn per_second(&self, count: impl Fn(&Second) -> u64) -> f64 {
        let sum: u64 = self.seconds.iter().map(count).sum();
        sum as f64 / self.seconds.len() as f64
    }
}

fn spans(run: &RunFile) -> Vec<Span<'_>> {
    let width = run.series.len().div_ceil(POINTS).max(1);
    run.series
        .chunks(width)
        .map(|seconds| {
            let from = seconds.first().map_or(0, |second| second.at) as f64;
            Span {
                from,
                to: from + seconds.len() as f64,
                seconds,
                latency: Second::percentiles(seconds, DRAWN),
            }
        })
        .collect()
}

/// A plot over time, with what all plots over time have.
fn over_time(run: &RunFile, spans: &[Span<'_>], describes: &str, y: Axis, series: Vec<Series>) -> Plot {
    let end = spans.last().map_or(1.0, |span| span.to);
    let warm_up = run.setup.warm_up_seconds;
    let hints = spans.iter().map(|span| (span.from, span.to, hint(span)));
    Plot {
        describes: describes.to_owned(),
        x: Axis::elapsed(end),
        y,
        series,
        shade: (warm_up > 0.0).then_some((warm_up, "warm-up")),
        hints: hints.collect(),
    }
}

fn hint(span: &Span<'_>) -> String {
    let latency = span.latency.map_or_else(String::new, |[p50, _, p99]| {
        format!(" p50 {}, p99 {},", format::time(p50), format::time(p99))
    });
    let finished = format::rate(span.per_second(|second| second.finished));
    let mut hint = format!("second {}:{latency} {finished} finished", span.from);
    for (name, count) in [
        ("failed", span.per_second(|second| second.failed)),
        ("dropped", span.per_second(|second| second.dropped)),
    ] {
        if count > 0.0 {
            hint.push_str(&format!(", {} {name}", format::rate(count)));
        }
    }
    hint
}

fn latency(run: &RunFile, spans: &[Span<'_>]) -> Plot {
    let series = |name: &str, class, which: usize| Series {
        name: name.to_owned(),
        class,
        mark: Mark::Line,
        points: spans
            .iter()
            .map(|span| {
                let value = span.latency.map(|times| times[which].as_secs_f64());
                (f64::midpoint(span.from, span.to), value)
            })
            .collect(),
    };
    let series = vec![
        series("p99", "c2", 2),
        series("p90", "c3", 1),
        series("p50", "c1", 0),
    ];
    let values = series
        .iter()
        .flat_map(|series| series.points.iter().filter_map(|(_, value)| *value));
    let y = Axis::latency(values);
    over_time(
        run,
        spans,
        "latency end to end over time: p50, p90 and p99",
        y,
        series,
    )
}

fn percentiles(run: &RunFile, total: &FlowTally) -> Option<Plot> {
    let all = summary::end_to_end(total)?;
    let several = run.flows.flows().count() > 1;
    let name = if several { "all" } else { "e2e" };
    let mut shown = vec![(name.to_owned(), "c1", all)];
    if several {
        let classes = ["c2", "c3", "c4", "c5"];
        // The ones that most flows went through; more lines than these cannot be told apart.
        let mut flows: Vec<_> = run
            .flows
            .flows()
            .filter_map(|(flow, tally)| Some((flow.to_string(), summary::end_to_end(tally)?)))
            .collect();
        flows.sort_by_key(|(_, times)| std::cmp::Reverse(times.count()));
        shown.extend(
            flows
                .into_iter()
                .zip(classes)
                .map(|((name, times), class)| (name, class, times)),
        );
    }
    let curve = |times: &Latency| -> Vec<_> {
        let count = times.count();
        let first = (0.0, Some(times.min().as_secs_f64()));
        let rest = times
            .distribution()
            .map(|(micros, part)| (Axis::percentile_at(part, count), Some(micros as f64 / 1e6)));
        std::iter::once(first).chain(rest).collect()
    };
    let y = Axis::latency(
        [all.percentile(1.0), all.max()]
            .into_iter()
            .map(|time| time.as_secs_f64()),
    );
    // All flows together are drawn last, in front of the others.
    let series = shown.into_iter().rev().map(|(name, class, times)| Series {
        name,
        class,
        mark: Mark::Line,
        points: curve(times),
    });
    let hints = [50.0, 90.0, 99.0, 99.9, 99.99]
        .windows(2)
        .map(|pair| {
            let (from, to) = (pair[0], pair[1]);
            let at = |percent: f64| -(1.0 - percent / 100.0).log10();
            let time = |percent| format::time(all.percentile(percent));
            (
                at(from),
                at(to),
                format!("p{from} {}, p{to} {}", time(from), time(to)),
            )
        })
        .filter(|(_, to, _)| *to <= Axis::percentile(all.count()).max());
    Some(Plot {
        describes: "latency end to end by percentile, on a logarithmic axis".to_owned(),
        x: Axis::percentile(all.count()),
        y,
        series: series.collect(),
        shade: None,
        hints: hints.collect(),
    })
}

/// A count in a second that is held until the next point.
fn held(
    spans: &[Span<'_>],
    name: &str,
    class: &'static str,
    mark: Mark,
    count: impl Fn(&Second) -> u64 + Copy,
) -> Series {
    let mut points: Vec<_> = spans
        .iter()
        .map(|span| (span.from, Some(span.per_second(count))))
        .collect();
    if mark != Mark::Bars
        && let (Some(last), Some(span)) = (points.last().copied(), spans.last())
    {
        points.push((span.to, last.1));
    }
    Series {
        name: name.to_owned(),
        class,
        mark,
        points,
    }
}

fn highest(series: &[Series]) -> f64 {
    let values = series.iter().flat_map(|series| &series.points);
    values.filter_map(|(_, value)| *value).fold(0.0, f64::max)
}

fn throughput(run: &RunFile, spans: &[Span<'_>]) -> Plot {
    let mut series = vec![held(spans, "done", "c1", Mark::Area, |second| second.finished)];
    if let Load::Open { .. } = run.setup.load {
        series.push(held(spans, "wanted", "c0", Mark::Step, |second| second.scheduled));
    }
    let y = Axis::amount("flows a second", highest(&series));
    over_time(
        run,
        spans,
        "flows wanted and done in a second, over time",
        y,
        series,
    )
}

fn errors(run: &RunFile, spans: &[Span<'_>]) -> Option<Plot> {
    let failed = held(spans, "failed", "bad", Mark::Bars, |second| second.failed);
    let dropped = held(spans, "dropped", "c2", Mark::Step, |second| second.dropped);
    let series: Vec<_> = [failed, dropped]
        .into_iter()
        .filter(|series| highest(std::slice::from_ref(series)) > 0.0)
        .collect();
    let most = highest(&series);
    (most > 0.0).then(|| {
        let y = Axis::amount("flows a second", most);
        over_time(
            run,
            spans,
            "flows that failed or were dropped, over time",
            y,
            series,
        )
    })
}

fn callbacks(run: &RunFile, spans: &[Span<'_>]) -> Option<Plot> {
    let series = vec![held(spans, "taken", "c3", Mark::Area, |second| second.callbacks)];
    let most = highest(&series);
    (most > 0.0).then(|| {
        let y = Axis::amount("events a second", most);
        over_time(run, spans, "callbacks in a second, over time", y, series)
    })
}

/// Why there is no plot of callbacks.
fn no_callback(run: &RunFile, total: &FlowTally) -> &'static str {
    if !run.setup.callbacks {
        return "The run did not listen for callbacks.";
    }
    if total.time(StepName::START).is_none() {
        return "No callback came, and no verification was started.";
    }
    "No callback came, though the run listened: check that the target knows the address and can reach it."
}

fn in_flight(run: &RunFile, spans: &[Span<'_>]) -> Plot {
    let series = vec![held(spans, "flows", "c4", Mark::Area, |second| second.in_flight)];
    let y = Axis::amount("flows", highest(&series));
    over_time(run, spans, "flows under way, over time", y, series)
}
