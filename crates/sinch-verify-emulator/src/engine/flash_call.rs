//! What a flash call's caller id is compared with.

use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::{Cli, PhoneNumber};

/// How many of the last digits a filter names: enough to tell the caller ids that are made up
/// apart, and found in national forms of them too.
const NAMED: usize = 9;

/// The filter that a device gets: the end of the caller id, with anything around it.
pub(super) fn filter(cli: &PhoneNumber) -> String {
    let digits = cli.digits();
    let end = &digits[digits.len().saturating_sub(NAMED)..];
    format!("(.*){end}(.*)")
}

/// Whether a reported caller id is the real one: in E.164 form, or with `00` or nothing in place of
/// the `+`, with or without punctuation. A national form is not taken: it could be anyone's.
pub(super) fn is(cli: &PhoneNumber, reported: &Cli) -> bool {
    Candidates::new(reported.expose())
        .iter()
        .any(|form| form.text() == cli.as_str())
}
