use std::fmt;

/// A character that a key or a secret cannot have, and where it stands. Often it comes from the file
/// of environment variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnwantedCharacter {
    /// Its byte offset.
    pub at: usize,
    /// The character.
    pub found: char,
}

impl UnwantedCharacter {
    /// The first character of `text` that is not `wanted`.
    pub(super) fn find(text: &str, wanted: impl Fn(char) -> bool) -> Option<Self> {
        let (at, found) = text.char_indices().find(|(_, c)| !wanted(*c))?;
        Some(Self { at, found })
    }
}

/// Fits after "has".
impl fmt::Display for UnwantedCharacter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, found } = self;
        match found {
            '\n' => write!(f, "a line feed at offset {at}; remove it"),
            '\r' => write!(f, "a carriage return at offset {at}; remove it and the line end"),
            '\t' => write!(f, "a tab at offset {at}; remove it"),
            ' ' => write!(f, "a blank at offset {at}; remove it"),
            '"' => write!(f, "a double quote at offset {at}; remove the quotes around it"),
            '\'' => write!(f, "a single quote at offset {at}; remove the quotes around it"),
            ':' => write!(f, "a colon at offset {at}; remove it and what is behind it"),
            c if c.is_ascii_graphic() => write!(f, "`{c}` at offset {at}; remove it"),
            c => write!(
                f,
                "the character U+{:04X} at offset {at}; remove it",
                u32::from(*c)
            ),
        }
    }
}
