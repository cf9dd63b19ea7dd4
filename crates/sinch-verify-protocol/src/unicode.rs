//! Two properties of Unicode: which characters render as nothing, and which are decimal digits.
//!
//! Phones, keyboards and gateways put marks that cannot be seen into numbers and messages, and people
//! type the digits of their own script.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

static INVISIBLE: LazyLock<Box<[ClassUnicodeRange]>> =
    LazyLock::new(|| ranges(r"\p{Default_Ignorable_Code_Point}"));

static DIGITS: LazyLock<Box<[ClassUnicodeRange]>> = LazyLock::new(|| ranges(r"\d"));

/// Whether the character renders as nothing: joiners, marks of direction, variation selectors, the soft
/// hyphen and the like (`Default_Ignorable_Code_Point`).
pub(crate) fn is_invisible(c: char) -> bool {
    !c.is_ascii() && range_of(&INVISIBLE, c).is_some()
}

/// The ASCII digit with the value of this decimal digit of any script (category `Nd`).
pub(crate) fn ascii_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c).filter(char::is_ascii_digit);
    }
    let range = range_of(&DIGITS, c)?;
    // Unicode assigns decimal digits in runs from 0 to 9; a range here is one or more such runs.
    char::from_digit((u32::from(c) - u32::from(range.start())) % 10, 10)
}

fn range_of(ranges: &[ClassUnicodeRange], c: char) -> Option<&ClassUnicodeRange> {
    let at = ranges.partition_point(|range| range.end() < c);
    ranges.get(at).filter(|range| range.start() <= c)
}

/// The ranges of a class, in ascending order.
fn ranges(class: &str) -> Box<[ClassUnicodeRange]> {
    match regex_syntax::parse(class).map(Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(class))) => class.ranges().into(),
        // Never: both classes are constants of this file, and its tests read them.
        _ => Box::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_joiners_render_as_nothing() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{3164}',
            '\u{fe0d}',
            '\u{feff}',
            '\u{e0001}',
        ] {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in [
            '\0', '\n', ' ', '\u{a0}', '\u{2009}', '\u{3000}', '-', '1', 'a', 'é', '\u{ff0b}',
        ] {
            assert!(!is_invisible(c), "{c:?}");
        }
    }

    #[test]
    fn decimal_digits_of_every_script_have_their_value() {
        for zero in [
            '0',
            '\u{660}',
            '\u{6f0}',
            '\u{966}',
            '\u{9e6}',
            '\u{e50}',
            '\u{1040}',
            '\u{ff10}',
            '\u{1d7ce}',
            '\u{1d7d8}',
            '\u{1d7f6}',
            '\u{1e950}',
            '\u{1fbf0}',
        ] {
            for value in 0..10 {
                let digit = char::from_u32(u32::from(zero) + value).unwrap();
                assert_eq!(ascii_digit(digit), char::from_digit(value, 10), "{digit:?}");
            }
        }
        for c in ['a', '²', '½', 'Ⅷ', '八', '\u{2468}', '/', ':'] {
            assert_eq!(ascii_digit(c), None, "{c:?}");
        }
        for range in &*DIGITS {
            let length = u32::from(range.end()) - u32::from(range.start()) + 1;
            assert_eq!(length % 10, 0, "{range:?}");
        }
    }
}
