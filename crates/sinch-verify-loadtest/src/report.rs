//! What a run leaves behind, made from its [`RunFile`] alone: a page, a comment, test cases and a text. So
//! a report can be made again later, or from merged shards.

mod escape;
mod format;
mod html;
mod junit;
mod markdown;
mod plot;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use crate::runfile::RunFile;

pub(crate) use plot::{Axis, Mark, Plot, Series};
pub(crate) use table::{Column, Table, Tone};

/// A plot as a file of its own, for a page that is not a report.
pub(crate) fn svg_file(plot: &Plot) -> String {
    let element = "<svg xmlns=\"http://www.w3.org/2000/svg\" ";
    let style = html::PLOT_STYLE;
    let drawn = plot::svg(plot).replacen("<svg ", element, 1);
    drawn.replacen(
        '\n',
        &format!("\n<style>\n{style}svg {{ background: var(--card); }}\n</style>\n"),
        1,
    )
}

/// The reports on a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reports<'a> {
    run: &'a RunFile,
}

impl<'a> Reports<'a> {
    /// The reports on `run`.
    #[must_use]
    pub(crate) fn on(run: &'a RunFile) -> Self {
        Self { run }
    }

    /// One self-contained page: it fetches nothing, has no script, and prints.
    #[must_use]
    pub(crate) fn html(&self) -> String {
        self.write(html::write)
    }

    /// A short text for a comment in a code review.
    #[must_use]
    pub(crate) fn markdown(&self) -> String {
        self.write(markdown::write)
    }

    /// The thresholds as test cases, for continuous integration.
    #[must_use]
    pub(crate) fn junit(&self) -> String {
        self.write(junit::write)
    }

    /// A text for a terminal, ending in a line break.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        self.write(text::write)
    }

    /// The names of the reports in a run's directory, beside `run.json` itself.
    pub(crate) const FILES: [&'static str; 3] = ["report.html", "report.md", "junit.xml"];

    /// The contents of [`FILES`](Self::FILES), in the same order.
    #[must_use]
    pub(crate) fn files(&self) -> [String; 3] {
        [self.html(), self.markdown(), self.junit()]
    }

    fn write(&self, write: fn(&RunFile, &mut String) -> fmt::Result) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = write(self.run, &mut out);
        out
    }
}
