//! Plots as SVG.
//!
//! Everything drawn has a class, and the page's style sheet gives it a colour: on a light and on a dark
//! screen, and on paper.

mod axis;
mod draw;

pub(crate) use axis::Axis;
pub(super) use draw::svg;

/// One plot.
pub(crate) struct Plot {
    /// What it shows, for screen readers.
    pub(crate) describes: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    /// A part of the x axis that does not count, from the left edge to here, and its name.
    pub(crate) shade: Option<(f64, &'static str)>,
    /// Texts to show under the pointer: from, to, text.
    pub(crate) hints: Vec<(f64, f64, String)>,
}

/// Values that are drawn as one line, area or row of bars.
pub(crate) struct Series {
    /// Its name, which is written at its end.
    pub(crate) name: String,
    /// Its class in the page's style sheet.
    pub(crate) class: &'static str,
    pub(crate) mark: Mark,
    /// In order of x. Without a y, the line has a gap.
    pub(crate) points: Vec<(f64, Option<f64>)>,
}

/// How values are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A line from point to point.
    Line,
    /// A line that holds each value until the next point.
    Step,
    /// A step line with the area below filled.
    Area,
    /// A bar from zero for each value, as wide as the distance to the next.
    Bars,
}
