//! Why a signature is wrong.

use sinch_verify_protocol::auth::{Explain, Finding};

/// What the search for `signature`, a text of any form, finds: in words, with the line that differs.
pub(crate) fn describe(explain: &Explain<'_>, signature: &[u8]) -> String {
    match explain.signature_text(signature) {
        Finding::Mistake { mistake, signed } => match explain.difference(&signed) {
            Some(difference) => format!("{mistake}; the first line that differs is the {difference}"),
            None => mistake.to_string(),
        },
        _ => "no known mistake leads to it: it was made with another secret, or of other bytes".to_owned(),
    }
}
