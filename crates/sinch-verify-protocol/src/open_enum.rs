//! One macro for the enumerations of the wire.
//!
//! Every enumeration of the API is open: the service may add a value at any
//! time, and official SDKs keep strings they do not know. So each of our enums
//! has its known variants plus `Unknown`, which holds the text as it came and
//! writes it back unchanged. Where the sources disagree on letter case the
//! reading ignores case; the writing is always the canonical form.

/// Declares an open wire enum: known variants, aliases that read as one of
/// them, and `Unknown`. `, exact` behind the name reads canonical spellings only.
///
/// Generates `as_str`, `is_unknown`, `Display`, `From<&str>`, `FromStr`,
/// serde both ways, and `KNOWN`, the canonical strings.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident $(, $exact:ident)? {
            $(
                $(#[$vmeta:meta])*
                $variant:ident = $text:literal $(| $alias:literal)*,
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$vmeta])* $variant, )*
            /// A value this version does not know, kept as it came.
            Unknown(Box<str>),
        }

        impl $name {
            /// The canonical wire strings of the known values.
            pub const KNOWN: &'static [&'static str] = &[$($text),*];

            /// The wire form: canonical for a known value, verbatim otherwise.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Unknown(text) => text,
                }
            }

            /// Whether this is a value that this version does not know.
            #[must_use]
            pub fn is_unknown(&self) -> bool {
                matches!(self, Self::Unknown(_))
            }

            fn known(text: &str) -> Option<Self> {
                // What senders may write freely is theirs: only the exact spelling is known.
                const EXACT: bool = false $( || stringify!($exact).len() > 0 )?;
                // The exact spelling first: it is the everyday case.
                match text {
                    $( $text => return Some(Self::$variant), )*
                    _ => {}
                }
                $(
                    if !EXACT && (text.eq_ignore_ascii_case($text) $(|| text.eq_ignore_ascii_case($alias))*) {
                        return Some(Self::$variant);
                    }
                )*
                None
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::Unknown(text.into()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or_else(|| Self::Unknown(text.into()))
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        /// The wire form, on one line: control characters of an unknown value are escaped.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&$crate::untrusted::escape(self.as_str()))
            }
        }

        $crate::wire::string_form!($name: as_str, known $name::KNOWN);

        impl $crate::wire::SideValue for $name {
            fn from_text(text: &str) -> $crate::wire::Side<Self> {
                $crate::wire::Side::Documented(Self::from(text))
            }
        }

        impl $crate::wire::Spelt for $name {
            fn read(text: &str) -> Self {
                Self::from(text)
            }
            fn canonical(&self) -> &str {
                self.as_str()
            }
            fn is_known(&self) -> bool {
                !self.is_unknown()
            }
        }
    };
}

pub(crate) use open_enum;
