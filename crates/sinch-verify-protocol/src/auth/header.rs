use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::string_to_sign::Signature;

/// An `Authorization` header, read but not yet believed.
#[derive(Clone)]
#[non_exhaustive]
pub enum Authorization<'a> {
    /// `Application KEY`.
    Public {
        /// The key.
        key: &'a str,
    },
    /// `Basic base64(KEY:SECRET)`.
    Basic {
        /// `KEY:SECRET`, zeroed when dropped.
        pair: Zeroizing<String>,
    },
    /// `Application KEY:SIGNATURE`.
    Signed {
        /// The key.
        key: &'a str,
        /// The signature.
        signature: Signature,
    },
    /// `Instance ID:SIGNATURE`: the legacy scheme of app instances.
    Instance {
        /// The instance's id.
        id: &'a str,
        /// The signature.
        signature: Signature,
    },
}

impl<'a> Authorization<'a> {
    /// Reads the header's value. The scheme counts in any letter case.
    ///
    /// # Errors
    ///
    /// When the value is not ASCII, has another scheme, or its credentials are
    /// not of that scheme's form.
    pub fn parse(value: &'a [u8]) -> Result<Self, InvalidAuthorization> {
        let value = value.trim_ascii();
        let space = value
            .iter()
            .position(|b| *b == b' ')
            .ok_or(InvalidAuthorization::Form)?;
        let (scheme, rest) = value.split_at(space);
        let rest = rest.trim_ascii_start();
        if scheme.eq_ignore_ascii_case(b"application") {
            return match memchr::memchr(b':', rest) {
                None => Ok(Self::Public { key: name(rest)? }),
                Some(colon) => {
                    let (key, signature) = name_and_signature(rest, colon)?;
                    Ok(Self::Signed { key, signature })
                }
            };
        }
        if scheme.eq_ignore_ascii_case(b"instance") {
            let colon = memchr::memchr(b':', rest).ok_or(InvalidAuthorization::SignatureForm)?;
            let (id, signature) = name_and_signature(rest, colon)?;
            return Ok(Self::Instance { id, signature });
        }
        if scheme.eq_ignore_ascii_case(b"basic") {
            let bytes = Zeroizing::new(STANDARD.decode(rest).map_err(|_| InvalidAuthorization::Form)?);
            let pair = std::str::from_utf8(&bytes).map_err(|_| InvalidAuthorization::Form)?;
            if !pair.contains(':') {
                return Err(InvalidAuthorization::Form);
            }
            return Ok(Self::Basic {
                pair: Zeroizing::new(pair.to_owned()),
            });
        }
        Err(InvalidAuthorization::Scheme)
    }

    /// The key and the text of the signature in `Application KEY:SIGNATURE`, whatever form the signature
    /// has: for explaining a header that [`Authorization::parse`] refuses.
    #[must_use]
    pub fn key_and_signature_text(value: &'a [u8]) -> Option<(&'a str, &'a [u8])> {
        let value = value.trim_ascii();
        let (scheme, rest) = value.split_at_checked(value.iter().position(|byte| *byte == b' ')?)?;
        let rest = rest.trim_ascii_start();
        let colon = memchr::memchr(b':', rest).filter(|_| scheme.eq_ignore_ascii_case(b"application"))?;
        Some((name(&rest[..colon]).ok()?, &rest[colon + 1..]))
    }

    /// The application's key, or the instance's id.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Public { key } | Self::Signed { key, .. } | Self::Instance { id: key, .. } => key,
            Self::Basic { pair } => pair.split_once(':').map_or("", |(key, _)| key),
        }
    }
}

fn name_and_signature(rest: &[u8], colon: usize) -> Result<(&str, Signature), InvalidAuthorization> {
    let signature = Signature::parse(&rest[colon + 1..]).ok_or(InvalidAuthorization::SignatureForm)?;
    Ok((name(&rest[..colon])?, signature))
}

fn name(key: &[u8]) -> Result<&str, InvalidAuthorization> {
    // Without an early exit, which lets the compiler look at many bytes at once.
    let graphic = key.iter().fold(true, |all, byte| all & byte.is_ascii_graphic());
    match std::str::from_utf8(key) {
        Ok(text) if graphic && !text.is_empty() => Ok(text),
        _ => Err(InvalidAuthorization::Form),
    }
}

/// Shows the scheme and the key only.
impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::Public { .. } => "Public",
            Self::Basic { .. } => "Basic",
            Self::Signed { .. } => "Signed",
            Self::Instance { .. } => "Instance",
        };
        f.debug_struct(scheme)
            .field("key", &self.key())
            .finish_non_exhaustive()
    }
}

/// Why an `Authorization` header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAuthorization {
    /// Not a scheme, a space and credentials in ASCII.
    Form,
    /// A scheme other than `Application`, `Basic` and `Instance`.
    Scheme,
    /// The signature is not the canonical base64 of 32 bytes.
    SignatureForm,
}

impl fmt::Display for InvalidAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "authorization is not a scheme, a space and credentials",
            Self::Scheme => "authorization scheme is neither Application nor Basic",
            Self::SignatureForm => "signature is not the padded base64 of 32 bytes",
        })
    }
}

impl std::error::Error for InvalidAuthorization {}
