//! One placeholder: a search by hand, without allocation.
//!
//! It finds what the regular expression `before(.+)after` finds: the leftmost place where it
//! matches, and there the longest text (or the shortest, if so asked).

use std::ops::Range;

use memchr::memmem;

use super::ExtractOptions;

/// Where the text in the placeholder's place is.
pub(super) fn find(
    message: &str,
    before: &str,
    after: &str,
    options: &ExtractOptions,
) -> Option<Range<usize>> {
    let mut from = 0;
    loop {
        let start = from + memmem::find(message.as_bytes().get(from..)?, before.as_bytes())?;
        let begin = options.gap_end(message, start + before.len());
        let end = options.run_end(message, begin);
        if begin < end
            && let Some(found) = code_end(message, begin..end, after, options)
        {
            return Some(begin..found);
        }
        // No later code can begin in the run just searched: it would end at the same place, so
        // this one would have been found too. That keeps the whole search linear. A later `before`
        // may end where the run does: white space and another run can follow it.
        from = next_start(message, end.saturating_sub(before.len()).max(start + 1))?;
    }
}

/// Where the code that begins with `run` ends, which is where `after` follows.
fn code_end(message: &str, run: Range<usize>, after: &str, options: &ExtractOptions) -> Option<usize> {
    if after.is_empty() {
        return Some(run.end);
    }
    let first = next_start(message, run.start + 1)?;
    let last = options.gap_end(message, run.end);
    let window = message
        .as_bytes()
        .get(first..message.len().min(last + after.len()))?;
    let found = if options.takes_shortest() {
        memmem::find(window, after.as_bytes())
    } else {
        memmem::rfind(window, after.as_bytes())
    };
    Some((first + found?).min(run.end))
}

/// The first character boundary at or after this byte.
fn next_start(message: &str, from: usize) -> Option<usize> {
    (from..=message.len()).find(|at| message.is_char_boundary(*at))
}
