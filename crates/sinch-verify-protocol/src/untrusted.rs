//! Text from outside, made fit for terminals, logs and error messages.
//!
//! A service, a proxy or the sender of a callback may write anything into its text: sequences that clear
//! a screen, line ends that forge a line of a log, a phone number, a code, a secret. [`escape`] shows such
//! text on one line; [`mask`] hides what may be private in it as well. The errors of these crates have done
//! so; text that is read from a field has not been changed.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::unicode::is_invisible;

/// Whether `c` steers a terminal, ends a line, or turns the direction of the text around it.
///
/// These are the control characters C0, DEL and C1, the line and paragraph separators, and the
/// bidirectional controls of Unicode.
#[must_use]
pub const fn is_control(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// `text` on one line, with every [control character](is_control) escaped as in JSON strings: `\n`,
/// `\u001b`. Text that was escaped stays as it is.
///
/// ```
/// use sinch_verify_protocol::untrusted::escape;
///
/// assert_eq!(escape("\u{1b}[2Jdone\r\n"), "\\u001b[2Jdone\\r\\n");
/// assert_eq!(escape("Wrong code"), "Wrong code");
/// ```
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_control(c) => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// `text` [escaped](escape), without what may be a phone number, a code or credentials.
///
/// Every number of four or more digits becomes `***`, also one in groups with spaces, dots, dashes, slashes
/// or brackets between them. Every word that looks like a secret, a signature or a `Basic` header becomes
/// `[redacted]`: twenty or more characters of base64, with capitals, small letters and digits.
///
/// ```
/// use sinch_verify_protocol::untrusted::mask;
///
/// assert_eq!(mask("+46 700 012 345 has 2 tries left"), "+*** has 2 tries left");
/// assert_eq!(mask("wrong: BeIukql3pTKJ8RGL5zo0DA=="), "wrong: [redacted]");
/// ```
#[must_use]
pub fn mask(text: &str) -> String {
    let text = hide_words(text, looks_secret);
    let text = mask_numbers(&text);
    match escape(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => escaped,
    }
}

/// Puts `[redacted]` in place of every word of base64, with its padding, that `hides` picks.
pub(crate) fn hide_words(text: &str, hides: impl Fn(&str) -> bool) -> String {
    // Both alphabets of base64.
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(in_word) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !in_word(c)).unwrap_or(from.len());
        let padding = from[end..].bytes().take(2).take_while(|b| *b == b'=').count();
        let (word, after) = from.split_at(end + padding);
        out.push_str(before);
        out.push_str(if hides(word) { "[redacted]" } else { word });
        rest = after;
    }
    out + rest
}

/// Whether a word of base64 may be a credential rather than a word of a language, a path or an id.
fn looks_secret(word: &str) -> bool {
    const SHORTEST: usize = 20;
    // 32 bytes in base64: a signature, which may lack small letters or digits.
    const SIGNATURE: usize = 44;
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let mixed = has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(|b| b.is_ascii_digit() || matches!(b, b'+' | b'/'));
    word.len() >= SHORTEST && (mixed || word.len() == SIGNATURE && word.ends_with('='))
}

fn mask_numbers(text: &str) -> String {
    const SHORTEST_CODE: usize = 4;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_numeric) {
        let (before, from) = rest.split_at(start);
        let (end, digits) = number(from);
        out.push_str(before);
        // Three digits are a status or a count; a code or a number has more.
        out.push_str(if digits < SHORTEST_CODE {
            &from[..end]
        } else {
            "***"
        });
        rest = &from[end..];
    }
    out + rest
}

/// Where a number ends that `text` begins with, and how many digits it has.
fn number(text: &str) -> (usize, usize) {
    /// As many characters as may stand between two groups, such as a bracket and a space.
    const GAP: usize = 2;
    let between = |c: char| {
        c.is_whitespace()
            || is_control(c)
            || matches!(c, '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2014}')
    };
    let (mut end, mut digits, mut gap) = (0, 0, 0);
    for (at, c) in text.char_indices() {
        if c.is_numeric() {
            end = at + c.len_utf8();
            digits += 1;
            gap = 0;
        } else if is_invisible(c) {
            // It separates nothing that can be seen.
        } else if between(c) && gap < GAP {
            gap += 1;
        } else {
            break;
        }
    }
    (end, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_character_is_escaped_once() {
        let hostile: String = (0..=0xffff).filter_map(char::from_u32).collect();
        let escaped = escape(&hostile);
        assert!(!escaped.contains(char::is_control));
        for c in [
            '\u{9b}', '\u{61c}', '\u{200e}', '\u{2028}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            assert!(!escaped.contains(c), "{c:?}");
        }
        assert_eq!(escape(&escaped), escaped);
        assert_eq!(
            escape("a\n\r\t\0\u{7f}\u{9b}b"),
            "a\\n\\r\\t\\u0000\\u007f\\u009bb"
        );
    }

    #[test]
    fn a_json_document_stays_the_same_document() {
        let value = serde_json::json!({ "text": "\u{1b}[2J \u{9b}2J \u{202e}moc \u{2028} \"\\" });
        let escaped = escape(&value.to_string()).into_owned();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
            value
        );
    }

    #[test]
    fn numbers_and_codes_are_masked() {
        for (text, left) in [
            (
                "400 Bad Request: +46700000001 has no code 4821, try 3 of 3.",
                "400 Bad Request: +*** has no code ***, try 3 of 3.",
            ),
            ("+46 70 000 00 01 is busy", "+*** is busy"),
            ("(070) 000-00-01, in 5 s", "(***, in 5 s"),
            ("46.70.000/0001", "***"),
            ("\u{0664}\u{0668}\u{0662}\u{0661}", "***"),
            ("1 2 3 4", "***"),
            ("48\r\n21", "***"),
            ("48\u{202e}21", "***"),
            ("4\u{200b}\u{ad}\u{2060}8\u{feff}21", "***"),
            ("3 of 3 tries, 12 left", "3 of 3 tries, 12 left"),
            ("", ""),
        ] {
            assert_eq!(mask(text), left, "{text:?}");
        }
    }

    #[test]
    fn credentials_are_masked_and_words_are_not() {
        for secret in [
            "BeIukql3pTKJ8RGL5zo0DA==",
            "BeIukql3pTKJ8RGL5zo0DA",
            "Application 669E367E-6BBA-48AB-AF15-266871C28135:qDXMwzfaxCRS849c/2R0hg0nphgdHciTo7OdM6MsdnM=",
            "Authorization: basic NjY5RTM2N0UtNkJCQS00OEFCLUFGMTUtMjY2ODcxQzI4MTM1OkJlSXVrcWw=",
            // A signature without any small letter.
            "signature=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ] {
            let masked = mask(&format!("not so: {secret}"));
            assert!(masked.contains("[redacted]"), "{masked}");
            let word = secret
                .trim_end_matches('=')
                .rsplit([' ', ':', '='])
                .next()
                .unwrap();
            assert!(!masked.contains(word), "{masked}");
        }
        for plain in [
            "Basic authentication required",
            "Application not found",
            "no route for /verification/v1/verifications/id/a",
            "interceptionTimeout must be a number",
        ] {
            assert_eq!(mask(plain), plain);
        }
    }
}
