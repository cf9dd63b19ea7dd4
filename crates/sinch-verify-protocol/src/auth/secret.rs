use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::{STANDARD as STANDARD_ALPHABET, URL_SAFE};
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::character::UnwantedCharacter;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const LENIENT_STANDARD: GeneralPurpose = GeneralPurpose::new(&STANDARD_ALPHABET, LENIENT);
const LENIENT_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// An application's secret: base64 text, as the dashboard shows it.
///
/// Signatures use the decoded bytes, basic authorization the text. Both are
/// zeroed when dropped, and neither is ever shown.
///
/// ```
/// use sinch_verify_protocol::ApplicationSecret;
///
/// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// # Ok::<(), sinch_verify_protocol::auth::InvalidSecret>(())
/// ```
#[derive(Clone)]
pub struct ApplicationSecret {
    text: Zeroizing<String>,
    bytes: Zeroizing<Vec<u8>>,
}

impl ApplicationSecret {
    /// Takes `text`, which must be standard base64 with padding, as real
    /// secrets are.
    ///
    /// # Errors
    ///
    /// When `text` is empty or not standard base64.
    pub fn new(text: &str) -> Result<Self, InvalidSecret> {
        Self::decode(text, |text| STANDARD.decode(text).ok())
    }

    /// Takes `text` as lenient SDKs do: url-safe characters, missing padding
    /// and stray bits in the last character are all right.
    ///
    /// # Errors
    ///
    /// When `text` is empty or not base64 in either alphabet.
    pub fn lenient(text: &str) -> Result<Self, InvalidSecret> {
        Self::decode(text, |text| {
            LENIENT_STANDARD
                .decode(text)
                .or_else(|_| LENIENT_URL_SAFE.decode(text))
                .ok()
        })
    }

    fn decode(text: &str, decode: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Self, InvalidSecret> {
        if text.is_empty() {
            return Err(InvalidSecret::Empty);
        }
        let wanted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
        if let Some(character) = UnwantedCharacter::find(text, wanted) {
            return Err(InvalidSecret::Character(character));
        }
        let bytes = decode(text).ok_or(InvalidSecret::NotBase64)?;
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            bytes: Zeroizing::new(bytes),
        })
    }

    /// The text, which basic authorization sends. **Do not log it.**
    #[must_use]
    pub fn expose_text(&self) -> &str {
        &self.text
    }

    /// The decoded bytes, which signatures use. **Do not log them.**
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromStr for ApplicationSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        Self::new(text)
    }
}

impl fmt::Debug for ApplicationSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a text is not an [`ApplicationSecret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// Nothing was given.
    Empty,
    /// A blank, a line end, a quote, or another character that no base64 has.
    Character(UnwantedCharacter),
    /// Not base64.
    NotBase64,
}

impl fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("application secret is empty; copy it from the dashboard"),
            Self::Character(character) => write!(f, "application secret has {character}"),
            Self::NotBase64 => {
                f.write_str("application secret is not base64 with padding; copy it whole from the dashboard")
            }
        }
    }
}

impl std::error::Error for InvalidSecret {}
