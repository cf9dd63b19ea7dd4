//! How the demo looks: a timeline per flow and a table at the end, or JSON.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Color};
use serde::Serialize;

use super::flows::{Row, Setting};
use super::timeline::Who;
use super::world::World;
use crate::print::say;
use crate::table::Column::{Value, Words};
use crate::table::{Table, cell};

/// Collects rows and shows them.
pub(crate) struct Show {
    json: bool,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    rows: &'a [Row],
}

impl Show {
    /// Shows as JSON, or for people.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
        }
    }

    /// Says what runs.
    pub(crate) fn world(&self, world: &World) {
        if !self.json {
            say!("emulator   {}", world.emulator.url());
            say!("callbacks  {}", world.callback_url);
        }
    }

    /// Shows a flow that just ended.
    pub(crate) fn row(&mut self, row: Row) {
        if !self.json {
            let bold = Style::new().bold();
            let (mark, colour) = if row.ok {
                ("✔", AnsiColor::Green)
            } else {
                ("✘", AnsiColor::Red)
            };
            let mark_style = Style::new().fg_color(Some(colour.into()));
            let title = format!("{} {} ({})", row.method, row.flow, setting(row.setting));
            say!("\n{mark_style}{mark}{mark_style:#} {bold}{title}{bold:#}");
            let dim = Style::new().dimmed();
            for step in &row.timeline {
                let style = who_style(step.who);
                let who = step.who.as_str();
                say!(
                    "{dim}{:>8.1} ms{dim:#}  {style}{who:<8}{style:#} {}",
                    step.ms,
                    step.what
                );
            }
        }
        self.rows.push(row);
    }

    /// Shows the end. Says whether every row is as expected.
    pub(crate) fn finish(self) -> anyhow::Result<bool> {
        let ok = self.rows.iter().all(|row| row.ok);
        if self.json {
            say!(
                "{}",
                serde_json::to_string_pretty(&Document { ok, rows: &self.rows })?
            );
            return Ok(ok);
        }
        let mut table = Table::new(&[
            Words("flow"),
            Value("method"),
            Words("setting"),
            Words("expected"),
            Words("got"),
            Value("ms"),
        ]);
        for row in &self.rows {
            let got = cell(&row.got).fg(if row.ok { Color::Green } else { Color::Red });
            table.add(vec![
                cell(row.flow),
                cell(&row.method),
                cell(setting(row.setting)),
                cell(&row.expected),
                got,
                cell(format!("{:.1}", row.ms)).set_alignment(CellAlignment::Right),
            ]);
        }
        say!();
        table.print();
        let good = self.rows.iter().filter(|row| row.ok).count();
        say!("\n{good} of {} flows as expected", self.rows.len());
        Ok(ok)
    }
}

fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::Backend => "backend signs",
        Setting::Device => "device, backend decides",
    }
}

fn who_style(who: Who) -> Style {
    let colour = match who {
        Who::Backend => AnsiColor::Blue,
        Who::Device => AnsiColor::Cyan,
        Who::Handset => AnsiColor::Magenta,
        Who::Service => AnsiColor::Yellow,
    };
    Style::new().fg_color(Some(colour.into()))
}
