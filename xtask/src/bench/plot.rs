//! The plot of an area as SVG, on paper that is light or dark as the reader prefers.

use std::fmt::Write as _;

use super::figures::{count, exponent, ratio, shown};
use super::rows::{Goal, Growth, Row, ends, median};

const STYLE: &str = "<style>\
text{font:12px system-ui,sans-serif;fill:#1d2127}.faint{fill:#5c6470}.grid{stroke:#d8d6d0}\
.range{stroke:#2359b8;stroke-width:3}.line{stroke:#2359b8;stroke-width:2;fill:none}.dot{fill:#2359b8}\
.goal{stroke:#b4530a;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e7e9ec}.faint{fill:#9aa3ae}.grid{stroke:#3a4048}\
.range,.line{stroke:#6ea0f0}.dot{fill:#6ea0f0}.goal{stroke:#e0924a}}\
</style>\n";

/// The plot of the rows with a ratio, or of those that show growth; `None` if there is neither.
pub(super) fn svg(area: &str, rows: &[Row]) -> Option<String> {
    let curves: Vec<(&Row, &Growth)> = rows
        .iter()
        .filter_map(|row| Some((row, row.growth.as_ref()?)))
        .collect();
    if !curves.is_empty() {
        return Some(growth(area, &curves));
    }
    let compared = rows.iter().map(|row| (row, row.compared()));
    let compared: Vec<_> = compared.filter(|(_, ratios)| !ratios.is_empty()).collect();
    (!compared.is_empty()).then(|| ratios(area, &compared))
}

fn document(title: &str, width: f64, height: f64, body: &str) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-label=\"{title}\">\n{STYLE}{body}</svg>\n"
    )
}

/// One line for each row: the ratio of each round from the lowest to the highest, the median, and the goal.
fn ratios(area: &str, rows: &[(&Row, Vec<f64>)]) -> String {
    const WIDTH: f64 = 900.0;
    const LEFT: f64 = 440.0;
    const RIGHT: f64 = 90.0;
    const ROW: f64 = 36.0;
    const TOP: f64 = 30.0;
    let goals = rows.iter().filter_map(|(row, _)| line_of(row.goal?));
    let all: Vec<f64> = rows
        .iter()
        .flat_map(|(_, ratios)| ratios.iter().copied())
        .chain(goals)
        .chain([1.0])
        .collect();
    let (low, high) = ends(&all);
    let axis = Axis {
        low: low / 1.1,
        high: high * 1.1,
        from: LEFT,
        to: WIDTH - RIGHT,
    };
    let bottom = TOP + ROW * rows.len() as f64;
    let mut body = String::new();
    for tick in axis.ticks() {
        let x = axis.at(tick);
        let _ = writeln!(
            body,
            r#"<line class="grid" x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{bottom}"/><text class="faint" x="{x:.1}" y="{:.1}" text-anchor="middle">{tick}</text>"#,
            TOP - 8.0
        );
    }
    for (n, (row, figures)) in rows.iter().enumerate() {
        let y = TOP + ROW * (n as f64 + 0.5);
        let (low, high) = ends(figures);
        let median = median(figures);
        let beside = row.beside.as_ref().map_or("", |(name, _)| name);
        let _ = writeln!(
            body,
            r#"<text x="0" y="{:.1}">{}</text><text class="faint" x="0" y="{:.1}">/ {}</text>"#,
            y - 3.0,
            escape(&cut(&row.what)),
            y + 12.0,
            escape(&cut(beside))
        );
        if let Some(goal) = row.goal.and_then(line_of) {
            let x = axis.at(goal);
            let _ = writeln!(
                body,
                r#"<line class="goal" x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{:.1}"/>"#,
                y - 11.0,
                y + 11.0
            );
        }
        let _ = writeln!(
            body,
            r#"<line class="range" x1="{:.1}" y1="{y}" x2="{:.1}" y2="{y}"/><circle class="dot" cx="{:.1}" cy="{y}" r="5"/><text x="{:.1}" y="{:.1}">{}</text>"#,
            axis.at(low),
            axis.at(high),
            axis.at(median),
            WIDTH - RIGHT + 16.0,
            y + 4.0,
            ratio(median)
        );
    }
    document(
        &format!("{area}: the ratio of each row, and its goal"),
        WIDTH,
        bottom + 6.0,
        &body,
    )
}

/// One panel for each row, both axes logarithmic.
fn growth(area: &str, rows: &[(&Row, &Growth)]) -> String {
    const PANEL: (f64, f64) = (300.0, 230.0);
    const COLUMNS: usize = 3;
    let mut body = String::new();
    for (n, (row, growth)) in rows.iter().enumerate() {
        let left = PANEL.0 * (n % COLUMNS) as f64;
        let top = PANEL.1 * (n / COLUMNS) as f64;
        let points: Vec<(f64, f64)> = growth
            .figures
            .iter()
            .map(|(number, figures)| (*number as f64, median(figures)))
            .collect();
        let (first, last) = ends(&points.iter().map(|point| point.0).collect::<Vec<_>>());
        let (low, high) = ends(&points.iter().map(|point| point.1).collect::<Vec<_>>());
        let x = Axis {
            low: first,
            high: last,
            from: left + 40.0,
            to: left + PANEL.0 - 48.0,
        };
        // A decade at least, so that noise does not look like growth.
        let room = (10.0 / (high / low)).max(1.5).sqrt();
        let y = Axis {
            low: low / room,
            high: high * room,
            from: top + PANEL.1 - 44.0,
            to: top + 44.0,
        };
        let (what, who) = row.what.rsplit_once(": ").unwrap_or((&row.what, ""));
        let _ = writeln!(
            body,
            r#"<text x="{left}" y="{:.1}">{}</text><text class="faint" x="{left}" y="{:.1}">{}: {}</text>"#,
            top + 14.0,
            escape(&cut(what)),
            top + 30.0,
            escape(who),
            exponent(median(&row.compared()))
        );
        let mut path = String::new();
        for (n, (number, figure)) in points.iter().enumerate() {
            let (x, y) = (x.at(*number), y.at(*figure));
            let _ = write!(path, "{}{x:.1} {y:.1}", if n == 0 { "M" } else { "L" });
            let _ = writeln!(
                body,
                r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="4"/><text class="faint" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text><text class="faint" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                top + PANEL.1 - 28.0,
                count(*number),
                y - 9.0,
                shown(row.unit, *figure)
            );
        }
        let _ = writeln!(
            body,
            r#"<path class="line" d="{path}"/><text class="faint" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            left + PANEL.0 - 36.0,
            top + PANEL.1 - 12.0,
            escape(&growth.units)
        );
    }
    let lines = rows.len().div_ceil(COLUMNS) as f64;
    document(
        &format!("{area}: how each cost grows"),
        PANEL.0 * COLUMNS as f64,
        PANEL.1 * lines,
        &body,
    )
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.from + share * (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, high) = (self.low, self.high);
        [
            0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1_000.0, 10_000.0,
        ]
        .into_iter()
        .filter(move |tick| (low..=high).contains(tick))
    }
}

/// The ratio that a goal asks for.
fn line_of(goal: Goal) -> Option<f64> {
    match goal {
        Goal::RatioAtMost(goal) | Goal::RatioAtLeast(goal) => Some(goal),
        Goal::RatioWithin(_) => Some(1.0),
        Goal::AtMost(_) | Goal::ExponentAtMost(_) => None,
    }
}

/// A text that fits into its column.
fn cut(text: &str) -> String {
    const FITS: usize = 68;
    match text.char_indices().nth(FITS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::rows::Unit;
    use super::*;

    fn row() -> Row {
        Row {
            what: "a <query>: ours".to_owned(),
            unit: Unit::Rate,
            ours: vec![2.0, 4.0, 3.0],
            beside: Some(("theirs & others".to_owned(), vec![1.0, 1.0, 1.0])),
            times_as_fast: false,
            goal: Some(Goal::RatioAtLeast(10.0)),
            growth: None,
        }
    }

    #[test]
    fn a_ratio_has_its_range_its_median_and_its_goal() {
        let svg = svg("client", &[row()]).unwrap();
        assert!(
            svg.contains("a &lt;query>") && svg.contains("theirs &amp; others"),
            "{svg}"
        );
        assert_eq!(svg.matches("class=\"range\"").count(), 1);
        assert_eq!(svg.matches("class=\"goal\"").count(), 1);
        assert!(svg.contains(">3.00<"), "{svg}");
    }

    #[test]
    fn a_growth_has_a_panel_with_its_exponent() {
        let figures = BTreeMap::from([(1_000, vec![10.0]), (1_000_000, vec![10.0])]);
        let row = Row {
            growth: Some(Growth {
                units: "readers".to_owned(),
                figures,
            }),
            ..row()
        };
        let svg = svg("growth", &[row]).unwrap();
        assert!(svg.contains("n^0.00") && svg.contains(">1M<"), "{svg}");
    }

    #[test]
    fn rows_without_a_comparison_have_no_plot() {
        let row = Row {
            beside: None,
            ..row()
        };
        assert_eq!(svg("client", &[row]), None);
    }
}
