//! A list of things: a table on a terminal, a line each in a pipe.

use std::io::IsTerminal as _;

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, TableStyle, Width};
use sinch_verify_protocol::untrusted::escape;

use crate::print::say;

/// A column, by its title.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    /// Values, each of which stays in one line.
    Value(&'static str),
    /// Words: they may go on in the next line, but none of them is broken.
    Words(&'static str),
}

/// A cell that shows `content` on one line.
pub(crate) fn cell(content: impl std::fmt::Display) -> Cell {
    Cell::new(escape(&content.to_string()))
}

/// A table that is filled row by row.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, with a [`cell`] for each column.
    pub(crate) fn add(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Prints what there is. A pipe gets the rows only, with tabs between the cells.
    pub(crate) fn print(&self) {
        if std::io::stdout().is_terminal() {
            say!("{}", self.fitted(terminal_width()));
            return;
        }
        for row in &self.rows {
            say!("{}", tabbed(row));
        }
    }

    /// The first form that `width` is enough for: with lines, without, and a list of cells.
    fn fitted(&self, width: u16) -> String {
        let lines = Look {
            style: UTF8_FULL_CONDENSED.with_rounded_corners(),
            before: 1,
            after: 1,
            line: 1,
        };
        let none = Look {
            style: NOTHING,
            before: 0,
            after: 2,
            line: 0,
        };
        let fit = [lines, none].iter().find_map(|look| self.drawn(look, width));
        fit.unwrap_or_else(|| self.listed())
    }

    /// The table, unless it must be wider.
    fn drawn(&self, look: &Look, width: u16) -> Option<String> {
        let least = self.least_widths();
        let count = u16::try_from(least.len()).ok()?;
        let content = least.iter().copied().fold(0, u16::saturating_add);
        // Nothing stands behind the last column but its line.
        let around = count * (look.before + look.line + look.after) + look.line;
        let spare = if look.line == 0 { look.after } else { 0 };
        if content.saturating_add(around) - spare > width {
            return None;
        }
        let mut table = drawing(look.style);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width + spare);
        table.set_header(self.titles());
        table.add_rows(self.rows.iter().cloned());
        for ((column, kind), least) in table.column_iter_mut().zip(&self.columns).zip(least) {
            column.set_padding((look.before, look.after));
            column.set_constraint(match kind {
                Column::Value(_) => ColumnConstraint::ContentWidth,
                // The library counts the padding too.
                Column::Words(_) => {
                    ColumnConstraint::LowerBoundary(Width::Fixed(least + look.before + look.after))
                }
            });
        }
        Some(table.trim_fmt())
    }

    /// What each column needs if nothing is broken that must not be.
    fn least_widths(&self) -> Vec<u16> {
        let mut table = drawing(NOTHING);
        for row in std::iter::once(self.titles()).chain(self.rows.iter().cloned()) {
            table.add_row(row.iter().zip(&self.columns).map(|(cell, kind)| match kind {
                Column::Value(_) => cell.content(),
                Column::Words(_) => cell.content().split_whitespace().collect::<Vec<_>>().join("\n"),
            }));
        }
        table.column_max_content_widths()
    }

    /// A cell a line, behind its title.
    fn listed(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let mut table = drawing(NOTHING);
            for (title, cell) in self.titles().into_iter().zip(row) {
                table.add_row([
                    title,
                    cell.clone().set_alignment(comfy_table::CellAlignment::Left),
                ]);
            }
            for column in table.column_iter_mut() {
                column.set_padding((0, 2));
            }
            table.trim_fmt()
        });
        rows.collect::<Vec<_>>().join("\n\n")
    }

    fn titles(&self) -> Vec<Cell> {
        let titles = self.columns.iter().map(|column| match column {
            Column::Value(title) | Column::Words(title) => Cell::new(title),
        });
        titles.collect()
    }
}

/// What is drawn around the cells.
struct Look {
    style: TableStyle,
    /// Spaces before and after what a cell says.
    before: u16,
    after: u16,
    /// How wide the line between two columns is.
    line: u16,
}

/// Nothing yet. Colours are left out later, where they do not belong.
fn drawing(style: TableStyle) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(style);
    table.enforce_styling();
    table
}

/// A row for a pipe.
fn tabbed(row: &[Cell]) -> String {
    row.iter().map(Cell::content).collect::<Vec<_>>().join("\t")
}

/// How many characters a line of the terminal holds.
pub(crate) fn terminal_width() -> u16 {
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = comfy_table::Table::new().width().filter(|width| *width > 0);
    width.or_else(told).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use comfy_table::{CellAlignment, Color};

    use super::Column::{Value, Words};
    use super::{Table, cell, tabbed};

    fn demo() -> Table {
        let mut table = Table::new(&[
            Words("flow"),
            Value("method"),
            Words("setting"),
            Words("expected"),
            Words("got"),
            Value("ms"),
        ]);
        for [flow, method, setting, status, ms] in [
            [
                "verified",
                "flashcall",
                "device, backend decides",
                "SUCCESSFUL",
                "115.9",
            ],
            ["wrong code", "sms", "backend signs", "FAIL (Invalid code)", "6.4"],
            [
                "denied",
                "sms",
                "device, backend decides",
                "DENIED (Denied by callback)",
                "2.8",
            ],
        ] {
            table.add(vec![
                cell(flow),
                cell(method),
                cell(setting),
                cell(status),
                cell(status),
                cell(ms).set_alignment(CellAlignment::Right),
            ]);
        }
        table
    }

    #[test]
    fn a_table_keeps_its_width_and_breaks_no_word() {
        let table = demo();
        let mut forms = Vec::new();
        for width in 1..200 {
            let drawn = table.fitted(width);
            for cell in table.rows.iter().flatten() {
                for word in cell.content().split(' ') {
                    assert!(drawn.contains(word), "{word}\n{drawn}");
                }
            }
            let is_list = drawn.starts_with("flow      verified\nmethod    flashcall\n");
            let widest = drawn.lines().map(|line| line.chars().count()).max();
            assert!(is_list || widest <= Some(width.into()), "{width}\n{drawn}");
            forms.push(match drawn.chars().next() {
                Some('╭') => "lines",
                _ if is_list => "list",
                _ => "none",
            });
        }
        forms.dedup();
        assert_eq!(forms, ["list", "none", "lines"]);
    }

    #[test]
    fn sixty_columns_are_enough_for_the_demo() {
        let expected = "\
flow      method     setting  expected    got         ms
verified  flashcall  device,  SUCCESSFUL  SUCCESSFUL  115.9
                     backend
                     decides";
        let drawn = demo().fitted(60);
        assert!(drawn.starts_with(expected), "{drawn}");
    }

    #[test]
    fn a_row_of_a_pipe_is_one_line_without_colours() {
        let row = [
            cell("+46700000001"),
            cell("1234 is\tyour\r\ncode").fg(Color::Green),
        ];
        assert_eq!(tabbed(&row), "+46700000001\t1234 is\\tyour\\r\\ncode");
    }
}
