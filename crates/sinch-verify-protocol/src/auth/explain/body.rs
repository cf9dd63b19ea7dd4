//! Other forms of one JSON text.

use serde::de::IgnoredAny;

use super::mistake::BodyForm;

/// The other forms of `body` that senders sign, and how each differs: first those that differ in one
/// respect, then those that differ in two. Each is made when it is asked for.
pub(super) fn forms(body: &[u8]) -> impl Iterator<Item = (Vec<BodyForm>, Vec<u8>)> {
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    let layouts = LAYOUTS.iter().filter(move |_| is_json);
    let texts = TEXTS.iter().filter(move |text| is_json || text.is_encoding());
    let one_layout = layouts
        .clone()
        .filter_map(|(form, layout)| Some((vec![*form], layout.write(body)?)));
    let one_text = texts.clone().filter_map(|text| text.write(body));
    let both = layouts.flat_map(move |(form, layout)| {
        let laid_out = layout.write(body);
        texts.clone().filter_map(move |text| {
            let (mut forms, body) = text.write(laid_out.as_deref()?)?;
            forms.insert(0, *form);
            Some((forms, body))
        })
    });
    one_layout.chain(one_text).chain(both)
}

const LAYOUTS: &[(BodyForm, Layout)] = &[
    (BodyForm::Compact, Layout::line(b"", b"")),
    (BodyForm::Spaced, Layout::line(b" ", b" ")),
    (BodyForm::Indented, Layout::lines(b"  ")),
    (BodyForm::Indented, Layout::lines(b"    ")),
    (BodyForm::Indented, Layout::lines(b"\t")),
];

const TEXTS: &[Text] = &[
    Text::Escapes(&[BodyForm::Unescaped], Escapes::NONE),
    Text::Escapes(&[BodyForm::AsciiEscaped], Escapes::NON_ASCII),
    Text::Escapes(&[BodyForm::AsciiEscaped], Escapes::NON_ASCII.in_capitals()),
    Text::Escapes(&[BodyForm::SlashEscaped], Escapes::SLASH),
    // PHP's default.
    Text::Escapes(
        &[BodyForm::SlashEscaped, BodyForm::AsciiEscaped],
        Escapes {
            slash: true,
            ..Escapes::NON_ASCII
        },
    ),
    Text::Escapes(&[BodyForm::PlusEscaped], Escapes::PLUS),
    Text::Escapes(&[BodyForm::PlusEscaped], Escapes::PLUS.in_capitals()),
    Text::Escapes(&[BodyForm::PlusEscaped], Escapes::DOTNET),
    Text::CharactersAsBytes,
    Text::BytesAsCharacters,
];

/// What stands between the values.
struct Layout {
    behind_comma: &'static [u8],
    behind_colon: &'static [u8],
    indent: Option<&'static [u8]>,
}

impl Layout {
    /// The deepest nesting that is indented, and the most bytes that a form has: indentation can make a
    /// small body very large.
    const MAX_DEPTH: usize = 32;
    const MAX_LEN: usize = 256 * 1024;

    const fn line(behind_comma: &'static [u8], behind_colon: &'static [u8]) -> Self {
        Self {
            behind_comma,
            behind_colon,
            indent: None,
        }
    }

    const fn lines(indent: &'static [u8]) -> Self {
        Self {
            behind_comma: b"",
            behind_colon: b" ",
            indent: Some(indent),
        }
    }

    /// `json` in this layout. Strings and numbers stay as they are.
    fn write(&self, json: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(json.len() * 2);
        let (mut depth, mut at) = (0_usize, 0);
        while let Some(byte) = json.get(at) {
            match byte {
                b'"' => {
                    let end = end_of_string(json, at)?;
                    out.extend_from_slice(&json[at..end]);
                    at = end;
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'{' | b'[' => {
                    out.push(*byte);
                    depth += 1;
                    let next = json[at + 1..].trim_ascii_start().first();
                    if !matches!(next, Some(b'}' | b']')) {
                        self.line_end(depth, &mut out)?;
                    }
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    if !matches!(out.last(), Some(b'{' | b'[')) {
                        self.line_end(depth, &mut out)?;
                    }
                    out.push(*byte);
                }
                b',' => {
                    out.push(b',');
                    out.extend_from_slice(self.behind_comma);
                    self.line_end(depth, &mut out)?;
                }
                b':' => {
                    out.push(b':');
                    out.extend_from_slice(self.behind_colon);
                }
                other => out.push(*other),
            }
            at += 1;
        }
        Some(out)
    }

    fn line_end(&self, depth: usize, out: &mut Vec<u8>) -> Option<()> {
        let Some(indent) = self.indent else {
            return Some(());
        };
        if depth > Self::MAX_DEPTH || out.len() > Self::MAX_LEN {
            return None;
        }
        out.push(b'\n');
        for _ in 0..depth {
            out.extend_from_slice(indent);
        }
        Some(())
    }
}

/// Where the string that begins at `start` ends, behind its closing quote.
fn end_of_string(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// A change of the text that leaves the layout as it is.
enum Text {
    /// Other escapes in strings.
    Escapes(&'static [BodyForm], Escapes),
    /// Each character up to U+00FF as the byte of its number.
    CharactersAsBytes,
    /// Each byte as the character of its number, in UTF-8.
    BytesAsCharacters,
}

impl Text {
    fn is_encoding(&self) -> bool {
        !matches!(self, Self::Escapes(..))
    }

    fn write(&self, body: &[u8]) -> Option<(Vec<BodyForm>, Vec<u8>)> {
        let is_utf8 = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
        // What becomes UTF-8, or was it before, was encoded once and twice.
        let form = |between: &[u8]| {
            vec![if is_utf8(between) {
                BodyForm::Utf8Twice
            } else {
                BodyForm::Latin1
            }]
        };
        match self {
            Self::Escapes(forms, escapes) => Some((forms.to_vec(), escapes.write(body)?)),
            Self::CharactersAsBytes => {
                let text = std::str::from_utf8(body).ok()?;
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
                bytes.map(|bytes| (form(&bytes), bytes))
            }
            Self::BytesAsCharacters => {
                let text: String = body.iter().map(|byte| char::from(*byte)).collect();
                Some((form(body), text.into_bytes()))
            }
        }
    }
}

/// Which characters of strings are escaped, beside those that JSON needs to be.
#[derive(Clone, Copy)]
struct Escapes {
    slash: bool,
    non_ascii: bool,
    /// Characters that become `\uXXXX`.
    ascii: &'static [u8],
    capitals: bool,
}

impl Escapes {
    const NONE: Self = Self {
        slash: false,
        non_ascii: false,
        ascii: b"",
        capitals: false,
    };
    const NON_ASCII: Self = Self {
        non_ascii: true,
        ..Self::NONE
    };
    const SLASH: Self = Self {
        slash: true,
        ..Self::NONE
    };
    const PLUS: Self = Self {
        ascii: b"+",
        ..Self::NONE
    };
    /// The default of System.Text.Json.
    const DOTNET: Self = Self {
        non_ascii: true,
        ascii: b"\"&'+<>`",
        capitals: true,
        ..Self::NONE
    };

    const fn in_capitals(self) -> Self {
        Self {
            capitals: true,
            ..self
        }
    }

    /// `json` with the strings in it escaped so. What stands between them stays as it is.
    fn write(self, json: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(json.len() * 2);
        let mut rest = json;
        while let Some(start) = memchr::memchr(b'"', rest) {
            let end = end_of_string(rest, start)?;
            out.extend_from_slice(&rest[..start]);
            let text: String = serde_json::from_slice(&rest[start..end]).ok()?;
            out.push(b'"');
            for c in text.chars() {
                self.write_char(c, &mut out);
            }
            out.push(b'"');
            rest = &rest[end..];
        }
        out.extend_from_slice(rest);
        Some(out)
    }

    fn write_char(self, c: char, out: &mut Vec<u8>) {
        let is_listed = u8::try_from(c).is_ok_and(|byte| self.ascii.contains(&byte));
        let short = match c {
            _ if is_listed => None,
            '"' => Some(b'"'),
            '\\' => Some(b'\\'),
            '/' if self.slash => Some(b'/'),
            '\n' => Some(b'n'),
            '\r' => Some(b'r'),
            '\t' => Some(b't'),
            '\u{8}' => Some(b'b'),
            '\u{c}' => Some(b'f'),
            _ => None,
        };
        if let Some(short) = short {
            out.extend([b'\\', short]);
        } else if is_listed || c < ' ' || (self.non_ascii && !c.is_ascii()) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let escape = if self.capitals {
                    format!("\\u{unit:04X}")
                } else {
                    format!("\\u{unit:04x}")
                };
                out.extend_from_slice(escape.as_bytes());
            }
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}
