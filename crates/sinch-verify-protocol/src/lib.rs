//! Sinch Verification as pure types.
#![forbid(unsafe_code)]

pub mod caller_id;
pub mod cli_filter;
pub mod country;
pub mod phone_number;
pub mod polling;
pub mod sms_template;
