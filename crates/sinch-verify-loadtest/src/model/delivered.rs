use sinch_verify_protocol::method::{MethodInfo, ProofKind};
use sinch_verify_protocol::report::Proof;
use sinch_verify_protocol::{Cli, Code};

/// What reached a phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// The code of a message or of a callout.
    pub code: Option<Code>,
    /// Who called.
    pub cli: Option<Cli>,
    /// Its place in the phone's inbox; 0 where there is none.
    pub(crate) seq: u64,
}

impl Delivered {
    /// What proves the number to a verification by this method.
    #[must_use]
    pub fn proof(self, method: &MethodInfo) -> Option<Proof> {
        match method.proof? {
            ProofKind::Code => self.code.map(Proof::from),
            ProofKind::Cli => self.cli.map(Proof::from),
            _ => None,
        }
    }

    /// A message, or a callout, with `code`.
    #[must_use]
    pub fn code(code: Code) -> Self {
        Self {
            code: Some(code),
            ..Self::default()
        }
    }

    /// A call from `cli`.
    #[must_use]
    pub fn cli(cli: Cli) -> Self {
        Self {
            cli: Some(cli),
            ..Self::default()
        }
    }
}
