//! A call in words that can be pasted: for a shell, and for a Rust program.

mod rust;

use std::fmt::Write as _;

use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use http::{HeaderMap, Method as Verb};
use sinch_verify_protocol::BaseUrl;

/// A call as it came.
pub(super) struct Call<'a> {
    pub(super) base: &'a BaseUrl,
    pub(super) verb: Verb,
    /// Path and query.
    pub(super) target: String,
    /// For a call with the key alone, the key.
    pub(super) public_key: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Call<'_> {
    /// For `curl`, which cannot sign: what was signed is sent with key and secret instead, which
    /// come from the environment. Whatever came, the line does nothing but send it.
    pub(super) fn curl(&self) -> String {
        let mut line = "curl".to_owned();
        if self.verb != Verb::GET && (self.verb != Verb::POST || self.body.is_empty()) {
            let verb = self.verb.as_str();
            let is_word = verb.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let shown = if is_word { verb.to_owned() } else { quoted(verb) };
            let _ = write!(line, " -X {shown}");
        }
        // Else curl takes these for patterns, and sends many requests.
        if self.target.contains(['[', ']', '{', '}']) {
            line.push_str(" --globoff");
        }
        let _ = write!(line, " {}", quoted(&self.base.join(&self.target)));
        match self.public_key {
            Some(key) => {
                let _ = write!(
                    line,
                    " -H {}",
                    quoted(&format!("Authorization: Application {key}"))
                );
            }
            None => line.push_str(" --user \"$SINCH_APPLICATION_KEY:$SINCH_APPLICATION_SECRET\""),
        }
        for (header, name) in [
            (CONTENT_TYPE, "Content-Type"),
            (ACCEPT_LANGUAGE, "Accept-Language"),
        ] {
            let value = self.headers.get(&header).and_then(|value| value.to_str().ok());
            if let Some(value) = value {
                let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
            }
        }
        if !self.body.is_empty() {
            let body = String::from_utf8_lossy(self.body);
            // Raw: by the other options a body that begins with @ is the name of a file to send.
            let _ = write!(line, " --data-raw {}", quoted(&body));
        }
        line
    }
}

/// Text that a shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
