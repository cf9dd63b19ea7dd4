//! What a run leaves behind, made from its [`RunFile`] alone: a page, a comment, a test result and a
//! table. A report can so be made again, or made of merged shards, without having been there.
//!
//! Nothing is fetched by the page: its plots are drawn here, it has no script, and it prints.

mod escape;
mod figures;
mod html;
mod junit;
mod markdown;
mod plot;
mod table;
#[cfg(test)]
mod tests;
mod text;

use crate::runfile::RunFile;

/// The reports on one run.
#[derive(Clone, Copy, Debug)]
pub struct Reports<'a> {
    run: &'a RunFile,
}

impl<'a> Reports<'a> {
    /// The reports on `run`.
    #[must_use]
    pub fn on(run: &'a RunFile) -> Self {
        Self { run }
    }

    /// One self-contained page.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(self.run)
    }

    /// A short text for a comment in a code review.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::comment(self.run)
    }

    /// The thresholds as test cases, for continuous integration.
    #[must_use]
    pub fn junit(&self) -> String {
        junit::suite(self.run)
    }

    /// A table for a terminal, ending in a line break.
    #[must_use]
    pub fn table(&self) -> String {
        table::render(self.run)
    }

    /// The names of the reports in a run's directory, beside `run.json` itself.
    pub const FILES: [&'static str; 3] = ["report.html", "report.md", "junit.xml"];

    /// What is in those, in the same order.
    #[must_use]
    pub fn files(&self) -> [String; 3] {
        [self.html(), self.markdown(), self.junit()]
    }
}
