//! A table of a report, and how each form shows it.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, presets};
use sinch_verify_protocol::untrusted::escape;

use super::escape::{Html, Markdown};

/// A table. Its cells may hold text from outside: each form escapes it.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<(Tone, Vec<String>)>,
}

/// The title of a column, and whether it holds numbers, which align to the right.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// Whether a result is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Doubt,
    Bad,
}

impl Tone {
    /// The class in the style sheet of the page.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Doubt => "doubt",
            Self::Bad => "bad",
        }
    }
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Text(title) | Self::Number(title) => title,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Number(_))
    }
}

impl Table {
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, tone: Tone, cells: impl Into<Vec<String>>) {
        self.rows.push((tone, cells.into()));
    }

    /// The table if it has rows.
    pub(super) fn non_empty(self) -> Option<Self> {
        (!self.rows.is_empty()).then_some(self)
    }

    /// For a terminal, without lines, ending in a line break.
    pub(crate) fn text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.set_header(self.columns.iter().map(|column| column.title()));
        for (_, cells) in &self.rows {
            table.add_row(cells.iter().map(|cell| escape(cell).into_owned()));
        }
        table.load_style(presets::NOTHING);
        for (index, column) in self.columns.iter().enumerate() {
            if column.is_number()
                && let Some(column) = table.column_mut(index)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt() + "\n"
    }

    /// As Markdown, ending in a line break.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| {
            let cells: Vec<_> = cells.collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut out = line(&mut self.columns.iter().map(|column| column.title().to_owned()));
        out += &line(&mut self.columns.iter().map(|column| match column {
            Column::Text(_) => "---".to_owned(),
            Column::Number(_) => "---:".to_owned(),
        }));
        for (_, cells) in &self.rows {
            out += &line(&mut cells.iter().map(|cell| Markdown(cell).to_string()));
        }
        out
    }

    /// As an element that scrolls by itself where it is too wide, ending in a line break.
    pub(super) fn html(&self) -> String {
        let mut out = String::from("<div class=\"scroll\"><table>\n<thead><tr>");
        for column in &self.columns {
            let _ = write!(out, "<th{}>{}", number(*column), Html(column.title()));
        }
        out += "</thead>\n<tbody>\n";
        for (tone, cells) in &self.rows {
            let _ = write!(out, "<tr class=\"{}\">", tone.class());
            for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
                let tag = if index == 0 { "th scope=\"row\"" } else { "td" };
                let _ = write!(out, "<{tag}{}>{}", number(*column), Html(cell));
            }
            out.push('\n');
        }
        out + "</tbody>\n</table></div>\n"
    }
}

fn number(column: Column) -> &'static str {
    if column.is_number() {
        " class=\"number\""
    } else {
        ""
    }
}
