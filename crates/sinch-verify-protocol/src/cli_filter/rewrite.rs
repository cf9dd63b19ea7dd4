//! From Java's regex syntax to Rust's, for the part of it that both engines know.
//!
//! The pattern is parsed, and written anew from its syntax tree with the differences made plain:
//!
//! - `.` excludes all of Java's line ends, unless `(?s)` is set;
//! - `\d`, `\s`, `\w` and `\b` are ASCII, as in Java without flags;
//! - `(?i)` folds ASCII letters only, as in Java, and is spelt out as `[Aa]`, because the engine is
//!   built without Unicode tables;
//! - groups do not capture, because nothing is captured.
//!
//! What the two engines read differently, or only Java knows, is an error rather than a guess.

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetBinaryOpKind,
    ClassSetItem, ErrorKind, Flag, Flags, FlagsItemKind, GroupKind, Repetition, RepetitionKind,
    RepetitionRange, Span,
};

use super::FilterError;

/// How deep groups and classes may nest.
const NEST_LIMIT: u32 = 50;

const DOT: &str = r"[^\n\r\x{85}\x{2028}\x{2029}]";

/// The pattern in Rust's syntax. `position` turns a byte of the pattern into one of the filter.
pub(super) fn rewrite(pattern: &str, position: &dyn Fn(usize) -> usize) -> Result<String, FilterError> {
    let ast = ParserBuilder::new()
        .nest_limit(NEST_LIMIT)
        .build()
        .parse(pattern)
        .map_err(|error| {
            let at = position(error.span().start.offset);
            match error.kind() {
                ErrorKind::UnsupportedLookAround => unsupported("look-around", at),
                ErrorKind::UnsupportedBackreference => unsupported("a back-reference", at),
                ErrorKind::FlagUnrecognized => unsupported("this kind of group", at),
                ErrorKind::EscapeUnrecognized => unsupported("this escape", at),
                ErrorKind::NestLimitExceeded(_) => FilterError::TooComplex,
                other => FilterError::Syntax {
                    message: other.to_string(),
                    at,
                },
            }
        })?;
    let mut writer = Writer {
        out: String::with_capacity(pattern.len() * 4),
        modes: Modes::default(),
        position,
    };
    writer.ast(&ast)?;
    Ok(writer.out)
}

fn unsupported(what: &'static str, at: usize) -> FilterError {
    FilterError::Unsupported { what, at }
}

/// The inline flags in force.
#[derive(Clone, Copy, Default)]
struct Modes {
    ignore_case: bool,
    dot_all: bool,
}

struct Writer<'p> {
    out: String,
    modes: Modes,
    position: &'p dyn Fn(usize) -> usize,
}

impl Writer<'_> {
    fn ast(&mut self, ast: &Ast) -> Result<(), FilterError> {
        match ast {
            Ast::Empty(_) => {}
            Ast::Flags(set) => self.flags(&set.flags)?,
            Ast::Literal(literal) => self.literal(literal.c),
            Ast::Dot(_) if self.modes.dot_all => self.out.push_str("(?s:.)"),
            Ast::Dot(_) => self.out.push_str(DOT),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine | AssertionKind::StartText => self.out.push_str(r"\A"),
                AssertionKind::EndLine | AssertionKind::EndText => self.out.push_str(r"\z"),
                AssertionKind::WordBoundary => self.out.push_str(r"(?-u:\b)"),
                AssertionKind::NotWordBoundary => self.out.push_str(r"(?-u:\B)"),
                // Rust's marks for the edges of a word are escaped literals in Java.
                AssertionKind::WordBoundaryStartAngle => self.literal('<'),
                AssertionKind::WordBoundaryEndAngle => self.literal('>'),
                _ => return Err(self.unsupported("this word boundary", &assertion.span)),
            },
            Ast::ClassUnicode(class) => {
                return Err(self.unsupported("a Unicode class", &class.span));
            }
            Ast::ClassPerl(class) => self.perl(class),
            Ast::ClassBracketed(class) => self.class(class)?,
            Ast::Repetition(repetition) => self.repetition(repetition)?,
            Ast::Group(group) => {
                let outside = self.modes;
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.flags(flags)?;
                }
                self.out.push_str("(?:");
                self.ast(&group.ast)?;
                self.out.push(')');
                self.modes = outside;
            }
            Ast::Alternation(either) => {
                for (index, branch) in either.asts.iter().enumerate() {
                    if index > 0 {
                        self.out.push('|');
                    }
                    self.ast(branch)?;
                }
            }
            Ast::Concat(all) => {
                for part in &all.asts {
                    self.ast(part)?;
                }
            }
        }
        Ok(())
    }

    fn flags(&mut self, flags: &Flags) -> Result<(), FilterError> {
        let mut on = true;
        for item in &flags.items {
            match item.kind {
                FlagsItemKind::Negation => on = false,
                FlagsItemKind::Flag(Flag::CaseInsensitive) => self.modes.ignore_case = on,
                FlagsItemKind::Flag(Flag::DotMatchesNewLine) => self.modes.dot_all = on,
                // The parser has dropped the white space already.
                FlagsItemKind::Flag(Flag::IgnoreWhitespace) => {}
                // `m` knows other line ends here than in Java, and `u`, `U` and `R` other meanings.
                FlagsItemKind::Flag(_) => {
                    return Err(self.unsupported("this inline flag", &item.span));
                }
            }
        }
        Ok(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<(), FilterError> {
        // `a*+` gives nothing back in Java and is a plain repetition of `a*` in Rust.
        if matches!(&*repetition.ast, Ast::Repetition(_)) {
            return Err(self.unsupported("a possessive or doubled repetition", &repetition.op.span));
        }
        self.ast(&repetition.ast)?;
        match &repetition.op.kind {
            RepetitionKind::ZeroOrOne => self.out.push('?'),
            RepetitionKind::ZeroOrMore => self.out.push('*'),
            RepetitionKind::OneOrMore => self.out.push('+'),
            RepetitionKind::Range(range) => self.out.push_str(&match range {
                RepetitionRange::Exactly(n) => format!("{{{n}}}"),
                RepetitionRange::AtLeast(n) => format!("{{{n},}}"),
                RepetitionRange::Bounded(low, high) => format!("{{{low},{high}}}"),
            }),
        }
        if !repetition.greedy {
            self.out.push('?');
        }
        Ok(())
    }

    fn literal(&mut self, c: char) {
        if self.modes.ignore_case && c.is_ascii_alphabetic() {
            self.out.push('[');
            self.out.push(c.to_ascii_uppercase());
            self.out.push(c.to_ascii_lowercase());
            self.out.push(']');
        } else {
            quote(c, &mut self.out);
        }
    }

    fn perl(&mut self, class: &ClassPerl) {
        self.out.push_str(match (&class.kind, class.negated) {
            (ClassPerlKind::Digit, false) => "[0-9]",
            (ClassPerlKind::Digit, true) => "[^0-9]",
            (ClassPerlKind::Space, false) => r"[\t\n\x0B\f\r\x20]",
            (ClassPerlKind::Space, true) => r"[^\t\n\x0B\f\r\x20]",
            (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
        });
    }

    fn class(&mut self, class: &ClassBracketed) -> Result<(), FilterError> {
        self.out.push_str(if class.negated { "[^" } else { "[" });
        self.class_set(&class.kind)?;
        self.out.push(']');
        Ok(())
    }

    fn class_set(&mut self, set: &ClassSet) -> Result<(), FilterError> {
        match set {
            ClassSet::Item(item) => self.class_item(item),
            ClassSet::BinaryOp(op) if op.kind == ClassSetBinaryOpKind::Intersection => {
                self.out.push('[');
                self.class_set(&op.lhs)?;
                self.out.push_str("]&&[");
                self.class_set(&op.rhs)?;
                self.out.push(']');
                Ok(())
            }
            ClassSet::BinaryOp(op) => Err(self.unsupported("this class operation", &op.span)),
        }
    }

    fn class_item(&mut self, item: &ClassSetItem) -> Result<(), FilterError> {
        match item {
            ClassSetItem::Empty(_) => {}
            ClassSetItem::Literal(literal) => self.class_range(literal.c, literal.c),
            ClassSetItem::Range(range) => self.class_range(range.start.c, range.end.c),
            // Java has no `[:alpha:]`; it reads the brackets as a class of these characters.
            ClassSetItem::Ascii(class) => {
                return Err(self.unsupported("a class by name", &class.span));
            }
            ClassSetItem::Unicode(class) => {
                return Err(self.unsupported("a Unicode class", &class.span));
            }
            ClassSetItem::Perl(class) => self.perl(class),
            ClassSetItem::Bracketed(class) => self.class(class)?,
            ClassSetItem::Union(union) => {
                for part in &union.items {
                    self.class_item(part)?;
                }
            }
        }
        Ok(())
    }

    fn class_range(&mut self, start: char, end: char) {
        self.range(start, end);
        if !self.modes.ignore_case {
            return;
        }
        for (first, last, other) in [('a', 'z', 'A'), ('A', 'Z', 'a')] {
            let (low, high) = (start.max(first), end.min(last));
            if low <= high {
                let swap = |c: char| {
                    if other == 'A' {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                };
                self.range(swap(low), swap(high));
            }
        }
    }

    fn range(&mut self, start: char, end: char) {
        quote(start, &mut self.out);
        if start != end {
            self.out.push('-');
            quote(end, &mut self.out);
        }
    }

    fn unsupported(&self, what: &'static str, span: &Span) -> FilterError {
        unsupported(what, (self.position)(span.start.offset))
    }
}

/// Writes a character so that it is literal in every regex mode, also where white space is
/// ignored and inside a class.
pub(super) fn quote(c: char, pattern: &mut String) {
    use std::fmt::Write as _;

    if c.is_ascii_alphanumeric() {
        pattern.push(c);
    } else {
        // Writing to a `String` cannot fail.
        let _ = write!(pattern, "\\x{{{:X}}}", u32::from(c));
    }
}
