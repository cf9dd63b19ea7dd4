use std::fmt::{Result, Write as _};

use super::{Mark, Plot, Series};
use crate::report::escape::Html;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 256.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 80.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 40.0;
/// The least distance between two names, one above the other.
const LINE: f64 = 15.0;
/// Names at line ends that are further apart than this cannot overlap.
const WIDEST_NAME: f64 = 80.0;

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
            // A line needs two ends to be visible.
            path.push_str("h0.01");
        }
    }
    if path.is_empty() {
        return Ok(());
    }
    writeln!(out, r#"<path class="line {}" d="{path}"/>"#, series.class)
}

/// A path through `points`, without those that are too close to see.
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

/// The names of the series, each at the end of its line. Where several lines end in the same place, their
/// names are moved apart, and a stroke leads from each line to its name.
fn names(plot: &Plot, out: &mut String) -> Result {
    let mut ends: Vec<_> = plot
        .series
        .iter()
        .filter_map(|series| {
            let mut back = series.points.iter().rev();
            let (at, value) = back.find_map(|(at, value)| Some((*at, (*value)?)))?;
            // A bar begins at its value, and the last one reaches the end of the axis.
            let at = if series.mark == Mark::Bars {
                plot.x.max()
            } else {
                at
            };
            Some((x(plot, at), y(plot, value), series))
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    for group in ends.chunk_by_mut(|a, b| b.0 - a.0 < WIDEST_NAME) {
        group.sort_by(|a, b| a.1.total_cmp(&b.1));
        let wanted: Vec<_> = group.iter().map(|(_, y, _)| *y).collect();
        let placed = spread(&wanted, TOP, bottom() - 4.0);
        for ((x, y, series), placed) in group.iter().zip(placed) {
            let class = series.class;
            if (placed - y).abs() > 1.0 {
                let (from, to) = (x + 1.0, x + 6.0);
                writeln!(
                    out,
                    r#"<path class="leader {class}" d="M{from:.1} {y:.1}L{to:.1} {placed:.1}"/>"#
                )?;
            }
            writeln!(
                out,
                r#"<text class="name {class}" x="{:.1}" y="{:.1}">{}</text>"#,
                x + 8.0,
                placed + 4.0,
                Html(&series.name)
            )?;
        }
    }
    Ok(())
}

/// Moves heights, which rise, at least a [`LINE`] apart: each group of names that would overlap keeps its
/// middle, within `top` and `bottom`.
fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    // The sum and the number of heights in each group, all moved up by the lines above them: those in one
    // group are then equal.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (index, height) in wanted.iter().enumerate() {
        let mut group = (height - index as f64 * LINE, 1);
        while let Some((sum, count)) = groups.pop() {
            if sum / count as f64 <= group.0 / group.1 as f64 {
                groups.push((sum, count));
                break;
            }
            group = (group.0 + sum, group.1 + count);
        }
        groups.push(group);
    }
    let lowest = bottom - wanted.len().saturating_sub(1) as f64 * LINE;
    groups
        .into_iter()
        .flat_map(|(sum, count)| std::iter::repeat_n(sum / count as f64, count))
        .enumerate()
        .map(|(index, height)| height.min(lowest).max(top) + index as f64 * LINE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plot::Axis;

    #[test]
    fn names_stay_at_the_ends_of_their_lines() {
        assert_eq!(spread(&[50.0, 120.0], 24.0, 210.0), [50.0, 120.0]);
        assert_eq!(spread(&[100.0, 100.0], 24.0, 210.0), [92.5, 107.5]);
        assert_eq!(
            spread(&[50.0, 100.0, 101.0, 102.0], 24.0, 210.0),
            [50.0, 86.0, 101.0, 116.0]
        );
        assert_eq!(spread(&[209.0, 209.0], 24.0, 210.0), [195.0, 210.0]);
        assert_eq!(spread(&[20.0], 24.0, 210.0), [24.0]);
        assert!(spread(&[], 24.0, 210.0).is_empty());
    }

    #[test]
    fn line_that_ends_early_has_its_name_there() {
        let series = |name: &str, end: f64| Series {
            name: name.to_owned(),
            class: "c1",
            mark: Mark::Line,
            points: vec![(0.0, Some(1.0)), (end, Some(2.0)), (10.0, None)],
        };
        let plot = Plot {
            describes: String::new(),
            x: Axis::elapsed(10.0),
            y: Axis::amount("", 4.0),
            series: vec![series("long", 10.0), series("short", 5.0)],
            shade: None,
            hints: Vec::new(),
        };
        let drawn = svg(&plot);
        let at = |name: &str| {
            let line = drawn
                .lines()
                .find(|line| line.ends_with(&format!(">{name}</text>")));
            let x = line.unwrap().split("x=\"").nth(1).unwrap();
            x.split('"').next().unwrap().parse::<f64>().unwrap()
        };
        for (name, end) in [("long", 10.0), ("short", 5.0)] {
            let apart = at(name) - x(&plot, end);
            assert!((0.0..10.0).contains(&apart), "{name} is {apart} from its line");
        }
        assert!(!drawn.contains("leader"), "{drawn}");
    }
}
