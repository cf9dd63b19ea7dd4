use std::fmt;
use std::io;
use std::net::SocketAddr;

use sinch_verify_emulator::StartError;

use super::goose::AttackError;
use crate::model::{Exit, Failure, ScenarioName};

/// A run could not be carried out.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum RunError {
    /// The options do not fit together, for this reason.
    Options(String),
    /// The operating system gives no threads.
    Runtime(io::Error),
    /// The emulator did not start.
    Emulator(StartError),
    /// Callbacks cannot be listened for at this address.
    Callbacks {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The target does not answer.
    Unreachable(Failure),
    /// A request to the target cannot be made.
    Request(Failure),
    /// The preparation of a scenario failed.
    Prepare {
        /// Which scenario.
        scenario: ScenarioName,
        /// Why.
        failure: Failure,
    },
    /// The load generator could not do its work.
    Attack(AttackError),
}

impl RunError {
    /// What the process exits with.
    #[must_use]
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Prepare { failure, .. } if failure.kind().is_unreachable() => Exit::Unreachable,
            // Another program listens there, or the address is none of this machine's.
            Self::Options(_) | Self::Callbacks { .. } => Exit::Usage,
            _ => Exit::Invalid,
        }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Callbacks { .. } => Some("--callback-listen takes another address"),
            Self::Unreachable(_) => {
                Some("`sinch-verify serve` starts an emulator; without --target, a run starts one of its own")
            }
            _ => None,
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Options(problem) => return write!(f, "use these options together: {problem}"),
            Self::Runtime(_) => "start the threads of a run",
            Self::Emulator(_) => "start an emulator for the run",
            Self::Callbacks { address, .. } => {
                return write!(f, "listen for callbacks at {address}");
            }
            Self::Unreachable(_) => "reach the target",
            Self::Request(_) => "make a request to the target",
            Self::Prepare { scenario, .. } => return write!(f, "prepare the scenario {scenario}"),
            Self::Attack(_) => "run the users",
        })
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            Self::Options(_) => return None,
            Self::Runtime(source) | Self::Callbacks { source, .. } => source,
            Self::Emulator(source) => source,
            Self::Unreachable(source) | Self::Request(source) | Self::Prepare { failure: source, .. } => {
                source
            }
            Self::Attack(source) => source,
        })
    }
}
