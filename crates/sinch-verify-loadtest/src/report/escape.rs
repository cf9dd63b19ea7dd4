//! Text from outside, escaped for where it is put.

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

/// Text inside Markdown, in a line or in a cell of a table.
pub(super) struct Markdown<T>(pub(super) T);

impl<T: fmt::Display> fmt::Display for Markdown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(
            Filter {
                out: f,
                map: markdown
            },
            "{}",
            self.0
        )
    }
}

/// What replaces a character.
enum Written {
    Same,
    Text(&'static str),
    Escaped,
}

fn markup(c: char) -> Written {
    match c {
        '&' => Written::Text("&amp;"),
        '<' => Written::Text("&lt;"),
        '>' => Written::Text("&gt;"),
        '"' => Written::Text("&quot;"),
        '\'' => Written::Text("&#39;"),
        '\n' | '\t' => Written::Same,
        // XML takes no other control characters, not even escaped, and no two of the last.
        c if is_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => Written::Text("\u{fffd}"),
        _ => Written::Same,
    }
}

fn markdown(c: char) -> Written {
    match c {
        '&' => Written::Text("&amp;"),
        '<' => Written::Text("&lt;"),
        '>' => Written::Text("&gt;"),
        // A mention would notify a user.
        '@' => Written::Text("&#64;"),
        '\\' | '|' | '`' | '*' | '_' | '~' | '[' | ']' | '#' | '!' => Written::Escaped,
        c if is_control(c) => Written::Text(" "),
        _ => Written::Same,
    }
}

/// Replaces characters on the way to `out`.
struct Filter<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    map: fn(char) -> Written,
}

impl fmt::Write for Filter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match (self.map)(c) {
                Written::Same => self.out.write_char(c)?,
                Written::Text(text) => self.out.write_str(text)?,
                Written::Escaped => write!(self.out, "\\{c}")?,
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
            Markdown("a|b\nc `d` @someone ![x](y) <b> \\| # *e*").to_string(),
            "a\\|b c \\`d\\` &#64;someone \\!\\[x\\](y) &lt;b&gt; \\\\\\| \\# \\*e\\*"
        );
    }
}
