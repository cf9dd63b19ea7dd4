//! Shows a recorded request as a `curl` command, and as code for the client crate and for Sinch's SDKs.

mod java;
mod node;
mod python;
mod rust;
mod sdk;

use std::fmt::Write as _;

use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use http::{HeaderMap, Method as Verb};
use sinch_verify_protocol::BaseUrl;
use sinch_verify_protocol::server::Route;

use self::sdk::SdkCall;

/// A recorded request.
pub(super) struct Call<'a> {
    pub(super) base: &'a BaseUrl,
    pub(super) verb: Verb,
    /// Path and query.
    pub(super) target: String,
    /// The key, if the request is authorized by the key alone.
    pub(super) public_key: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Call<'_> {
    /// The request in every language that has it, by the names in answers.
    pub(super) fn all(&self, route: Option<&Route>) -> Vec<(&'static str, String)> {
        let sdk = route.and_then(|route| SdkCall::of(self, route));
        [
            ("curl", Some(self.curl())),
            ("rust", route.and_then(|route| self.rust(route))),
            ("node", sdk.as_ref().map(|call| self.node(call))),
            ("python", sdk.as_ref().and_then(|call| self.python(call))),
            ("java", sdk.as_ref().map(|call| self.java(call))),
        ]
        .into_iter()
        .filter_map(|(name, code)| Some((name, code?)))
        .collect()
    }

    /// The request as a `curl` command. `curl` cannot sign, so a signed request becomes one with basic
    /// authorization, with key and secret from the environment. All text of the request is quoted, so
    /// the command does nothing but send it.
    fn curl(&self) -> String {
        let mut line = "curl".to_owned();
        if self.verb != Verb::GET && (self.verb != Verb::POST || self.body.is_empty()) {
            let verb = self.verb.as_str();
            let is_word = verb.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let shown = if is_word { verb.to_owned() } else { quoted(verb) };
            let _ = write!(line, " -X {shown}");
        }
        // Otherwise curl expands brackets and braces and sends many requests.
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
            // With other options, a body that begins with @ names a file to send.
            let _ = write!(line, " --data-raw {}", quoted(&body));
        }
        line
    }
}

/// The text in single quotes, for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
