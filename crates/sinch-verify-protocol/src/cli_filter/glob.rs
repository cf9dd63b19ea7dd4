//! Filters made of literals and `(.*)` only, matched without a regex engine.

use memchr::memmem;

use super::groups::{Kind, Piece};
use super::line_end::is_line_end;

/// Literals with a wildcard between each two of them.
#[derive(Clone)]
pub(super) struct Glob {
    first: Box<str>,
    /// What follows each wildcard; empty for a filter without any.
    after: Box<[Box<str>]>,
}

impl Glob {
    /// `None` if a group is anything but `(.*)`, or if a wildcard could meet a line end that
    /// belongs to a literal.
    pub(super) fn of(pieces: &[Piece<'_>]) -> Option<Self> {
        let mut literals = vec![String::new()];
        for piece in pieces {
            match piece.kind {
                Kind::Literal => literals.last_mut()?.push_str(piece.text),
                Kind::Group if piece.text == ".*" => literals.push(String::new()),
                Kind::Group => return None,
            }
        }
        if literals.len() > 1 && literals.iter().any(|literal| literal.contains(is_line_end)) {
            return None;
        }
        let mut literals = literals.into_iter().map(String::into_boxed_str);
        Some(Self {
            first: literals.next()?,
            after: literals.collect(),
        })
    }

    pub(super) fn matches(&self, number: &str) -> bool {
        let Some((last, middle)) = self.after.split_last() else {
            return number == &*self.first;
        };
        let ends_cut = number
            .strip_prefix(&*self.first)
            .and_then(|rest| rest.strip_suffix(&**last));
        let Some(inner) = ends_cut else {
            return false;
        };
        // Taking each literal at its first place leaves the most room for those after it.
        let mut rest = inner.as_bytes();
        for literal in middle {
            let Some(at) = memmem::find(rest, literal.as_bytes()) else {
                return false;
            };
            rest = rest.get(at + literal.len()..).unwrap_or_default();
        }
        !number.contains(is_line_end)
    }

    pub(super) fn is_wildcard(&self) -> bool {
        !self.after.is_empty() && self.first.is_empty() && self.after.iter().all(|l| l.is_empty())
    }
}
