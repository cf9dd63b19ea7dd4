//! Why a signature is wrong.

use sinch_verify_protocol::auth::Finding;

/// What the search found, in words.
pub(crate) fn describe(finding: &Finding) -> String {
    match finding {
        Finding::Mistake { mistake, .. } => mistake.to_string(),
        _ => "no known mistake leads to it: it was made with another secret, or of other bytes".to_owned(),
    }
}
