//! Which verification a command is about.

use sinch_verify_protocol::{PhoneNumber, Reference, VerificationId};

use crate::exit::usage;

/// One of the ways to name a verification.
#[derive(clap::Args)]
#[group(id = "which", required = true, multiple = false)]
pub(crate) struct Args {
    /// The verification's id.
    #[arg(long)]
    id: Option<VerificationId>,
    /// Your own name for the verification.
    #[arg(long)]
    reference: Option<Reference>,
    /// The number under verification: its latest one by `--method`.
    #[arg(long)]
    number: Option<PhoneNumber>,
}

/// The way that was taken.
pub(crate) enum Which {
    Id(VerificationId),
    Reference(Reference),
    Number(PhoneNumber),
}

impl Args {
    pub(crate) fn which(&self) -> anyhow::Result<Which> {
        let Self {
            id,
            reference,
            number,
        } = self;
        let id = id.clone().map(Which::Id);
        let reference = reference.clone().map(Which::Reference);
        id.or(reference)
            .or_else(|| number.map(Which::Number))
            // clap has made sure that one of them is there.
            .ok_or_else(|| usage("give --id, --reference or --number"))
    }
}
