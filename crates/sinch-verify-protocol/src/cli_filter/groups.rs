//! Cutting a filter into literals and bracket groups, as the Android SDK does.
//!
//! The SDK quotes the whole filter for Java's regex engine (`\Q` to `\E`), then puts `\E` before
//! every `(` and `\Q` after every `)`. All that follows from it is here: the first `)` closes a
//! group, a `(` inside a group leaves a stray `\E` that does not compile, and a `)` outside a
//! group is a literal that drags a literal `\Q` behind it.

use super::FilterError;

/// A part of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'f> {
    /// Where it begins in the filter; for a group, at its bracket.
    pub(super) at: usize,
    pub(super) kind: Kind,
    /// The literal text, or what stands between the brackets.
    pub(super) text: &'f str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Literal,
    Group,
}

/// What a `)` without a `(` stands for. No phone number holds it.
const STRAY_CLOSE: &str = ")\\Q";

/// The pieces in order; neighbouring literals are possible.
pub(super) fn split(filter: &str) -> Result<Vec<Piece<'_>>, FilterError> {
    let mut pieces = Vec::new();
    let mut rest = filter;
    let mut at = 0;
    while let Some(found) = rest.find(['(', ')']) {
        let (literal, tail) = rest.split_at(found);
        if !literal.is_empty() {
            pieces.push(Piece {
                at,
                kind: Kind::Literal,
                text: literal,
            });
        }
        at += found;
        let taken = if let Some(inside) = tail.strip_prefix('(') {
            let text = group(inside, at)?;
            pieces.push(Piece {
                at,
                kind: Kind::Group,
                text,
            });
            text.len() + 2
        } else {
            pieces.push(Piece {
                at,
                kind: Kind::Literal,
                text: STRAY_CLOSE,
            });
            1
        };
        at += taken;
        rest = tail.get(taken..).unwrap_or_default();
    }
    if !rest.is_empty() {
        pieces.push(Piece {
            at,
            kind: Kind::Literal,
            text: rest,
        });
    }
    Ok(pieces)
}

/// What stands in the group that opens at byte `at`, just before `inside`.
fn group(inside: &str, at: usize) -> Result<&str, FilterError> {
    match inside.find(['(', ')']) {
        Some(end) if inside.as_bytes().get(end) == Some(&b')') => Ok(inside.get(..end).unwrap_or_default()),
        Some(inner) => Err(FilterError::NestedGroup { at: at + 1 + inner }),
        None => Err(FilterError::UnclosedGroup { at }),
    }
}
