//! Text that came from elsewhere, made harmless for where it stands.

use std::fmt;

use sinch_verify_protocol::untrusted::is_control;

/// Text inside HTML or XML, in an element or a quoted attribute.
pub(super) struct Html<T>(pub(super) T);

impl<T: fmt::Display> fmt::Display for Html<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(Filter { out: f, map: markup }, "{}", self.0)
    }
}

/// Text inside a cell of a Markdown table.
pub(super) struct Cell<T>(pub(super) T);

impl<T: fmt::Display> fmt::Display for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(Filter { out: f, map: cell }, "{}", self.0)
    }
}

/// What stands for a character.
enum For {
    Same,
    Text(&'static str),
    Escaped,
}

fn markup(c: char) -> For {
    match c {
        '&' => For::Text("&amp;"),
        '<' => For::Text("&lt;"),
        '>' => For::Text("&gt;"),
        '"' => For::Text("&quot;"),
        '\'' => For::Text("&#39;"),
        '\n' | '\t' => For::Same,
        // XML takes no other control characters, not even escaped, and no two of the last.
        c if is_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => For::Text("\u{fffd}"),
        _ => For::Same,
    }
}

fn cell(c: char) -> For {
    match c {
        '&' => For::Text("&amp;"),
        '<' => For::Text("&lt;"),
        '>' => For::Text("&gt;"),
        // A mention would notify somebody.
        '@' => For::Text("&#64;"),
        '\\' | '|' | '`' | '*' | '_' | '~' | '[' | ']' | '#' | '!' => For::Escaped,
        c if is_control(c) => For::Text(" "),
        _ => For::Same,
    }
}

/// Replaces characters on the way to `out`.
struct Filter<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    map: fn(char) -> For,
}

impl fmt::Write for Filter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match (self.map)(c) {
                For::Same => self.out.write_char(c)?,
                For::Text(text) => self.out.write_str(text)?,
                For::Escaped => write!(self.out, "\\{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        let text = "<img src=x onerror=\"alert('1')\"> & \u{1}\u{1b}[31m\n\u{ffff}";
        assert_eq!(
            Html(text).to_string(),
            "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; \u{fffd}\u{fffd}[31m\n\u{fffd}"
        );
    }

    #[test]
    fn cells_stay_cells() {
        assert_eq!(
            Cell("a|b\nc `d` @someone ![x](y) <b> \\| # *e*").to_string(),
            "a\\|b c \\`d\\` &#64;someone \\!\\[x\\](y) &lt;b&gt; \\\\\\| \\# \\*e\\*"
        );
    }
}
