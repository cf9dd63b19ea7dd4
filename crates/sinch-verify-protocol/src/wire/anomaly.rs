use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::extra::Extra;
use crate::error::{DecodeError, decode};
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

/// Something in a body that is not as documented and was accepted all the same.
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
    /// A field that this version does not know. Kept.
    UnknownField,
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
            Self::UnknownField => f.write_str("unknown field, kept"),
        }
    }
}

/// Where a value stands, as a chain up to the document, so that a path costs
/// nothing until an anomaly is found.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct At<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    const ROOT: At<'static> = At {
        parent: None,
        step: Step::Root,
    };

    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        Self {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    fn index(&'a self, i: usize) -> Self {
        Self {
            parent: Some(self),
            step: Step::Index(i),
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            let below_root = matches!(parent.step, Step::Root);
            match self.step {
                Step::Root => {}
                Step::Field(name) if below_root => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(i) => write!(f, "[{i}]")?,
            }
        }
        Ok(())
    }
}

/// Anything that can stand in a wire object and may carry remarks inside.
#[doc(hidden)]
pub trait Part {
    /// Moves the remarks at and below this value, which stands at `at`, into `out`.
    fn drain(&mut self, at: At<'_>, out: &mut Vec<Anomaly>) {
        let _ = (at, out);
    }
}

impl<T: Part> Part for Option<T> {
    fn drain(&mut self, at: At<'_>, out: &mut Vec<Anomaly>) {
        if let Some(value) = self {
            value.drain(at, out);
        }
    }
}

impl<T: Part> Part for Vec<T> {
    fn drain(&mut self, at: At<'_>, out: &mut Vec<Anomaly>) {
        for (i, value) in self.iter_mut().enumerate() {
            value.drain(at.index(i), out);
        }
    }
}

macro_rules! leaf {
    ($($ty:ty),* $(,)?) => { $( impl Part for $ty {} )* };
}

leaf!(
    bool,
    u32,
    u64,
    i64,
    String,
    crate::phone_number::PhoneNumber,
    super::raw::RawJson
);

/// Moves an object's own remarks, and its unknown fields' names, into `out`.
pub(crate) fn drain_extra(extra: &mut Extra, at: At<'_>, out: &mut Vec<Anomaly>) {
    for remark in extra.take_remarks() {
        out.push(Anomaly {
            path: at.field(remark.field).to_string(),
            what: remark.what,
        });
    }
    for (name, _) in extra.iter() {
        out.push(Anomaly {
            path: at.field(name).to_string(),
            what: AnomalyKind::UnknownField,
        });
    }
}

/// A JSON object of the wire: what every such object can do.
///
/// ```
/// use sinch_verify_protocol::wire::WireObject;
/// use sinch_verify_protocol::start::StartRequest;
///
/// let body = br#"{"identity":{"type":"number","endpoint":"+46700000001"},"method":"flashCall"}"#;
/// let received = StartRequest::receive(body)?;
/// assert_eq!(received.anomalies[0].to_string(), "method: value in another spelling");
/// assert!(received.value.to_json().contains(r#""method":"flashcall""#));
/// # Ok::<(), sinch_verify_protocol::DecodeError>(())
/// ```
pub trait WireObject: Part + Serialize + DeserializeOwned {
    /// Reads the object.
    ///
    /// # Errors
    ///
    /// When `body` is not such an object; the error has the JSON path.
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        decode(body)
    }

    /// Reads the object and reports its anomalies.
    ///
    /// # Errors
    ///
    /// When `body` is not such an object; the error has the JSON path.
    fn receive(body: &[u8]) -> Result<Received<Self>, DecodeError> {
        let mut value: Self = decode(body)?;
        let mut anomalies = Vec::new();
        value.drain(At::ROOT, &mut anomalies);
        Ok(Received { value, anomalies })
    }

    /// The object as JSON, in canonical form.
    fn to_json(&self) -> String {
        // Our objects always encode: every map key is text and raw values are JSON already.
        serde_json::to_string(self).unwrap_or_default()
    }
}
