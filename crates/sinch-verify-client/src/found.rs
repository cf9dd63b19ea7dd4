//! What a status query found after an answer was lost.

use std::fmt;

use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::phone_number::PhoneNumber;
use sinch_verify_protocol::{Credentials, Method, Reference, Verification, VerificationId};
use sinch_verify_protocol::{StatusById, StatusByNumber, StatusByReference};

use crate::call;
use crate::client::Inner;
use crate::clock::Budget;
use crate::error::Error;

/// What the service knows of a verification whose start, or report, got no usable answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// The verification, as it is now.
    Verification(Box<Verification>),
    /// The service knows no such verification, though it was asked several times. A request that is
    /// still under way could arrive after that; with its reference it is told from a new one.
    Nothing,
    /// It could not be found out: the query failed as well, or the time for the call was over.
    Unknown(Error),
}

impl Found {
    /// The verification, if there is one.
    #[must_use]
    pub fn verification(&self) -> Option<&Verification> {
        match self {
            Self::Verification(verification) => Some(verification),
            Self::Nothing | Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verification(verification) => {
                write!(
                    f,
                    "the service has the verification, status {}",
                    verification.status
                )
            }
            Self::Nothing => f.write_str("the service knows no such verification"),
            Self::Unknown(error) => write!(f, "what became of it is unknown, failed to {error:#}"),
        }
    }
}

/// Everything by which one verification can be asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whose {
    pub(crate) id: Option<VerificationId>,
    pub(crate) reference: Option<Reference>,
    pub(crate) number: Option<(Method, PhoneNumber)>,
}

impl Whose {
    /// Whether these credentials allow to ask at all.
    pub(crate) fn can_ask(&self, credentials: &Credentials) -> bool {
        let by_name = self.id.is_some() || self.reference.is_some();
        self.number.is_some() || (by_name && !is_public(credentials))
    }

    /// The verification, or `None` where the service knows none.
    pub(crate) async fn ask(&self, inner: &Inner, budget: Budget) -> Result<Option<Verification>, Error> {
        match self.status(inner, budget).await {
            Ok(verification) => Ok(Some(verification)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The verification: by id, by reference, or by method and number, the first that is at hand.
    ///
    /// What was found may be another verification than the one asked for. Public authorization allows
    /// the question by number only, which tells the number's latest one. And a reference that was
    /// used before names the older verification, perhaps one of another number that succeeded.
    pub(crate) async fn status(&self, inner: &Inner, budget: Budget) -> Result<Verification, Error> {
        let by_name = !is_public(&inner.credentials);
        if let Some(id) = self.id.clone().filter(|_| by_name) {
            return call::run(inner, &StatusById { id }, None, budget).await;
        }
        if let Some(reference) = self.reference.clone().filter(|_| by_name) {
            let found = call::run(inner, &StatusByReference { reference }, None, budget).await?;
            return match self.fits(&found) {
                true => Ok(found),
                false => Err(Error::another_verification::<StatusByReference>()),
            };
        }
        let Some((method, number)) = self.number.clone() else {
            return Err(Error::another_verification::<StatusByNumber>());
        };
        let query = StatusByNumber { method, number };
        let found = call::run(inner, &query, Some(number.masked()), budget).await?;
        match self.is(&found) {
            true => Ok(found),
            false => Err(Error::another_verification::<StatusByNumber>()),
        }
    }

    /// Whether a number's latest verification is the one asked for.
    fn is(&self, found: &Verification) -> bool {
        if let Some(id) = &self.id {
            return *id == found.id;
        }
        self.reference
            .as_ref()
            .is_none_or(|reference| found.reference.as_deref() == Some(reference.as_str()))
    }

    /// Whether the verification of a reference can be the one asked for, as far as the answer tells.
    fn fits(&self, found: &Verification) -> bool {
        let ours = self.number.as_ref().map(|(_, number)| *number);
        let theirs = found.identity.as_ref().map(Identity::phone_number);
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => theirs == Ok(ours),
            _ => true,
        }
    }
}

fn is_public(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Public(_))
}
