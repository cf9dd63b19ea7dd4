//! Which verification a start, a report or a handle is about.

use std::time::{Duration, Instant, SystemTime};

use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::phone_number::{Masked, PhoneNumber};
use sinch_verify_protocol::{Method, Reference, Verification, VerificationId};

/// Identifiers for looking up a verification.
#[derive(Clone, Debug, Default)]
pub(crate) struct VerificationRef {
    pub(crate) id: Option<VerificationId>,
    pub(crate) reference: Option<Reference>,
    pub(crate) number: Option<(Method, PhoneNumber)>,
    /// Not needed where the id is known.
    pub(crate) evidence: Evidence,
}

/// What proves that a verification which was found without its id belongs to the start.
///
/// The service takes a reference once. Of two starts with the same reference it refuses the second, and a
/// query by the reference finds the first: perhaps an old success.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Evidence {
    /// The reference was made for this start.
    OwnReference,
    /// The caller gave the reference. No request that may have begun the verification was sent before this
    /// time.
    SentAt(Instant),
    /// Nothing.
    #[default]
    None,
}

/// How much later than it was an event may seem to the service: `Date` and `verificationTimestamp`
/// may both be cut to whole seconds.
const GRAIN: Duration = Duration::from_secs(1);

/// A status, and the service's time when it answered.
pub(crate) struct Dated {
    pub(crate) verification: Verification,
    pub(crate) date: Option<SystemTime>,
}

impl VerificationRef {
    /// Whether the status can be queried with these credentials.
    pub(crate) fn can_be_queried(&self, public: bool) -> bool {
        let by_name = self.id.is_some() || self.reference.is_some();
        self.number.is_some() || (by_name && !public)
    }

    /// The number, where it is known.
    pub(crate) fn number(&self) -> Option<PhoneNumber> {
        self.number.as_ref().map(|(_, number)| *number)
    }

    /// The number, for a span.
    pub(crate) fn masked(&self) -> Option<Masked<'_>> {
        self.number.as_ref().map(|(_, number)| number.masked())
    }

    /// The start was sent at this time, and not carried out when it was sent before.
    pub(crate) fn was_sent(&mut self, at: Instant) {
        if let Evidence::SentAt(sent) = &mut self.evidence {
            *sent = at;
        }
    }

    /// The service knew the reference before it took the start.
    pub(crate) fn was_taken(&mut self) {
        if let Evidence::SentAt(_) = self.evidence {
            self.evidence = Evidence::None;
        }
    }

    /// Whether a number's latest verification can be this one.
    pub(crate) fn may_be_latest(&self, found: &Verification) -> bool {
        if let Some(id) = &self.id {
            return *id == found.id;
        }
        self.reference
            .as_ref()
            .is_none_or(|reference| found.reference.as_deref() == Some(reference.as_str()))
    }

    /// Whether the verification of a reference can be this one, as far as the answer tells.
    pub(crate) fn may_have_reference(&self, found: &Verification) -> bool {
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

    /// Whether what was found certainly is this verification. `now` is this machine's time, and
    /// `by_number` whether the query named the number.
    pub(crate) fn is_certain(&self, found: &Dated, now: Instant, by_number: bool) -> bool {
        let Dated { verification, date } = found;
        let sent = match self.evidence {
            _ if self.id.is_some() => return true,
            Evidence::OwnReference => return true,
            Evidence::SentAt(sent) => sent,
            Evidence::None => return false,
        };
        let their_number = verification.identity.as_ref().map(Identity::phone_number);
        let names_number = by_number || matches!(their_number, Some(Ok(_)));
        if verification.is_successful() || !names_number {
            return false;
        }
        // Its age by the service's own clock: this host's may be minutes off.
        let (Some(date), Some(begun)) = (date, &verification.timestamp) else {
            return false;
        };
        let age = match date.duration_since(begun.time()) {
            Ok(age) => age,
            Err(ahead) if ahead.duration() <= 2 * GRAIN => Duration::ZERO,
            // By a clock that was moved ahead everything is new.
            Err(_) => return false,
        };
        age <= now.saturating_duration_since(sent) + GRAIN
    }
}
