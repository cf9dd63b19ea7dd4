//! Which verification a command is about.

use sinch_verify_protocol::{PhoneNumber, Reference, VerificationId};

use crate::exit::usage;
use crate::methods::Chosen;

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
#[derive(Clone)]
pub(crate) enum Which {
    Id(VerificationId),
    Reference(Reference),
    Number(PhoneNumber),
}

impl Which {
    /// What to do where the service has no such verification.
    pub(crate) fn not_found(&self, chosen: &Chosen) -> String {
        match self {
            Self::Id(_) => {
                "check the id, which `sinch-verify start` prints; an emulator forgets it when it ends"
                    .to_owned()
            }
            Self::Reference(_) => {
                "check the reference, which `sinch-verify start` prints; an emulator forgets it when it ends"
                    .to_owned()
            }
            Self::Number(_) => chosen.hint().unwrap_or_else(|| {
                format!(
                    "start one with `sinch-verify start NUMBER --method {}`",
                    chosen.method
                )
            }),
        }
    }
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
