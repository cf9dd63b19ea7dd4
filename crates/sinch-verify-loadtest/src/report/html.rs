//! The page.

mod charts;
mod parts;

use std::fmt::{Result, Write as _};

use super::escape::Html;
use super::figures;
use crate::runfile::RunFile;

/// What everything looks like: on a light and on a dark screen, and on paper.
const STYLE: &str = include_str!("html/style.css");

/// The whole page.
pub(super) fn page(run: &RunFile) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(run, &mut out);
    out
}

fn write(run: &RunFile, out: &mut String) -> Result {
    let (verdict, _) = figures::verdict(run);
    // Nothing may be fetched and nothing may run, whatever got into the text.
    writeln!(
        out,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{verdict}: {}</title>
<style>
{STYLE}</style>
</head>
<body>
<main>"#,
        Html(figures::headline(run))
    )?;
    let total = run.flows.total();
    parts::banner(run, out)?;
    parts::tiles(run, &total, out)?;
    parts::checks(run, out)?;
    charts::write(run, &total, out)?;
    parts::times(run, &total, out)?;
    parts::failures(run, out)?;
    parts::setup(run, out)?;
    parts::reading(run, out)?;
    writeln!(out, "</main>\n</body>\n</html>")
}
