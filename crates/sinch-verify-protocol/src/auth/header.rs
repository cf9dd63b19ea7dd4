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
}

impl<'a> Authorization<'a> {
    /// Reads the header's value. The scheme counts in any letter case.
    ///
    /// # Errors
    ///
    /// When the value is not ASCII, has another scheme, or its credentials are
    /// not of that scheme's form.
    pub fn parse(value: &'a [u8]) -> Result<Self, InvalidAuthorization> {
        let value = std::str::from_utf8(value).map_err(|_| InvalidAuthorization::Form)?;
        let (scheme, rest) = value
            .trim_ascii()
            .split_once(' ')
            .ok_or(InvalidAuthorization::Form)?;
        let rest = rest.trim_ascii_start();
        if rest.is_empty() || rest.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(InvalidAuthorization::Form);
        }
        if scheme.eq_ignore_ascii_case("application") {
            return match rest.split_once(':') {
                None => Ok(Self::Public { key: rest }),
                Some((key, signature)) => {
                    let signature =
                        Signature::parse(signature.as_bytes()).ok_or(InvalidAuthorization::SignatureForm)?;
                    Ok(Self::Signed { key, signature })
                }
            };
        }
        if scheme.eq_ignore_ascii_case("basic") {
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

    /// The application's key.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Public { key } | Self::Signed { key, .. } => key,
            Self::Basic { pair } => pair.split_once(':').map_or("", |(key, _)| key),
        }
    }
}

/// Shows the scheme and the key only.
impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::Public { .. } => "Public",
            Self::Basic { .. } => "Basic",
            Self::Signed { .. } => "Signed",
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
    /// A scheme other than `Application` and `Basic`.
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
