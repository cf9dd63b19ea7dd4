use std::fmt;
use std::iter::repeat;
use std::sync::Arc;
use std::time::SystemTime;

use sinch_verify_protocol::auth::{
    ContentMd5, PathForm, PathPolicy, Signature, SignedMessage, Signer, Verifier, VerifyError,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

/// The applications whose callbacks are taken, with their secrets.
///
/// An application may have several secrets while one replaces the other: a
/// callback is taken when any of them that is still valid signed it.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinch_verify_callback::KeyRing;
/// use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret};
///
/// let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
/// let new = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// let old = ApplicationSecret::new("JViE5vDor0Sw3WllZka15Q==")?;
///
/// let tomorrow = SystemTime::now() + Duration::from_secs(24 * 3600);
/// let keys = KeyRing::new(key.clone(), &new).with_retiring(key, &old, tomorrow);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    /// Sorted by key.
    applications: Vec<Application>,
    /// The most secrets that one application has.
    widest: usize,
    /// Checks what no secret is left for, so that every wrong signature takes as long.
    dummy: Verifier,
}

#[derive(Clone)]
struct Application {
    key: Arc<ApplicationKey>,
    secrets: Vec<Secret>,
}

#[derive(Clone)]
struct Secret {
    verifier: Verifier,
    not_after: Option<SystemTime>,
}

impl KeyRing {
    /// A ring with one application. Keeps no copy of the secret.
    #[must_use]
    pub fn new(key: ApplicationKey, secret: &ApplicationSecret) -> Self {
        let ring = Self {
            applications: Vec::with_capacity(1),
            widest: 0,
            // Whether this one matches is never looked at, so any secret will do.
            dummy: Verifier::new(key.clone(), secret),
        };
        ring.with(key, secret)
    }

    /// Adds an application, or one more secret of an application that is there.
    #[must_use]
    pub fn with(self, key: ApplicationKey, secret: &ApplicationSecret) -> Self {
        self.add(key, secret, None)
    }

    /// Adds a secret that counts until `not_after` and no longer: the one that
    /// was just replaced in the dashboard.
    #[must_use]
    pub fn with_retiring(
        self,
        key: ApplicationKey,
        secret: &ApplicationSecret,
        not_after: SystemTime,
    ) -> Self {
        self.add(key, secret, Some(not_after))
    }

    fn add(mut self, key: ApplicationKey, secret: &ApplicationSecret, not_after: Option<SystemTime>) -> Self {
        let secret = Secret {
            verifier: Verifier::new(key.clone(), secret),
            not_after,
        };
        let count = match self.applications.binary_search_by(|one| (*one.key).cmp(&key)) {
            Ok(at) => {
                let secrets = &mut self.applications[at].secrets;
                secrets.push(secret);
                secrets.len()
            }
            Err(at) => {
                let application = Application {
                    key: Arc::new(key),
                    secrets: vec![secret],
                };
                self.applications.insert(at, application);
                1
            }
        };
        self.widest = self.widest.max(count);
        self
    }

    /// The applications' keys, in order.
    fn applications(&self) -> impl Iterator<Item = &ApplicationKey> {
        self.applications.iter().map(|application| &*application.key)
    }

    /// Checks a signature against the secrets of `key`. A wrong signature costs
    /// the same for every key, known or not, so that time does not tell how many
    /// secrets it has, or that it has none.
    pub(crate) fn verify(
        &self,
        key: &str,
        message: &SignedMessage<'_>,
        signature: &Signature,
        now: SystemTime,
        paths: PathPolicy,
    ) -> Result<(Arc<ApplicationKey>, PathForm), VerifyError> {
        let found = self
            .applications
            .binary_search_by(|one| one.key.as_str().cmp(key))
            .ok()
            .and_then(|at| self.applications.get(at));
        for (verifier, counts) in self.tries(found, now) {
            let form = std::hint::black_box(verifier.check_signature(message, signature, paths));
            if let (Ok(form), true, Some(application)) = (form, counts, found) {
                return Ok((Arc::clone(&application.key), form));
            }
        }
        Err(match found {
            Some(_) => VerifyError::Mismatch,
            None => VerifyError::UnknownKey,
        })
    }

    /// Checks key and secret of basic authorization, `KEY:SECRET`.
    ///
    /// A ring has no secret to compare with, but only the same secret signs as it does. So this costs what
    /// [`KeyRing::verify`] costs, and no comparison ends early.
    pub(crate) fn verify_pair(
        &self,
        pair: &str,
        now: SystemTime,
    ) -> Result<Arc<ApplicationKey>, VerifyError> {
        let (key, secret) = pair.split_once(':').ok_or(VerifyError::WrongSecret)?;
        let own = ApplicationKey::new(key).map_err(|_| VerifyError::UnknownKey)?;
        let secret = ApplicationSecret::lenient(secret).map_err(|_| VerifyError::WrongSecret)?;
        let message = SignedMessage {
            verb: "",
            path_and_query: "",
            content_type: b"",
            timestamp: b"",
            content_md5: &ContentMd5::EMPTY,
        };
        let signature = Signer::new(own, &secret).signature(&message.string_to_sign());
        match self.verify(key, &message, &signature, now, PathPolicy::default()) {
            Ok((application, _)) => Ok(application),
            Err(VerifyError::Mismatch) => Err(VerifyError::WrongSecret),
            Err(error) => Err(error),
        }
    }

    /// What a signature is tried against, and whether a match counts: always as
    /// many as the application with the most secrets has.
    fn tries<'a>(
        &'a self,
        application: Option<&'a Application>,
        now: SystemTime,
    ) -> impl Iterator<Item = (&'a Verifier, bool)> {
        let secrets = application.map_or(&[][..], |application| &application.secrets);
        let secrets = secrets.iter().map(move |secret| {
            let valid = secret.not_after.is_none_or(|not_after| now <= not_after);
            (&secret.verifier, valid)
        });
        secrets.chain(repeat((&self.dummy, false))).take(self.widest)
    }
}

/// Shows the keys; there is no secret to show.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.applications()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_signature_costs_the_same_for_every_key_and_padding_never_counts() {
        let key = |text| ApplicationKey::new(text).unwrap();
        let first = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==").unwrap();
        let second = ApplicationSecret::new("JViE5vDor0Sw3WllZka15Q==").unwrap();
        let ring = KeyRing::new(key("one"), &first)
            .with(key("two"), &second)
            .with(key("two"), &ApplicationSecret::new("c2VjcmV0").unwrap());
        let now = SystemTime::now();
        for application in [None, ring.applications.first(), ring.applications.get(1)] {
            let own = application.map_or(0, |application| application.secrets.len());
            let counts: Vec<bool> = ring.tries(application, now).map(|(_, counts)| counts).collect();
            assert_eq!(counts, [own > 0, own > 1]);
        }
        // The padding is made of the first secret, which opens nothing but its own application.
        let body = ContentMd5::of(b"{}");
        for (name, secret, expected) in [
            ("one", &first, Ok(())),
            ("two", &second, Ok(())),
            ("one", &second, Err(VerifyError::Mismatch)),
            ("two", &first, Err(VerifyError::Mismatch)),
            ("three", &first, Err(VerifyError::UnknownKey)),
        ] {
            let signed = Signer::new(key(name), secret).sign("POST", "/", b"", b"{}", now);
            let message = SignedMessage {
                verb: "POST",
                path_and_query: "/",
                content_type: b"",
                timestamp: signed.timestamp.as_bytes(),
                content_md5: &body,
            };
            let verified = ring.verify(name, &message, &signed.signature, now, PathPolicy::default());
            assert_eq!(verified.map(|_| ()), expected, "{name}");
        }
    }
}
