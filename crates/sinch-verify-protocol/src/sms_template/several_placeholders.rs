//! Several placeholders: what the regular expression `a(.+)b(.+)c` finds, in linear time.
//!
//! Backtracking would try every way to share the text among the groups. Instead the message is
//! gone over once for each placeholder, from the last to the first, noting at which positions the
//! rest of the template fits.

use std::ops::Range;

use super::ExtractOptions;

/// Where the text in the first placeholder's place is.
pub(super) fn find(
    message: &str,
    literals: &[impl AsRef<str>],
    options: &ExtractOptions,
) -> Option<Range<usize>> {
    let (first, rest) = literals.split_first()?;
    let (last, middle) = rest.split_last()?;
    let first = first.as_ref();
    let runs = Runs::new(message, options);
    let mut fits = Fits::new(message, |at| starts_with(message, at, last.as_ref()));
    for literal in middle.iter().rev().map(AsRef::as_ref) {
        fits = Fits::new(message, |at| {
            starts_with(message, at, literal) && runs.code_at(at + literal.len(), &fits).is_some()
        });
    }
    // With nothing after the first placeholder, "the first place where it fits" has no meaning.
    let shortest = options.takes_shortest() && rest.first().is_some_and(|next| !next.as_ref().is_empty());
    (0..=message.len())
        .filter(|at| message.is_char_boundary(*at) && starts_with(message, *at, first))
        .find_map(|at| {
            let code = runs.code_at(at + first.len(), &fits)?;
            let end = if shortest {
                fits.first_after(code.begin)
            } else {
                fits.last_until(code.limit)
            };
            Some(code.begin..end?.min(code.end))
        })
}

fn starts_with(message: &str, at: usize, literal: &str) -> bool {
    message
        .as_bytes()
        .get(at..)
        .is_some_and(|rest| rest.starts_with(literal.as_bytes()))
}

/// Where a placeholder's text may lie.
struct Code {
    begin: usize,
    end: usize,
    /// The last place for the literal after it; past `end` where white space may stand between.
    limit: usize,
}

/// For each byte, the end of the run of placeholder characters and of the gap that begin there.
struct Runs {
    run_end: Vec<usize>,
    gap_end: Vec<usize>,
}

impl Runs {
    fn new(message: &str, options: &ExtractOptions) -> Self {
        let ends = |end_of: &dyn Fn(usize) -> usize| {
            let mut ends = Vec::with_capacity(message.len() + 1);
            let mut end = 0;
            for at in 0..=message.len() {
                if at >= end && message.is_char_boundary(at) {
                    end = end_of(at);
                }
                ends.push(end.max(at));
            }
            ends
        };
        Self {
            run_end: ends(&|at| options.run_end(message, at)),
            gap_end: ends(&|at| options.gap_end(message, at)),
        }
    }

    /// The code that begins at byte `from`, if what follows the placeholder `fits` somewhere.
    fn code_at(&self, from: usize, fits: &Fits) -> Option<Code> {
        let begin = *self.gap_end.get(from)?;
        let end = *self.run_end.get(begin)?;
        let limit = *self.gap_end.get(end)?;
        let possible = begin < end && fits.last_until(limit)? > begin;
        possible.then_some(Code { begin, end, limit })
    }
}

/// The positions at which the rest of a template fits.
struct Fits {
    /// For each byte, the last such position up to it.
    last: Vec<Option<usize>>,
}

impl Fits {
    fn new(message: &str, fits_at: impl Fn(usize) -> bool) -> Self {
        let mut last = None;
        let last = (0..=message.len())
            .map(|at| {
                if message.is_char_boundary(at) && fits_at(at) {
                    last = Some(at);
                }
                last
            })
            .collect();
        Self { last }
    }

    fn last_until(&self, limit: usize) -> Option<usize> {
        self.last.get(limit).copied().flatten()
    }

    fn first_after(&self, begin: usize) -> Option<usize> {
        let rest = self.last.get(begin + 1..)?;
        rest.iter().flatten().copied().find(|at| *at > begin)
    }
}
