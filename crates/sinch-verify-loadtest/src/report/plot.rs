//! Plots as SVG.
//!
//! Everything drawn has a class, and the page's style sheet gives it a colour: on a light and on a dark
//! screen, and on paper.

mod axis;
mod draw;

pub(super) use axis::Axis;
pub(super) use draw::svg;

/// One plot.
pub(super) struct Plot {
    /// What it shows, for screen readers.
    pub(super) describes: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    /// A part of the x axis that does not count, from the left edge to here, and its name.
    pub(super) shade: Option<(f64, &'static str)>,
    /// Texts to show under the pointer: from, to, text.
    pub(super) hints: Vec<(f64, f64, String)>,
}

/// Values that are drawn as one line, area or row of bars.
pub(super) struct Series {
    /// Its name, which is written at its end.
    pub(super) name: String,
    /// Its class in the page's style sheet.
    pub(super) class: &'static str,
    pub(super) mark: Mark,
    /// In order of x. Without a y, the line has a gap.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// How values are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A line from point to point.
    Line,
    /// A line that holds each value until the next point.
    Step,
    /// A step line with the area below filled.
    Area,
    /// A bar from zero for each value, as wide as the distance to the next.
    Bars,
}
