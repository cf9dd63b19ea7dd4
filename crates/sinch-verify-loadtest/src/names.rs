//! Enumerations with stable names: on the command line, in run files, in reports.

use std::fmt;

/// No name of a kind is the one given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownName {
    /// What was named, such as `scenario`.
    pub what: &'static str,
    /// The name that is nearest to the one given.
    pub nearest: &'static str,
    /// All names there are.
    pub all: Vec<&'static str>,
}

impl UnknownName {
    /// `text` names no `what`; `all` are the names there are.
    pub(crate) fn new(what: &'static str, text: &str, all: Vec<&'static str>) -> Self {
        let lower = text.to_ascii_lowercase();
        let unlike = |name: &str| 1.0 - strsim::jaro_winkler(&lower, name);
        let nearest = all
            .iter()
            .copied()
            .min_by(|a, b| unlike(a).total_cmp(&unlike(b)))
            .unwrap_or_default();
        Self { what, nearest, all }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no such {}, the nearest is `{}`; there are {}",
            self.what,
            self.nearest,
            self.all.join(", ")
        )
    }
}

impl std::error::Error for UnknownName {}

/// Declares an enumeration whose variants have names. After `with` may follow a variant that holds
/// something with a `name` of its own.
///
/// Generates `all`, `as_str`, `Display`, `FromStr`, and serde both ways.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $what:literal {
            $( $(#[$vmeta:meta])* $variant:ident = $text:literal, )*
        }
        $( with $(#[$wmeta:meta])* $with:ident($held:ty) of $every:expr; )?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$wmeta])* $with($held), )?
            $( $(#[$vmeta])* $variant, )*
        }

        impl $name {
            /// All of them.
            pub fn all() -> impl Iterator<Item = Self> {
                let plain = [$( Self::$variant ),*];
                std::iter::empty()$( .chain($every.map(Self::$with)) )?.chain(plain)
            }

            /// Its name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$with(held) => held.name, )?
                    $( Self::$variant => $text, )*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let named = Self::all().find(|one| one.as_str() == text);
                let names = || Self::all().map(Self::as_str).collect();
                named.ok_or_else(|| $crate::names::UnknownName::new($what, text, names()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use named;
