//! Folding of line ends and spaces, with the way back to the original text.

use std::ops::Range;

use super::ExtractOptions;
use crate::cli_filter::line_end::is_line_end;

/// A text after folding.
pub(super) struct Folded<'t> {
    original: &'t str,
    /// `None` if folding changed nothing.
    folded: Option<String>,
    /// For each place where the lengths part: a byte of the folded text, and of the original.
    steps: Vec<(usize, usize)>,
}

impl<'t> Folded<'t> {
    pub(super) fn new(original: &'t str, options: &ExtractOptions) -> Self {
        let mut folded = String::with_capacity(original.len());
        let mut steps = Vec::new();
        let mut changed = false;
        let mut chars = original.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let before_lf = chars.peek().is_some_and(|(_, next)| *next == '\n');
            if options.folds_crlf() && c == '\r' && before_lf {
                changed = true;
                steps.push((folded.len(), at + 1));
            } else if options.folds_whitespace() && is_other_space(c) {
                changed = true;
                folded.push(' ');
                if c.len_utf8() > 1 {
                    steps.push((folded.len(), at + c.len_utf8()));
                }
            } else {
                folded.push(c);
            }
        }
        Self {
            original,
            folded: changed.then_some(folded),
            steps,
        }
    }

    pub(super) fn text(&self) -> &str {
        self.folded.as_deref().unwrap_or(self.original)
    }

    pub(super) fn changed(&self) -> Option<&str> {
        self.folded.as_deref()
    }

    /// The original of a part of the folded text that holds no line end.
    pub(super) fn original(&self, part: Range<usize>) -> Option<&'t str> {
        self.original
            .get(self.unfold_start(part.start)..self.unfold_end(part.end))
    }

    /// A part begins after everything that was dropped before it.
    fn unfold_start(&self, at: usize) -> usize {
        self.unfold(at, self.steps.partition_point(|(folded, _)| *folded <= at))
    }

    /// A part ends before anything that was dropped after it, such as the CR of CR LF, but after
    /// the whole of a wide space that is its last character.
    fn unfold_end(&self, at: usize) -> usize {
        let steps = self.steps.partition_point(|(folded, _)| *folded <= at);
        let dropped_cr = steps
            .checked_sub(1)
            .and_then(|last| self.steps.get(last))
            .is_some_and(|(folded, original)| {
                *folded == at && self.original.as_bytes().get(original - 1) == Some(&b'\r')
            });
        self.unfold(at, if dropped_cr { steps - 1 } else { steps })
    }

    fn unfold(&self, at: usize, steps: usize) -> usize {
        steps
            .checked_sub(1)
            .and_then(|last| self.steps.get(last))
            .map_or(at, |(folded, original)| original + (at - folded))
    }
}

/// White space, other than the ordinary space and line ends.
fn is_other_space(c: char) -> bool {
    c != ' ' && c.is_whitespace() && !is_line_end(c)
}
