//! A number as a person types it.

use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::{NumberPlans, PhoneNumber};

use crate::exit::usage;

/// A number, and the country in which it is written.
#[derive(clap::Args)]
pub(crate) struct TypedNumber {
    /// The number to verify: with `+` and country code, or as it is dialled in `--country`.
    number: String,
    /// The country in which the number is dialled, such as `SE`.
    #[arg(long, value_name = "CC")]
    country: Option<Country>,
}

impl TypedNumber {
    /// The number in full.
    pub(crate) fn read(&self) -> anyhow::Result<PhoneNumber> {
        let read = PhoneNumber::from_typed(&self.number, self.country, &NumberPlans::new());
        read.map_err(|error| match error.suggestion() {
            Some(number) => usage(format_args!("{error}; did you mean {number}?")),
            None => usage(error),
        })
    }
}
