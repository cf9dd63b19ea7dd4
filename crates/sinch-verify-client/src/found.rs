//! What a status query found after an answer was lost.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::phone_number::{Masked, PhoneNumber};
use sinch_verify_protocol::{Credentials, Endpoint, Method, Reference, Verification, VerificationId};
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
    /// A verification that may be another one. **It proves nothing**: to let somebody in on its
    /// strength is to let in whoever found a reference that somebody else's success has, or reported
    /// a wrong code for a number that its owner has verified.
    ///
    /// For a start it has your reference, and was begun before the start, or has succeeded, or had
    /// the reference already when the service refused the start for it, or does not tell enough to
    /// know. For a report by number it is the number's latest verification.
    Doubtful(Box<Verification>),
    /// The service knows no such verification, though it was asked several times. A request that is
    /// still under way could arrive after that; with its reference it is told from a new one.
    Nothing,
    /// It could not be found out: the query failed as well, or the time for the call was over.
    Unknown(Error),
}

impl Found {
    /// The verification, if there is one that is certain to be the one asked for.
    #[must_use]
    pub fn verification(&self) -> Option<&Verification> {
        match self {
            Self::Verification(verification) => Some(verification),
            Self::Doubtful(_) | Self::Nothing | Self::Unknown(_) => None,
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
            Self::Doubtful(verification) => {
                write!(
                    f,
                    "the service has a verification that may be another one, status {}",
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
    /// Of no account where the id is known.
    pub(crate) claim: Claim,
}

/// What makes a verification that was found without its id the one asked for.
///
/// The service takes a reference once, so whoever gives the same to two starts has the second refused,
/// and a question by that reference answered by the first: perhaps an old success.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Claim {
    /// The reference was made for this start.
    Reference,
    /// The reference is the caller's; no request that may have begun the verification went out before
    /// this time.
    Since(Instant),
    /// Nothing does.
    #[default]
    Nothing,
}

/// How much later than it was an event may seem to the service: `Date` and `verificationTimestamp`
/// may both be cut to whole seconds.
const GRAIN: Duration = Duration::from_secs(1);

/// A status, and the service's time when it was told.
struct Told {
    verification: Verification,
    date: Option<SystemTime>,
}

impl Whose {
    /// Whether these credentials allow to ask at all.
    pub(crate) fn can_ask(&self, credentials: &Credentials) -> bool {
        let by_name = self.id.is_some() || self.reference.is_some();
        self.number.is_some() || (by_name && !is_public(credentials))
    }

    /// The number, for a span.
    pub(crate) fn masked(&self) -> Option<Masked<'_>> {
        self.number.as_ref().map(|(_, number)| number.masked())
    }

    /// The start was sent at this time, and not taken when it was sent before.
    pub(crate) fn was_sent(&mut self, at: Instant) {
        if let Claim::Since(since) = &mut self.claim {
            *since = at;
        }
    }

    /// The service knew the reference before it took the start.
    pub(crate) fn was_taken(&mut self) {
        if let Claim::Since(_) = self.claim {
            self.claim = Claim::Nothing;
        }
    }

    /// The verification, whether it is the one asked for, or that the service knows none.
    pub(crate) async fn ask(&self, inner: &Inner, budget: Budget) -> Result<Found, Error> {
        match self.query(inner, budget).await {
            Ok(told) => {
                let ours = self.id.is_some() || self.is_claimed(inner, &told);
                let verification = Box::new(told.verification);
                Ok(match ours {
                    true => Found::Verification(verification),
                    false => Found::Doubtful(verification),
                })
            }
            Err(error) if error.is_not_found() => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// The status of a verification whose id is known.
    pub(crate) async fn status(&self, inner: &Inner, budget: Budget) -> Result<Verification, Error> {
        Ok(self.query(inner, budget).await?.verification)
    }

    /// The verification: by id, by reference, or by method and number, the first that is at hand.
    ///
    /// What is certainly another verification is not found. Public authorization allows the question
    /// by number only, which tells the number's latest one; and the verification of a reference that
    /// was used before may be another number's.
    async fn query(&self, inner: &Inner, budget: Budget) -> Result<Told, Error> {
        let by_name = !is_public(&inner.credentials);
        if let Some(id) = self.id.clone().filter(|_| by_name) {
            return self.send(inner, &StatusById { id }, budget).await;
        }
        if let Some(reference) = self.reference.clone().filter(|_| by_name) {
            let told = self.send(inner, &StatusByReference { reference }, budget).await?;
            return match self.fits(&told.verification) {
                true => Ok(told),
                false => Err(Error::another_verification::<StatusByReference>()),
            };
        }
        let Some((method, number)) = self.number.clone() else {
            return Err(Error::another_verification::<StatusByNumber>());
        };
        let query = StatusByNumber { method, number };
        let told = self.send(inner, &query, budget).await?;
        match self.is(&told.verification) {
            true => Ok(told),
            false => Err(Error::another_verification::<StatusByNumber>()),
        }
    }

    async fn send<Q>(&self, inner: &Inner, query: &Q, budget: Budget) -> Result<Told, Error>
    where
        Q: Endpoint<Response = Verification>,
    {
        let (verification, date) = call::run_dated(inner, query, self.masked(), budget).await?;
        Ok(Told { verification, date })
    }

    /// Whether a number's latest verification can be the one asked for.
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
        let Some((method, number)) = &self.number else {
            return true;
        };
        let their_method = found.method.as_ref();
        let their_number = found.identity.as_ref().map(Identity::phone_number);
        // One that cannot be read is not certainly another.
        their_number.is_none_or(|theirs| theirs.is_err() || theirs == Ok(*number))
            // The service may name the method that it chose.
            && (*method == Method::Auto || their_method.is_none_or(|theirs| theirs == method))
    }

    /// Whether a verification without a known id is certain to be the one asked for.
    fn is_claimed(&self, inner: &Inner, told: &Told) -> bool {
        let sent = match self.claim {
            Claim::Reference => return true,
            Claim::Since(sent) => sent,
            Claim::Nothing => return false,
        };
        let found = &told.verification;
        // A question by number is answered about that number.
        let their_number = found.identity.as_ref().map(Identity::phone_number);
        let names_number = matches!(their_number, Some(Ok(_))) || is_public(&inner.credentials);
        if found.is_successful() || !names_number {
            return false;
        }
        // Its age by the service's own clock: this host's may be minutes off.
        let (Some(now), Some(begun)) = (told.date, &found.timestamp) else {
            return false;
        };
        let age = match now.duration_since(begun.time()) {
            Ok(age) => age,
            Err(ahead) if ahead.duration() <= 2 * GRAIN => Duration::ZERO,
            // By a clock that was moved ahead everything is new.
            Err(_) => return false,
        };
        age <= inner.clock.instant().saturating_duration_since(sent) + GRAIN
    }
}

fn is_public(credentials: &Credentials) -> bool {
    matches!(credentials, Credentials::Public(_))
}
