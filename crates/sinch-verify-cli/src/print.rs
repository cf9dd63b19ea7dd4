//! Printing that does not panic.
//!
//! `println!` panics when its reader has gone (`sinch-verify serve | head -1`)
//! or the disk is full. Here a reader that went away is no failure, and any other
//! failure is reported once, at the end, by the exit code.
//!
//! No control character gets through but line ends, tabs and our own colours. Text from outside is
//! [escaped](sinch_verify_protocol::untrusted::escape) where it is put into a line, so that it cannot add
//! lines and colours either.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use sinch_verify_protocol::untrusted::{escape, is_control};

static FAILED: AtomicBool = AtomicBool::new(false);
static GONE: AtomicBool = AtomicBool::new(false);

/// Uses colours always, never, or where they belong.
pub(crate) fn choose_color(choice: clap::ColorChoice) {
    let choice = match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether something could not be written to standard output.
pub(crate) fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Whether standard output has no reader any more. A command that only prints,
/// for as long as it is let, has then nothing left to do.
pub(crate) fn gone() -> bool {
    GONE.load(Ordering::Relaxed)
}

/// Writes a line to standard output; colours are left out where they do not belong.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut out = anstream::stdout().lock();
    let text = text.to_string();
    match writeln!(out, "{}", harmless(&text)).and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => GONE.store(true, Ordering::Relaxed),
        Err(_) => FAILED.store(true, Ordering::Relaxed),
    }
}

/// Writes a line to standard error, if it has a reader.
pub(crate) fn remark(text: fmt::Arguments<'_>) {
    let text = text.to_string();
    let _ = writeln!(anstream::stderr().lock(), "{}", harmless(&text));
}

/// Whether standard input and standard error are a terminal whose lines can be written anew.
pub(crate) fn can_rewrite() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdin().is_terminal() && io::stderr().is_terminal() && !is_dumb
}

/// Writes `text` on the terminal, and leaves the cursor behind it.
pub(crate) fn prompt(text: &str) {
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "{}", harmless(text)).and_then(|()| terminal.flush());
}

/// Writes `text` in place of the line above the cursor, which stays where it is.
pub(crate) fn rewrite_line_above(text: &str) {
    let mut terminal = io::stderr().lock();
    // Save the cursor, go up to the beginning of the line and empty it; go back at the end.
    let _ = write!(terminal, "\u{1b}7\u{1b}[1A\r\u{1b}[2K{}\u{1b}8", harmless(text))
        .and_then(|()| terminal.flush());
}

/// `text` with its control characters escaped, but for line ends, tabs and colours.
///
/// A JSON document stays the same document. A carriage return in one can only be white space between
/// values, so it becomes a space.
fn harmless(text: &str) -> Cow<'_, str> {
    let passes = |c: char| matches!(c, '\n' | '\t') || !is_control(c);
    if text.chars().all(passes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(|c| !passes(c)) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = if let Some(end) = colour(from) {
            out.push_str(&from[..end]);
            &from[end..]
        } else {
            let mut chars = from.chars();
            match chars.next() {
                Some('\r') => out.push(' '),
                Some(c) => out.push_str(&escape(c.encode_utf8(&mut [0; 4]))),
                None => {}
            }
            chars.as_str()
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The length of the sequence that `text` begins with, where it sets a colour or another style.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters[end..].starts_with('m').then_some(end + 3)
}

/// A line of output.
macro_rules! say {
    () => { $crate::print::line(format_args!("")) };
    ($($text:tt)*) => { $crate::print::line(format_args!($($text)*)) };
}

/// A line beside the output, for people.
macro_rules! note {
    ($($text:tt)*) => { $crate::print::remark(format_args!($($text)*)) };
}

pub(crate) use {note, say};

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn colours_lines_and_tabs_pass_and_nothing_else_does() {
        let ours = "\u{1b}[1m\u{1b}[38;5;9mid\u{1b}[0m\t1\nstatus";
        assert_eq!(harmless(ours), ours);
        for (text, harmless_text) in [
            ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
            ("\u{1b}[2J\u{1b}[1;1H", "\\u001b[2J\\u001b[1;1H"),
            ("\u{1b}[12", "\\u001b[12"),
            ("\u{1b}", "\\u001b"),
            ("\u{9b}2J", "\\u009b2J"),
            ("\u{202e}moc.knab", "\\u202emoc.knab"),
            ("over\rwritten", "over written"),
        ] {
            assert_eq!(harmless(text), harmless_text);
        }
    }

    #[test]
    fn json_stays_the_same_document() {
        let document = "{\r\n\"a\":\"\u{9b}2J\u{202e}\"}";
        let printed = harmless(document).into_owned();
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&printed), read(document));
        assert!(printed.is_ascii(), "{printed}");
    }
}
