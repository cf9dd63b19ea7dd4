//! Plots as SVG, drawn without anything from elsewhere.
//!
//! Colours and fonts are the page's: everything drawn has a class, and the page's style sheet knows
//! light, dark and paper.

mod axis;
mod draw;

pub(super) use axis::Axis;
pub(super) use draw::svg;

/// One plot.
pub(super) struct Plot {
    /// What it shows, for those who do not see it.
    pub(super) describes: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    /// A part of the x axis that does not count, from the left edge to here, and its name.
    pub(super) shade: Option<(f64, &'static str)>,
    /// Texts to be shown where the pointer is: from, to, text.
    pub(super) hints: Vec<(f64, f64, String)>,
}

/// Some values, drawn alike.
pub(super) struct Series {
    /// Its name, which stands at its right end.
    pub(super) name: String,
    /// What it looks like: a class of the page's style sheet.
    pub(super) class: &'static str,
    pub(super) mark: Mark,
    /// In order of x. Where there is no y, the line is broken.
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
    /// A bar from zero for each value, as wide as the distance given to it.
    Bars,
}
