use std::fmt::{Result, Write as _};

use super::{Mark, Plot, Series};
use crate::report::escape::Html;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 256.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 74.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 40.0;
/// How far apart names at the right end are at least.
const LINE: f64 = 14.0;

/// The plot as an SVG element.
pub(in crate::report) fn svg(plot: &Plot) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(plot, &mut out);
    out
}

fn write(plot: &Plot, out: &mut String) -> Result {
    writeln!(
        out,
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">"#,
        Html(&plot.describes)
    )?;
    shade(plot, out)?;
    axes(plot, out)?;
    for series in &plot.series {
        draw(plot, series, out)?;
    }
    names(plot, out)?;
    for (from, to, text) in &plot.hints {
        let (from, to) = (x(plot, *from), x(plot, *to));
        writeln!(
            out,
            r#"<rect class="hint" x="{from:.1}" y="{TOP}" width="{:.1}" height="{:.1}"><title>{}</title></rect>"#,
            to - from,
            bottom() - TOP,
            Html(text)
        )?;
    }
    out.push_str("</svg>\n");
    Ok(())
}

fn bottom() -> f64 {
    HEIGHT - BOTTOM
}

fn x(plot: &Plot, value: f64) -> f64 {
    LEFT + plot.x.position(value) * (WIDTH - LEFT - RIGHT)
}

fn y(plot: &Plot, value: f64) -> f64 {
    bottom() - plot.y.position(value) * (bottom() - TOP)
}

fn shade(plot: &Plot, out: &mut String) -> Result {
    let Some((until, name)) = plot.shade else {
        return Ok(());
    };
    let width = x(plot, until) - LEFT;
    writeln!(
        out,
        r#"<rect class="shade" x="{LEFT}" y="{TOP}" width="{width:.1}" height="{:.1}"/><text class="faint" x="{:.1}" y="{:.1}">{name}</text>"#,
        bottom() - TOP,
        LEFT + 4.0,
        TOP + 11.0
    )
}

fn axes(plot: &Plot, out: &mut String) -> Result {
    let right = WIDTH - RIGHT;
    for (at, text) in plot.y.ticks() {
        let y = y(plot, at);
        writeln!(
            out,
            r#"<line class="grid" x1="{LEFT}" y1="{y:.1}" x2="{right:.1}" y2="{y:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            LEFT - 7.0,
            y + 3.5,
            Html(text)
        )?;
    }
    for (at, text) in plot.x.ticks() {
        let x = x(plot, at);
        writeln!(
            out,
            r#"<line class="mark" x1="{x:.1}" y1="{0:.1}" x2="{x:.1}" y2="{1:.1}"/><text class="tick" x="{x:.1}" y="{2:.1}" text-anchor="middle">{3}</text>"#,
            bottom(),
            bottom() + 4.0,
            bottom() + 16.0,
            Html(text)
        )?;
    }
    writeln!(
        out,
        r#"<line class="axis" x1="{LEFT}" y1="{0:.1}" x2="{right:.1}" y2="{0:.1}"/>"#,
        bottom()
    )?;
    writeln!(
        out,
        r#"<text class="faint" x="{right:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
        HEIGHT - 6.0,
        Html(plot.x.title)
    )?;
    writeln!(
        out,
        r#"<text class="faint" x="{LEFT}" y="{:.1}">{}</text>"#,
        TOP - 9.0,
        Html(plot.y.title)
    )
}

fn draw(plot: &Plot, series: &Series, out: &mut String) -> Result {
    if series.mark == Mark::Bars {
        return bars(plot, series, out);
    }
    let mut path = String::new();
    for run in series.points.split(|(_, value)| value.is_none()) {
        let points: Vec<_> = run
            .iter()
            .filter_map(|(at, value)| Some((x(plot, *at), y(plot, (*value)?))))
            .collect();
        let Some(first) = points.first() else {
            continue;
        };
        let line = line(&points, series.mark != Mark::Line)?;
        if series.mark == Mark::Area {
            writeln!(
                out,
                r#"<path class="area {}" d="{line}V{1:.1}H{2:.1}Z"/>"#,
                series.class,
                bottom(),
                first.0
            )?;
        }
        path.push_str(&line);
        if points.len() == 1 {
            // A line needs two ends to be seen.
            path.push_str("h0.01");
        }
    }
    if path.is_empty() {
        return Ok(());
    }
    writeln!(out, r#"<path class="line {}" d="{path}"/>"#, series.class)
}

/// A path through `points`, without those that nobody could tell apart.
fn line(points: &[(f64, f64)], step: bool) -> std::result::Result<String, std::fmt::Error> {
    const NEAR: f64 = 0.4;
    let mut path = String::new();
    let mut last: Option<(f64, f64)> = None;
    for (index, &(x, y)) in points.iter().enumerate() {
        match last {
            None => write!(path, "M{x:.1} {y:.1}")?,
            Some(_) if step => write!(path, "H{x:.1}V{y:.1}")?,
            Some((before_x, before_y)) => {
                let end = index + 1 == points.len();
                if !end && (x - before_x).abs() < NEAR && (y - before_y).abs() < NEAR {
                    continue;
                }
                write!(path, "L{x:.1} {y:.1}")?;
            }
        }
        last = Some((x, y));
    }
    Ok(path)
}

fn bars(plot: &Plot, series: &Series, out: &mut String) -> Result {
    const GAP: f64 = 1.0;
    let points = &series.points;
    for (index, (at, value)) in points.iter().enumerate() {
        let Some(value) = value.filter(|value| *value > 0.0) else {
            continue;
        };
        let end = points
            .get(index + 1)
            .map_or_else(|| plot.x.max(), |(next, _)| *next);
        let (left, right) = (x(plot, *at), x(plot, end));
        let top = y(plot, value).min(bottom() - 1.5);
        let gap = if right - left > 4.0 * GAP { GAP } else { 0.0 };
        writeln!(
            out,
            r#"<rect class="bar {}" x="{:.1}" y="{top:.1}" width="{:.1}" height="{:.1}"/>"#,
            series.class,
            left + gap / 2.0,
            (right - left - gap).max(0.6),
            bottom() - top
        )?;
    }
    Ok(())
}

/// The names of the series, each beside the end of its own, and none over another.
fn names(plot: &Plot, out: &mut String) -> Result {
    let mut ends: Vec<_> = plot
        .series
        .iter()
        .filter_map(|series| {
            let end = series.points.iter().rev().find_map(|(_, value)| *value)?;
            Some((y(plot, end) + 3.5, series))
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = TOP + 3.5;
    for end in &mut ends {
        end.0 = end.0.max(lowest);
        lowest = end.0 + LINE;
    }
    // What was pushed below the axis is pushed back up.
    let mut highest = bottom() - 1.0;
    for end in ends.iter_mut().rev() {
        end.0 = end.0.min(highest);
        highest = end.0 - LINE;
    }
    for (y, series) in ends {
        writeln!(
            out,
            r#"<text class="name {}" x="{:.1}" y="{y:.1}">{}</text>"#,
            series.class,
            WIDTH - RIGHT + 7.0,
            Html(&series.name)
        )?;
    }
    Ok(())
}
