use std::fmt;

use crate::untrusted::escape;

/// A received value and the anomalies in the way it was written.
///
/// The service half is tolerant because official SDKs send things that the
/// reference does not allow. Nothing is tolerated silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<T> {
    /// The value, normalised.
    pub value: T,
    /// What was normalised, dropped or not understood: of an object, first what
    /// is inside its fields, then its own.
    pub anomalies: Vec<Anomaly>,
}

/// Something in a request or a body that is not as documented and was accepted all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Anomaly {
    /// The JSON path of the field, such as `flashCallOptions.dialTimeout`.
    pub path: String,
    /// What is not as documented.
    pub what: AnomalyKind,
}

/// The ways in which an accepted field may differ from the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// An explicit `null` where the field could be left out (mobile SDKs).
    ExplicitNull,
    /// The key has another spelling (`flashcall` for `flashCall`).
    KeySpelling,
    /// The value has another spelling (`flashCall` for `flashcall`).
    ValueSpelling,
    /// A value that this version does not know. Kept.
    UnknownValue,
    /// A zero that means "not set" (the .NET SDK's `dialTimeout`). Dropped.
    ZeroForUnset,
    /// An options object with nothing in it (the Python SDK). Dropped.
    EmptyObject,
    /// A field that belongs into another object. Dropped.
    Misplaced {
        /// Where it belongs.
        belongs: &'static str,
    },
    /// A field of another method than the one named. Ignored.
    OtherMethod,
    /// A price that is flat where it is documented as nested.
    FlatPrice,
    /// A number written as a string, or the other way round.
    WrongType,
    /// A number that keeps the trunk prefix after its calling code (`+460700000001`).
    TrunkPrefix,
    /// A field that this version does not know. Kept.
    UnknownField,
    /// A side field, or an entry of its list, that cannot be read. Left out.
    Unreadable,
    /// A byte that is not UTF-8, or half of a surrogate pair, in text that no verdict
    /// depends on. Read as U+FFFD.
    BrokenText,
    /// A byte order mark before the document. Skipped.
    ByteOrderMark,
    /// A body that is not declared as JSON in UTF-8. Read as such.
    ContentType,
    /// A path that is percent-encoded as a whole (the Android SDK 1.x). Decoded once.
    EscapedPath,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escape(&self.path), self.what)
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExplicitNull => f.write_str("explicit null, read as absent"),
            Self::KeySpelling => f.write_str("key in another spelling"),
            Self::UnknownValue => f.write_str("unknown value, kept"),
            Self::ValueSpelling => f.write_str("value in another spelling"),
            Self::ZeroForUnset => f.write_str("zero, read as not set"),
            Self::EmptyObject => f.write_str("empty object, read as absent"),
            Self::Misplaced { belongs } => write!(f, "ignored here, belongs into `{belongs}`"),
            Self::OtherMethod => f.write_str("ignored, belongs to another method"),
            Self::FlatPrice => f.write_str("flat price, read as the price of the verification"),
            Self::WrongType => f.write_str("of another JSON type than documented"),
            Self::TrunkPrefix => f.write_str("trunk prefix (mostly a 0) kept after the calling code"),
            Self::UnknownField => f.write_str("unknown field, kept"),
            Self::Unreadable => f.write_str("unreadable, left out"),
            Self::BrokenText => f.write_str("not valid Unicode, read with U+FFFD in its place"),
            Self::ByteOrderMark => f.write_str("byte order mark, skipped"),
            Self::ContentType => f.write_str("not JSON in UTF-8, read as if it were"),
            Self::EscapedPath => f.write_str("percent-encoded as a whole, slashes included; decoded once"),
        }
    }
}
