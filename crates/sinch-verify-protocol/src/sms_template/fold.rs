//! Folding of line ends, spaces, digits and characters that cannot be seen.

use std::borrow::Cow;

use super::ExtractOptions;
use crate::cli_filter::line_end::is_line_end;
use crate::unicode::{ascii_digit, is_invisible};

/// The text with what the options take for alike written alike.
pub(super) fn fold<'t>(text: &'t str, options: &ExtractOptions) -> Cow<'t, str> {
    let mut chars = text.char_indices().peekable();
    let mut folded = String::new();
    // Up to where the text is in `folded`.
    let mut done = 0;
    while let Some((at, c)) = chars.next() {
        let before_lf = chars.peek().is_some_and(|(_, next)| *next == '\n');
        let written = if options.folds_crlf() && c == '\r' && before_lf
            || options.drops_invisible() && is_invisible(c)
        {
            None
        } else if options.folds_whitespace() && is_other_space(c) {
            Some(' ')
        } else if options.folds_digits() {
            Some(ascii_digit(c).unwrap_or(c))
        } else {
            Some(c)
        };
        if written != Some(c) {
            folded.push_str(text.get(done..at).unwrap_or_default());
            folded.extend(written);
            done = at + c.len_utf8();
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    folded.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(folded)
}

/// White space, other than the ordinary space and line ends.
fn is_other_space(c: char) -> bool {
    c != ' ' && c.is_whitespace() && !is_line_end(c)
}
