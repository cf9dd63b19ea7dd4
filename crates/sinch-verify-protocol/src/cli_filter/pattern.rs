//! Filters that need a regex engine.

use regex::bytes::{Regex, RegexBuilder};

use super::groups::{Kind, Piece};
use super::rewrite::{quote, rewrite};
use super::{FilterError, MAX_COMPILED};

/// Compiles a filter in which only the groups are patterns.
pub(super) fn compile_groups(filter: &str, pieces: &[Piece<'_>]) -> Result<Regex, FilterError> {
    let mut pattern = String::with_capacity(filter.len() * 2);
    let mut starts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        starts.push((pattern.len(), piece.at));
        match piece.kind {
            Kind::Literal => piece.text.chars().for_each(|c| quote(c, &mut pattern)),
            Kind::Group => {
                pattern.push('(');
                pattern.push_str(piece.text);
                pattern.push(')');
            }
        }
    }
    compile(&pattern, |offset| {
        let piece = starts.partition_point(|(start, _)| *start <= offset);
        let (start, at) = piece
            .checked_sub(1)
            .and_then(|index| starts.get(index))
            .copied()
            .unwrap_or_default();
        (at + (offset - start)).min(filter.len())
    })
}

/// Compiles a filter that is one pattern.
pub(super) fn compile_whole(filter: &str) -> Result<Regex, FilterError> {
    compile(filter, |offset| offset)
}

/// The regex works on bytes because an ASCII word boundary is not available on text; every class in
/// it is made of whole characters all the same.
fn compile(pattern: &str, position: impl Fn(usize) -> usize) -> Result<Regex, FilterError> {
    let rewritten = rewrite(pattern, &position)?;
    RegexBuilder::new(&format!(r"\A(?:{rewritten})\z"))
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => FilterError::TooComplex,
            other => FilterError::Syntax {
                message: other.to_string(),
                at: 0,
            },
        })
}
