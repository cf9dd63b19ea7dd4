//! The parts of wire objects, and what every object can do.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::anomaly::{Anomaly, AnomalyKind, Received};
use super::broken_text;
use super::extra::Extra;
use super::raw_json::RawJson;
use crate::json::{BYTE_ORDER_MARK, JsonError, decode};

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

    /// The JSON Schema of the documented form. Most values are texts.
    #[cfg(feature = "server")]
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string"})
    }
}

impl<T: Part> Part for Option<T> {
    fn drain(&mut self, at: At<'_>, out: &mut Vec<Anomaly>) {
        if let Some(value) = self {
            value.drain(at, out);
        }
    }

    #[cfg(feature = "server")]
    fn schema() -> serde_json::Value {
        T::schema()
    }
}

impl<T: Part> Part for Vec<T> {
    fn drain(&mut self, at: At<'_>, out: &mut Vec<Anomaly>) {
        for (i, value) in self.iter_mut().enumerate() {
            value.drain(at.index(i), out);
        }
    }

    #[cfg(feature = "server")]
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "array", "items": T::schema()})
    }
}

/// A method with an object of its own in `Body`, such as its options in a start.
pub trait PartOf<Body> {
    /// The object.
    type Object;
    /// Its JSON key.
    const KEY: &'static str;

    /// The object, if it is there.
    #[doc(hidden)]
    fn get(body: &Body) -> Option<&Self::Object>;
    /// Where the object stands.
    #[doc(hidden)]
    fn slot(body: &mut Body) -> &mut Option<Self::Object>;
}

macro_rules! leaf {
    ($($ty:ty: $schema:tt),* $(,)?) => {
        $(
            impl Part for $ty {
                #[cfg(feature = "server")]
                fn schema() -> serde_json::Value {
                    serde_json::json!($schema)
                }
            }
        )*
    };
}

leaf! {
    bool: {"type": "boolean"},
    u32: {"type": "integer", "minimum": 0},
    u64: {"type": "integer", "minimum": 0},
    i64: {"type": "integer"},
    String: {"type": "string"},
    RawJson: {},
}

/// Moves an object's own remarks into `out`.
pub(crate) fn drain_extra(extra: &mut Extra, at: At<'_>, out: &mut Vec<Anomaly>) {
    for remark in extra.take_remarks() {
        out.push(Anomaly {
            path: at.field(&remark.field).to_string(),
            what: remark.what,
        });
    }
}

/// Names an object's unknown fields in `out`.
pub(crate) fn name_unknown(extra: &Extra, at: At<'_>, out: &mut Vec<Anomaly>) {
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
/// # Ok::<(), sinch_verify_protocol::error::JsonError>(())
/// ```
pub trait WireObject: Part + Serialize + DeserializeOwned {
    /// Reads the object.
    ///
    /// # Errors
    ///
    /// When `body` is not such an object; the error has the JSON path.
    fn decode(body: &[u8]) -> Result<Self, JsonError> {
        decode_object(body)
    }

    /// Reads the object and reports its anomalies.
    ///
    /// # Errors
    ///
    /// When `body` is not such an object; the error has the JSON path.
    fn receive(body: &[u8]) -> Result<Received<Self>, JsonError> {
        let mut value = Self::decode(body)?;
        let anomalies = value.take_anomalies();
        Ok(Received { value, anomalies })
    }

    /// Takes the anomalies of an object that was decoded out of it: a second call gives
    /// only its unknown fields.
    fn take_anomalies(&mut self) -> Vec<Anomaly> {
        let mut anomalies = Vec::new();
        self.drain(At::ROOT, &mut anomalies);
        anomalies
    }

    /// The object as JSON, in canonical form.
    fn to_json(&self) -> String {
        // Our objects always encode: every map key is text and raw values are JSON already.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether the field `key` is one that must be readable.
    #[doc(hidden)]
    fn carries_the_verdict(key: &str) -> bool;

    #[doc(hidden)]
    fn extra_mut(&mut self) -> &mut Extra;
}

/// Reads an object. Text that is not Unicode is mended where no verdict depends on it, and what is
/// tolerated about the whole document is remarked in the object.
fn decode_object<T: WireObject>(body: &[u8]) -> Result<T, JsonError> {
    let mut object: T = match decode(body) {
        Ok(object) => object,
        Err(error) => decode_mended(body).ok_or(error)?,
    };
    if body.starts_with(BYTE_ORDER_MARK) {
        object.extra_mut().remark(".", AnomalyKind::ByteOrderMark);
    }
    Ok(object)
}

#[cold]
fn decode_mended<T: WireObject>(body: &[u8]) -> Option<T> {
    let (body, fields) = broken_text::mended(body, |key| !T::carries_the_verdict(key))?;
    let mut object: T = decode(&body).ok()?;
    for field in fields {
        object.extra_mut().remark(field, AnomalyKind::BrokenText);
    }
    Some(object)
}
