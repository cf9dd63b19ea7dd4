//! `sinch-verify-load`: load on complete verifications, and a verdict.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    sinch_verify_loadtest::main([])
}
